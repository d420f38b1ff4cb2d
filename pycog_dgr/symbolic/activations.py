"""Activation functions f and g in PyTensor, with the derivatives df that Omega uses.

    linear x     rectify max(x, 0)     rectify_power max(x, 0)^2     tanh     rtanh max(tanh x, 0)
    sigmoid 1/(1 + e^-x)     softplus log(1 + e^x)     softmax e^a_i / sum_j e^a_j

Rectification is written 0.5 (x + |x|), so its gradient is 0.5 at exactly 0, as in the original;
the derivative in Omega was written by hand there and is 0 at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad
from pytensor.tensor.variable import TensorVariable

Function = Callable[[TensorVariable], TensorVariable]


class Activation(NamedTuple):
    """The pair (f, df): a function of x, and its derivative as Omega uses it; both elementwise."""

    f: Function
    df: Function


def rectify(x: TensorVariable) -> TensorVariable:
    return 0.5 * (x + abs(x))


def step(x: TensorVariable) -> TensorVariable:
    """1 where x > 0, else 0."""
    return pt.cast(x > 0, x.dtype)


def rectify_power(x: TensorVariable) -> TensorVariable:
    return rectify(x) ** 2


def rtanh(x: TensorVariable) -> TensorVariable:
    return rectify(pt.tanh(x))


def softmax(a: TensorVariable) -> TensorVariable:
    """Over the last axis: (time, trial, class) -> (time, trial, class)."""
    largest = disconnected_grad(pt.max(a, axis=-1, keepdims=True))  # cancels, so has no gradient
    e = pt.exp(a - largest)
    return e / pt.sum(e, axis=-1, keepdims=True)


def d_sigmoid(x: TensorVariable) -> TensorVariable:
    return pt.sigmoid(x) * (1 - pt.sigmoid(x))


def d_tanh(x: TensorVariable) -> TensorVariable:
    return 1 - pt.tanh(x) ** 2


HIDDEN: dict[str, Activation] = {
    "linear": Activation(lambda x: x, pt.ones_like),
    "rectify": Activation(rectify, step),
    "rectify_power": Activation(rectify_power, lambda x: 2 * rectify(x)),
    "sigmoid": Activation(pt.sigmoid, d_sigmoid),
    "tanh": Activation(pt.tanh, d_tanh),
    "rtanh": Activation(rtanh, lambda x: step(x) * d_tanh(x)),
    "softplus": Activation(pt.softplus, pt.sigmoid),
}

OUTPUT: dict[str, Function] = {
    "linear": lambda x: x,
    "rectify": rectify,
    "rectify_power": rectify_power,
    "sigmoid": pt.sigmoid,
    "softmax": softmax,
}
