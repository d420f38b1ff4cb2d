"""Elastic weight consolidation for any torch module: hold on to what earlier tasks depend on.

    F_i     = mean_n (d L_n / d theta_i)^2                       of one task, at its theta_star
    penalty = sum_tasks sum_i lambda/2 F_i (theta_i - theta_star_i)^2   joins the next loss

Kirkpatrick et al., PNAS 114, 3521 (2017). L_n is the loss of trial n alone, so F is the diagonal
of the *empirical* Fisher information: taken at the trial's own target, not at targets drawn from
the network. Where L_n is a mean over m targets, Bayes' rule is lambda = m (Laplace's approximation,
equally many trials of either task); where it is a trial's cross-entropy, m = 1.

    state = consolidate(network, (loss_of(trial) for trial in trials))   after the first task
    penalty = elastic_weight_consolidation([state], strength=500)
    (loss + penalty(network)).backward()

| symbol | name                                                   | shape           | unit      |
|--------|--------------------------------------------------------|-----------------|-----------|
| theta  | parameters that take a gradient; theta_star: a task's  | the module's    | 1         |
| F      | diagonal Fisher information                            | the module's    | 1/theta^2 |
| lambda | strength                                               |                 | 1         |
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.errors import ExamplesError, SettingError, StateError, shown

__all__ = ["EWCState", "consolidate", "elastic_weight_consolidation", "fisher_information"]


class EWCState(NamedTuple):
    """What a task leaves behind, by the module's parameter names, as numpy."""

    theta_star: dict[str, np.ndarray]  # values at the task's end
    fisher: dict[str, np.ndarray]  # F, of the same shapes


def fisher_information(network: nn.Module, losses: Iterable[Tensor]) -> dict[str, np.ndarray]:
    """Return F by parameter name; the network and its gradients are left alone.

    Parameters
    ----------
    network
        At the parameters that a task ended with.
    losses
        One scalar a trial, each still differentiable; a generator keeps the graph of one at a time.

    Returns
    -------
    dict
        Name -> F, of each parameter that takes a gradient.

    Raises
    ------
    ExamplesError
        No trial, or a gradient that is not finite.
    """
    parameters = trained(network)
    total = {name: np.zeros(tuple(theta.shape)) for name, theta in parameters.items()}
    n_trials = 0
    for loss in losses:
        gradients = torch.autograd.grad(
            loss, list(parameters.values()), allow_unused=True, materialize_grads=True
        )
        for name, gradient in zip(parameters, gradients, strict=True):
            if not torch.isfinite(gradient).all():
                raise ExamplesError(
                    f"Fisher information: the gradient of trial {n_trials} for {name} is not "
                    "finite; the trial needs a target, and the network must not have diverged"
                )
            total[name] += gradient.detach().cpu().numpy().astype(np.float64) ** 2
        n_trials += 1
    if n_trials == 0:
        raise ExamplesError("Fisher information needs the loss of at least one trial")
    return {name: F / n_trials for name, F in total.items()}


def consolidate(network: nn.Module, losses: Iterable[Tensor]) -> EWCState:
    """Return the EWC state of a task that the network has just learnt (`fisher_information`).

    Parameters
    ----------
    network
        A torch module that has just learnt a task.
    losses
        The loss of each trial, as a tensor.

    Returns
    -------
    EWCState
        theta_star and F, by name of each parameter.
    """
    return EWCState(
        theta_star={
            name: theta.detach().cpu().numpy().copy() for name, theta in trained(network).items()
        },
        fisher=fisher_information(network, losses),
    )


def elastic_weight_consolidation(
    states: Sequence[EWCState], strength: float
) -> Callable[[nn.Module], Tensor]:
    """Return the penalty, network -> scalar: a quadratic penalty for every earlier task.

    Parameters
    ----------
    states
        Of the earlier tasks.
    strength
        lambda, at least 0.

    Returns
    -------
    callable
        network -> penalty, a scalar.

    Raises
    ------
    SettingError
        A strength that is not.
    StateError
        A state of another network; when the penalty is taken.
    """
    if isinstance(strength, bool) or not (np.isfinite(strength) and strength >= 0):
        raise SettingError(f"strength is {shown(strength)}; give a finite number of at least 0")

    def penalty(network: nn.Module) -> Tensor:
        parameters = trained(network)
        total = next(iter(parameters.values())).new_zeros(())
        for state in states:
            for name, theta in parameters.items():
                theta_star, F = (matching(values, name, theta) for values in state)
                total = total + strength / 2 * (F * (theta - theta_star).square()).sum()
        return total

    return penalty


def trained(network: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that take a gradient; SettingError where there are none."""
    parameters = {name: theta for name, theta in network.named_parameters() if theta.requires_grad}
    if not parameters:
        raise SettingError(f"{type(network).__name__} has no parameter that takes a gradient")
    return parameters


def matching(values: dict[str, np.ndarray], name: str, theta: Tensor) -> Tensor:
    """Return values[name] as a tensor like theta; StateError where it is missing or differs."""
    held = values.get(name)
    if held is None or held.shape != tuple(theta.shape):
        found = "nothing" if held is None else f"shape {held.shape}"
        raise StateError(
            f"the EWC state holds {found} for {name}, this network {tuple(theta.shape)}: "
            "give states of this network"
        )
    return torch.as_tensor(held).to(theta)
