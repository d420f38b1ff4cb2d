"""Several tasks in turn: each stage starts from the best network of the stage before it.

    a_ij   performance on task j after stage i, in the unit of the task's `performance` (percent)

The matrix a is what continual learning is judged by: below the diagonal stands what is still known
of earlier tasks. D. Lopez-Paz & M. Ranzato, NeurIPS 2017, section 2.1.

What a stage may change is its optimiser's affair: chain(adam(0.003), only(Win=mask)) lets some
connections learn and holds the others (pycog_dgr.symbolic). Tasks at the same time are one task:
pycog_dgr.tasks.interleaved.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data import Dataset, Task
from pycog_dgr.errors import SettingError
from pycog_dgr.files import open_save
from pycog_dgr.network import simulate
from pycog_dgr.training.resume import (
    differences,
    origin_of,
    require_same_network,
    start_values,
)
from pycog_dgr.training.stopping import is_finished

logger = logging.getLogger(__name__)


class TrainableModel(Protocol):
    """What a stage needs of a pycog_dgr.Model."""

    task: Task
    network: NetworkConfig
    training: TrainingConfig

    def train(self, savefile: str | Path, seed: int | None = None, **options: Any) -> Any:
        """Train, as Model.train does."""


@dataclass(frozen=True)
class Stage:
    """One stage: a Model, what it is called, and options of Model.train for it alone."""

    name: str
    model: TrainableModel
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Curriculum:
    """What came out: names of the stages, their save files, and performance (stage, task)."""

    names: tuple[str, ...]
    savefiles: tuple[Path, ...]
    performance: NDArray


def train_in_turn(
    stages: Sequence[Stage], folder: str | Path, seed: int = 1, n_trials: int = 500, **options: Any
) -> Curriculum:
    """Train a network on several tasks, one after the other, and test it on all of them.

    Parameters
    ----------
    stages
        Their models share the network's sizes and each has a `performance`.
    folder
        Where the save files go, 1-NAME.npz and so on. A stage that is finished there is not
        repeated, unless it started from another network than the stage before it holds now, which
        is an error; one that was stopped goes on.
    seed
        Of the initial weights.
    n_trials
        Validation trials of each test, on the tasks' own validation seeds.
    **options
        Of Model.train, for every stage.

    Returns
    -------
    Curriculum
        Names, save files, and performance of every task after every stage.

    Raises
    ------
    SettingError
        Where a model has no `performance`, or another size than the first.
    CheckpointError
        Where a save file is of another network, or of another start.
    """
    _require_alike(stages)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    found = []
    for number, stage in enumerate(stages, start=1):
        path = folder / f"{number}-{stage.name}.npz"
        start = files[-1] if files else None
        if not (path.exists() and _is_done(stage.model, path, start)):
            stage.model.train(path, seed=seed, start=start, **{**options, **stage.options})
        files.append(path)
        row = [performance_on(other.model, path, n_trials) for other in stages]
        logger.info("after %s: %s", stage.name, ", ".join(f"{value:.1f}" for value in row))
        found.append(row)
    return Curriculum(tuple(stage.name for stage in stages), tuple(files), np.array(found))


def performance_on(model: TrainableModel, savefile: str | Path, n_trials: int = 500) -> float:
    """Performance of a save file's best network on a model's task, in validation trials.

    Parameters
    ----------
    model
        Its performance(trials, z) is asked; noise is that of its own settings.
    savefile
        Of a network of the model's sizes.
    n_trials
        Validation trials, drawn from the model's validation seed.

    Returns
    -------
    float
        What `performance` returns, as a rule percent correct.

    Raises
    ------
    SettingError
        Where the model has no `performance`.
    """
    weights, network, training = open_save(savefile).selected.weights, model.network, model.training
    if training.performance is None:
        raise SettingError("setting performance: this task has none, so it cannot be judged")
    data = Dataset(
        n_trials, model.task, "float32", network, training, seed=training.validation_seed,
        name="validation",
    )  # fmt: skip
    batch = data([])
    z = simulate(
        weights, batch.inputs, np.asarray(batch.noise), network.alpha,
        hidden_activation=network.hidden_activation, output_activation=network.output_activation,
    ).z  # fmt: skip
    return float(training.performance(data.get_trials(), z))


def _is_done(model: TrainableModel, path: Path, start: Path | None) -> bool:
    """Whether a stage is finished, as the model is now and from where it would start now."""
    save = open_save(path)
    if not is_finished(save, model.training):
        return False
    origin = origin_of(model.task, model.training)
    if start is not None:
        _, origin["start"] = start_values(start, model.network, model.training)
    found = differences(save, model.network, model.training, origin)
    require_same_network(path, found.network)
    for one in found.training:
        if one.name != "seed":
            logger.warning("%s is finished, and %s", path, one)
    return all(one.name != "start" for one in found.training)


def _require_alike(stages: Sequence[Stage]) -> None:
    if not stages:
        raise SettingError("a curriculum needs at least one stage")
    names = [stage.name for stage in stages]
    if len(set(names)) < len(names):
        raise SettingError(f"stages need different names, not {', '.join(names)}")
    sizes = {stage.name: _sizes(stage.model.network) for stage in stages}
    first = sizes[names[0]]
    for stage in stages:
        if sizes[stage.name] != first:
            raise SettingError(
                f"stage {stage.name!r} has (Nin, N, Nout) = {sizes[stage.name]}, the first {first}"
                "; give all tasks the inputs and outputs of all"
            )
        if stage.model.training.performance is None:
            raise SettingError(f"stage {stage.name!r}: its model has no `performance` to judge by")


def _sizes(network: NetworkConfig) -> tuple[int, int, int]:
    return network.Nin, network.N, network.Nout
