"""Elastic weight consolidation: hold on to the parameters that earlier tasks depend on.

    F_i     = mean_n (d L_n / d theta_i)^2                               of one task, at its theta*
    penalty = sum_tasks sum_i lambda/2 F_i (theta_i - theta*_i)^2        joins the loss of the next

Source: J. Kirkpatrick et al., PNAS 114, 3521 (2017). theta are the *raw* trained parameters, and
L_n is the loss of trial n alone: the masked mean that training minimises, without penalties and
Omega. So F is the diagonal of the *empirical* Fisher information, taken at the targets of the
trials and not at targets drawn from the network. The loss is minus the mean log-likelihood of
the trial's m = sum(mask) targets (squared error: Gaussian of variance 1/2); the log-likelihood of
the whole trial has m^2 times this F, and Bayes' rule with equally many trials of either task, in
Laplace's approximation, is lambda = m.

    memory = remember(step, batch)                       after the first task
    penalty = elastic_weight_consolidation([memory], strength=500)
    step = TrainingStep(network, training, step.parameters, penalties=(penalty,))

| symbol | name                                        | shape                | unit        |
|--------|---------------------------------------------|----------------------|-------------|
| theta  | raw parameters; theta* those of the task    | as `Parameters`      | 1           |
| F      | diagonal Fisher information                 | as `Parameters`      | 1/theta^2   |
| lambda | strength                                    |                      | 1           |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import TrainingConfig
from pycog_dgr.data import Batch
from pycog_dgr.errors import BatchError, SettingError
from pycog_dgr.network import Parameters
from pycog_dgr.symbolic.objective import Penalty
from pycog_dgr.symbolic.scan import States
from pycog_dgr.training.step import TrainingStep

NO_PENALTIES = {
    field.name: 0.0
    for field in dataclasses.fields(TrainingConfig)
    if field.name.startswith(("lambda1_", "lambda2_"))
}


class Memory(NamedTuple):
    """What a task leaves behind: by name of each trained parameter, theta* and F."""

    parameters: dict[str, NDArray]
    fisher: dict[str, NDArray]


def fisher_information(step: TrainingStep, batch: Batch) -> dict[str, NDArray]:
    """F of the trials in `batch` at the step's parameters, by name of each trained parameter.

    The step is left as it is; its penalties and its dropout play no part. Weights that are masked
    out or fixed get 0. Raises BatchError for a batch that does not fit or a trial whose gradient
    is not finite.
    """
    bare = TrainingStep(
        step.network,
        dataclasses.replace(step.training, **NO_PENALTIES),
        step.parameters,
        step.floatX,
        step.backend,
        self_check=False,
    )
    total = {name: np.zeros(step.network.shapes[name]) for name in step.network.trained}
    n_trial = np.shape(batch.noise)[1]
    for n in range(n_trial):
        gradients = bare.gradients(Batch(*(np.asarray(array)[:, n : n + 1] for array in batch)))
        for name, F in total.items():
            g = gradients[f"grad_{name}"].astype(np.float64)
            if not np.isfinite(g).all():
                raise BatchError(
                    f"Fisher information: the gradient of trial {n} by {name} is not finite; "
                    "its mask must hold a weight above 0, and the network must not have diverged"
                )
            F += g**2 / n_trial
    return total


def remember(step: TrainingStep, batch: Batch) -> Memory:
    """The memory of a task that `step` has just learnt, from trials of that task."""
    parameters = step.parameters
    return Memory(
        parameters={name: getattr(parameters, name) for name in step.network.trained},
        fisher=fisher_information(step, batch),
    )


def elastic_weight_consolidation(memories: Sequence[Memory], strength: float) -> Penalty:
    """The penalty for TrainingStep(penalties=...): one quadratic well for every task remembered.

    strength   lambda, at least 0

    Raises SettingError: here for a strength or a memory that cannot be used, and when the step is
    built for a memory of another network.
    """
    if isinstance(strength, bool) or not (np.isfinite(strength) and strength >= 0):
        raise SettingError(f"strength must be a finite number of at least 0, not {strength!r}")
    for memory in memories:
        check_memory(memory)

    def penalty(raw: Parameters, _: States) -> TensorVariable:
        total = pt.zeros((), raw.Wrec.dtype)
        for memory in memories:
            for name, star in memory.parameters.items():
                theta = getattr(raw, name, None)
                shape = None if theta is None else theta.get_value(borrow=True).shape
                if shape != star.shape:
                    raise SettingError(
                        f"the memory's {name} has shape {star.shape}, this network's {shape}: "
                        "give memories of this network"
                    )
                well = (
                    memory.fisher[name].astype(theta.dtype)
                    * (theta - star.astype(theta.dtype)) ** 2
                )
                total += np.asarray(strength / 2, theta.dtype) * pt.sum(well)
        return total

    return penalty


def check_memory(memory: Memory) -> None:
    """SettingError unless theta* and F have the same names and shapes, finite, and F >= 0."""
    if memory.parameters.keys() != memory.fisher.keys():
        raise SettingError(
            f"memory: parameters of {sorted(memory.parameters)}, but Fisher information of "
            f"{sorted(memory.fisher)}; give both for the same names"
        )
    for name, F in memory.fisher.items():
        star = memory.parameters[name]
        if F.shape != star.shape or not (np.isfinite(F).all() and np.isfinite(star).all()):
            raise SettingError(
                f"memory: {name} must be finite, with parameters and Fisher information of one "
                f"shape, not {star.shape} and {F.shape}"
            )
        if (F < 0).any():
            raise SettingError(f"memory: the Fisher information of {name} holds negative values")
