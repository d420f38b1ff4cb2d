"""What a cell runs: a task of pycog_dgr, or a replay experiment.

An experiment resolves settings (defaults filled in, as JSON), runs them in a folder, taking up what
lies there, and returns its measures. It holds plain values only, since it travels to the workers.
"""

import dataclasses
import hashlib
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bridge.errors import ResultsError

logger = logging.getLogger(__name__)


class Experiment(Protocol):
    """How settings become measures."""

    @property
    def shown(self) -> Mapping[str, str]:
        """Measures that the figures show: name -> label of the axis."""

    def resolve(self, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
        """All settings that decide the result. SettingError where one is wrong."""

    def run(self, settings: Mapping[str, Any], seed: int, folder: Path) -> dict[str, Any]:
        """Run in `folder`, or go on there; the measures."""


@dataclasses.dataclass(frozen=True)
class TaskExperiment:
    """Training one network on a task until its criterion, or until `max_iter`."""

    modelfile: Path

    @property
    def shown(self) -> dict[str, str]:
        return {"performance": "performance", "error": "error (RMSE)", "trials": "trials"}

    def resolve(self, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
        run = self._opened(settings, seed, Path())
        values = {**vars(run.model.network), **vars(run.model.training), "seed": run.seed}
        return {
            "experiment": "task",
            "task": hashlib.sha256(self.modelfile.read_bytes()).hexdigest(),
            "settings": {name: plain(value) for name, value in values.items()},
        }

    def run(self, settings: Mapping[str, Any], seed: int, folder: Path) -> dict[str, Any]:
        from pycog_dgr.commands import taskrun

        save = taskrun.train(self._opened(settings, seed, folder))
        if save.stopped == "interrupted":
            raise ResultsError(f"{folder}: stopped before it was finished; it goes on from there")
        _, (loss, error, *performance) = save.costs_history[-1]
        return {
            "stopped": save.stopped,
            "trials": taskrun.trials_done(save),
            "loss": loss,
            "error": error,
            "performance": performance[0] if performance else None,
        }

    def _opened(self, settings: Mapping[str, Any], seed: int, folder: Path) -> Any:
        from pycog_dgr.commands import taskrun

        return taskrun.open_run(self.modelfile, seed, folder, dict(settings))


def plain(value: Any) -> Any:
    """A setting as JSON has it: arrays by their digest, functions by their name."""
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, dtype=np.float64)
        return {"shape": list(array.shape), "sha256": hashlib.sha256(array.tobytes()).hexdigest()}
    if hasattr(value, "mask_plastic"):  # a Connectivity
        return {"C": plain(value.C), "fixed": plain(value.mask_fixed)}
    if callable(value):
        return getattr(value, "__qualname__", type(value).__name__)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() else value  # 1.0 and 1 are one setting
    return value if isinstance(value, (str, int, bool, type(None))) else repr(value)
