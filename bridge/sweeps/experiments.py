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

import msgspec
import numpy as np

from bridge.data import parse_contexts
from bridge.errors import SettingError, unknown

logger = logging.getLogger(__name__)


class ReplaySettings(msgspec.Struct):
    """The settings of a replay experiment that are no places in its protocol."""

    solver: str = "biornn"
    replay: str = "generative"
    contexts: str = ""
    data: str = "mnist5k"
    protocol: str = "text"
    variation: str = ""
    scale: float = 1.0
    data_root: str | None = None


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
        loss, error, *performance = save.last_costs
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


@dataclasses.dataclass(frozen=True)
class ReplayExperiment:
    """One solver learns the contexts one after the other, with one kind of replay.

    Settings are those of `run_config` (data, protocol, variation, solver, replay, contexts, scale),
    `data_root`, and places in the protocol, written with dots.
    """

    @property
    def shown(self) -> dict[str, str]:
        return {
            "average_accuracy": "average accuracy (%)",
            "forgetting": "forgetting (points)",
        }

    def resolve(self, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
        return {"experiment": "replay", "settings": self._config(settings, seed).as_json()}

    def run(self, settings: Mapping[str, Any], seed: int, folder: Path) -> dict[str, Any]:
        from bridge.replay import average_accuracy, backward_transfer, forgetting
        from bridge.runs import executor, load_results, reproduce

        config = self._config(settings, seed)
        run_folder = folder / "run"
        root = settings.get("data_root")
        with executor(workers=0) as pool:  # this process, which is a worker already
            reproduce(config, run_folder, "dgr sweep", data_root=root, pool=pool, progress=False)
        matrix = load_results(run_folder).table("matrix")
        n = len(config.contexts)
        accuracies = np.full((n, n), np.nan)
        accuracies[matrix["context"] - 1, matrix["tested"] - 1] = matrix["accuracy"]
        after = {f"after_{k + 1}": float(np.mean(accuracies[k, : k + 1])) for k in range(n)}
        return {
            "average_accuracy": average_accuracy(accuracies),
            "forgetting": forgetting(accuracies) if n > 1 else None,
            "backward_transfer": backward_transfer(accuracies) if n > 1 else None,
            **after,
        }

    def _config(self, settings: Mapping[str, Any], seed: int) -> Any:
        from bridge.replay import SOURCES
        from bridge.runs import run_config

        named = ReplaySettings.__struct_fields__
        try:
            run = msgspec.convert({k: v for k, v in settings.items() if k in named}, ReplaySettings)
        except msgspec.ValidationError as error:
            raise SettingError(str(error)) from None
        if run.replay not in SOURCES:
            raise unknown("replay", run.replay, SOURCES)
        return run_config(
            data=run.data,
            protocol=run.protocol,
            variation=run.variation,
            scale=run.scale,
            seeds=(seed,),
            solvers=(run.solver,),
            replays=(run.replay,),
            contexts=parse_contexts(run.contexts) if run.contexts else None,
            audits=(),
            changes={k: v for k, v in settings.items() if k not in named},
        )


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
