"""The losses of a generator G and a discriminator D that play against each other.

    D:  mean [ log(1 + exp(-D(y, c))) + log(1 + exp(D(y~, c))) ]  +  penalty
    G:  mean [ log(1 + exp(-D(y~, c))) ]                          the non-saturating game

    penalty = gamma/2 mean || dD(y, c)/dy ||^2    at real images (R1), taken every fourth iteration
                                                  with four times the weight

Goodfellow et al. 2014; R1: Mescheder, Geiger and Nowozin 2018; lazily: Karras et al. 2020.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

__all__ = ["discriminator_loss", "generator_loss", "gradient_penalty"]

EVERY = 4  # iterations between gradient penalties


def discriminator_loss(
    discriminator: nn.Module, real: Tensor, generated: Tensor, condition: Tensor
) -> Tensor:
    """Return the loss of D; `generated` takes no gradient from it."""
    logits = discriminator(torch.cat([real, generated.detach()]), torch.cat([condition, condition]))
    return softplus(-logits[: len(real)]).mean() + softplus(logits[len(real) :]).mean()


def gradient_penalty(
    discriminator: nn.Module, real: Tensor, condition: Tensor, gamma: float, iteration: int
) -> Tensor:
    """Return the R1 penalty of an iteration, 0 in three out of four."""
    if iteration % EVERY:
        return real.new_zeros(())
    real = real.clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(real, condition).sum(), real, create_graph=True)
    return EVERY * gamma / 2 * slope.square().sum(dim=1).mean()


def generator_loss(discriminator: nn.Module, generated: Tensor, condition: Tensor) -> Tensor:
    """Return the adversarial loss of G."""
    return softplus(-discriminator(generated, condition)).mean()
