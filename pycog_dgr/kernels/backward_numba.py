"""The loops of the backward pass and of Omega, compiled by Numba.

Equations and symbols stand in interface.py. Everything about a time step is done before the one
before it, so that its arrays stay in the cache; the matrices that are the same at every step are
prepared once (products.py).
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numba import RECTIFY, RTANH, df_rows, f_rows
from pycog_dgr.kernels.compilation import compiled, inner, merged
from pycog_dgr.kernels.products import Factor, times_factor, times_some, words_of
from pycog_dgr.kernels.tuples import Recurrence, Trajectory


@compiled
def backpropagate(kind, W, x, r, gr, gx, alpha, D, S):
    """D at t = T..1 and S at t = T-1..1; an empty gx stands for zero."""
    n_time, n_trial, N = x.shape
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    W_words, product = words_of(W), np.empty((n_trial, W.width), x.dtype)
    slope, everything = np.empty_like(x[0]), np.ones_like(x[0])
    for t in range(n_time - 1, -1, -1):
        df_rows(kind, x[t], r[t], half, slope)
        if t == n_time - 1:
            for b in range(n_trial):
                for i in range(N):
                    D[t, b, i] = gr[t, b, i] * slope[b, i]
        else:
            times_some(D[t + 1], n_trial, W_words, everything, product)
            for b in range(n_trial):
                for i in range(N):
                    S[t, b, i] = product[b, i]
                    leaked = (one - alpha[i]) * D[t + 1, b, i]
                    D[t, b, i] = (gr[t, b, i] + S[t, b, i]) * slope[b, i] + leaked
        if gx.shape[0]:
            for b in range(n_trial):
                for i in range(N):
                    D[t, b, i] += gx[t, b, i]


def alpha_cotangent(recurrence: Recurrence, trajectory: Trajectory, D: NDArray) -> NDArray:
    total = np.zeros_like(recurrence.alpha)
    sum_of_changes(D, trajectory.x, recurrence.x0, total)
    return total / recurrence.alpha


@compiled
def sum_of_changes(D, x, x0, total):
    """total (N,) += sum over t = 1..T and trials of D_t (x_t - x_{t-1})."""
    n_time, n_trial, N = x.shape
    for t in range(n_time):
        for b in range(n_trial):
            for i in range(N):
                x_prev = x0[i] if t == 0 else x[t - 1, b, i]
                total[i] += D[t, b, i] * (x[t, b, i] - x_prev)


@compiled
def omega_pass(kind, D, recurrent, scale, x, r, alpha, bound, q_term):
    """The sum of Omega_t, how many (t, trial) count, and that number times q_term.

    (alpha d_t) Wrec is scale * recurrent_t.
    """
    n_time, n_trial, N = D.shape
    zero, one = x.dtype.type(0), x.dtype.type(1)
    total, n_counting = 0.0, 0
    slope = np.empty_like(x[0])
    for t in range(n_time - 1):
        df_rows(kind, x[t], r[t], zero, slope)
        for b in range(n_trial):
            den, num = zero, zero
            for i in range(N):
                d = (one - alpha[i]) * D[t + 1, b, i]
                q = (one - alpha[i]) * d + scale[i] * recurrent[t, b, i] * slope[b, i]
                q_term[t, b, i] = q * slope[b, i]
                den += d * d
                num += q * q
            value, factor = omega_of_one(num, den, bound)
            total += value
            n_counting += den >= bound
            for i in range(N):
                q_term[t, b, i] *= factor
    return total, n_counting


@compiled
def backpropagate_with_omega(kind, W, x, r, D, alpha, bound):
    """`backpropagate` and `omega_pass` at once; D comes in as gr, and q_term takes the place of x.

    Where all units have one alpha, (alpha d_t) Wrec is (1 - alpha) S_t. Returned are the sum of
    Omega_t, how many (t, trial) count, and whether all units have one alpha.
    """
    n_time, n_trial, N = x.shape
    one_alpha = all_same(alpha)
    zero, half, one = x.dtype.type(0), x.dtype.type(0.5), x.dtype.type(1)
    has_kink = kind == RECTIFY or kind == RTANH  # where f' at 0 is another one in Omega
    W_words, S = words_of(W), np.empty((n_trial, W.width), x.dtype)
    leak, scale = np.empty(N, x.dtype), np.empty(N, x.dtype)
    for i in range(N):
        leak[i] = one - alpha[i]
        scale[i] = leak[i] if one_alpha else one
    recurrent = S if one_alpha else np.empty((n_trial, W.width), x.dtype)
    leaked = np.empty((0 if one_alpha else n_trial, N), x.dtype)
    slope = np.empty((n_trial, N), x.dtype)
    df_rows(kind, x[-1], r[-1], half, slope)
    for b in range(n_trial):
        for i in range(N):
            D[-1, b, i] *= slope[b, i]
    total, n_counting = 0.0, 0
    for t in range(n_time - 2, -1, -1):
        df_rows(kind, x[t], r[t], half, slope)
        times_some(D[t + 1], n_trial, W_words, slope, S)
        if not one_alpha:
            times_units(leak, D[t + 1], leaked)
            times_some(leaked, n_trial, W_words, slope, recurrent)
        for b in range(n_trial):
            den, num = zero, zero
            q_term = x[t, b]
            for i in range(N):
                d = leak[i] * D[t + 1, b, i]
                slope_q = zero if has_kink & (x[t, b, i] == zero) else slope[b, i]
                D[t, b, i] = (D[t, b, i] + S[b, i]) * slope[b, i] + d
                q = leak[i] * d + scale[i] * recurrent[b, i] * slope_q
                q_term[i] = q * slope_q
                den += d * d
                num += q * q
            value, factor = omega_of_one(num, den, bound)
            total += value
            n_counting += den >= bound
            for i in range(N):
                q_term[i] *= factor
    return total, n_counting, one_alpha


@inner
def all_same(values):
    same = True
    for i in range(len(values)):
        same &= values[i] == values[0]
    return same


@merged
def times_units(factor, D, result):
    """Result <- factor D, of (N,) and (trial, N)."""
    for b in range(D.shape[0]):
        for i in range(D.shape[1]):
            result[b, i] = factor[i] * D[b, i]


@merged
def omega_of_one(num, den, bound):
    """Omega_t of one trial, and the factor of q_t in its derivative with respect to q_t."""
    if not den >= bound:
        return 0.0, type(den)(0)
    excess = num / den - type(den)(1)
    return float(excess * excess), type(den)(4) * excess / den


def start_gradient(
    kind: int, W: Factor, x0: NDArray, alpha: NDArray, D_1: NDArray, r0: NDArray, gx0: NDArray
) -> None:
    """The sum over trials of (alpha D_1) Wrec * f'(x0) + (1 - alpha) D_1 into gx0 (N,), and f(x0)
    into r0 (N,).

    f and f' are called from here, since compiling them into another function takes half a second.
    """
    start, rate, slope = x0[np.newaxis], r0[np.newaxis], np.empty((1, len(x0)), x0.dtype)
    f_rows(kind, start, 1, rate)
    df_rows(kind, start, rate, x0.dtype.type(0.5), slope)
    put_start_gradient(W, slope, alpha, D_1, gx0)


@compiled
def put_start_gradient(W, slope, alpha, D_1, gx0):
    """`start_gradient`, of the slopes f'(x0) (1, N)."""
    n_trial, N = D_1.shape
    zero, one = slope.dtype.type(0), slope.dtype.type(1)
    words, S = words_of(W), np.empty((1, W.width), slope.dtype)
    total = np.empty((1, N), slope.dtype)
    for b in range(n_trial):
        for i in range(N):
            total[0, i] = (total[0, i] if b else zero) + D_1[b, i]
    if n_trial == 1:
        times_some(total, len(total), words, slope, S)
    else:
        times_factor(total, len(total), words, S)
    for i in range(N):
        gx0[i] = S[0, i] * slope[0, i] + (one - alpha[i]) * total[0, i]
