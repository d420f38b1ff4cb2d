"""Activation functions of the rate network; derivatives by hand where Omega needs them.

f(x) maps currents x to rates r; g maps the readout to outputs z. Source: Song, Yang and Wang 2016.
Autograd differentiates `function`; Omega uses `derivative`. The two differ at x = 0 alone, where
rectification counts as half open for the gradient and as shut for Omega.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Activation(NamedTuple):
    """A function and its derivative, elementwise."""

    function: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]


def rectify(x: Tensor) -> Tensor:
    """Return the positive part; autograd's derivative is 1/2 at exactly 0."""
    return (x + x.abs()) / 2


def _square_of_positive(x: Tensor) -> Tensor:
    return torch.where(x > 0, x.square(), 0)


def _softplus(x: Tensor) -> Tensor:
    return torch.logaddexp(x, torch.zeros_like(x))


def _positive(x: Tensor) -> Tensor:
    return (x > 0).to(x.dtype)


def _sigmoid_slope(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 - s)


def _tanh_slope(x: Tensor) -> Tensor:
    return 1 - torch.tanh(x).square()


HIDDEN: dict[str, Activation] = {
    "linear": Activation(lambda x: x, torch.ones_like),
    "rectify": Activation(rectify, _positive),
    "rectify_power": Activation(_square_of_positive, lambda x: 2 * x * _positive(x)),
    "sigmoid": Activation(torch.sigmoid, _sigmoid_slope),
    "tanh": Activation(torch.tanh, _tanh_slope),
    "rtanh": Activation(lambda x: rectify(torch.tanh(x)), lambda x: _tanh_slope(x) * _positive(x)),
    "softplus": Activation(_softplus, torch.sigmoid),
}

OUTPUT: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": HIDDEN["linear"].function,
    "rectify": HIDDEN["rectify"].function,
    "rectify_power": HIDDEN["rectify_power"].function,
    "sigmoid": HIDDEN["sigmoid"].function,
    "softmax": lambda x: torch.softmax(x, dim=-1),
}

POSITIVE: dict[str, Callable[[Tensor], Tensor]] = {"rectify": rectify, "abs": torch.abs}
