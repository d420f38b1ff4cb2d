"""Named variations of a protocol: one ingredient taken away, or one constraint changed.

    ablation     an ingredient of `improved` taken away, to see what it carries
    plasticity   the share of recurrent weights that are plastic; the others do not exist
    balance      the share of excitatory units

Each is data: places in the protocol, written with dots, and what stands there instead. `*` is
every solver. `dgr reproduce --protocol improved --vary NAME` runs one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bridge.errors import SettingError, unknown
from bridge.replay.protocol import Protocol
from bridge.replay.published import EARLIER
from pycog_dgr.files.npz import shortened

BIORNN = "solvers.biornn.options"
THESIS_GENERATOR = {
    "kind": "gan",
    "iterations": [5940, 23220, 45040, 75500],
    "mixes": [{}, *({"replayed": ratio} for ratio in EARLIER)],
}


@dataclass(frozen=True)
class Variation:
    """What is changed, and the group that a figure shows it in."""

    group: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def solvers(self) -> tuple[str, ...]:
        """The solvers that it concerns, where it leaves others and the generator as they are."""
        places = [place.split(".") for place in self.changes]
        own = [path[0] == "solvers" and path[1] != "*" for path in places]
        return tuple(dict.fromkeys(path[1] for path in places)) if all(own) else ()


def _share(group: str, option: str, per_cent: int) -> tuple[str, Variation]:
    return f"{group}-{per_cent}", Variation(group, {f"{BIORNN}.{option}": per_cent / 100})


VARIATIONS: Mapping[str, Variation] = {
    "no-augmentation": Variation("ablation", {"augmentation": None}),
    "no-texture": Variation("ablation", {"generator.options.texture_rank": 0}),
    "no-alignment": Variation("ablation", {"generator.options.replay": "as_data"}),
    "thesis-gan": Variation("ablation", {"generator": THESIS_GENERATOR, "labels": "soft"}),
    "condition-labels": Variation("ablation", {"labels": "condition"}),
    "solver-labels": Variation("ablation", {"labels": "soft"}),
    "samples-once": Variation("ablation", {"fresh_samples": False}),
    "constant-rate": Variation("ablation", {"solvers.*.options.schedule": "constant"}),
    "fixed-tau": Variation("ablation", {f"{BIORNN}.train_tau": False}),
    "thesis-dynamics": Variation("ablation", {f"{BIORNN}.train_tau": False, f"{BIORNN}.dt": 1.0}),
    "ordinary-start": Variation(
        "ablation", {f"{BIORNN}.initialisation": "thesis", f"{BIORNN}.rho0": 1.5}
    ),
    "no-dale": Variation("ablation", {f"{BIORNN}.dale": False}),
    "no-masks": Variation("ablation", {f"{BIORNN}.plastic": 1.0}),
    "no-noise": Variation("ablation", {f"{BIORNN}.var_rec": 0.0}),
    **dict(_share("plasticity", "plastic", share) for share in (100, 75, 50, 25, 10)),
    "plasticity-98": Variation("plasticity", {f"{BIORNN}.plastic": 63 / 64}),  # no self-connection
    **dict(_share("balance", "excitatory", share) for share in (50, 60, 70, 80, 90, 95)),
}


def varied(protocol: Protocol, name: str) -> Protocol:
    """A protocol with one variation.

    Parameters
    ----------
    protocol
        The one to vary.
    name
        A name in VARIATIONS.

    Returns
    -------
    Protocol
        A copy.

    Raises
    ------
    SettingError
        An unknown name, or a place that the protocol does not have.
    """
    if name not in VARIATIONS:
        raise unknown("variation", name, VARIATIONS)
    return changed(protocol, {**VARIATIONS[name].changes, "variation": name})


def changed(protocol: Protocol, changes: Mapping[str, Any]) -> Protocol:
    """A protocol with other values at some places.

    Parameters
    ----------
    protocol
        The one to change.
    changes
        Place, written with dots -> value.

    Returns
    -------
    Protocol
        A copy.

    Raises
    ------
    SettingError
        A place that the protocol does not have, or a value that does not belong there.
    """
    tree = protocol.as_dict()
    for place, value in changes.items():
        for holder, key in _places(tree, place.split("."), place, protocol.name):
            holder[key] = value
    try:
        return msgspec.convert(tree, Protocol)
    except msgspec.ValidationError as error:
        raise SettingError(f"protocol '{protocol.name}': {error}") from None


def _may_be_new(place: str) -> bool:
    """Whether a place need not be there yet: an option, or the plan of another solver."""
    return ".options." in place or (place.startswith("solvers.") and place.count(".") == 1)


def _places(
    tree: dict[str, Any], path: list[str], place: str, protocol: str
) -> Iterator[tuple[dict[str, Any], str]]:
    """Every dictionary that a path leads to, with the key in it; options may be new."""
    first, *rest = path
    keys = list(tree) if first == "*" else [first]
    for key in keys:
        if not rest and (key in tree or _may_be_new(place)):
            yield tree, key
        elif rest and isinstance(tree.get(key), dict):
            yield from _places(tree[key], rest, place, protocol)
        else:
            raise SettingError(
                f"protocol '{protocol}' has no place {shortened(place, 80)!r}: it has "
                f"{', '.join(tree)} there"
            )
