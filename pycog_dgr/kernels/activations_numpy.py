"""The hidden activations f and their derivatives f' on numpy arrays of any shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Function = Callable[[NDArray], NDArray]


class Activation(NamedTuple):
    """The pair (f, df)."""

    f: Function
    df: Callable[[NDArray, NDArray, float], NDArray]  # of x, r = f(x), and f' of a kink at 0


def rectify(x: NDArray) -> NDArray:
    return np.maximum(x, 0)


def step(x: NDArray, at_zero: float) -> NDArray:
    """1 where x > 0, `at_zero` at 0, else 0."""
    return np.heaviside(x, np.asarray(at_zero, x.dtype))


def sigmoid(x: NDArray) -> NDArray:
    """1 / (1 + e^-x), through e^-|x| so that nothing overflows.

    Parameters
    ----------
    x
        Any shape.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def softplus(x: NDArray) -> NDArray:
    return np.logaddexp(x.dtype.type(0), x)


ACTIVATIONS = {
    "linear": Activation(np.copy, lambda x, r, at_zero: np.ones_like(x)),
    "rectify": Activation(rectify, lambda x, r, at_zero: step(x, at_zero)),
    "rectify_power": Activation(lambda x: rectify(x) ** 2, lambda x, r, at_zero: 2 * rectify(x)),
    "sigmoid": Activation(sigmoid, lambda x, r, at_zero: r * (1 - r)),
    "tanh": Activation(np.tanh, lambda x, r, at_zero: 1 - r**2),
    "rtanh": Activation(
        lambda x: rectify(np.tanh(x)), lambda x, r, at_zero: step(x, at_zero) * (1 - r**2)
    ),
    "softplus": Activation(softplus, lambda x, r, at_zero: sigmoid(x)),
}
