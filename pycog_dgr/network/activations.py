"""Activation functions f and g in numpy, by name.

    linear x     rectify max(x, 0)     rectify_power max(x, 0)^2     tanh     rtanh max(tanh x, 0)
    sigmoid 1/(1 + e^-x)     softplus log(1 + e^x)     softmax e^a_i / sum_j e^a_j

The elementwise ones stand in kernels/activations_numpy.py, with their derivatives.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import SettingError
from pycog_dgr.kernels import ACTIVATIONS as HIDDEN
from pycog_dgr.kernels import Function


def softmax(a: NDArray) -> NDArray:
    """Over the last axis; the largest entry is subtracted first, so that nothing overflows."""
    e = np.exp(a - np.max(a, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


ACTIVATIONS: dict[str, Function] = {name: pair.f for name, pair in HIDDEN.items()}
ACTIVATIONS["softmax"] = softmax


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
