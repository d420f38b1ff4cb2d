"""Elastic weight consolidation: hold on to the parameters that earlier tasks depend on.

    F_i     = mean_n (d L_n / d theta_i)^2                           of one task, at its theta_star
    penalty = sum_tasks sum_i lambda/2 F_i (theta_i - theta_star_i)^2     joins the next task's loss

Source: J. Kirkpatrick et al., PNAS 114, 3521 (2017). theta are the *raw* trained parameters, and
L_n is the loss of trial n alone: the masked mean that training minimises, without penalties and
Omega. So F is the diagonal of the *empirical* Fisher information, taken at the targets of the
trials and not at targets drawn from the network. The loss is minus the mean log-likelihood of
the trial's m = sum(mask) targets (squared error: Gaussian of variance 1/2); the log-likelihood of
the whole trial has m^2 times this F, and Bayes' rule with equally many trials of either task, in
Laplace's approximation, is lambda = m.

    state = consolidate(step, batch)                     after the first task
    penalty = elastic_weight_consolidation([state], strength=500)
    step = TrainingStep(network, training, step.parameters, penalties=(penalty,))

| symbol     | name                                | shape           | unit      |
|------------|-------------------------------------|-----------------|-----------|
| theta      | raw parameters                      | as `Parameters` | 1         |
| theta_star | those that a task ended with        | as `Parameters` | 1         |
| F          | diagonal Fisher information         | as `Parameters` | 1/theta^2 |
| lambda     | strength                            |                 | 1         |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

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

NO_PENALTIES: dict[str, Any] = {
    field.name: 0.0
    for field in dataclasses.fields(TrainingConfig)
    if field.name.startswith(("lambda1_", "lambda2_"))
}


class EWCState(NamedTuple):
    """What a task leaves behind, by the name of each trained parameter."""

    theta_star: dict[str, NDArray]  # raw values at the task's end
    fisher: dict[str, NDArray]  # F, of the same shapes


def fisher_information(step: TrainingStep, batch: Batch) -> dict[str, NDArray]:
    """Diagonal Fisher information of a task, at the step's parameters.

    Parameters
    ----------
    step : TrainingStep
        Left as it is; its penalties and its dropout play no part.
    batch : Batch
        Trials of the task, one gradient each.

    Returns
    -------
    dict of str to ndarray
        F by name of each trained parameter, float64. Weights that are masked out or fixed get 0.

    Raises
    ------
    BatchError
        For a batch that does not fit, or a trial whose gradient is not finite.
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
    n_trial = batch.noise.shape[1]
    for n in range(n_trial):
        gradients = bare.gradients(Batch(*(array[:, n : n + 1] for array in batch)))
        for name, F in total.items():
            g = gradients[f"grad_{name}"].astype(np.float64)
            if not np.isfinite(g).all():
                raise BatchError(
                    f"Fisher information: the gradient of trial {n} with respect to {name} is not "
                    "finite; its mask must hold a weight above 0, and the network must not have "
                    "diverged"
                )
            F += g**2 / n_trial
    return total


def consolidate(step: TrainingStep, batch: Batch) -> EWCState:
    """The EWC state of a task that `step` has just learnt, from trials of that task.

    Parameters
    ----------
    step : TrainingStep
        Left as it is.
    batch : Batch
        Trials of the task.

    Returns
    -------
    EWCState
        Copies.

    Raises
    ------
    BatchError
        See `fisher_information`.
    """
    parameters = step.parameters
    return EWCState(
        theta_star={name: getattr(parameters, name) for name in step.network.trained},
        fisher=fisher_information(step, batch),
    )


def elastic_weight_consolidation(states: Sequence[EWCState], strength: float) -> Penalty:
    """The quadratic penalties of all earlier tasks, for TrainingStep(penalties=...).

    Parameters
    ----------
    states : sequence of EWCState
        One a task.
    strength : float
        lambda, at least 0.

    Returns
    -------
    callable
        (raw, states) -> scalar.

    Raises
    ------
    SettingError
        Here for a strength or a state that cannot be used, and when the step is built for the
        state of another network.
    """
    if isinstance(strength, bool) or not (np.isfinite(strength) and strength >= 0):
        raise SettingError(f"strength must be a finite number of at least 0, not {strength!r}")
    for state in states:
        check_state(state)

    def penalty(raw: Parameters, _: States) -> TensorVariable:
        total = pt.zeros((), raw.Wrec.dtype)
        for state in states:
            for name, theta_star in state.theta_star.items():
                theta = parameter(raw, name, theta_star.shape)
                F = state.fisher[name].astype(theta.dtype)
                squares = F * (theta - theta_star.astype(theta.dtype)) ** 2
                total += np.asarray(strength / 2, theta.dtype) * pt.sum(squares)
        return total

    return penalty


def parameter(raw: Parameters, name: str, shape: tuple[int, ...]) -> Any:
    """The shared variable of a parameter; SettingError unless it has the shape of theta_star."""
    theta = getattr(raw, name, None)
    own = None if theta is None else theta.get_value(borrow=True).shape
    if own != shape:
        raise SettingError(
            f"the EWC state's {name} has shape {shape}, this network's {own}: give states of this "
            "network"
        )
    return theta


def check_state(state: EWCState) -> None:
    """SettingError unless theta_star and F have the same names and shapes, finite, and F >= 0."""
    if state.theta_star.keys() != state.fisher.keys():
        raise SettingError(
            f"EWC state: theta_star of {sorted(state.theta_star)}, but Fisher information of "
            f"{sorted(state.fisher)}; give both for the same names"
        )
    for name, F in state.fisher.items():
        theta_star = state.theta_star[name]
        finite = np.isfinite(F).all() and np.isfinite(theta_star).all()
        if F.shape != theta_star.shape or not finite:
            raise SettingError(
                f"EWC state: {name} must be finite, with theta_star and Fisher information of one "
                f"shape, not {theta_star.shape} and {F.shape}"
            )
        if (F < 0).any():
            raise SettingError(f"EWC state: the Fisher information of {name} is below 0 somewhere")
