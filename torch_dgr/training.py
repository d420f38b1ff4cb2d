"""One update of the rate network: gradients of the objective, Omega's term, then an optimiser."""

from typing import NamedTuple

import torch

from torch_dgr.objective import Batch, Objective, gradients
from torch_dgr.optimisers import ClippedSGD
from torch_dgr.rate_rnn import RateRNN

WREC_SHRINK = 0.02  # of Wrec, what the guard against explosions descends along


class StepReport(NamedTuple):
    """What an update says: all four belong to the parameters before it."""

    loss: float  # with penalties, without Omega
    gnorm: float  # with Omega's term, before clipping
    Omega: float
    nelems: float


def clipped_sgd(
    network: RateRNN, learning_rate: float = 0.01, max_gradient_norm: float = 1.0
) -> ClippedSGD:
    """Return pycog's optimiser for a network: Wrec alone shrinks when gradients explode."""
    trained = network.trained()
    groups = [{"params": [parameter], "shrink": WREC_SHRINK if name == "Wrec" else 0.0}
              for name, parameter in trained.items()]
    return ClippedSGD(groups, learning_rate, max_gradient_norm)


def train_step(
    network: RateRNN,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    objective: Objective,
) -> StepReport:
    """Update the network on a batch with any torch optimiser over its trained parameters."""
    found = gradients(network, batch, objective)
    squares = 0.0
    for name, parameter in network.trained().items():
        gradient = found.parameters[name]
        if name == "Wrec":
            gradient = gradient + objective.lambda_Omega * found.dOmega_dWrec
        parameter.grad = gradient
        squares += gradient.square().sum().item()
    optimiser.step()
    return StepReport(found.loss + found.penalty, squares**0.5, found.Omega, found.nelems)
