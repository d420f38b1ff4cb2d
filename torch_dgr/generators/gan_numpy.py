"""The game of gan_game.py in numpy, with the backward pass written out: its fast path on the CPU.

At this size torch's calls and autograd cost more than the arithmetic. The numbers are computed on
the memory of torch's parameters. With a_k = h_{k-1} W_k^T + b_k and h_k = gain_k a_k, where the
gain is both leaky rectification and dropout,

    delta_k = (delta_{k+1} W_{k+1}) gain_k,   dL/dW_k = delta_k^T h_{k-1},   dL/db_k = sum delta_k

with delta = dL/da (trial, unit), summed over trials. Equal to autograd by test.
"""

from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.generators.gan_game import (
    REAL_LABEL,
    SLOPE,
    Losses,
    Perceptron,
    Players,
    check_finite,
    dropout_masks,
)

__all__ = ["NumpyGame"]


class Layer(NamedTuple):
    """A linear layer's weight (output, input) and bias (output,), and where their gradients go.

    All four are numpy's view of the memory of torch's parameters and their `grad`.
    """

    weight: np.ndarray
    bias: np.ndarray
    weight_grad: np.ndarray
    bias_grad: np.ndarray


def layers_of(network: Perceptron) -> list[Layer]:
    """Return a perceptron's layers, to compute with; their gradients are made anew, at zero."""
    layers = []
    for layer in network.layers:
        memory = []
        for parameter in (cast(nn.Linear, layer).weight, cast(nn.Linear, layer).bias):
            parameter.grad = torch.zeros_like(parameter)
            memory.append((parameter.detach().numpy(), parameter.grad.numpy()))
        (weight, weight_grad), (bias, bias_grad) = memory
        layers.append(Layer(weight, bias, weight_grad, bias_grad))
    return layers


class ForwardPass:
    """The forward pass of a perceptron with dropout, values (trial, input) to output, and back.

    Computes what Perceptron.forward does, from the same random numbers.
    """

    def __init__(self, layers: list[Layer], values: np.ndarray, rng: np.random.Generator):
        *hidden, last = self.layers = layers
        self.inputs = [values]  # of every layer
        self.gains = dropout_masks(len(values), [len(layer.bias) for layer in hidden], rng)
        for layer, gain in zip(hidden, self.gains, strict=True):
            values = values @ layer.weight.T
            values += layer.bias
            gain *= (values > 0) * np.float32(1 - SLOPE) + np.float32(SLOPE)
            values *= gain
            self.inputs.append(values)
        self.output = values @ last.weight.T
        self.output += last.bias

    def input_gradient(self, delta: np.ndarray) -> np.ndarray:
        """Return dL/dvalues, given delta = dL/doutput (trial, output)."""
        for layer, gain in zip(self.layers[:0:-1], self.gains[::-1], strict=True):
            delta = delta @ layer.weight
            delta *= gain
        return delta @ self.layers[0].weight

    def write_gradients(self, delta: np.ndarray) -> None:
        """Write the gradients of all parameters, given delta = dL/doutput."""
        for k in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[k]
            np.matmul(delta.T, self.inputs[k], out=layer.weight_grad)
            np.sum(delta, axis=0, out=layer.bias_grad)
            if k > 0:
                delta = delta @ layer.weight
                delta *= self.gains[k - 1]


class NumpyGame:
    """`Game` in numpy, for networks on the CPU."""

    def __init__(self, players: Players):
        self.players = players
        self.generator = layers_of(players.generator)
        self.discriminator = layers_of(players.discriminator)

    def iterate(self, real: Tensor, rng: np.random.Generator) -> Losses:
        """Play one iteration (`Game`)."""
        pixels = real.numpy()
        discriminator_loss = self._update_discriminator(pixels, rng)
        return Losses(discriminator_loss, self._update_generator(len(pixels), rng))

    def _update_discriminator(self, real: np.ndarray, rng: np.random.Generator) -> float:
        generated = np.tanh(self._drawn(len(real), rng).output)
        judged = ForwardPass(self.discriminator, np.concatenate([real, generated]), rng)
        labels = np.zeros_like(judged.output)
        labels[: len(real)] = REAL_LABEL
        loss, delta = cross_entropy(judged.output, labels)
        judged.write_gradients(2 * delta)
        self.players.discriminator_adam.step()
        return 2 * loss

    def _update_generator(self, n: int, rng: np.random.Generator) -> float:
        drawn = self._drawn(n, rng)
        images = np.tanh(drawn.output)
        judged = ForwardPass(self.discriminator, images, rng)
        loss, delta = cross_entropy(judged.output, np.ones_like(judged.output))
        drawn.write_gradients(judged.input_gradient(delta) * (1 - images * images))
        self.players.generator_adam.step()
        return loss

    def _drawn(self, n: int, rng: np.random.Generator) -> ForwardPass:
        return ForwardPass(self.generator, self.players.draw_latent(n, rng), rng)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean binary cross-entropy of s(logits) and its derivative in the logits.

    Raises TrainingDivergedError where it is not finite.
    """
    # -label log s(a) - (1 - label) log(1 - s(a)) = log(1 + exp(a)) - label a
    with np.errstate(invalid="ignore"):  # reported below
        loss = check_finite(float(np.mean(np.logaddexp(0, logits) - labels * logits)))
    smaller = np.exp(-np.abs(logits))
    return loss, (np.where(logits >= 0, 1, smaller) / (1 + smaller) - labels) / logits.size
