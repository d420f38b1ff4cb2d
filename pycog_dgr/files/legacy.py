"""Save files of the original pycog (Python 2 pickles) and of ports to Python 3 as Checkpoints.

What the original keeps: its settings, the names and present raw values of the trained parameters,
the best network's effective weights, histories of costs and Omega, and both random streams. Its
best biases and initial states (and, without Dale's law and masks, Win and Wout) are the present
values rather than the best ones, because they alias live memory; they are taken as they are.

The file is read by pickle_reader, which executes nothing.
"""

import logging
from pathlib import Path
from typing import Any

from pycog_dgr.config import UNUSED_IN_PYCOG, NetworkConfig, TrainingConfig, setting_names
from pycog_dgr.errors import CheckpointError
from pycog_dgr.files import checkpoint
from pycog_dgr.files.checkpoint import Checkpoint
from pycog_dgr.files.npz import shortened
from pycog_dgr.files.pickle_reader import PROTOCOLS, read
from pycog_dgr.files.schema import SchemaError

logger = logging.getLogger(__name__)

IN_THE_ORIGINAL = ("Win", "Wrec", "Wout", "brec", "bout", "x0")  # best parameters, in this order

PICKLES = tuple(bytes((0x80, protocol)) for protocol in PROTOCOLS)  # how such files begin


def open_save(path: str | Path) -> Checkpoint:
    """Read a save file, ours or the original's; told apart by content, not by name.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Checkpoint
        Everything that the file holds.

    Raises
    ------
    CheckpointError
        Where it cannot be read, or its parts do not make one network.
    """
    if Path(path).suffix == ".py":
        raise CheckpointError(
            f"{path}: is a Python file, not a save file; train it (python {path}) and give the "
            ".npz that the training writes"
        )
    return load(path) if is_legacy(path) else checkpoint.load(path)


def is_legacy(path: str | Path) -> bool:
    """Whether `path` is an existing file that begins like a pickle of protocol 2 to 5.

    Parameters
    ----------
    path
        A file.

    Returns
    -------
    bool
        False where there is none.
    """
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return file.read(2) in PICKLES


def load(path: str | Path) -> Checkpoint:
    """The Checkpoint in an original save file. CheckpointError for anything that is not one."""
    save = read(path)
    try:
        return checkpoint.from_tree("", _tree(save))
    except SchemaError as error:
        raise CheckpointError(
            f"{path}: a pickle, but not a network that can be used ({error}); restore the file "
            "from a copy, or train again"
        ) from error
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise CheckpointError(
            f"{path}: a pickle, but not a pycog save file: {shortened(repr(error))}"
        ) from error


def _tree(save: Any) -> dict[str, Any]:
    """Pycog's dictionary as the tree of our save files."""
    params = save["params"]
    known = {*setting_names(NetworkConfig), *setting_names(TrainingConfig)}
    dropped = sorted(set(params) - known - set(UNUSED_IN_PYCOG))
    if dropped:
        logger.info("not taken over from the original file: %s", shortened(", ".join(dropped)))
    best = save["best"]
    effective = dict(zip(IN_THE_ORIGINAL, best["params"], strict=True))
    return {
        "settings": {name: value for name, value in params.items() if name in known},
        "trained": save["varlist"],
        "iteration": int(save["iter"]),
        "parameters": effective | dict(zip(save["varlist"], save["current"], strict=True)),
        "best": {
            "iteration": int(best["iter"]),
            "cost": float(best["cost"]),
            "other_costs": [float(cost) for cost in best["other_costs"]],
            "weights": effective,
            "parameters": None,
        },
        "costs_history": [
            [int(n), [float(c) for c in costs]] for n, costs in save["costs_history"]
        ],
        "Omega_history": [[int(n), float(Omega)] for n, Omega in save["Omega_history"]],
        "rng_gradient": save["rng_gradient"],
        "rng_validation": save["rng_validation"],
    }
