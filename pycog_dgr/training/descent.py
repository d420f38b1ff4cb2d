"""What an update does with gradients: one norm, clipping, the guard, and the optimiser's step.

The definition is symbolic/optimisers.py, which any chain of transforms is made of and compiled
from. SGD and Adam at a constant rate stand here a second time, in numpy and equal by test: they
are what most networks are trained by, and PyTensor takes longer to run so many small arrays.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pytensor
from numpy.typing import NDArray
from pytensor.compile.sharedvalue import SharedVariable

from pycog_dgr.config import TrainingConfig
from pycog_dgr.kernels import Kernels
from pycog_dgr.symbolic.optimisers import LARGEST_NORM, SGD, SHRINK_WREC, Adam, Transform
from pycog_dgr.symbolic.step_graph import compile_descent

Arrays = dict[str, NDArray]


class Descent(NamedTuple):
    """A function of the gradients that changes the parameters, and what it keeps beside them."""

    update: Callable[[Arrays], float]  # gradients by name, in the order of the parameters -> gnorm
    moments: dict[str, SharedVariable]


def make_descent(
    trained: dict[str, SharedVariable],
    training: TrainingConfig,
    optimiser: Transform,
    kernels: Kernels,
) -> Descent:
    """The descent of an optimiser on these parameters."""
    if not isinstance(optimiser, (SGD, Adam)) or callable(optimiser.learning_rate):
        compiled = compile_descent(trained, training, optimiser)
        return Descent(lambda g: float(compiled.function(*g.values())), compiled.moments)
    start = optimiser.moments(arrays_of(trained))
    moments = {name: pytensor.shared(value, name=name) for name, value in start.items()}

    def update(g: Arrays) -> float:
        squares = sum(kernels.sum_of_squares(gradient) for gradient in g.values())
        dtype = next(iter(g.values())).dtype.type
        gnorm = dtype(math.sqrt(squares))
        raw, limit = arrays_of(trained), training.max_gradient_norm
        scale = dtype(limit) / gnorm if gnorm > limit else dtype(1)
        if not 0 <= gnorm <= LARGEST_NORM:  # NaN too
            g, scale = guarded(raw, g), dtype(1)
        if isinstance(optimiser, SGD):
            for name, gradient in g.items():
                kernels.subtract(raw[name], dtype(optimiser.learning_rate) * scale, gradient)
        else:
            adam(optimiser, raw, arrays_of(moments), g, scale)
        return float(gnorm)

    return Descent(update, moments)


def arrays_of(variables: Mapping[str, SharedVariable]) -> Arrays:
    """The arrays themselves, not copies."""
    return {name: variable.get_value(borrow=True) for name, variable in variables.items()}


def guarded(raw: Arrays, g: Arrays) -> Arrays:
    """In place of gradients whose norm is unsound: nothing, but a little of Wrec."""
    return {
        name: SHRINK_WREC * raw[name] if name == "Wrec" else np.zeros_like(one)
        for name, one in g.items()
    }


def adam(optimiser: Adam, raw: Arrays, moments: Arrays, g: Arrays, scale: np.floating) -> None:
    """Adam's step on the scaled gradients; `raw` and `moments` are changed in place."""
    dtype = type(scale)
    learning_rate, beta1, beta2, epsilon = map(dtype, dataclasses.astuple(optimiser))
    one = dtype(1)
    moments["adam_count"] += one
    t = moments["adam_count"]
    rate, unbiased = learning_rate / (one - beta1**t), one - beta2**t
    for name, unscaled in g.items():
        m, v = moments[f"adam_mean_{name}"], moments[f"adam_square_{name}"]
        gradient = unscaled * scale
        m[...] = beta1 * m + (one - beta1) * gradient
        v[...] = beta2 * v + (one - beta2) * gradient**2
        raw[name] -= rate * m / (np.sqrt(v / unbiased) + epsilon)
