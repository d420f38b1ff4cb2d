"""The recurrence, its backward pass and Omega as loops compiled by Numba.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)
    z_t     = g(r_t Wout^T + bout)                                          t = 1..T

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 1-3,
discretised by Euler's method as in its eqs. 5-7. Symbols, the backward pass and the interface stand
in interface.py; recurrence_numpy.py is the reference. Everything about a time step is done before
the next one, so that its arrays stay in the cache. Compiled once for each number type and kept on
disk (Numba's cache, which processes share).
"""

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numba import KINDS, compiled, df, df_rows, f_rows
from pycog_dgr.kernels.arrays import is_shared, rows, times
from pycog_dgr.kernels.blas import gemm_address, product, workspace
from pycog_dgr.kernels.interface import Cotangents, Omega, Recurrence, Regulariser, Trajectory
from pycog_dgr.kernels.normals_numba import pairs

__all__ = [
    "alpha_cotangent", "backward", "backward_with_omega", "forward", "omega", "omega_gradient",
    "pairs", "run",
]  # fmt: skip


# --- the interface --------------------------------------------------------------------------------


def forward(
    recurrence: Recurrence, inputs: NDArray, noise: NDArray, out: Trajectory | None = None
) -> Trajectory:
    Win, Wrec, brec, x0, alpha, activation = recurrence
    x, r = out or Trajectory.empty(noise)
    np.dot(rows(inputs), Win.T, rows(x))
    gemm = gemm_address(x.dtype.name)
    integrate(gemm, noise, x0, Wrec, brec, alpha, KINDS[activation], x, r)
    return Trajectory(x, r)


def run(
    recurrence: Recurrence, inputs: NDArray, noise: NDArray, x: NDArray, running: NDArray
) -> NDArray:
    Win, Wrec, brec, _, alpha, activation = recurrence
    gemm, kind = gemm_address(x.dtype.name), KINDS[activation]
    run_in_place(gemm, inputs, Win, Wrec, brec, alpha, kind, running, x, noise)
    return noise


def backward(
    recurrence: Recurrence,
    inputs: NDArray,
    trajectory: Trajectory,
    gr: NDArray,
    gx: NDArray | None = None,
    out: Cotangents | None = None,
) -> Cotangents:
    out = out or Cotangents.empty(recurrence, trajectory.x)
    through_time(recurrence, trajectory, gr, gx, out)
    weight_cotangents(recurrence, inputs, trajectory.r[:-1], out)
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
    _, Wrec, _, _, alpha, activation = recurrence
    x, r = trajectory
    q_term = np.empty_like(S) if out is None else out
    recurrent, scale = S, 1 - alpha  # (alpha d_t) Wrec is (1 - alpha) S_t, if all units share one
    if not is_shared(alpha):
        recurrent = times(alpha * (1 - alpha) * D[1:], Wrec)
        scale = np.ones_like(alpha)
    total, n_counting = omega_pass(
        D, recurrent, scale, x, r, alpha, KINDS[activation], D.dtype.type(bound), q_term
    )
    q_term *= D.dtype.type(1 / max(n_counting, 1))
    return omega_of(total, n_counting, D, q_term)


def omega_gradient(recurrence: Recurrence, D: NDArray, q_term: NDArray) -> NDArray:
    alpha = recurrence.alpha[:, np.newaxis]
    return alpha * (1 - alpha) * (rows(D[1:]).T @ rows(q_term))


def backward_with_omega(
    recurrence: Recurrence,
    inputs: NDArray,
    trajectory: Trajectory,
    gr: NDArray,
    regulariser: Regulariser,
    out: tuple[Cotangents, NDArray] | None = None,
) -> tuple[Cotangents, Omega]:
    x, r = trajectory
    cotangents, q_term = out or (Cotangents.empty(recurrence, x), np.empty_like(x[1:]))
    D, S, alpha = cotangents.D, cotangents.S, recurrence.alpha
    leak, dtype = 1 - alpha, D.dtype.type
    through_time(recurrence, trajectory, gr, None, cotangents)
    total, n_counting = omega_pass(
        D, S, leak, x, r, alpha, KINDS[recurrence.activation], dtype(regulariser.bound), q_term
    )
    scale = regulariser.lambda_Omega * leak[0] / max(n_counting, 1)
    scale_and_add(dtype(scale), q_term, r[:-1])
    weight_cotangents(recurrence, inputs, q_term, cotangents)
    return cotangents, omega_of(total, n_counting, D, q_term)


# --- parts of it ----------------------------------------------------------------------------------


def through_time(
    recurrence: Recurrence,
    trajectory: Trajectory,
    gr: NDArray,
    gx: NDArray | None,
    out: Cotangents,
) -> None:
    """Fill out.D and out.S."""
    x, r = trajectory
    alpha_Wrec = recurrence.alpha[:, np.newaxis] * recurrence.Wrec
    backpropagate(
        gemm_address(x.dtype.name), x, r, gr, gr[:0] if gx is None else gx, alpha_Wrec,
        recurrence.alpha, KINDS[recurrence.activation], out.D, out.S,
    )  # fmt: skip


def weight_cotangents(
    recurrence: Recurrence, inputs: NDArray, with_D: NDArray, out: Cotangents
) -> None:
    """Fill in the derivatives with respect to weights, brec and x0 from out.D.

    with_D   (time - 1, trial, N), what alpha D_{t+1} is multiplied by for Wrec's: r_t, and Omega's
             term where there is one
    """
    _, Wrec, _, x0, alpha, activation = recurrence
    dtype, kind = out.D.dtype, KINDS[activation]
    r0, slope0 = np.empty((1, len(x0)), dtype), np.empty((1, len(x0)), dtype)
    f_rows(kind, x0[np.newaxis], r0)
    df_rows(kind, x0[np.newaxis], r0, dtype.type(0.5), slope0)
    D = rows(out.D)
    D_first = np.ones(out.D.shape[1], dtype) @ out.D[0]
    np.dot(D[out.D.shape[1] :].T, rows(with_D), out.Wrec)
    np.add(out.Wrec, np.outer(D_first, r0), out=out.Wrec)
    np.dot(D.T, rows(inputs), out.Win)
    out.Wrec[:] *= alpha[:, np.newaxis]
    out.Win[:] *= alpha[:, np.newaxis]
    out.brec[:] = alpha * (np.ones(len(D), dtype) @ D)
    out.x0[:] = (alpha * D_first) @ Wrec * slope0[0] + (1 - alpha) * D_first


def omega_of(total: float, n_counting: int, D: NDArray, q_term: NDArray) -> Omega:
    value = total / n_counting if n_counting else np.nan
    return Omega(value, n_counting / (D.shape[0] * D.shape[1]), q_term)


# --- loops over time ------------------------------------------------------------------------------


@compiled
def integrate(gemm, noise, x0, Wrec, brec, alpha, kind, x, r):
    """X and r at t = 1..T; x comes in as u Win^T."""
    n_time, n_trial, _ = x.shape
    x_prev, r_prev, recurrent = np.empty_like(x[0]), np.empty_like(x[0]), np.empty_like(x[0])
    for b in range(n_trial):
        x_prev[b] = x0
    f_rows(kind, x_prev, r_prev)
    work = workspace(x)
    for t in range(n_time):
        drive(x[t], brec, noise[t])
        product(gemm, r_prev, Wrec, True, recurrent, work)
        step(kind, x_prev, recurrent, x[t], alpha, x[t], r[t])
        x_prev, r_prev = x[t], r[t]


@compiled
def run_in_place(gemm, inputs, Win, Wrec, brec, alpha, kind, running, x, r):
    """`run`: r comes in as the noise, x as the initial states."""
    f_rows(kind, x, r[0])
    from_inputs, recurrent, work = np.empty_like(x), np.empty_like(x), workspace(x)
    for t in range(1, len(r)):
        n = running[t]
        drive_t = from_inputs[:n]
        if Win.shape[1]:
            product(gemm, inputs[t, :n], Win, True, drive_t, work)
        else:
            drive_t[:] = 0
        drive(drive_t, brec, r[t, :n])
        product(gemm, r[t - 1, :n], Wrec, True, recurrent[:n], work)
        step(kind, x[:n], recurrent[:n], drive_t, alpha, x[:n], r[t, :n])


@compiled
def drive(from_inputs, brec, noise_t):
    """u_t Win^T + brec + noise_t, all (trial, N), in place of u_t Win^T."""
    for b in range(noise_t.shape[0]):
        for i in range(noise_t.shape[1]):
            from_inputs[b, i] += brec[i] + noise_t[b, i]


@compiled
def step(kind, x_prev, recurrent, drive_t, alpha, x_t, r_t):
    """x_t and r_t one time step on, all (trial, N); recurrent is r_prev Wrec^T.

    x_t may be the array of x_prev or of drive_t, and r_t that of drive_t.
    """
    one = x_t.dtype.type(1)
    for b in range(x_t.shape[0]):
        for i in range(x_t.shape[1]):
            current = recurrent[b, i] + drive_t[b, i]
            x_t[b, i] = (one - alpha[i]) * x_prev[b, i] + alpha[i] * current
    f_rows(kind, x_t, r_t)


@compiled
def backpropagate(gemm, x, r, gr, gx, alpha_Wrec, alpha, kind, D, S):
    """D at t = T..1 and S at t = T-1..1; an empty gx stands for zero."""
    n_time, n_trial, N = x.shape
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    work = workspace(x)
    for t in range(n_time - 1, -1, -1):
        if t == n_time - 1:
            for b in range(n_trial):
                for i in range(N):
                    D[t, b, i] = gr[t, b, i] * df(kind, x[t, b, i], r[t, b, i], half)
        else:
            product(gemm, D[t + 1], alpha_Wrec, False, S[t], work)
            for b in range(n_trial):
                for i in range(N):
                    slope = df(kind, x[t, b, i], r[t, b, i], half)
                    leaked = (one - alpha[i]) * D[t + 1, b, i]
                    D[t, b, i] = (gr[t, b, i] + S[t, b, i]) * slope + leaked
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
def omega_pass(D, recurrent, scale, x, r, alpha, kind, bound, q_term):
    """The sum of Omega_t, how many (t, trial) count, and that number times q_term.

    (alpha d_t) Wrec is scale * recurrent_t.
    """
    n_time, n_trial, N = D.shape
    zero, one, four = x.dtype.type(0), x.dtype.type(1), x.dtype.type(4)
    total, n_counting = 0.0, 0
    slope = np.empty_like(x[0])
    for t in range(n_time - 1):
        df_rows(kind, x[t], r[t], zero, slope)
        for b in range(n_trial):
            den, num = zero, zero
            for i in range(N):
                d = (one - alpha[i]) * D[t + 1, b, i]
                q = (one - alpha[i]) * d + scale[i] * recurrent[t, b, i] * slope[b, i]
                q_term[t, b, i] = q
                den += d * d
                num += q * q
            factor = zero
            if den >= bound:
                n_counting += 1
                excess = num / den - one
                total += excess * excess
                factor = four * excess / den
            for i in range(N):
                q_term[t, b, i] *= factor * slope[b, i]
    return total, n_counting


@compiled
def scale_and_add(scale, a, b):
    """A <- scale a + b, both (time, trial, N), in one pass."""
    n_time, n_trial, N = a.shape
    for t in range(n_time):
        for k in range(n_trial):
            for i in range(N):
                a[t, k, i] = scale * a[t, k, i] + b[t, k, i]
