"""Activation functions of the rate network; derivatives by hand where Omega needs them.

f(x) maps currents x to rates r; g maps the readout to outputs z. Source: Song, Yang and Wang 2016.
Autograd differentiates f; Omega uses df, written by hand. The two differ at x = 0 alone, where
rectification counts as half open for the gradient and as shut for Omega.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "HIDDEN",
    "OUTPUT",
    "POSITIVE",
    "Activation",
    "Function",
    "d_sigmoid",
    "d_tanh",
    "rectify",
    "rectify_power",
    "softplus",
    "step",
]

Function = Callable[[Tensor], Tensor]


class Activation(NamedTuple):
    """The pair (f, df): a function and its derivative as Omega uses it, both elementwise."""

    f: Function
    df: Function


def rectify(x: Tensor) -> Tensor:
    """Return the positive part; autograd's derivative is 1/2 at exactly 0."""
    return (x + x.abs()) / 2


def rectify_power(x: Tensor) -> Tensor:
    return torch.where(x > 0, x.square(), 0)


def softplus(x: Tensor) -> Tensor:
    return torch.logaddexp(x, torch.zeros_like(x))


def step(x: Tensor) -> Tensor:
    """Return 1 where x > 0, else 0."""
    return (x > 0).to(x.dtype)


def d_sigmoid(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 - s)


def d_tanh(x: Tensor) -> Tensor:
    return 1 - torch.tanh(x).square()


HIDDEN: dict[str, Activation] = {
    "linear": Activation(lambda x: x, torch.ones_like),
    "rectify": Activation(rectify, step),
    "rectify_power": Activation(rectify_power, lambda x: 2 * x * step(x)),
    "sigmoid": Activation(torch.sigmoid, d_sigmoid),
    "tanh": Activation(torch.tanh, d_tanh),
    "rtanh": Activation(lambda x: rectify(torch.tanh(x)), lambda x: d_tanh(x) * step(x)),
    "softplus": Activation(softplus, torch.sigmoid),
}

OUTPUT: dict[str, Function] = {
    "linear": HIDDEN["linear"].f,
    "rectify": HIDDEN["rectify"].f,
    "rectify_power": HIDDEN["rectify_power"].f,
    "sigmoid": HIDDEN["sigmoid"].f,
    "softmax": lambda x: torch.softmax(x, dim=-1),
}

POSITIVE: dict[str, Function] = {"rectify": rectify, "abs": torch.abs}
