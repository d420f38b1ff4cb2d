"""The recurrence and its backward pass in plain numpy: the reference for the compiled loops.

Equations and symbols are those of recurrence_op.py; recurrence_numba.py has the same interface.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# --- activations on arrays: the value into `out`, and the gradient from x and r = f(x) ------------


class Rate(NamedTuple):
    """f and its gradient on arrays of any shape."""

    value: Callable[[NDArray, NDArray], Any]  # (x, out): out <- f(x)
    slope: Callable[[NDArray, NDArray], NDArray]  # (x, r) -> f'(x)


def copy_into(x: NDArray, out: NDArray) -> None:
    np.copyto(out, x)


def rectify(x: NDArray, out: NDArray) -> None:
    np.abs(x, out=out)
    out += x
    out *= 0.5


def step_half_at_zero(x: NDArray, _: NDArray) -> NDArray:
    slope = (x > 0).astype(x.dtype)
    at_zero = x == 0
    if at_zero.any():
        slope[at_zero] = 0.5
    return slope


def rectify_power(x: NDArray, out: NDArray) -> None:
    rectify(x, out)
    out *= out


def rectify_power_slope(x: NDArray, _: NDArray) -> NDArray:
    slope = np.empty_like(x)
    rectify(x, slope)
    slope *= 2
    return slope


def sigmoid(x: NDArray, out: NDArray) -> None:
    """1 / (1 + e^-x), through e^-|x| so that nothing overflows."""
    small = np.exp(-np.abs(x))
    np.divide(np.where(x >= 0, 1, small), 1 + small, out=out)


def sigmoid_of(x: NDArray) -> NDArray:
    out = np.empty_like(x)
    sigmoid(x, out)
    return out


def rtanh(x: NDArray, out: NDArray) -> None:
    rectify(np.tanh(x), out)


def softplus(x: NDArray, out: NDArray) -> None:
    np.logaddexp(0, x, out=out)


RATES = {
    "linear": Rate(copy_into, lambda x, _: np.ones_like(x)),
    "rectify": Rate(rectify, step_half_at_zero),
    "rectify_power": Rate(rectify_power, rectify_power_slope),
    "sigmoid": Rate(sigmoid, lambda _, r: r * (1 - r)),
    "tanh": Rate(lambda x, out: np.tanh(x, out=out), lambda _, r: 1 - r**2),
    "rtanh": Rate(rtanh, lambda x, r: step_half_at_zero(x, r) * (1 - np.tanh(x) ** 2)),
    "softplus": Rate(softplus, lambda x, _: sigmoid_of(x)),
}

# --- the recurrence -------------------------------------------------------------------------------


def forward(
    inputs: NDArray, noise: NDArray, x0: NDArray, Win: NDArray, Wrec: NDArray, brec: NDArray,
    alpha: NDArray, activation: str, x: NDArray, r: NDArray,
) -> None:  # fmt: skip
    """Write states and rates at t = 1..T into x and r (time, trial, N)."""
    rate, leak, WrecT = RATES[activation], 1 - alpha, Wrec.T
    np.matmul(inputs, Win.T, out=x)
    x += brec
    x += noise
    x_before = np.broadcast_to(x0, x.shape[1:])
    r_before = np.empty(x.shape[1:], x.dtype)
    rate.value(x_before, r_before)
    recurrent, leaked = np.empty_like(r_before), np.empty_like(r_before)
    for x_t, r_t in zip(x, r, strict=True):
        np.dot(r_before, WrecT, out=recurrent)
        x_t += recurrent
        x_t *= alpha
        np.multiply(x_before, leak, out=leaked)
        x_t += leaked
        rate.value(x_t, r_t)
        x_before, r_before = x_t, r_t


def backward(
    inputs: NDArray, x: NDArray, r: NDArray, gr: NDArray, gx: NDArray | None, x0: NDArray,
    Win: NDArray, Wrec: NDArray, alpha: NDArray, activation: str, out: Any,
) -> None:  # fmt: skip
    """Fill `out`, a leaky_rnn.Cotangents, from the cotangents of r and x (None: zero)."""
    n_time, _, N = x.shape
    rate, leak, alpha_Wrec = RATES[activation], 1 - alpha, alpha[:, np.newaxis] * Wrec
    slope = rate.slope(x, r)
    D, S = out.D, out.S
    leaked = np.empty_like(x[0])
    for t in range(n_time - 1, -1, -1):
        D_t = D[t]
        if t == n_time - 1:
            np.multiply(gr[t], slope[t], out=D_t)
        else:
            np.dot(D[t + 1], alpha_Wrec, out=S[t])
            np.add(gr[t], S[t], out=D_t)
            D_t *= slope[t]
            np.multiply(D[t + 1], leak, out=leaked)
            D_t += leaked
        if gx is not None:
            D_t += gx[t]

    D_first, r0 = D[0].sum(axis=0), np.empty_like(x0)
    rate.value(x0, r0)
    by_unit = D.reshape(-1, N).T
    gWrec = np.dot(by_unit[:, x.shape[1] :], r[:-1].reshape(-1, N)) + np.outer(D_first, r0)
    gWin = np.dot(by_unit, inputs.reshape(by_unit.shape[1], -1))
    out.Wrec[:] = alpha[:, np.newaxis] * gWrec
    out.Win[:] = alpha[:, np.newaxis] * gWin
    out.brec[:] = alpha * by_unit.sum(axis=1)
    out.x0[:] = np.dot(D_first, alpha_Wrec) * rate.slope(x0, r0) + leak * D_first
