"""Save files of the original pycog (Python 2 pickles) and of ports to Python 3 as Checkpoints.

What the original keeps: its settings, the names and present raw values of the trained parameters,
the best network's effective weights, histories of costs and Omega, and both random streams. Its
best biases and initial states (and, without Dale's law and masks, Win and Wout) are the present
values rather than the best ones, because they alias live memory; they are taken as they are.

The file is read by pickle_reader, which executes nothing.
"""

import logging
import math
from pathlib import Path

import numpy as np

from pycog_dgr.config import UNUSED_IN_PYCOG, setting_names
from pycog_dgr.errors import CheckpointError
from pycog_dgr.files import checkpoint
from pycog_dgr.files.checkpoint import Best, Checkpoint
from pycog_dgr.files.pickle_reader import PROTOCOLS, read
from pycog_dgr.network import Parameters, Weights

logger = logging.getLogger(__name__)

PICKLES = tuple(bytes((0x80, protocol)) for protocol in PROTOCOLS)  # how such files begin


def open_save(path):
    """Read a save file, ours or the original's; told apart by content, not by name.

    CheckpointError where it cannot be read, or its parts do not make one network.
    """
    save = load(path) if is_legacy(path) else checkpoint.load(path)
    if found := _contradictions(save):
        raise CheckpointError(
            f"{path}: not a network that can be used: {found[0]}; restore the file from a copy, "
            "or train again"
        )
    return save


def is_legacy(path):
    """Whether `path` is an existing file that begins like a pickle of protocol 2 to 5."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return file.read(2) in PICKLES


def load(path):
    """The Checkpoint in an original save file. CheckpointError for anything that is not one."""
    save = read(path)
    try:
        return _checkpoint(save)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise CheckpointError(f"{path}: a pickle, but not a pycog save file: {error!r}") from error


def _checkpoint(save):
    """pycog's dictionary as a Checkpoint."""
    params = save["params"]
    known = set(setting_names())
    dropped = sorted(set(params) - known - set(UNUSED_IN_PYCOG))
    if dropped:
        logger.info("not taken over from the original file: %s", ", ".join(dropped))
    best = save["best"]
    effective = Weights(*best["params"])
    raw = dict(zip(Parameters._fields, effective, strict=True))
    raw |= dict(zip(save["varlist"], save["current"], strict=True))
    return Checkpoint(
        settings={name: value for name, value in params.items() if name in known},
        trained=tuple(save["varlist"]),
        iteration=int(save["iter"]),
        parameters=Parameters(**raw),
        best=Best(
            int(best["iter"]),
            float(best["cost"]),
            [float(cost) for cost in best["other_costs"]],
            effective,
            None,
        ),
        costs_history=[[int(n), [float(c) for c in costs]] for n, costs in save["costs_history"]],
        Omega_history=[[int(n), float(Omega)] for n, Omega in save["Omega_history"]],
        rng_gradient=save["rng_gradient"],
        rng_validation=save["rng_validation"],
    )


# -- what a checksum cannot tell ------------------------------------------------------------------


def _contradictions(save):
    """What makes a Checkpoint useless: sizes that disagree, numbers that are none; [] if nothing.

    Settings are judged when they are used (config.settings), but the sizes among them here, so
    that no file has memory taken for a network that it does not hold.
    """
    sizes = [save.settings.get(name) for name in ("N", "Nin", "Nout")]
    found = []
    for title, held in (("parameters", save.parameters), ("best weights", save.best.weights)):
        arrays = {name: value for name, value in held._asdict().items() if value is not None}
        wrong = [name for name, value in arrays.items() if not _is_numbers(value)]
        wrong += {"Wrec", "brec", "bout", "x0"} - set(arrays)
        if wrong:
            found.append(f"{title}: {wrong[0]} is not an array of numbers")
            continue
        N, Nin, Nout = (own if size is None else size
                        for size, own in zip(sizes, _sizes(arrays), strict=True))  # fmt: skip
        shapes = {"Win": (N, Nin), "Wrec": (N, N), "Wout": (Nout, N)}
        shapes |= {"brec": (N,), "bout": (Nout,), "x0": (N,)}
        found += [
            f"{title}: {name} has shape {value.shape}, for {N} units, {Nin} inputs and {Nout} "
            f"outputs expected {shapes[name]}"
            for name, value in arrays.items()
            if value.shape != shapes[name]
        ]
    found += [
        f"best weights: {name} is not finite"
        for name, value in save.best.weights._asdict().items()
        if _is_numbers(value) and not np.isfinite(value).all()
    ]
    numbers = {"iteration": save.iteration, "best iteration": save.best.iteration}
    found += [
        f"{name} is {value!r}, not a whole number of at least 1"
        for name, value in numbers.items()
        if not isinstance(value, int) or value < 1
    ]
    if not isinstance(save.best.cost, (int, float)) or math.isnan(save.best.cost):
        found.append(f"the best cost is {save.best.cost!r}")
    for name in ("rng_gradient", "rng_validation"):
        try:
            np.random.RandomState().set_state(getattr(save, name))
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            found.append(f"{name} is not the state of a random stream ({error})")
    return found


def _is_numbers(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _sizes(arrays):
    """N, Nin and Nout by the arrays alone; None where there are none."""
    Win, Wout = arrays.get("Win"), arrays.get("Wout")
    return (
        len(arrays["Wrec"]) if arrays["Wrec"].ndim else None,
        Win.shape[-1] if Win is not None and Win.ndim else None,
        len(Wout) if Wout is not None and Wout.ndim else arrays["bout"].size,
    )
