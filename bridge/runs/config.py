"""What was asked for, as data: config.json, and the only reader of the folder's JSON files."""

import json
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from bridge.data import NAMES, Contexts, ImageData
from bridge.errors import ResultsError, SettingError, unknown
from bridge.files import write_json
from bridge.networks import SOLVERS
from bridge.replay import (
    BASELINES,
    REPLAYS,
    VARIATIONS,
    Budget,
    Protocol,
    changed,
    protocol_named,
    varied,
)
from bridge.runs.audits import AUDITS
from bridge.runs.paths import RunPaths
from pycog_dgr.files import remove_partial_files

REMEDY = "run `dgr reproduce` into a new folder, or restore the file from a copy"
LARGEST_JSON = 2**22  # bytes; those of the largest runs have thousands
THESIS_SOLVERS = ("lstm", "biornn")
EXTENDABLE = ("seeds", "solvers", "replays", "audits")

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][\w.+-]*$")]
Names = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
Seeds = Annotated[tuple[Annotated[int, msgspec.Meta(ge=0)], ...], msgspec.Meta(min_length=1)]
Classes = Annotated[tuple[Annotated[int, msgspec.Meta(ge=0)], ...], msgspec.Meta(min_length=1)]
T = TypeVar("T")


@dataclass(frozen=True)
class RunConfig:
    """What makes two runs the same; where the data lie does not.

    Lists under EXTENDABLE grow when more is asked of a folder.
    """

    data: Name
    protocol: Protocol
    budget: Budget
    seeds: Seeds
    solvers: Names
    replays: Names
    contexts: Annotated[tuple[Classes, ...], msgspec.Meta(min_length=1)]
    audits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.seeds)) < len(self.seeds):
            raise SettingError(f"'seeds' repeats a number: {list(self.seeds)}")
        classes = [c for context in self.contexts for c in context]
        if len(set(classes)) < len(classes):
            raise SettingError(f"'contexts' must not overlap: {self.contexts}")

    def contexts_of(self, data: ImageData) -> Contexts:
        """The run's contexts, cut out of its data."""
        return Contexts(data, self.contexts)

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON has them."""
        return json.loads(json.dumps(asdict(self)))


def run_config(
    *,
    data: str = "mnist5k",
    protocol: str = "text",
    seeds: tuple[int, ...] = (1, 2),
    solvers: tuple[str, ...] | None = None,
    replays: tuple[str, ...] = REPLAYS,
    contexts: tuple[tuple[int, ...], ...] | None = None,
    audits: tuple[str, ...] | None = None,
    scale: float = 1.0,
    variation: str = "",
    changes: Mapping[str, Any] | None = None,
) -> RunConfig:
    """The configuration of what a user names.

    Parameters
    ----------
    data
        A name in `bridge.data.NAMES`.
    protocol
        A name in `bridge.replay.PROTOCOLS`.
    seeds
        Different numbers, none negative.
    solvers, replays, audits
        Names in SOLVERS, in REPLAYS or BASELINES, and in AUDITS; None for both networks of the
        thesis, of which a variation may concern one alone, and for the audits that belong to the
        protocol.
    contexts
        The classes of each; None for the protocol's.
    scale
        Every training is that many times as long.
    variation
        A name in VARIATIONS, or none.
    changes
        Places in the protocol, written with dots -> values, as of `bridge.replay.changed`; the plan
        of a solver that it has none for as `solvers.NAME`.

    Returns
    -------
    RunConfig
        Checked and complete.

    Raises
    ------
    SettingError
        A name that is unknown, or a number that is impossible.
    """
    wanted = protocol_named(protocol)
    if variation:
        wanted = varied(wanted, variation)
        solvers = solvers or VARIATIONS[variation].solvers
    if changes:
        wanted = changed(wanted, changes)
    solvers = solvers or THESIS_SOLVERS
    audits = wanted.audits if audits is None else audits
    for kind, names, known in (
        ("solver", solvers, SOLVERS),
        (f"solver of protocol '{protocol}'", solvers, wanted.solvers),
        ("replay", replays, (*REPLAYS, *BASELINES)),
        ("audit", audits, AUDITS),
        ("data set", (data,), NAMES),
    ):
        for name in names:
            if name not in known:
                raise unknown(kind, name, known)
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise SettingError(f"seeds {list(seeds)}: give different numbers, none negative")
    return RunConfig(
        data=data,
        protocol=wanted,
        budget=wanted.budget(data).times(scale),
        seeds=seeds,
        solvers=solvers,
        replays=replays,
        contexts=contexts or wanted.contexts,
        audits=audits,
    )


def read_json(path: Path, kind: type[T], remedy: str = REMEDY) -> T:
    """The value of a JSON file, checked against `kind`; ResultsError names file and place.

    Parameters
    ----------
    path
        The file.
    kind
        The type that its value must be.
    remedy
        What the user can do about a file that is something else.

    Returns
    -------
    T
        A value of `kind`.
    """
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise ValueError(f"more than {LARGEST_JSON:,} bytes")
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise ResultsError(f"{path} is missing: not a finished results folder") from None
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        words = " ".join(str(error).split())[:200]
        raise ResultsError(f"{path}: not what belongs here ({words}); {remedy}") from None


def read_config(folder: Path) -> RunConfig:
    """The configuration in a run folder; ResultsError where it is none.

    Parameters
    ----------
    folder
        A run folder.

    Returns
    -------
    RunConfig
        Checked.
    """
    path = RunPaths(folder).config
    if not path.is_file():
        raise ResultsError(f"{folder}: not a results folder (config.json is missing); {REMEDY}")
    return read_json(path, RunConfig)


def claim(folder: Path, config: RunConfig) -> RunConfig:
    """Make `folder` the home of `config` and return the configuration it now holds.

    What was asked for before stays: lists under EXTENDABLE grow. Hold the folder's lock meanwhile.

    Parameters
    ----------
    folder
        A run folder, or one that does not exist yet or was killed before it became one.
    config
        What is asked for.

    Returns
    -------
    RunConfig
        What the folder then stands for.

    Raises
    ------
    ResultsError
        Anything else differs, or the folder is not a results folder.
    """
    paths = RunPaths(folder)
    remove_partial_files(paths.config)
    if paths.config.exists():
        held = read_config(folder)
        if differing := differences(held, config):
            raise ResultsError(
                f"{folder} belongs to another configuration (it differs in "
                f"{', '.join(differing)}): give another --out, or remove the folder"
            )
        grown: dict[str, Any] = {key: _grown(held, config, key) for key in EXTENDABLE}
        config = replace(config, **grown)
    elif folder.is_dir() and any(folder.iterdir()):
        raise ResultsError(
            f"{folder} exists and is not a results folder (no config.json): give another --out"
        )
    write_json(paths.config, config.as_json())
    return config


def differences(one: RunConfig, other: RunConfig) -> list[str]:
    """The fields in which two configurations differ, those that may grow left out.

    Of a solver that only one of them runs the other's plan does not matter.
    """
    shared = set(one.solvers) & set(other.solvers)
    mine, yours = (_comparable(config.as_json(), shared) for config in (one, other))
    return [field.name for field in fields(RunConfig) if mine[field.name] != yours[field.name]]


def _comparable(config: Mapping[str, Any], solvers: Container[str]) -> dict[str, Any]:
    """Without what may grow, without words and budgets of other data, of some solvers alone."""
    unheeded = ("summary", "budgets")  # the run's own budget is compared
    protocol = {key: value for key, value in config["protocol"].items() if key not in unheeded}
    plans = protocol["solvers"].items()
    protocol["solvers"] = {name: plan for name, plan in plans if name in solvers}
    return {**config, "protocol": protocol, **dict.fromkeys(EXTENDABLE)}


def _grown(held: RunConfig, asked: RunConfig, key: str) -> tuple:
    return tuple(dict.fromkeys((*getattr(held, key), *getattr(asked, key))))
