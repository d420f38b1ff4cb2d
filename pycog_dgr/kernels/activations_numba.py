"""The hidden activations f and their derivatives f', compiled by Numba.

Each is a function of one number; `f_rows` and `df_rows` apply the one of a given kind to the rows
of a time step. The compiler makes one loop of each kind, on vectors.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

import math

from pycog_dgr.kernels.compilation import compiled, inner

LINEAR, RECTIFY, RECTIFY_POWER, SIGMOID, TANH, RTANH, SOFTPLUS = range(7)
KINDS = {
    "linear": LINEAR, "rectify": RECTIFY, "rectify_power": RECTIFY_POWER, "sigmoid": SIGMOID,
    "tanh": TANH, "rtanh": RTANH, "softplus": SOFTPLUS,
}  # fmt: skip


@inner
def rectify(x):
    return type(x)(0.5) * (x + abs(x))


@inner
def step(x, at_zero):
    """1 where x > 0, `at_zero` at 0, else 0."""
    zero, one = type(x)(0), type(x)(1)
    return one if x > zero else (at_zero if x == zero else zero)


@inner
def sigmoid(x):
    """1 / (1 + e^-x), through e^-|x| so that nothing overflows."""
    one, small = type(x)(1), math.exp(-abs(x))
    return (one if x >= 0 else small) / (one + small)


@inner
def softplus(x):
    return max(x, type(x)(0)) + math.log1p(math.exp(-abs(x)))


@inner
def f(kind, x):
    """f(x)."""
    if kind == RECTIFY:
        return rectify(x)
    if kind == RECTIFY_POWER:
        return rectify(x) * rectify(x)
    if kind == SIGMOID:
        return sigmoid(x)
    if kind == TANH:
        return math.tanh(x)
    if kind == RTANH:
        return rectify(math.tanh(x))
    if kind == SOFTPLUS:
        return softplus(x)
    return x


@inner
def df(kind, x, r, at_zero):
    """f'(x), given r = f(x); a rectification's at exactly 0 is `at_zero`."""
    one = type(x)(1)
    if kind == RECTIFY:
        return step(x, at_zero)
    if kind == RECTIFY_POWER:
        return x + abs(x)
    if kind == SIGMOID:
        return r * (one - r)
    if kind == TANH:
        return one - r * r
    if kind == RTANH:
        return step(x, at_zero) * (one - r * r)
    if kind == SOFTPLUS:
        return sigmoid(x)
    return one


@compiled
def f_rows(kind, x, n, r):
    """r <- f(x), of the first n rows of both (trial, N)."""
    for b in range(n):
        for i in range(x.shape[1]):
            r[b, i] = f(kind, x[b, i])


@compiled
def df_rows(kind, x, r, at_zero, slope):
    """Slope <- f'(x), all (trial, N)."""
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            slope[b, i] = df(kind, x[b, i], r[b, i], at_zero)
