"""Elastic weight consolidation for any torch module: hold on to what earlier tasks depend on.

    F_i     = mean_n (d L_n / d theta_i)^2                               of one task, at its theta*
    penalty = sum_tasks sum_i lambda/2 F_i (theta_i - theta*_i)^2        joins the loss of the next

Kirkpatrick et al., PNAS 114, 3521 (2017). L_n is the loss of trial n alone, so F is the diagonal
of the *empirical* Fisher information: taken at the trial's own target, not at targets drawn from
the network. Where L_n is a mean over m targets, Bayes' rule is lambda = m (Laplace's approximation,
equally many trials of either task); where it is a trial's cross-entropy, m = 1.

    memory = remember(network, (loss_of(trial) for trial in trials))     after the first task
    penalty = elastic_weight_consolidation([memory], strength=500)
    (loss + penalty(network)).backward()

| symbol | name                                                   | shape           | unit      |
|--------|--------------------------------------------------------|-----------------|-----------|
| theta  | parameters that take a gradient; theta* a task's       | the module's    | 1         |
| F      | diagonal Fisher information                            | the module's    | 1/theta^2 |
| lambda | strength                                               |                 | 1         |
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.errors import ExamplesError, SettingError, StateError


class Memory(NamedTuple):
    """What a task leaves behind: theta* and F by the module's parameter names, as numpy."""

    parameters: dict[str, np.ndarray]
    fisher: dict[str, np.ndarray]


def fisher_information(network: nn.Module, losses: Iterable[Tensor]) -> dict[str, np.ndarray]:
    """Return F by parameter name; `losses` yields one scalar a trial, each still differentiable.

    A generator keeps the graph of one trial at a time. The network and its .grad are left alone.
    Raises ExamplesError without any trial or where a gradient is not finite.
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
                    f"Fisher information: the gradient of trial {n_trials} by {name} is not "
                    "finite; the trial needs a target, and the network must not have diverged"
                )
            total[name] += gradient.detach().cpu().numpy().astype(np.float64) ** 2
        n_trials += 1
    if n_trials == 0:
        raise ExamplesError("Fisher information needs the loss of at least one trial")
    return {name: F / n_trials for name, F in total.items()}


def remember(network: nn.Module, losses: Iterable[Tensor]) -> Memory:
    """Return the memory of a task that the network has just learnt."""
    return Memory(
        parameters={
            name: theta.detach().cpu().numpy().copy() for name, theta in trained(network).items()
        },
        fisher=fisher_information(network, losses),
    )


def elastic_weight_consolidation(
    memories: Sequence[Memory], strength: float
) -> Callable[[nn.Module], Tensor]:
    """Return the penalty, network -> scalar: one quadratic well for every task remembered.

    strength: lambda, at least 0. SettingError for one that is not, StateError, when the penalty
    is taken, for a memory of another network.
    """
    if isinstance(strength, bool) or not (np.isfinite(strength) and strength >= 0):
        raise SettingError(f"strength is {strength!r}; give a finite number of at least 0")

    def penalty(network: nn.Module) -> Tensor:
        parameters = trained(network)
        total = next(iter(parameters.values())).new_zeros(())
        for memory in memories:
            for name, theta in parameters.items():
                star, F = (matching(values, name, theta) for values in memory)
                total = total + strength / 2 * (F * (theta - star).square()).sum()
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
            f"the memory holds {found} for {name}, this network {tuple(theta.shape)}: "
            "give memories of this network"
        )
    return torch.as_tensor(held).to(theta)
