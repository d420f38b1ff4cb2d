"""A task under other settings, one change at a time: what do the first updates come to?

    loss         of the validation trials, before the first update and after the last
    performance  after the last update, in the unit of the task's `performance`
    clipped      share of updates whose gradient was longer than max_gradient_norm
    skipped      updates that were left out because loss or gradient exploded
    criterion    updates until min_error or terminate stopped the training

Nothing is saved. The page "When a task does not learn" of the docs says what each change is for.
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pycog_dgr.commands import taskrun
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.files import Checkpoint
from pycog_dgr.tasks import Model

OPTIMISERS = ("sgd(0.01)", "adam(0.003)", "adam(0.001)")
NUMBERS: dict[str, tuple[float, ...]] = {  # setting -> what is tried
    "var_rec": (0.05**2, 0.15**2),
    "lambda_Omega": (0, 0.5, 2),
    "rho0": (1.0, 1.5, 2.0),
}


class Numbers(NamedTuple):
    """What one training came to; NaN where there is no such number."""

    loss_before: float
    loss_after: float
    performance: float
    clipped: float
    skipped: int
    criterion: float


class Outcome(NamedTuple):
    """What a change came to, a training a seed; or why it was refused."""

    change: str
    trainings: list[Numbers]
    refused: str = ""


def changes(model: Model) -> dict[str, dict[str, Any]]:
    """What is tried on a model: name -> settings; first none.

    Parameters
    ----------
    model
        A value that it has already is left out.

    Returns
    -------
    dict
        The changes.
    """
    from pycog_dgr import symbolic

    own = {**vars(model.network), **vars(model.training)}
    tried: dict[str, dict[str, Any]] = {"as it is": {}}
    for text in OPTIMISERS:
        name, _, rate = text.rstrip(")").partition("(")
        tried[text] = {"optimiser": getattr(symbolic, name)(float(rate))}
    bias = not own["train_brec"]
    tried[f"train_brec = {bias}"] = {"train_brec": bias}
    for name, values in NUMBERS.items():
        tried |= {
            f"{name} = {value:g}": {name: value}
            for value in values
            if np.ndim(own[name]) or not math.isclose(own[name], value)
        }
    dt = own["dt"]
    finer = dt // 2 if isinstance(dt, int) and dt % 2 == 0 else dt / 2
    return {**tried, f"dt = {finer:g}": {"dt": finer}}


def outcomes(modelfile: str | Path, updates: int = 200, seeds: int = 1) -> Iterator[Outcome]:
    """Train a task from its beginning under each change, one after the other.

    Parameters
    ----------
    modelfile
        The task's file.
    updates
        At most so many; fewer where the task's criterion is met.
    seeds
        Of the initial weights, counted from the model's own.

    Yields
    ------
    Outcome
        As soon as it is known.

    Raises
    ------
    PycogDgrError
        As Model and Model.train do, where the task as it is cannot be trained.
    """
    model = Model(modelfile)
    limits = {"max_iter": updates, "checkfreq": min(updates, model.training.checkfreq)}
    for name, change in changes(model).items():
        try:
            own = taskrun.open_run(modelfile, changes={**change, **limits}).model
            trainings = [_trained(own, model.training.seed + i) for i in range(seeds)]
        except PycogDgrError as error:
            if not change:
                raise
            yield Outcome(name, [], str(error))
        else:
            yield Outcome(name, trainings)


def _trained(model: Model, seed: int) -> Numbers:
    """What a training from `seed` came to."""
    norms: list[float] = []
    model.training = dataclasses.replace(model.training, seed=seed)
    model.has_own_seed = True
    with tempfile.TemporaryDirectory() as folder:
        result = model.train(
            Path(folder) / "network.npz", progress=False,
            on_update=lambda _, report: norms.append(report.gnorm),
        )  # fmt: skip
    met = result.reason in taskrun.CRITERIA
    loss, _, performance = _last_costs(result.checkpoint, at_check=met)
    return Numbers(
        loss_before=result.checkpoint.costs_history[0][1][0],
        loss_after=loss,
        performance=performance,
        clipped=float(np.mean(np.array(norms) > model.training.max_gradient_norm)),
        skipped=result.checkpoint.skipped,
        criterion=result.iterations if met else math.nan,
    )


def _last_costs(save: Checkpoint, at_check: bool) -> list[float]:
    """[loss, RMSE, performance] of the last network; NaN for what is not finite or not there."""
    judged = at_check or save.ending is not None
    return [*(save.last_costs if judged else []), math.nan, math.nan, math.nan][:3]
