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

Training computes in numpy, on the memory of torch's parameters, with the way back written out: at
this size torch's calls and autograd cost more than the arithmetic. With a_k = h_{k-1} W_k^T + b_k
and h_k = gain_k a_k, where the gain is both leaky rectification and dropout,

    delta_k = (delta_{k+1} W_{k+1}) gain_k,   dL/dW_k = delta_k^T h_{k-1},   dL/db_k = sum delta_k

with delta = dL/da (trial, unit), summed over trials.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from torch_dgr.checks import checked_count, checked_images, minibatches
from torch_dgr.errors import SettingError, TrainingDivergedError
from torch_dgr.state import adam, load_numpy_state, numpy_state

LATENTS = ("uniform", "normal")
SLOPE = 0.2  # leaky rectification below 0
DROPOUT = 0.3  # share of hidden units silenced at each training step
KEPT = np.float32(1 / (1 - DROPOUT))  # by what the others are scaled
REAL_LABEL = 0.9  # what the discriminator is told of a real image
MOST_PIXELS = 2**16  # of an image

OnIteration = Callable[[int, dict[str, float]], None]


class Perceptron(nn.Module):
    """Linear layers with leaky rectification and dropout between them."""

    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        self.layers = nn.ModuleList(map(nn.Linear, sizes[:-1], sizes[1:]))

    def forward(self, values: Tensor, rng: np.random.Generator | None = None) -> Tensor:
        """Map (trial, sizes[0]) to (trial, sizes[-1]); dropout only where an rng is given."""
        *hidden, last = self.layers
        masks = _masks(len(values), [layer.out_features for layer in hidden], rng)
        for layer, mask in zip(hidden, masks, strict=True):
            values = leaky_relu(layer(values), SLOPE)
            if mask is not None:
                values = values * torch.from_numpy(mask)
        return last(values)


class Layer(NamedTuple):
    """A linear layer's weight (output, input) and bias (output,), and where their gradients go.

    All four are numpy's view of the memory of torch's parameters and their `grad`.
    """

    weight: np.ndarray
    bias: np.ndarray
    weight_grad: np.ndarray
    bias_grad: np.ndarray


def layers_of(network: Perceptron) -> list[Layer]:
    """Return a perceptron's layers, to compute with; gradients are made where there are none."""
    for parameter in network.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    return [
        Layer(
            layer.weight.detach().numpy(),
            layer.bias.detach().numpy(),
            layer.weight.grad.numpy(),
            layer.bias.grad.numpy(),
        )
        for layer in network.layers
    ]


class Pass:
    """The way through a perceptron with dropout, values (trial, input) to output, and back.

    Computes what Perceptron.forward does, from the same random numbers.
    """

    def __init__(self, layers: list[Layer], values: np.ndarray, rng: np.random.Generator):
        *hidden, last = self.layers = layers
        self.inputs = [values]  # of every layer
        self.gains = _masks(len(values), [len(layer.bias) for layer in hidden], rng)
        for layer, gain in zip(hidden, self.gains, strict=True):
            values = values @ layer.weight.T
            values += layer.bias
            gain *= (values > 0) * np.float32(1 - SLOPE) + np.float32(SLOPE)
            values *= gain
            self.inputs.append(values)
        self.output = values @ last.weight.T
        self.output += last.bias

    def back(self, delta: np.ndarray) -> np.ndarray:
        """Return dL/dvalues, given delta = dL/doutput (trial, sizes[-1])."""
        for layer, gain in zip(self.layers[:0:-1], self.gains[::-1], strict=True):
            delta = delta @ layer.weight
            delta *= gain
        return delta @ self.layers[0].weight

    def differentiate(self, delta: np.ndarray) -> None:
        """Write the gradients of all parameters, given delta = dL/doutput."""
        for k in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[k]
            np.matmul(delta.T, self.inputs[k], out=layer.weight_grad)
            np.sum(delta, axis=0, out=layer.bias_grad)
            if k > 0:
                delta = delta @ layer.weight
                delta *= self.gains[k - 1]


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
        self.image_shape = _checked_sizes(image_shape, "image_shape")
        if len(self.image_shape) != 2 or math.prod(self.image_shape) > MOST_PIXELS:
            raise SettingError(
                f"image_shape is {image_shape!r}; give two sizes, (row, column), of "
                f"at most {MOST_PIXELS} pixels"
            )
        hidden = _checked_sizes(hidden, "hidden")
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
        pixels = checked_images(images, self.image_shape).flatten(1).mul_(2).sub_(1).numpy()
        generator, discriminator = layers_of(self.generator), layers_of(self.discriminator)
        batches = minibatches(len(pixels), batch_size, iterations, rng)
        for iteration, batch in enumerate(batches, start=1):
            real = pixels[batch.numpy()]
            report = {
                "discriminator_loss": self._update_discriminator(
                    discriminator, generator, real, rng
                ),
                "generator_loss": self._update_generator(generator, discriminator, len(real), rng),
            }
            if on_iteration is not None:
                on_iteration(iteration, report)

    def sample(self, n: int, rng: np.random.Generator, batch_size: int = 4096) -> np.ndarray:
        """Return n images (trial, 28, 28), float32 in [0, 1], without dropout."""
        n = checked_count(n, "n", least=0)
        if not isinstance(rng, np.random.Generator):
            raise SettingError(f"rng is {rng!r}; give numpy.random.default_rng(seed)")
        images = np.empty((n, *self.image_shape), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, n, batch_size):
                chosen = images[start : start + batch_size]
                latent = torch.from_numpy(self._latent(len(chosen), rng))
                generated = torch.tanh(self.generator(latent))
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

    def _update_discriminator(
        self,
        discriminator: list[Layer],
        generator: list[Layer],
        real: np.ndarray,
        rng: np.random.Generator,
    ) -> float:
        n = len(real)
        # One pass over both halves: the layers treat rows independently, and the means of two
        # equally long halves add up to twice the mean of the whole.
        generated = np.tanh(Pass(generator, self._latent(n, rng), rng).output)
        judged = Pass(discriminator, np.concatenate([real, generated]), rng)
        labels = np.zeros_like(judged.output)
        labels[:n] = REAL_LABEL
        loss, delta = _cross_entropy(judged.output, labels)
        judged.differentiate(2 * delta)
        self._discriminator_adam.step()
        return 2 * loss

    def _update_generator(
        self,
        generator: list[Layer],
        discriminator: list[Layer],
        n: int,
        rng: np.random.Generator,
    ) -> float:
        drawn = Pass(generator, self._latent(n, rng), rng)
        images = np.tanh(drawn.output)
        judged = Pass(discriminator, images, rng)
        loss, delta = _cross_entropy(judged.output, np.ones_like(judged.output))
        drawn.differentiate(judged.back(delta) * (1 - images * images))
        self._generator_adam.step()
        return loss

    def _latent(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n latents (trial, n_latent)."""
        if self.latent == "uniform":
            return 2 * rng.random((n, self.n_latent), dtype=np.float32) - 1
        return rng.standard_normal((n, self.n_latent), dtype=np.float32)


def _checked_sizes(sizes: Sequence[int], name: str) -> tuple[int, ...]:
    """Return a sequence of sizes of at least 1 as a tuple of int, or raise SettingError."""
    if isinstance(sizes, str) or not isinstance(sizes, Sequence):
        raise SettingError(f"{name} is {sizes!r}; give a sequence of whole numbers")
    return tuple(checked_count(size, name) for size in sizes)


def _masks(
    n: int, widths: Sequence[int], rng: np.random.Generator | None
) -> list[np.ndarray] | list[None]:
    """Return a mask (trial, unit) for every width, or None without an rng.

    It is 0 with probability DROPOUT and otherwise 1 / (1 - DROPOUT), so that means stay.
    """
    if rng is None:
        return [None] * len(widths)
    masks = (rng.random(n * sum(widths), dtype=np.float32) >= DROPOUT) * KEPT
    ends = n * np.cumsum(widths)[:-1]
    return [mask.reshape(n, -1) for mask in np.split(masks, ends)]


def _cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean binary cross-entropy of s(logits) and its derivative in the logits.

    Raises TrainingDivergedError where it is not finite.
    """
    # -label log s(a) - (1 - label) log(1 - s(a)) = log(1 + exp(a)) - label a
    with np.errstate(invalid="ignore"):  # reported below
        loss = float(np.mean(np.logaddexp(0, logits) - labels * logits))
    if not math.isfinite(loss):
        raise TrainingDivergedError(
            f"a loss of the GAN is {loss}: load an earlier state and lower learning_rate"
        )
    smaller = np.exp(-np.abs(logits))
    return loss, (np.where(logits >= 0, 1, smaller) / (1 + smaller) - labels) / logits.size
