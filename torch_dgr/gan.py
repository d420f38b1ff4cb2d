"""The thesis' generator of digits: two small perceptrons playing a game.

    D maximises  E_real[ log s(D(y)) ] + E_z[ log(1 - s(D(G(z)))) ]
    G maximises  E_z[ log s(D(G(z))) ]                              (the non-saturating game)

s is the logistic function. Goodfellow et al. 2014; layer sizes, smoothing and rates from the
thesis (Prasad 2020). Real labels are smoothed to 0.9, for the discriminator only.

| symbol | name   | shape                                             | range    |
|--------|--------|---------------------------------------------------|----------|
| z      | latent | (trial, 100), uniform, or standard normal         | [-1, 1]  |
| y      | image  | (trial, 784), a flattened image                   | [-1, 1]  |
| G      | generator      | 100 -> 32 -> 64 -> 128 -> 784, tanh       | [-1, 1]  |
| D      | discriminator  | 784 -> 128 -> 64 -> 32 -> 1, logits       | real     |

Between layers stand a leaky rectification (slope 0.2) and dropout (0.3).

Every random number, dropout included, comes from the numpy generator handed to `fit` or
`sample`: the networks themselves are deterministic functions and torch's global random state is
neither read nor moved.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, leaky_relu

from torch_dgr.errors import SettingError, TrainingDivergedError
from torch_dgr.examples import checked_count, checked_images, minibatches
from torch_dgr.optimisers import adam, load_numpy_state, numpy_state

LATENTS = ("uniform", "normal")
SLOPE = 0.2  # leaky rectification below 0
DROPOUT = 0.3  # share of hidden units silenced at each training step
REAL_LABEL = 0.9  # what the discriminator is told of a real image

OnIteration = Callable[[int, dict[str, float]], None]


class Perceptron(nn.Module):
    """Linear layers with leaky rectification and dropout between them."""

    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        self.layers = nn.ModuleList(map(nn.Linear, sizes[:-1], sizes[1:]))

    def forward(self, values: Tensor, rng: np.random.Generator | None = None) -> Tensor:
        """Map (trial, sizes[0]) to (trial, sizes[-1]); dropout only where an rng is given."""
        for layer in self.layers[:-1]:
            values = leaky_relu(layer(values), SLOPE)
            if rng is not None:
                values = values * _dropout_mask(values.shape, rng)
        return self.layers[-1](values)


class GAN:
    """Generator and discriminator, their Adam moments, and nothing else.

    seed: of the initial weights. latent: 'uniform' on [-1, 1] or standard 'normal'.
    """

    def __init__(
        self,
        *,
        seed: int,
        latent: str = "uniform",
        n_latent: int = 100,
        image_shape: tuple[int, int] = (28, 28),
        hidden: Sequence[int] = (32, 64, 128),
        learning_rate: float = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
    ):
        if latent not in LATENTS:
            raise SettingError(f"latent is {latent!r}; give one of {', '.join(LATENTS)}")
        self.latent = latent
        self.n_latent = checked_count(n_latent, "n_latent")
        self.image_shape = tuple(image_shape)
        n_pixels = self.image_shape[0] * self.image_shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(checked_count(seed, "seed", least=0))
            self.generator = Perceptron([self.n_latent, *hidden, n_pixels])
            self.discriminator = Perceptron([n_pixels, *reversed(hidden), 1])
        self._generator_adam = adam(self.generator, learning_rate, betas)
        self._discriminator_adam = adam(self.discriminator, learning_rate, betas)

    def fit(
        self,
        images: np.ndarray,
        *,
        iterations: int,
        rng: np.random.Generator,
        on_iteration: OnIteration | None = None,
        batch_size: int = 64,
    ) -> None:
        """Go on training from the present weights for a number of iterations.

        images: (trial, 28, 28) in [0, 1]. An iteration is one update of the discriminator and one
        of the generator. Images are shuffled once per pass, so calls of whole passes each equal
        one long call with the same rng. on_iteration(i, {'discriminator_loss', 'generator_loss'})
        is called after each, i from 1. Raises ExamplesError, SettingError, TrainingDivergedError.
        """
        iterations = checked_count(iterations, "iterations", least=0)
        batch_size = checked_count(batch_size, "batch_size")
        pixels = checked_images(images, self.image_shape).flatten(1).mul_(2).sub_(1)
        batches = minibatches(len(pixels), batch_size, iterations, rng)
        for iteration, batch in enumerate(batches, start=1):
            report = {
                "discriminator_loss": self._update_discriminator(pixels[batch], rng),
                "generator_loss": self._update_generator(len(batch), rng),
            }
            if on_iteration is not None:
                on_iteration(iteration, report)

    def sample(self, n: int, rng: np.random.Generator, batch_size: int = 4096) -> np.ndarray:
        """Return n images (trial, 28, 28), float32 in [0, 1], without dropout."""
        n = checked_count(n, "n", least=0)
        images = np.empty((n, *self.image_shape), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, n, batch_size):
                chosen = images[start : start + batch_size]
                generated = self._generate(len(chosen), rng, dropout=False)
                chosen[:] = ((generated + 1) / 2).reshape(chosen.shape).numpy()
        return images

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all weights, Adam moments and step counts, by name."""
        return numpy_state(self._parts())

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state` returned; StateError (and no change) where it does not fit."""
        load_numpy_state(self._parts(), state)

    def _parts(self) -> dict[str, tuple[nn.Module, torch.optim.Optimizer]]:
        return {
            "generator": (self.generator, self._generator_adam),
            "discriminator": (self.discriminator, self._discriminator_adam),
        }

    def _update_discriminator(self, real: Tensor, rng: np.random.Generator) -> float:
        with torch.no_grad():
            generated = self._generate(len(real), rng)
        # One pass over both halves: the layers treat rows independently, and the means of two
        # equally long halves add up to twice the mean of the whole.
        logits = self.discriminator(torch.cat([real, generated]), rng).squeeze(1)
        labels = torch.zeros_like(logits)
        labels[: len(real)] = REAL_LABEL
        loss = 2 * binary_cross_entropy_with_logits(logits, labels)
        return _descend(loss, self.discriminator, self._discriminator_adam)

    def _update_generator(self, n: int, rng: np.random.Generator) -> float:
        logits = self.discriminator(self._generate(n, rng), rng)
        loss = binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        return _descend(loss, self.generator, self._generator_adam)

    def _generate(self, n: int, rng: np.random.Generator, dropout: bool = True) -> Tensor:
        """Return n images (trial, pixel) in [-1, 1] of freshly drawn latents."""
        if self.latent == "uniform":
            latent = 2 * rng.random((n, self.n_latent), dtype=np.float32) - 1
        else:
            latent = rng.standard_normal((n, self.n_latent), dtype=np.float32)
        return torch.tanh(self.generator(torch.from_numpy(latent), rng if dropout else None))


def _dropout_mask(shape: torch.Size, rng: np.random.Generator) -> Tensor:
    """Return 0 with probability DROPOUT and otherwise 1 / (1 - DROPOUT), so that means stay."""
    keep = rng.random(shape, dtype=np.float32) >= DROPOUT
    return torch.from_numpy(keep * np.float32(1 / (1 - DROPOUT)))


def _descend(loss: Tensor, network: nn.Module, optimiser: torch.optim.Optimizer) -> float:
    """Update one network alone: the other player's gradients are never computed."""
    if not torch.isfinite(loss):
        raise TrainingDivergedError(
            f"a loss of the GAN is {loss.item()}: load an earlier state and lower learning_rate"
        )
    parameters = list(network.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimiser.step()
    return loss.item()
