"""One update of the rate network: gradients of the objective, Omega's term, then an optimiser."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from torch_dgr.checks import checked_number
from torch_dgr.rate_rnn.network import RateRNN
from torch_dgr.rate_rnn.objective import Batch, Gradients, Objective, gradients
from torch_dgr.rate_rnn.optimiser import ClippedSGD, ProjectedAdam
from torch_dgr.rate_rnn.parameters import MATRICES

__all__ = [
    "WREC_SHRINK",
    "StepReport",
    "clipped_sgd",
    "projected_adam",
    "train_step",
    "whole_gradient",
]

# Of Wrec, what the guard against explosions descends along: a float32 constant in the original.
WREC_SHRINK = float(np.float32(0.02))


class StepReport(NamedTuple):
    """What an update says: all four belong to the parameters before it."""

    loss: float  # with penalties, without Omega
    gnorm: float  # with Omega's term, before clipping
    Omega: float
    nelems: float


def clipped_sgd(
    network: RateRNN, learning_rate: float = 0.01, max_gradient_norm: float = 1.0
) -> ClippedSGD:
    """Return pycog's optimiser for a network: Wrec alone shrinks when gradients explode.

    Parameters
    ----------
    network
        The network.
    learning_rate
        Step size.
    max_gradient_norm
        The longest that the whole gradient may be.

    Returns
    -------
    ClippedSGD
        With pycog's guard on Wrec.
    """
    return ClippedSGD(_groups(network), learning_rate, max_gradient_norm)


def projected_adam(
    network: RateRNN,
    learning_rate: float = 0.001,
    *,
    floor: float = 1e-6,
    schedule: str = "constant",
    steps: int | None = None,
    max_gradient_norm: float = 1.0,
) -> ProjectedAdam:
    """Return Adam for a network: with Dale's law no raw matrix entry is let below the floor.

    Parameters
    ----------
    network
        Whose trained parameters are updated.
    learning_rate
        Its largest value.
    floor
        The least raw weight where Dale's law holds, at least 0.
    schedule, steps, max_gradient_norm
        As of `ProjectedAdam`.

    Returns
    -------
    ProjectedAdam
        Of the network's trained parameters.
    """
    floor = checked_number(floor, "floor")
    return ProjectedAdam(
        _groups(network, None if network.ei is None else floor),
        learning_rate,
        schedule=schedule,
        steps=steps,
        max_gradient_norm=max_gradient_norm,
    )


def _groups(network: RateRNN, floor: float | None = None) -> list[dict[str, Any]]:
    """Return a group for each trained parameter, so that each may have settings of its own."""
    return [
        {
            "params": [parameter],
            "shrink": WREC_SHRINK if name == "Wrec" else 0.0,
            "floor": floor if name in MATRICES else None,
        }
        for name, parameter in network.trained().items()
    ]


def whole_gradient(found: Gradients, objective: Objective) -> tuple[dict[str, Tensor], float]:
    """Return the gradients that an update follows, Omega's term included, and their norm."""
    whole = dict(found.parameters)
    whole["Wrec"] = whole["Wrec"] + objective.lambda_Omega * found.dOmega_dWrec
    squares = [gradient.square().sum() for gradient in whole.values()]
    return whole, torch.stack(squares).sum().sqrt().item()


def train_step(
    network: RateRNN,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    objective: Objective,
) -> StepReport:
    """Update the network on a batch with any torch optimiser over its trained parameters.

    Raises ExamplesError for a batch that does not fit the network.

    Parameters
    ----------
    network
        The network.
    batch
        inputs, targets, mask and noise, (time, trial, ...).
    objective
        What is minimised.
    optimiser
        Of the network's parameters.

    Returns
    -------
    StepReport
        Of before the update.
    """
    found = gradients(network, batch, objective)
    whole, gnorm = whole_gradient(found, objective)
    for name, parameter in network.trained().items():
        parameter.grad = whole[name]
    optimiser.step()
    return StepReport(found.loss + found.penalty, gnorm, found.Omega, found.nelems)
