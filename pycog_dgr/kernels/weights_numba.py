"""Raw weights -> effective ones, the gradient's way back, and sums over it, compiled by Numba.

The same as weights_numpy, in one pass over each matrix.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.compilation import compiled, inner
from pycog_dgr.kernels.tuples import Dale

AS_IT_IS, RECTIFY, ABS = range(3)
POSITIVE_KINDS = {None: AS_IT_IS, "rectify": RECTIFY, "abs": ABS}


def effective(dale: Dale, raw: NDArray) -> NDArray:
    W = np.empty_like(raw)
    to_effective(POSITIVE_KINDS[dale.positive], dale.plastic, dale.fixed, dale.column, raw, W)
    return W


def raw_gradient(dale: Dale, raw: NDArray, g: NDArray) -> None:
    kind = POSITIVE_KINDS[dale.positive]
    to_raw_gradient(kind, dale.plastic, dale.fixed, dale.column, raw, g)


def sum_of_squares(g: NDArray) -> float:
    return sum_of(as_matrix(g))


def subtract(theta: NDArray, factor: float, g: NDArray) -> None:
    take_away(as_matrix(theta), theta.dtype.type(factor), as_matrix(g))


def as_matrix(a: NDArray) -> NDArray:
    """A vector as a matrix of one row, so that one function is compiled for both."""
    return a if a.ndim == 2 else a[np.newaxis]


@compiled
def to_effective(kind, plastic, fixed, column, raw, W):
    """W <- effective weights."""
    zero, one = W.dtype.type(0), W.dtype.type(1)
    is_one = fixed.size == 1
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            offset = fixed[0, 0] if is_one else fixed[i, j]
            w = (one if plastic[i, j] else zero) * raw[i, j] + offset
            if kind == RECTIFY:
                w = zero if w < zero else w  # NaN stays NaN
            elif kind == ABS:
                w = abs(w)
            W[i, j] = w * column[j]


@compiled
def to_raw_gradient(kind, plastic, fixed, column, raw, g):
    """g comes in as the gradient with respect to effective weights."""
    zero, one = g.dtype.type(0), g.dtype.type(1)
    is_one = fixed.size == 1
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            offset, share = fixed[0, 0] if is_one else fixed[i, j], one if plastic[i, j] else zero
            g[i, j] *= slope_of(kind, share * raw[i, j] + offset) * column[j] * share


@inner
def slope_of(kind, w):
    """The derivative of a weight that is kept positive; NaN of NaN."""
    one, zero = type(w)(1), type(w)(0)
    if kind == AS_IT_IS or w > zero:
        return one
    if w == zero:
        return type(w)(0.5) if kind == RECTIFY else zero
    if w < zero:
        return zero if kind == RECTIFY else -one
    return w


@compiled
def sum_of(g):
    """The sum of squares, in double precision."""
    total = 0.0
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            total += g[i, j] * g[i, j]
    return total


@compiled
def take_away(theta, factor, g):
    """Theta <- theta - factor g, both (row, column)."""
    for i in range(theta.shape[0]):
        for j in range(theta.shape[1]):
            theta[i, j] -= factor * g[i, j]
