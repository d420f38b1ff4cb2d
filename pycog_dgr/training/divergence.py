"""The first update that went wrong: what was seen, in which tensor, on which batch.

    bad       loss or gnorm is not finite, or gnorm > 1e10
    skipped   gnorm is not finite, or gnorm > 1e10: the guard of optimisers.py put its own small
              step in place of the gradient's, as in the original, which says nothing about it

Training goes on. The first bad update is logged and saved; `load(path).replay()` computes it again:

    state     raw parameters and the optimiser's moments before the update
    batch     inputs, targets, mask, noise (time, trial, input | output | unit)
    tensor    the first tensor, in the order of computation, that is not finite; 'gnorm' where each
              is finite and only their norm is too large
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import setting_values, settings
from pycog_dgr.data import Batch
from pycog_dgr.files import load_tree, save_tree
from pycog_dgr.files.schema import (
    anything,
    array,
    many,
    mapping,
    number,
    numbers,
    one_of,
    record,
    text,
    whole,
)
from pycog_dgr.network import Parameters
from pycog_dgr.symbolic.optimisers import LARGEST_NORM
from pycog_dgr.training.step import StepReport, TrainingStep

logger = logging.getLogger(__name__)

KIND = "pycog_dgr divergence"
TIME_TRIAL_UNIT = array("f", ndim=3)
SCHEMA = record({
    "update": whole(1), "loss": number, "gnorm": number,
    "tensor": text, "index": many(whole(0)), "value": number,
    "settings": mapping(anything), "floatX": one_of("float32", "float64"), "backend": text,
    "state": mapping(numbers), "batch": record(dict.fromkeys(Batch._fields, TIME_TRIAL_UNIT)),
})  # fmt: skip
COMPUTED = ("x", "z", "loss", "penalty", "D", "Omega", "omega_gradient")  # then the gradients

State = dict[str, NDArray]  # as TrainingStep.state returns it


@dataclass(frozen=True)
class Divergence:
    """One bad update."""

    update: int  # 1-based
    loss: float
    gnorm: float
    tensor: str  # the first that is not finite, or 'gnorm'
    index: tuple[int, ...]  # where in it
    value: float  # what is there
    settings: dict[str, Any]  # of the TrainingStep, as are floatX and backend
    floatX: str
    backend: str
    state: State
    batch: Batch

    def replay(self) -> tuple[StepReport, dict[str, NDArray]]:
        """Compute the update again: its report, and all inside it as in TrainingStep.gradients.

        Not part of it: terms added to the objective from outside, and dropout.
        """
        network, training = settings(**self.settings)
        raw = Parameters(*(self.state.get(name) for name in Parameters._fields))
        step = TrainingStep(network, training, raw, self.floatX, self.backend, self_check=False)
        tensors = step.gradients(self.batch)
        return step.update(self.batch), tensors


def divergence_file(savefile: Path) -> Path:
    """NAME_diverged.npz beside a training's save file NAME.EXT."""
    return savefile.with_name(f"{savefile.stem}_diverged.npz")


class DivergenceMonitor:
    """Makes the updates of a TrainingStep, counts those skipped, and keeps the first bad one.

    Parameters
    ----------
    savefile : path, optional
        Where that one is saved; without it, it is only logged.
    updates, skipped : int
        How many updates were made, and how many of them the guard replaced, before this monitor.
    """

    def __init__(
        self, savefile: str | Path | None = None, updates: int = 0, skipped: int = 0
    ) -> None:
        self.savefile = savefile
        self.updates = updates
        self.skipped = skipped
        self._has_seen_bad = False

    def update(self, step: TrainingStep, batch: Batch) -> StepReport:
        """`step.update(batch)`, watched; CheckpointError where the first bad one is not saved."""
        before = None if self._has_seen_bad or self.skipped else step.state()
        report = step.update(batch)
        self.updates += 1
        skipped = is_skipped(report.gnorm)
        if before is not None and (skipped or not np.isfinite(report.loss)):
            self._has_seen_bad = True
            self._keep(diagnose(step, batch, before, report, self.updates))
        self.skipped += skipped
        return report

    def _keep(self, first: Divergence) -> None:
        where = f" at {first.index}" if first.index else ""
        saved = ""
        if self.savefile is not None:
            save(self.savefile, first)
            saved = (
                f"; pycog_dgr.training.divergence.load({str(self.savefile)!r}).replay() "
                "does it again"
            )
        logger.warning(
            "update %d, on a batch of %d trials in %d steps, is the first bad one: loss %s, "
            "gradient norm %s; first in %s%s: %s%s",
            first.update, first.batch.noise.shape[1], len(first.batch.noise), first.loss,
            first.gnorm, first.tensor, where, first.value, saved,
        )  # fmt: skip


def is_skipped(gnorm: float) -> bool:
    """Whether the guard replaces the step: gnorm NaN, infinite or above 1e10."""
    return not 0 <= gnorm <= LARGEST_NORM


def diagnose(
    step: TrainingStep, batch: Batch, before: State, report: StepReport, update: int
) -> Divergence:
    """The Divergence of an update just made from the state `before`; the step is left as it is."""
    after = step.state()
    step.load_state(before)
    computed = step.gradients(batch)
    step.load_state(after)
    gradients = [name for name in computed if name.startswith("grad_")]
    tensors: dict[str, Any] = {name: before[name] for name in step.network.shapes}
    tensors |= batch._asdict() | {name: computed[name] for name in (*COMPUTED, *gradients)}
    tensor, index = first_not_finite(tensors)
    value = report.gnorm if tensor is None else float(np.asarray(tensors[tensor])[index])
    return Divergence(
        update=update,
        loss=report.loss,
        gnorm=report.gnorm,
        tensor=tensor or "gnorm",
        index=index,
        value=value,
        settings=setting_values(step.network, step.training),
        floatX=step.floatX,
        backend=step.backend,
        state=before,
        batch=Batch(*(np.array(array) for array in batch)),
    )


def first_not_finite(tensors: Mapping[str, Any]) -> tuple[str | None, tuple[int, ...]]:
    """Name of the first tensor with NaN or infinity, and the first place of one; or (None, ())."""
    for name, tensor in tensors.items():
        bad = ~np.isfinite(np.asarray(tensor))
        if bad.any():
            return name, tuple(int(i) for i in np.unravel_index(bad.argmax(), bad.shape))
    return None, ()


def save(path: str | Path, divergence: Divergence) -> None:
    """Write a Divergence to a file as checkpoint.save does."""
    save_tree(path, KIND, vars(divergence))


def load(path: str | Path) -> Divergence:
    """Read a Divergence; CheckpointError where the file is not one, or is damaged."""
    tree = load_tree(path, KIND, SCHEMA)
    return Divergence(**(tree | {"index": tuple(tree["index"]), "batch": Batch(**tree["batch"])}))
