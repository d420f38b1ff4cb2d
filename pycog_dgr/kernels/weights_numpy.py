"""Raw weights -> effective ones, the gradient's way back, and sums over it, in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.tuples import Dale


def effective(dale: Dale, raw: NDArray) -> NDArray:
    W = masked(dale, raw)
    if dale.positive is not None:
        W = np.maximum(W, 0) if dale.positive == "rectify" else np.abs(W)
    return W * dale.column


def raw_gradient(dale: Dale, raw: NDArray, g: NDArray) -> None:
    g *= dale.column
    if dale.positive == "rectify":
        g *= np.heaviside(masked(dale, raw), g.dtype.type(0.5))
    elif dale.positive == "abs":
        g *= np.sign(masked(dale, raw))
    g *= dale.plastic


def masked(dale: Dale, raw: NDArray) -> NDArray:
    return dale.plastic * raw + dale.fixed


def sum_of_squares(g: NDArray) -> float:
    return float(np.sum(np.square(g), dtype=np.float64))


def subtract(theta: NDArray, factor: float, g: NDArray) -> None:
    theta -= theta.dtype.type(factor) * g
