"""The recurrence, its backward pass and Omega as loops compiled by Numba.

Equations and symbols are those of symbolic/recurrence_op.py and symbolic/objective.py.
recurrence_numpy.py is the reference in numpy, and serves where Numba cannot run. One pass over the
trials of a time step does all that is not a matrix product, so that the step stays in the cache.
Compiled once for each number type and kept on disk (Numba's cache, which processes may share).
"""

import math

import numpy as np
from numba import njit

from pycog_dgr.kernels.blas import gemm_address, product, workspace

# Sums may be regrouped and products fused; infinities and NaN keep their meaning.
compiled = njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}
)

LINEAR, RECTIFY, RECTIFY_POWER, SIGMOID, TANH, RTANH, SOFTPLUS = range(7)
KINDS = {
    "linear": LINEAR, "rectify": RECTIFY, "rectify_power": RECTIFY_POWER, "sigmoid": SIGMOID,
    "tanh": TANH, "rtanh": RTANH, "softplus": SOFTPLUS,
}  # fmt: skip


@compiled
def logistic(x, one):
    """1 / (1 + e^-x), through e^-|x| so that nothing overflows; `one` sets the number type."""
    small = math.exp(-abs(x))
    return (one if x >= 0 else small) / (one + small)


@compiled
def rates(kind, x, r):
    """r <- f(x), both (trial, N)."""
    n_trial, N = x.shape
    half, one, zero = x.dtype.type(0.5), x.dtype.type(1), x.dtype.type(0)
    for b in range(n_trial):
        if kind == LINEAR:
            r[b] = x[b]
        elif kind == RECTIFY:
            for i in range(N):
                r[b, i] = half * (x[b, i] + abs(x[b, i]))
        elif kind == RECTIFY_POWER:
            for i in range(N):
                rectified = half * (x[b, i] + abs(x[b, i]))
                r[b, i] = rectified * rectified
        elif kind == SIGMOID:
            for i in range(N):
                r[b, i] = logistic(x[b, i], one)
        elif kind == TANH:
            for i in range(N):
                r[b, i] = math.tanh(x[b, i])
        elif kind == RTANH:
            for i in range(N):
                tanh = math.tanh(x[b, i])
                r[b, i] = half * (tanh + abs(tanh))
        else:
            for i in range(N):
                r[b, i] = max(x[b, i], zero) + math.log1p(math.exp(-abs(x[b, i])))


@compiled
def slopes(kind, x, r, at_zero, slope):
    """slope <- f'(x), all (trial, N); a rectification's slope at exactly 0 is `at_zero`."""
    n_trial, N = x.shape
    one, zero = x.dtype.type(1), x.dtype.type(0)
    for b in range(n_trial):
        if kind == LINEAR:
            slope[b] = one
        elif kind == RECTIFY:
            for i in range(N):
                slope[b, i] = one if x[b, i] > zero else (at_zero if x[b, i] == zero else zero)
        elif kind == RECTIFY_POWER:
            for i in range(N):
                slope[b, i] = x[b, i] + abs(x[b, i])
        elif kind == SIGMOID:
            for i in range(N):
                slope[b, i] = r[b, i] * (one - r[b, i])
        elif kind == TANH:
            for i in range(N):
                slope[b, i] = one - r[b, i] * r[b, i]
        elif kind == RTANH:
            for i in range(N):
                step = one if x[b, i] > zero else (at_zero if x[b, i] == zero else zero)
                slope[b, i] = step * (one - r[b, i] * r[b, i])
        else:
            for i in range(N):
                slope[b, i] = logistic(x[b, i], one)


@compiled
def integrate(gemm, noise, x0, Wrec, brec, alpha, kind, x, r):
    """x and r at t = 1..T; x comes in as u Win^T."""
    n_time, n_trial, N = x.shape
    leak = x.dtype.type(1) - alpha
    x_before, r_before = np.empty_like(x[0]), np.empty_like(x[0])
    for b in range(n_trial):
        x_before[b] = x0
    rates(kind, x_before, r_before)
    recurrent, work = np.empty_like(x_before), workspace(x)
    for t in range(n_time):
        product(gemm, r_before, Wrec, True, recurrent, work)
        for b in range(n_trial):
            for i in range(N):
                current = recurrent[b, i] + brec[i] + x[t, b, i] + noise[t, b, i]
                x[t, b, i] = leak[i] * x_before[b, i] + alpha[i] * current
        rates(kind, x[t], r[t])
        x_before, r_before = x[t], r[t]


@compiled
def run_in_place(gemm, x, Wrec, alpha, kind, running, r):
    """Rates at t = 1.. take the place of what drove the units, in r (time, trial, N).

    x (trial, N) comes in as the initial states and goes out as the last ones; at step t the first
    `running[t]` trials still run.
    """
    recurrent, work = np.empty_like(x), workspace(x)
    leak = x.dtype.type(1) - alpha
    for t in range(1, len(r)):
        n = running[t]
        product(gemm, r[t - 1, :n], Wrec, True, recurrent[:n], work)
        for b in range(n):
            for i in range(len(alpha)):
                x[b, i] = leak[i] * x[b, i] + alpha[i] * (recurrent[b, i] + r[t, b, i])
        rates(kind, x[:n], r[t, :n])


@compiled
def backpropagate(gemm, x, r, gr, gx, alpha_Wrec, alpha, kind, D, S):
    """D at t = T..1 and S at t = T-1..1; an empty gx stands for zero."""
    n_time, n_trial, N = x.shape
    half, leak = x.dtype.type(0.5), x.dtype.type(1) - alpha
    slope, work = np.empty_like(x[0]), workspace(x)
    for t in range(n_time - 1, -1, -1):
        slopes(kind, x[t], r[t], half, slope)
        if t == n_time - 1:
            for b in range(n_trial):
                for i in range(N):
                    D[t, b, i] = gr[t, b, i] * slope[b, i]
        else:
            product(gemm, D[t + 1], alpha_Wrec, False, S[t], work)
            for b in range(n_trial):
                for i in range(N):
                    leaked = leak[i] * D[t + 1, b, i]
                    D[t, b, i] = (gr[t, b, i] + S[t, b, i]) * slope[b, i] + leaked
        if gx.shape[0]:
            for b in range(n_trial):
                for i in range(N):
                    D[t, b, i] += gx[t, b, i]


@compiled
def omega_pass(D, S, S_scale, x, r, alpha, kind, bound, by_q):
    """The sum of Omega_t, how many (step, trial) count, and d sum / d q_t * f'(x_t) in by_q.

    (alpha d_t) Wrec is S_scale S.
    """
    n_time, n_trial, N = D.shape
    zero, one, four = x.dtype.type(0), x.dtype.type(1), x.dtype.type(4)
    leak = one - alpha
    total, n_counting = 0.0, 0
    slope = np.empty_like(x[0])
    for t in range(n_time - 1):
        slopes(kind, x[t], r[t], zero, slope)
        for b in range(n_trial):
            den, num = zero, zero
            for i in range(N):
                d = leak[i] * D[t + 1, b, i]
                q = leak[i] * d + S_scale[i] * S[t, b, i] * slope[b, i]
                by_q[t, b, i] = q
                den += d * d
                num += q * q
            factor = zero
            if den >= bound:
                n_counting += 1
                excess = num / den - one
                total += excess * excess
                factor = four * excess / den
            for i in range(N):
                by_q[t, b, i] *= factor * slope[b, i]
    return total, n_counting


@compiled
def scale_and_add(scale, a, b):
    """a <- scale a + b, both (time, trial, N), in one pass."""
    n_time, n_trial, N = a.shape
    for t in range(n_time):
        for k in range(n_trial):
            for i in range(N):
                a[t, k, i] = scale * a[t, k, i] + b[t, k, i]


# --- the interface, as in recurrence_numpy.py ----------------------------------------------------


def forward(inputs, noise, x0, Win, Wrec, brec, alpha, activation, x, r):
    """Write states and rates at t = 1..T into x and r (time, trial, N)."""
    N, Nin = Win.shape
    by_step = x.reshape(-1, N)
    np.dot(inputs.reshape(len(by_step), Nin), Win.T, by_step)
    gemm = gemm_address(x.dtype.name)
    integrate(gemm, noise, x0, Wrec, brec, alpha, KINDS[activation], x, r)


def backward(
    inputs, x, r, gr, gx, x0, Win, Wrec, alpha, activation, out, regulariser=None, scratch=None
):  # fmt: skip
    """Fill `out`, a leaky_rnn.Cotangents, from the cotangents of r and x (None: zero).

    With a Regulariser (lambda_Omega, bound) the cotangent of Wrec includes lambda_Omega times the
    derivative of Omega: their left factor is the same, so one product serves both. That needs
    the same alpha for all units, and `scratch`, an array like S. Returns Omega and the number of
    steps and trials that count.
    """
    N, kind, D, S = len(x0), KINDS[activation], out.D, out.S
    gemm, alpha_Wrec, leak = gemm_address(x.dtype.name), alpha[:, np.newaxis] * Wrec, 1 - alpha
    gx = gr[:0] if gx is None else gx
    backpropagate(gemm, x, r, gr, gx, alpha_Wrec, alpha, kind, D, S)

    r_before, omega = r[:-1], None
    if regulariser is not None:
        bound = D.dtype.type(regulariser.bound)
        total, n = omega_pass(D, S, leak, x, r, alpha, kind, bound, scratch)
        omega = total / n if n else np.nan, n
        scale = regulariser.lambda_Omega * leak[0] / max(n, 1)
        scale_and_add(D.dtype.type(scale), scratch, r_before)
        r_before = scratch

    by_unit = D.reshape(-1, N).T
    D_first = np.dot(np.ones(x.shape[1], D.dtype), D[0])
    x_start = x0[np.newaxis]
    r_start, slope_start = np.empty_like(x_start), np.empty_like(x_start)
    rates(kind, x_start, r_start)
    slopes(kind, x_start, r_start, D.dtype.type(0.5), slope_start)
    np.dot(by_unit[:, x.shape[1] :], r_before.reshape(-1, N), out.Wrec)
    np.add(out.Wrec, np.outer(D_first, r_start), out=out.Wrec)
    np.dot(by_unit, inputs.reshape(by_unit.shape[1], -1), out.Win)
    np.dot(by_unit, np.ones(by_unit.shape[1], D.dtype), out.brec)
    for product_with_D in (out.Wrec, out.Win, out.brec[:, np.newaxis]):
        product_with_D *= alpha[:, np.newaxis]
    out.x0[:] = np.dot(D_first, alpha_Wrec) * slope_start[0] + leak * D_first
    return omega


def run(x, Wrec, alpha, activation, running, r):
    """See run_in_place."""
    gemm = gemm_address(x.dtype.name)
    run_in_place(gemm, x, Wrec, alpha, KINDS[activation], running, r)


def omega(D, S, x, r, Wrec, alpha, activation, bound, scratch, gradient):
    """(Omega, steps and trials that count); its derivative by Wrec goes into `gradient` (N, N)."""
    leak, N = 1 - alpha, len(alpha)
    S_scale = leak
    if alpha.min() != alpha.max():  # then S, which weighs D with alpha alone, does not serve
        S = np.dot((leak * alpha * D[1:]).reshape(-1, N), Wrec).reshape(S.shape)
        S_scale = np.ones_like(alpha)
    kind, bound = KINDS[activation], D.dtype.type(bound)
    total, n = omega_pass(D, S, S_scale, x, r, alpha, kind, bound, scratch)
    np.dot(D[1:].reshape(-1, N).T, scratch.reshape(-1, N), gradient)
    gradient *= (alpha * leak / max(n, 1))[:, np.newaxis]
    return total / n if n else np.nan, n
