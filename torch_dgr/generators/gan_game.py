"""The players of the thesis' GAN, and an iteration of their game by autograd.

    D maximises  E_real[ log s(D(y)) ] + E_z[ log(1 - s(D(G(z)))) ]
    G maximises  E_z[ log s(D(G(z))) ]                              (the non-saturating game)

s is the logistic function; real labels are smoothed to 0.9, for the discriminator only. Every
random number, dropout included, is drawn from numpy's generator, in the order in which it is used.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, leaky_relu

from torch_dgr.errors import TrainingDivergedError

__all__ = ["AutogradGame", "Game", "Losses", "Perceptron", "Players", "dropout_masks"]

SLOPE = 0.2  # leaky rectification below 0
DROPOUT = 0.3  # share of hidden units set to 0 at each training step
KEPT = np.float32(1 / (1 - DROPOUT))  # by what the others are scaled
REAL_LABEL = 0.9  # what the discriminator is told of a real image


class Perceptron(nn.Module):
    """Linear layers with leaky rectification and dropout between them."""

    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        self.sizes = tuple(sizes)
        self.layers = nn.ModuleList(nn.Linear(*shape) for shape in pairwise(sizes))

    def forward(self, values: Tensor, rng: np.random.Generator | None = None) -> Tensor:
        """Map (trial, sizes[0]) to (trial, sizes[-1]); dropout only where an rng is given."""
        *hidden, last = self.layers
        gains: list[Tensor | float] = [1.0] * len(hidden)
        if rng is not None:
            masks = dropout_masks(len(values), self.sizes[1:-1], rng)
            gains = [torch.from_numpy(mask).to(values.device) for mask in masks]
        for layer, gain in zip(hidden, gains, strict=True):
            values = gain * leaky_relu(layer(values), SLOPE)
        return last(values)


def dropout_masks(n: int, widths: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Return a mask (trial, unit) for every width.

    It is 0 with probability DROPOUT and otherwise 1 / (1 - DROPOUT), so that means stay.
    """
    masks = (rng.random(n * sum(widths), dtype=np.float32) >= DROPOUT) * KEPT
    ends = n * np.cumsum(widths)[:-1]
    return [mask.reshape(n, -1) for mask in np.split(masks, ends)]


class Players(NamedTuple):
    """Both networks with their Adams, and n latents (trial, latent) at a time."""

    generator: Perceptron
    discriminator: Perceptron
    generator_adam: torch.optim.Optimizer
    discriminator_adam: torch.optim.Optimizer
    draw_latent: Callable[[int, np.random.Generator], np.ndarray]


class Losses(NamedTuple):
    """Of one iteration, each before its own update."""

    discriminator: float
    generator: float


class Game(Protocol):
    """One iteration after the other: an update of the discriminator, one of the generator."""

    def iterate(self, real: Tensor, rng: np.random.Generator) -> Losses:
        """Play against real images (trial, pixel) in [-1, 1].

        Raises TrainingDivergedError, before the update, where a loss is not finite.
        """


class AutogradGame:
    """The game as torch plays it, on any device."""

    def __init__(self, players: Players):
        self.players = players

    def iterate(self, real: Tensor, rng: np.random.Generator) -> Losses:
        """Play one iteration (`Game`)."""
        return Losses(self._update_discriminator(real, rng), self._update_generator(real, rng))

    def _update_discriminator(self, real: Tensor, rng: np.random.Generator) -> float:
        with torch.no_grad():
            generated = self._generated(real, rng)
        # One pass over both halves: the layers treat rows independently, and the means of two
        # equally long halves add up to twice the mean of the whole.
        logits = self.players.discriminator(torch.cat([real, generated]), rng)
        labels = torch.zeros_like(logits)
        labels[: len(real)] = REAL_LABEL
        loss = 2 * binary_cross_entropy_with_logits(logits, labels)
        return _descend(self.players.discriminator, self.players.discriminator_adam, loss)

    def _update_generator(self, real: Tensor, rng: np.random.Generator) -> float:
        logits = self.players.discriminator(self._generated(real, rng), rng)
        loss = binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        return _descend(self.players.generator, self.players.generator_adam, loss)

    def _generated(self, real: Tensor, rng: np.random.Generator) -> Tensor:
        latent = torch.from_numpy(self.players.draw_latent(len(real), rng)).to(real.device)
        return torch.tanh(self.players.generator(latent, rng))


def check_finite(loss: float) -> float:
    """Return a loss, or raise TrainingDivergedError where it is not finite."""
    if not np.isfinite(loss):
        raise TrainingDivergedError(
            f"a loss of the GAN is {loss}: load an earlier state and lower learning_rate"
        )
    return loss


def _descend(network: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor) -> float:
    found = check_finite(loss.item())
    parameters = list(network.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimiser.step()
    return found
