"""What decides a result is recorded with it, and compared before the result is used again.

Two kinds of difference between a save file and what is asked for now:

    of the network    sizes, masks, signs, activations, tau, dt, mode, which parameters are trained:
                      the weights mean something else, so the file is refused
    of the training   all other settings, the task's source, the number type: named in the log, and
                      recorded in the file as `changes`

When to stop (max_iter, min_error, patience) may change freely; initial values and their seed matter
only where they scale fixed weights. A task's source is known by its digest (data/source.py).
"""

import dataclasses
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pycog_dgr.config import (
    FUNCTIONS,
    Connectivity,
    NetworkConfig,
    TrainingConfig,
    setting_names,
    setting_values,
)
from pycog_dgr.data import Task, task_source
from pycog_dgr.errors import CheckpointError
from pycog_dgr.files import Checkpoint, open_save
from pycog_dgr.network import Parameters

logger = logging.getLogger(__name__)

INITIAL = (
    "brec", "bout", "x0", "rho0", "gamma_k", "distribution_in", "distribution_rec",
    "distribution_out",
)  # fmt: skip
SWITCHES = ("train_brec", "train_bout", "train_x0")  # compared as the names they lead to
TRAINED = "the list of trained parameters"
FREE_AT_START = ("tau", "dt", "mode", TRAINED)
FREE = ("max_iter", "min_error", "patience", "structure", "noise_stream")
ROUNDING = 1e-6  # of a number that was kept in float32
MOST_NAMED = 4  # differences in one message


class Difference(NamedTuple):
    """One thing that is not as it was: its name, and what it is there and here, in words."""

    name: str
    there: str
    here: str

    def __str__(self) -> str:
        return f"{self.name} is {self.there} there, {self.here} here"


class Differences(NamedTuple):
    """Between a save file and what is asked for: of the network, and of its training."""

    network: list[Difference]
    training: list[Difference]


def origin_of(task: Task, training: TrainingConfig, **more: Any) -> dict[str, Any]:
    """What a save file says of where its result comes from, beside the settings.

    The task's name and the digest of its source and that of its functions, and `more`.
    """
    functions = [getattr(training, name) for name in FUNCTIONS]
    return {"task": task_source(task, *functions), **more}


def differences(
    saved: Checkpoint, network: NetworkConfig, training: TrainingConfig, origin: dict[str, Any]
) -> Differences:
    """What differs between a save file and a network, a training, and their origin.

    What an older file does not say is not compared.
    """
    own = setting_values(network, training)
    scaled = ("seed", "rho0") if network.Crec is not None and network.Crec.nfixed else ()
    decisive = {*setting_names(NetworkConfig), *scaled}.difference(INITIAL, SWITCHES) | {*scaled}
    found = Differences([], [])
    for name, there in saved.settings.items():
        ignored = name in FREE or name in INITIAL or name in SWITCHES
        if name not in own or (ignored and name not in decisive) or _same(name, there, own[name]):
            continue
        kind = found.network if name in decisive else found.training
        kind.append(Difference(name, _shown(there), _shown(own[name])))
    if set(saved.trained) != set(network.trained):
        there, here = (", ".join(names) for names in (saved.trained, network.trained))
        found.network.append(Difference(TRAINED, there, here))
    found.training.extend(_of_origin(saved.origin, origin))
    return found


def require_same_network(path: str | Path, network_differences: list[Difference]) -> None:
    """CheckpointError that names the differences and the remedies, if there are any."""
    if not network_differences:
        return
    more = len(network_differences) - MOST_NAMED
    named = "; ".join(map(str, network_differences[:MOST_NAMED]))
    raise CheckpointError(
        f"{path}: saved by a different network: {named}"
        + (f"; and {more} more" if more > 0 else "")
        + ". Put these settings back, use another file or folder, or start anew "
        "(recover=False; the command `clean`)"
    )


def start_values(
    path: str | Path, network: NetworkConfig, training: TrainingConfig
) -> tuple[Parameters, str]:
    """Raw values of the best network in a save file, to start a training from, and their digest.

    tau, dt, mode and the list of trained parameters may differ; the log names them.

    CheckpointError where it is another network, or has no raw values of its best one.
    """
    saved = open_save(path)
    found = differences(saved, network, training, {})
    free = [one for one in found.network if one.name in FREE_AT_START]
    require_same_network(path, [one for one in found.network if one not in free])
    for one in free:
        logger.warning("%s: %s", path, one)
    raw = saved.selected.parameters
    if raw is None:
        raise CheckpointError(
            f"{path}: holds no raw weights of its best network, as the original's files do; train "
            "it on for an update first"
        )
    digest = hashlib.sha256()
    for name in network.shapes:
        digest.update(np.ascontiguousarray(getattr(raw, name), np.float64).tobytes())
    return raw, digest.hexdigest()


def changes_at(iteration: int, training_differences: list[Difference]) -> list[dict[str, Any]]:
    """What a save file records of a training that goes on otherwise, and the log says of it."""
    for one in training_differences:
        logger.warning("from update %d on, %s is %s; it was %s", iteration, one.name, one.here,
                       one.there)  # fmt: skip
    return [
        {"iteration": iteration, "name": one.name, "before": one.there, "after": one.here}
        for one in training_differences
    ]


def with_stream_of(saved: Checkpoint, training: TrainingConfig, path: Path) -> TrainingConfig:
    """`training` with the noise_stream that the saved one began with (older files name none)."""
    stream = saved.settings.get("noise_stream", "original")
    if stream != training.noise_stream:
        logger.info("%s: going on with its noise_stream, %s", path, stream)
    return dataclasses.replace(training, noise_stream=stream)


def _of_origin(there: dict[str, Any], here: dict[str, Any]) -> Iterator[Difference]:
    old, new = there.get("task") or {}, here.get("task") or {}
    if old.get("digest") and new.get("digest") and old["digest"] != new["digest"]:
        yield Difference("the task's source", old["digest"][:8], new["digest"][:8])
    for name in ("floatX", "start"):
        if name in there and name in here and there[name] != here[name]:
            yield Difference(name, str(there[name])[:12], str(here[name])[:12])


def _same(name: str, saved: Any, own: Any) -> bool:
    """Whether two settings agree: masks by what they allow and fix, numbers to rounding."""
    if saved is None and name == "dt":
        return True  # it was filled in later
    if saved is None or own is None:
        return saved is own
    if isinstance(own, Connectivity):
        if not isinstance(saved, Connectivity) or saved.shape != own.shape:
            return False
        return np.array_equal(saved.mask_plastic, own.mask_plastic) and np.allclose(
            saved.mask_fixed, own.mask_fixed
        )
    there, here = np.asarray(saved), np.asarray(own)
    if there.shape != here.shape:
        return False
    if there.dtype.kind in "iuf" and here.dtype.kind in "iuf":
        return np.allclose(there, here, rtol=ROUNDING, atol=0, equal_nan=True)
    return np.array_equal(there, here)


def _shown(value: Any) -> str:
    """A setting in a few words."""
    if isinstance(value, Connectivity):
        return f"a mask of {value.shape} with {value.nplastic} plastic, {value.nfixed} fixed"
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of {value.shape}"
    if isinstance(value, (float, np.floating)):
        return f"{value:g}"
    return str(value)[:40]
