"""The thesis' generator of digits: two small perceptrons playing a game (gan_game.py).

| symbol | name   | shape                                             | range    |
|--------|--------|---------------------------------------------------|----------|
| z      | latent | (trial, 100), uniform, or standard normal         | [-1, 1]  |
| y      | image  | (trial, 784), a flattened image                   | [-1, 1]  |
| G      | generator      | 100 -> 32 -> 64 -> 128 -> 784, tanh       | [-1, 1]  |
| D      | discriminator  | 784 -> 128 -> 64 -> 32 -> 1, logits       | real     |

Between layers stand a leaky rectification (slope 0.2) and dropout (0.3). Goodfellow et al. 2014;
layer sizes, smoothing and rates from the thesis (Prasad 2020).

Every random number, dropout included, comes from the numpy generator handed to `fit` or
`sample`: the networks themselves are deterministic functions and torch's global random state is
neither read nor moved.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from torch_dgr.checks import (
    checked_count,
    checked_device,
    checked_image_shape,
    checked_images,
    checked_rng,
    checked_sizes,
    minibatches,
    named,
)
from torch_dgr.errors import SettingError
from torch_dgr.generators.gan_game import AutogradGame, Game, Perceptron, Players
from torch_dgr.generators.gan_numpy import NumpyGame
from torch_dgr.generators.interface import OnIteration
from torch_dgr.state import Parts, adam, load_numpy_state, numpy_state, seeded

__all__ = ["GAN"]

DRAWN_AT_ONCE = 4096  # images


def uniform_latent(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return latents between -1 and 1."""
    return 2 * rng.random(shape, dtype=np.float32) - 1


def normal_latent(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return standard normal latents."""
    return rng.standard_normal(shape, dtype=np.float32)


LATENTS = {"uniform": uniform_latent, "normal": normal_latent}


class GAN:
    """Generator and discriminator, their Adam moments, and nothing else.

    Parameters
    ----------
    seed
        Of the initial weights.
    latent
        'uniform' on [-1, 1] or standard 'normal'.
    n_latent, image_shape, hidden
        Sizes; hidden are those of the generator's layers, the discriminator mirrors them.
    learning_rate, betas
        Of both Adams.
    device
        Where it computes, e.g. 'cpu' or 'cuda'.

    Raises
    ------
    SettingError
        A size, number, name or device that is none.
    """

    conditional = False
    classes: tuple[int, ...] = ()

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
        device: str | torch.device = "cpu",
    ):
        self._distribution = named(LATENTS, latent, "latent")
        self.latent = latent
        self.n_latent = checked_count(n_latent, "n_latent")
        self.image_shape = checked_image_shape(image_shape)
        self.hidden = checked_sizes(hidden, "hidden")
        self.learning_rate, self.betas = learning_rate, betas
        self.device = checked_device(device)
        self._make_players(seed)

    def begin_context(self, *, iterations: int, rng: np.random.Generator) -> None:
        """Make both networks anew: every generator of the thesis learns from the beginning.

        What earlier contexts held it knows only from images among those that `fit` is given.
        """
        checked_count(iterations, "iterations")
        self._make_players(int(checked_rng(rng).integers(2**31)))

    def fit(
        self,
        images: np.ndarray,
        targets: np.ndarray | None = None,
        *,
        iterations: int,
        rng: np.random.Generator,
        on_iteration: OnIteration | None = None,
        batch_size: int = 64,
    ) -> None:
        """Go on training from the present weights for a number of iterations.

        Parameters
        ----------
        images
            (trial, row, column) in [0, 1]. They are shuffled once per pass, so calls of whole
            passes each equal one long call with the same rng.
        targets
            Not used: this generator knows no classes.
        iterations
            Updates of the discriminator, each with one of the generator.
        rng
            The source of all random numbers.
        on_iteration
            Called after each iteration with its number, from 1, and 'discriminator_loss' and
            'generator_loss'.

        Raises
        ------
        ExamplesError
            Images of a wrong shape or range.
        SettingError
            A wrong iterations, batch_size or rng.
        TrainingDivergedError
            A loss that is not finite.
        """
        iterations = checked_count(iterations, "iterations", least=0)
        batch_size = checked_count(batch_size, "batch_size")
        pixels = checked_images(images, self.image_shape).flatten(1).mul_(2).sub_(1)
        pixels = pixels.to(self.device)
        game = self._game()
        batches = minibatches(len(pixels), batch_size, iterations, rng)
        for iteration, batch in enumerate(batches, start=1):
            losses = game.iterate(pixels[batch], rng)
            if on_iteration is not None:
                report = {
                    "discriminator_loss": losses.discriminator,
                    "generator_loss": losses.generator,
                }
                on_iteration(iteration, report)

    def sample(
        self, n: int, rng: np.random.Generator, classes: np.ndarray | None = None
    ) -> np.ndarray:
        """Return n images (n, row, column), float32 in [0, 1], without dropout.

        Raises SettingError where classes are asked for, which this generator does not know.
        """
        n = checked_count(n, "n", least=0)
        checked_rng(rng)
        if classes is not None:
            raise SettingError(
                "classes are given, but the thesis' GAN knows none; leave them out, or use a "
                "conditional generator"
            )
        images = np.empty((n, *self.image_shape), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, n, DRAWN_AT_ONCE):
                chosen = images[start : start + DRAWN_AT_ONCE]
                latent = torch.from_numpy(self._draw_latent(len(chosen), rng)).to(self.device)
                generated = torch.tanh(self.generator(latent))
                chosen[:] = ((generated + 1) / 2).reshape(chosen.shape).cpu().numpy()
        return images

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all weights, Adam moments and step counts, by name."""
        return numpy_state(self._parts())

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned; StateError (and no change) where it does not fit."""
        load_numpy_state(self._parts(), state)

    def _make_players(self, seed: int) -> None:
        n_pixels = self.image_shape[0] * self.image_shape[1]
        with seeded(seed):
            generator = Perceptron([self.n_latent, *self.hidden, n_pixels])
            discriminator = Perceptron([n_pixels, *reversed(self.hidden), 1])
        self.generator = generator.to(self.device)
        self.discriminator = discriminator.to(self.device)
        self._generator_adam = adam(self.generator, self.learning_rate, self.betas)
        self._discriminator_adam = adam(self.discriminator, self.learning_rate, self.betas)

    def _game(self) -> Game:
        """Return the game in numpy where it can be played there, which is faster."""
        return (NumpyGame if self.device.type == "cpu" else AutogradGame)(self._players())

    def _players(self) -> Players:
        return Players(
            self.generator,
            self.discriminator,
            self._generator_adam,
            self._discriminator_adam,
            self._draw_latent,
        )

    def _draw_latent(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n latents (trial, n_latent)."""
        return self._distribution((n, self.n_latent), rng)

    def _parts(self) -> Parts:
        return {
            "generator": (self.generator, self._generator_adam),
            "discriminator": (self.discriminator, self._discriminator_adam),
        }
