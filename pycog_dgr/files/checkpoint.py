"""Save files of a training: everything it needs to go on, and a network needs to run.

An npz (npz.py) whose metadata is the tree of all values (tree.py); arrays stand under their path:

    parameters/Wrec     raw values, what the optimiser changes (N, N)
    best/weights/Wrec   effective values of the best network of the checks (N, N)
    rng_gradient/1      state of the random streams, and so on

`SCHEMA` says what a save file must hold; it is checked whenever one is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pycog_dgr.files import npz
from pycog_dgr.files.schema import (
    SchemaError,
    anything,
    array,
    comparable,
    many,
    mapping,
    number,
    numbers,
    one_of,
    optional,
    record,
    row,
    text,
    whole,
)
from pycog_dgr.files.tree import load_tree, save_tree
from pycog_dgr.network import Parameters, Weights

KIND = "pycog_dgr checkpoint"
NUMBERS_OF_MT19937 = 624

FLOATS, WEIGHTS = array("f"), array("f", finite=True)
VALUES = {
    "Win": optional(FLOATS), "Wrec": FLOATS, "Wout": optional(FLOATS),
    "brec": FLOATS, "bout": FLOATS, "x0": FLOATS,
}  # fmt: skip
RAW = record(VALUES, optional={"alpha_logit": optional(FLOATS)})
EFFECTIVE = record(
    {name: optional(WEIGHTS) if name in ("Win", "Wout") else WEIGHTS for name in VALUES},
    optional={"tau": optional(WEIGHTS)},
)
BEST = record(
    {
        "iteration": whole(1),
        "cost": comparable,
        "other_costs": many(number),
        "weights": EFFECTIVE,
        "parameters": optional(RAW),
    }
)
STREAM = row(
    one_of("MT19937"),
    array("u", shape=(NUMBERS_OF_MT19937,)),
    whole(0, NUMBERS_OF_MT19937),
    whole(0, 1),
    number,
)
SCHEMA = record(
    {
        "settings": mapping(anything),  # checked where they are used, by config.settings
        "trained": many(one_of(*VALUES, "alpha_logit")),
        "iteration": whole(1),
        "parameters": RAW,
        "best": BEST,
        "rng_gradient": STREAM,
        "rng_validation": STREAM,
    },
    optional={
        "costs_history": many(row(whole(0), row(number, number, rest=number))),
        "Omega_history": many(row(whole(0), number)),
        "optimiser": mapping(numbers),
        "callback_results": anything,
        "stored": mapping(record({"rng": STREAM, "given": many(anything), "trial_idx": whole(0)})),
        "report": optional(row(number, number, number, number)),
        "skipped": whole(0),
        "guarded": whole(0),  # as it was called
        "seconds": number,
        "stopped": optional(text),
        "ending": optional(BEST),
        "origin": mapping(anything),
        "changes": many(
            record({"iteration": whole(1), "name": text, "before": text, "after": text})
        ),
    },
)


class Best(NamedTuple):
    """A network that was validated, as copies that later training does not touch.

    cost is the validation loss with regularisers, other_costs the RMSE and, where the task
    measures one, the performance. `parameters` is None in files converted from pycog, which kept
    effective weights only.
    """

    iteration: int
    cost: float
    other_costs: list
    weights: Weights
    parameters: Parameters | None


@dataclass(frozen=True)
class Checkpoint:
    """Everything a training needs to go on, and a network needs to run.

    settings       pycog's setting names -> values; functions are left out
    trained        names of the trained parameters
    iteration      the next iteration, 1-based
    parameters     raw values
    best           the best network of the checks, see Best
    rng_gradient, rng_validation   numpy RandomState states
    costs_history  [ntrials, [loss, RMSE, performance]] per validation
    Omega_history  [ntrials, lambda_Omega Omega] per validation but the first
    optimiser      name -> array, whatever the optimiser remembers
    callback_results   what the task's callback last returned
    stored         name of a dataset -> the batch it was cutting minibatches from: the state of its
                   random stream when that was drawn, what the task was given, where it stands
    report         the last update's loss, gradient norm, Omega and nelems
    skipped        updates that were skipped because their gradient was too large (divergence.py)
    seconds        time spent on this training so far, by the clock
    stopped        why it stopped (training.ENDS), None while it goes on
    ending         the network at the ending, which is validated beside the checks; None where the
                   ending is a check. A training that goes on takes no notice of it, so stopping
                   changes no number
    origin         what else decides the result: {"task": {"name", "digest" of its source},
                   "floatX", "version", "start": digest of the weights it started from}
    changes        what was set otherwise when it was gone on with: iteration, name, before, after
    """

    settings: dict
    trained: tuple
    iteration: int
    parameters: Parameters
    best: Best
    rng_gradient: tuple
    rng_validation: tuple
    costs_history: list = field(default_factory=list)
    Omega_history: list = field(default_factory=list)
    optimiser: dict = field(default_factory=dict)
    callback_results: object = None
    stored: dict = field(default_factory=dict)
    report: list | None = None
    skipped: int = 0
    seconds: float = 0.0
    stopped: str | None = None
    ending: Best | None = None
    origin: dict = field(default_factory=dict)
    changes: list = field(default_factory=list)

    @property
    def last_costs(self) -> list[float]:
        """[loss, RMSE] or [loss, RMSE, performance] of the last network that was validated."""
        if self.ending is not None:
            return [self.ending.cost, *self.ending.other_costs]
        return list(self.costs_history[-1][1]) if self.costs_history else []

    @property
    def selected(self) -> Best:
        """The network to use: the better of the best at the checks and the one at the ending."""
        ending = self.ending
        return ending if ending is not None and ending.cost < self.best.cost else self.best


def save(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a save file, whole or not at all; the one that was there stays as PATH.previous.

    Parameters
    ----------
    path
        Where to; the folder must exist.
    checkpoint
        What is saved.

    Raises
    ------
    CheckpointError
        Where a value is not plain data or the file cannot be written; the old one is untouched.
    """
    save_tree(path, KIND, vars(checkpoint))


def load(path: str | Path, max_bytes: int = npz.MAX_BYTES) -> Checkpoint:
    """Read a save file. Nothing in it is executed.

    Parameters
    ----------
    path
        The file.
    max_bytes
        The most that its arrays may take.

    Raises
    ------
    CheckpointError
        Where it is missing, larger than `max_bytes` when unpacked, damaged, of another kind or of
        a newer version, or does not hold one network.
    """
    return load_tree(path, KIND, from_tree, max_bytes)


def from_tree(where: str, tree: Any) -> Checkpoint:
    """The Checkpoint in a tree of plain values; SchemaError where there is none."""
    tree = SCHEMA(where, tree)
    if "guarded" in tree:
        tree["skipped"] = tree.pop("guarded")
    sizes = {name: tree["settings"].get(name) for name in ("N", "Nin", "Nout")}
    _check_shapes("parameters", tree["parameters"], sizes)
    for name in ("best", "ending"):
        if tree.get(name) is not None:
            tree[name] = _best(name, tree[name], sizes)
    tree["parameters"] = Parameters(**tree["parameters"])
    for name in ("trained", "rng_gradient", "rng_validation"):
        tree[name] = tuple(tree[name])
    return Checkpoint(**tree)


def _best(where: str, tree: dict[str, Any], sizes: Mapping[str, Any]) -> Best:
    raw = tree["parameters"]
    _check_shapes(f"{where}/weights", tree["weights"], sizes)
    if raw is not None:
        _check_shapes(f"{where}/parameters", raw, sizes)
    entries = {
        "weights": Weights(**tree["weights"]),
        "parameters": None if raw is None else Parameters(**raw),
    }
    return Best(**(tree | entries))


def _check_shapes(where: str, values: Mapping[str, Any], sizes: Mapping[str, Any]) -> None:
    """SchemaError unless the values make one network, of the sizes that the settings say.

    So no file has memory taken for a network that it does not hold.
    """
    Win, Wout = values["Win"], values["Wout"]
    own = {
        "N": values["Wrec"].shape[0] if values["Wrec"].ndim else None,
        "Nin": Win.shape[-1] if Win is not None and Win.ndim else None,
        "Nout": Wout.shape[0] if Wout is not None and Wout.ndim else values["bout"].size,
    }
    N, Nin, Nout = (own[name] if sizes[name] is None else sizes[name] for name in own)
    shapes: dict[str, tuple] = {"Win": (N, Nin), "Wrec": (N, N), "Wout": (Nout, N)}
    shapes |= {"brec": (N,), "bout": (Nout,), "x0": (N,), "alpha_logit": (N,), "tau": (N,)}
    for name, value in values.items():
        if value is not None and value.shape != shapes[name]:
            raise SchemaError(
                f"{where}/{name} has shape {npz.shortened(value.shape, 40)}, for "
                f"{npz.shortened(N, 20)} units, {npz.shortened(Nin, 20)} inputs and "
                f"{npz.shortened(Nout, 20)} outputs expected {npz.shortened(shapes[name], 40)}"
            )
