"""Save files of the original pycog (Python 2 pickles) as Checkpoints.

What the original keeps: its settings, the names and present raw values of the trained parameters,
the best network's effective weights, histories of costs and Omega, and both random streams. Its
best biases and initial states (and, without Dale's law and masks, Win and Wout) are the present
values rather than the best ones, because they alias live memory; they are taken as they are.

The file is read by pickle_reader, which executes nothing.
"""

import logging
from pathlib import Path

from . import checkpoint
from .checkpoint import Best, Checkpoint
from .config import UNUSED_IN_PYCOG, NetworkConfig, TrainingConfig, names
from .connectivity import Parameters, Weights
from .errors import CheckpointError
from .pickle_reader import read

logger = logging.getLogger(__name__)

PROTOCOL_2 = b"\x80\x02"  # how pycog's files begin


def open_save(path):
    """Read a save file, ours or the original's; told apart by content, not by name."""
    return load(path) if is_legacy(path) else checkpoint.load(path)


def is_legacy(path):
    """Whether `path` is an existing file that begins like a pickle of protocol 2."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(PROTOCOL_2)) == PROTOCOL_2


def load(path):
    """The Checkpoint in an original save file. CheckpointError for anything that is not one."""
    save = read(path)
    try:
        return _checkpoint(save)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: a pickle, but not a pycog save file: {error!r}") from error


def _checkpoint(save):
    """pycog's dictionary as a Checkpoint."""
    params = save["params"]
    known = {*names(NetworkConfig), *names(TrainingConfig)}
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
