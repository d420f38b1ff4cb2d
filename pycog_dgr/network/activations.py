"""Activation functions f and g in numpy, on arrays of any shape.

linear x     rectify max(x, 0)     rectify_power max(x, 0)^2     tanh     rtanh max(tanh x, 0)
sigmoid 1/(1 + e^-x)     softplus log(1 + e^x)     softmax e^a_i / sum_j e^a_j
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import SettingError

Function = Callable[[NDArray], NDArray]


def linear(x: NDArray) -> NDArray:
    return x


def rectify(x: NDArray) -> NDArray:
    return np.maximum(x, 0)


def rectify_power(x: NDArray, n: float = 2) -> NDArray:
    return rectify(x) ** n


def sigmoid(x: NDArray) -> NDArray:
    """1 / (1 + e^-x), through e^-|x| so that nothing overflows."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def rtanh(x: NDArray) -> NDArray:
    return rectify(np.tanh(x))


def softplus(x: NDArray) -> NDArray:
    return np.logaddexp(0, x)


def softmax(a: NDArray) -> NDArray:
    """Over the last axis; the largest entry is subtracted first, so that nothing overflows."""
    e = np.exp(a - np.max(a, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


ACTIVATIONS: dict[str, Function] = {
    "linear": linear,
    "rectify": rectify,
    "rectify_power": rectify_power,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "rtanh": rtanh,
    "softplus": softplus,
    "softmax": softmax,
}


def activation(name: str) -> Function:
    """The function called `name`.

    Parameters
    ----------
    name : str
        Of a hidden or an output activation.

    Returns
    -------
    callable
        Takes an array and returns one of its shape.

    Raises
    ------
    SettingError
        Where no function has that name; the message lists the known ones.
    """
    try:
        return ACTIVATIONS[name]
    except KeyError:
        known = ", ".join(sorted(ACTIVATIONS))
        raise SettingError(f"unknown activation {name!r}; known are {known}") from None
