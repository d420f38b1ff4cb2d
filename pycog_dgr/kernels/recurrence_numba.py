"""The recurrence's backward pass and Omega as loops compiled by Numba.

Equations, symbols and the interface stand in interface.py, the loop forward in integrate_numba.py;
recurrence_numpy.py is the reference. Everything about a time step is done before
the next one, so that its arrays stay in the cache; the matrices that are the same at every step are
prepared once (products.py). Compiled once for each number type and kept on disk (Numba's cache,
which processes share).
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numba import (
    KINDS,
    RECTIFY,
    RTANH,
    df_rows,
)
from pycog_dgr.kernels.arrays import Kept, is_shared, reused, rows, times
from pycog_dgr.kernels.compilation import compiled, inner
from pycog_dgr.kernels.connections import connections, factor_of_derivatives
from pycog_dgr.kernels.integrate_numba import forward, run
from pycog_dgr.kernels.interface import (
    Cotangents,
    Omega,
    Recurrence,
    Regularised,
    Regulariser,
    Trajectory,
)
from pycog_dgr.kernels.normals_numba import normals
from pycog_dgr.kernels.polar_numba import polar
from pycog_dgr.kernels.products import times_some, words_of
from pycog_dgr.kernels.readout_numba import loss_gradient, outputs
from pycog_dgr.kernels.weight_gradients import weight_gradients
from pycog_dgr.kernels.weights_numba import effective, raw_gradient, subtract, sum_of_squares

__all__ = [
    "alpha_cotangent", "backward", "backward_with_omega", "connections", "effective", "forward",
    "loss_gradient", "normals", "omega", "omega_gradient", "outputs", "polar", "raw_gradient",
    "run", "subtract", "sum_of_squares",
]  # fmt: skip


# --- the interface --------------------------------------------------------------------------------


def backward(
    recurrence: Recurrence,
    inputs: NDArray,
    trajectory: Trajectory,
    gr: NDArray,
    gx: NDArray | None = None,
    out: Cotangents | None = None,
) -> Cotangents:
    x, r = trajectory
    out = out or Cotangents.empty(recurrence, x)
    W = factor_of_derivatives(recurrence, x.shape[1])
    backpropagate(
        KINDS[recurrence.activation], W, x, r,
        gr, gr[:0] if gx is None else gx, recurrence.alpha, out.D, out.S,
    )  # fmt: skip
    weight_gradients(recurrence, inputs, r, out.D, r[:0], gr.dtype.type(0), out)
    return out


def alpha_cotangent(recurrence: Recurrence, trajectory: Trajectory, D: NDArray) -> NDArray:
    total = np.zeros_like(recurrence.alpha)
    sum_of_changes(D, trajectory.x, recurrence.x0, total)
    return total / recurrence.alpha


def omega(
    recurrence: Recurrence,
    trajectory: Trajectory,
    D: NDArray,
    S: NDArray,
    bound: float,
    out: NDArray | None = None,
) -> Omega:
    Wrec, alpha, activation = recurrence.Wrec, recurrence.alpha, recurrence.activation
    x, r = trajectory
    q_term = np.empty_like(S) if out is None else out
    recurrent, scale = S, 1 - alpha  # (alpha d_t) Wrec is (1 - alpha) S_t, if all units share one
    if not is_shared(alpha):
        recurrent = times(alpha * (1 - alpha) * D[1:], Wrec)
        scale = np.ones_like(alpha)
    total, n_counting = omega_pass(
        KINDS[activation], D, recurrent, scale, x, r, alpha, D.dtype.type(bound), q_term
    )
    q_term *= D.dtype.type(1 / max(n_counting, 1))
    value = total / n_counting if n_counting else np.nan
    return Omega(value, n_counting / (D.shape[0] * D.shape[1]), q_term)


def omega_gradient(recurrence: Recurrence, D: NDArray, q_term: NDArray) -> NDArray:
    alpha = recurrence.alpha[:, np.newaxis]
    return alpha * (1 - alpha) * (rows(D[1:]).T @ rows(q_term))


def backward_with_omega(
    recurrence: Recurrence,
    inputs: NDArray,
    trajectory: Trajectory,
    gr: NDArray,
    regulariser: Regulariser,
    space: NDArray | None = None,
    kept: Kept | None = None,
) -> Regularised:
    Win, Wrec, brec, x0, alpha, activation, _ = recurrence
    (x, r), dtype, D = trajectory, gr.dtype.type, gr
    q_term = np.empty_like(gr[1:]) if space is None else space
    one_alpha = is_shared(alpha)
    W = factor_of_derivatives(recurrence, x.shape[1], kept)
    total, n_counting = backpropagate_with_omega(
        KINDS[activation], W, x, r, D, alpha, one_alpha, dtype(regulariser.bound), q_term
    )  # fmt: skip
    out = Regularised(
        Win=reused(kept, "Win", Win.shape, dtype),
        Wrec=reused(kept, "Wrec", Wrec.shape, dtype),
        brec=reused(kept, "brec", brec.shape, dtype),
        x0=reused(kept, "x0", x0.shape, dtype),
        Omega=total / n_counting if n_counting else np.nan,
        nelems=n_counting / (D.shape[0] * D.shape[1]),
    )  # fmt: skip
    weight = dtype(regulariser.lambda_Omega / max(n_counting, 1))
    if not weight or one_alpha:
        scale = weight * (1 - alpha[0])
        weight_gradients(
            recurrence, inputs, r, D, q_term if weight else q_term[:0], scale, out, kept
        )
    else:
        weight_gradients(recurrence, inputs, r, D, q_term[:0], weight, out, kept)
        out.Wrec[:] += weight * omega_gradient(recurrence, D, q_term)
    return out


# --- backward -------------------------------------------------------------------------------------


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
def backpropagate_with_omega(kind, W, x, r, D, alpha, one_alpha, bound, q_term):
    """`backpropagate` and `omega_pass` at once; D comes in as gr.

    Where all units share `one_alpha`, (alpha d_t) Wrec is (1 - alpha) S_t.
    """
    n_time, n_trial, N = x.shape
    zero, half, one = x.dtype.type(0), x.dtype.type(0.5), x.dtype.type(1)
    has_kink = kind == RECTIFY or kind == RTANH  # where f' at 0 is another one in Omega
    W_words, S = words_of(W), np.empty((n_trial, W.width), x.dtype)
    leak = one - alpha
    recurrent, scale = S, leak
    if not one_alpha:
        recurrent, scale = np.empty_like(S), np.ones_like(leak)
    leaked = np.empty((0 if one_alpha else n_trial, N), x.dtype)
    slope = np.empty_like(x[0])
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
            for i in range(N):
                d = leak[i] * D[t + 1, b, i]
                D[t, b, i] = (D[t, b, i] + S[b, i]) * slope[b, i] + d
                slope_q = zero if has_kink and x[t, b, i] == zero else slope[b, i]
                q = leak[i] * d + scale[i] * recurrent[b, i] * slope_q
                q_term[t, b, i] = q * slope_q
                den += d * d
                num += q * q
            value, factor = omega_of_one(num, den, bound)
            total += value
            n_counting += den >= bound
            for i in range(N):
                q_term[t, b, i] *= factor
    return total, n_counting


@inner
def times_units(factor, D, result):
    """Result <- factor D, of (N,) and (trial, N)."""
    for b in range(D.shape[0]):
        for i in range(D.shape[1]):
            result[b, i] = factor[i] * D[b, i]


@inner
def omega_of_one(num, den, bound):
    """Omega_t of one trial, and the factor of q_t in its derivative with respect to q_t."""
    if not den >= bound:
        return 0.0, type(den)(0)
    excess = num / den - type(den)(1)
    return float(excess * excess), type(den)(4) * excess / den
