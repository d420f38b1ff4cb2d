"""The recurrence, its backward pass and Omega as loops compiled by Numba.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)
    z_t     = g(r_t Wout^T + bout)                                          t = 1..T

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 1-3,
discretised by Euler's method as in its eqs. 5-7. Symbols, the backward pass and the interface stand
in interface.py; recurrence_numpy.py is the reference. Everything about a time step is done before
the next one, so that its arrays stay in the cache; the matrices that are the same at every step are
prepared once (tiles.py). Compiled once for each number type and kept on
disk (Numba's cache, which processes share).
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numba import KINDS, RECTIFY, RTANH, compiled, df_rows, f_rows
from pycog_dgr.kernels.arrays import is_shared, rows, times
from pycog_dgr.kernels.interface import (
    Cotangents,
    Omega,
    Recurrence,
    Regularised,
    Regulariser,
    Trajectory,
)
from pycog_dgr.kernels.normals_numba import pairs
from pycog_dgr.kernels.readout_numba import loss_gradient, outputs
from pycog_dgr.kernels.tiles import add_outer, fill_panels, n_panels, panel_width, times_panels

__all__ = [
    "alpha_cotangent", "backward", "backward_with_omega", "forward", "loss_gradient", "omega",
    "omega_gradient", "outputs", "pairs", "run",
]  # fmt: skip

ROWS_TOGETHER = 128  # steps and trials whose share of a weight gradient is one product


# --- the interface --------------------------------------------------------------------------------


def forward(
    recurrence: Recurrence, inputs: NDArray, noise: NDArray, out: Trajectory | None = None
) -> Trajectory:
    Win, Wrec, brec, x0, alpha, activation = recurrence
    x, r = out or Trajectory.empty(noise)
    integrate(KINDS[activation], inputs, noise, Win, Wrec, brec, alpha, x0, x, r)
    return Trajectory(x, r)


def run(
    recurrence: Recurrence,
    inputs: NDArray,
    noise: NDArray,
    x: NDArray,
    running: NDArray,
    states: NDArray | None = None,
) -> NDArray:
    Win, Wrec, brec, _, alpha, activation = recurrence
    states = noise[:0] if states is None else states
    run_in_place(KINDS[activation], inputs, Win, Wrec, brec, alpha, running, x, noise, states)
    return noise


def backward(
    recurrence: Recurrence,
    inputs: NDArray,
    trajectory: Trajectory,
    gr: NDArray,
    gx: NDArray | None = None,
    out: Cotangents | None = None,
) -> Cotangents:
    _, Wrec, _, x0, alpha, activation = recurrence
    x, r = trajectory
    kind = KINDS[activation]
    D, S, gWin, gWrec, gbrec, gx0 = out or Cotangents.empty(recurrence, x)
    backpropagate(kind, x, r, gr, gr[:0] if gx is None else gx, Wrec, alpha, D, S)
    weight_gradients(
        kind, D, r, r[:0], gr.dtype.type(0), inputs, Wrec, x0, alpha, gWin, gWrec, gbrec, gx0
    )
    return Cotangents(D, S, gWin, gWrec, gbrec, gx0)


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
) -> Regularised:
    Win, Wrec, brec, x0, alpha, activation = recurrence
    x, r = trajectory
    kind, dtype, D = KINDS[activation], gr.dtype.type, gr
    q_term = np.empty_like(gr[1:]) if space is None else space
    total, n_counting = backpropagate_with_omega(
        kind, x, r, D, Wrec, alpha, dtype(regulariser.bound), q_term
    )
    scale = dtype(regulariser.lambda_Omega * (1 - alpha[0]) / max(n_counting, 1))
    gWin, gWrec, gbrec, gx0 = (np.empty_like(value) for value in (Win, Wrec, brec, x0))
    weight_gradients(kind, D, r, q_term, scale, inputs, Wrec, x0, alpha, gWin, gWrec, gbrec, gx0)
    value = total / n_counting if n_counting else np.nan
    return Regularised(gWin, gWrec, gbrec, gx0, value, n_counting / (D.shape[0] * D.shape[1]))


# --- forward --------------------------------------------------------------------------------------


@compiled
def panels_of(Wrec, Win):
    """[Wrec, Win]^T in panels, for products of [r_{t-1}, u_t] with it."""
    N, Nin = Win.shape
    panels = np.zeros((n_panels(N, Wrec), N + Nin, panel_width(Wrec)), Wrec.dtype)
    fill_panels(Wrec, panels, 0)
    fill_panels(Win, panels, N)
    return panels


@compiled
def integrate(kind, inputs, noise, Win, Wrec, brec, alpha, x0, x, r):
    """x and r at t = 1..T."""
    n_time, n_trial, N = x.shape
    panels = panels_of(Wrec, Win)
    received = np.empty((n_trial, panels.shape[1]), x.dtype)  # [r_{t-1}, u_t]
    current = np.empty((n_trial, panels.shape[0] * panels.shape[2]), x.dtype)
    x_prev = np.empty_like(x[0])
    for b in range(n_trial):
        x_prev[b] = x0
    f_rows(kind, x_prev, received[:, :N])
    for t in range(n_time):
        received[:, N:] = inputs[t]
        times_panels(received, panels, current)
        step(kind, x_prev, current, brec, noise[t], alpha, x[t], r[t])
        received[:, :N] = r[t]
        x_prev = x[t]


@compiled
def run_in_place(kind, inputs, Win, Wrec, brec, alpha, running, x, r, states):
    """`run`: r comes in as the noise, x as the initial states; empty states are not wanted."""
    n_trial, N = x.shape
    panels = panels_of(Wrec, Win)
    received = np.empty((n_trial, panels.shape[1]), x.dtype)  # [r_{t-1}, u_t]
    current = np.empty((n_trial, panels.shape[0] * panels.shape[2]), x.dtype)
    f_rows(kind, x, r[0])
    if len(states):
        states[0] = x
    for t in range(1, len(r)):
        n = running[t]
        received[:n, :N] = r[t - 1, :n]
        received[:n, N:] = inputs[t, :n]
        times_panels(received[:n], panels, current[:n])
        step(kind, x[:n], current[:n], brec, r[t, :n], alpha, x[:n], r[t, :n])
        if len(states):
            states[t, :n] = x[:n]


@compiled
def step(kind, x_prev, current, brec, noise_t, alpha, x_t, r_t):
    """x_t and r_t one time step on, all (trial, N); current is r_prev Wrec^T + u_t Win^T.

    Those two terms are one product of [r_prev, u_t]; the rest of drive_t is added here. x_t may be
    the array of x_prev, and r_t that of noise_t.
    """
    one = x_t.dtype.type(1)
    for b in range(x_t.shape[0]):
        for i in range(x_t.shape[1]):
            drive_t = brec[i] + noise_t[b, i]
            x_t[b, i] = (one - alpha[i]) * x_prev[b, i] + alpha[i] * (current[b, i] + drive_t)
    f_rows(kind, x_t, r_t)


# --- backward -------------------------------------------------------------------------------------


@compiled
def panels_backward(Wrec, alpha):
    """diag(alpha) Wrec in panels, for S_t = (alpha D_{t+1}) Wrec."""
    N = len(alpha)
    panels = np.zeros((n_panels(N, Wrec), N, panel_width(Wrec)), Wrec.dtype)
    fill_panels((alpha * Wrec.T), panels, 0)
    return panels


@compiled
def backpropagate(kind, x, r, gr, gx, Wrec, alpha, D, S):
    """D at t = T..1 and S at t = T-1..1; an empty gx stands for zero."""
    n_time, n_trial, N = x.shape
    one, half = x.dtype.type(1), x.dtype.type(0.5)
    panels = panels_backward(Wrec, alpha)
    product = np.empty((n_trial, panels.shape[0] * panels.shape[2]), x.dtype)
    slope = np.empty_like(x[0])
    for t in range(n_time - 1, -1, -1):
        df_rows(kind, x[t], r[t], half, slope)
        if t == n_time - 1:
            for b in range(n_trial):
                for i in range(N):
                    D[t, b, i] = gr[t, b, i] * slope[b, i]
        else:
            times_panels(D[t + 1], panels, product)
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
def backpropagate_with_omega(kind, x, r, D, Wrec, alpha, bound, q_term):
    """`backpropagate` and `omega_pass` at once; D comes in as gr. All units share one alpha."""
    n_time, n_trial, N = x.shape
    zero, half, leak = x.dtype.type(0), x.dtype.type(0.5), x.dtype.type(1) - alpha[0]
    has_kink = kind == RECTIFY or kind == RTANH  # where f' at 0 is another one in Omega
    panels = panels_backward(Wrec, alpha)
    S = np.empty((n_trial, panels.shape[0] * panels.shape[2]), x.dtype)
    slope = np.empty_like(x[0])
    df_rows(kind, x[-1], r[-1], half, slope)
    for b in range(n_trial):
        for i in range(N):
            D[-1, b, i] *= slope[b, i]
    total, n_counting = 0.0, 0
    for t in range(n_time - 2, -1, -1):
        times_panels(D[t + 1], panels, S)
        df_rows(kind, x[t], r[t], half, slope)
        for b in range(n_trial):
            den, num = zero, zero
            for i in range(N):
                d = leak * D[t + 1, b, i]
                D[t, b, i] = (D[t, b, i] + S[b, i]) * slope[b, i] + d
                slope_q = zero if has_kink and x[t, b, i] == zero else slope[b, i]
                q = leak * d + leak * S[b, i] * slope_q
                q_term[t, b, i] = q * slope_q
                den += d * d
                num += q * q
            value, factor = omega_of_one(num, den, bound)
            total += value
            n_counting += den >= bound
            for i in range(N):
                q_term[t, b, i] *= factor
    return total, n_counting


@compiled
def omega_of_one(num, den, bound):
    """Omega_t of one trial, and the factor of q_t in its derivative with respect to q_t."""
    if not den >= bound:
        return 0.0, type(den)(0)
    excess = num / den - type(den)(1)
    return float(excess * excess), type(den)(4) * excess / den


@compiled
def weight_gradients(kind, D, r, q_term, scale, inputs, Wrec, x0, alpha, gWin, gWrec, gbrec, gx0):  # noqa: C901 - one compiled loop
    """Fill in the last four; an empty q_term stands for zero.

        [gWrec, gWin] = sum_t,trials (alpha D_t)^T [r_{t-1} + scale q_term_{t-1}, u_t]

    some rows (step, trial) at a time, while they are in the cache.
    """
    n_time, n_trial, N = D.shape
    n_rows, Nin = n_time * n_trial, inputs.shape[2]
    one, half = D.dtype.type(1), D.dtype.type(0.5)
    flat_D, flat_u = D.reshape((n_rows, N)), inputs.reshape((n_rows, Nin))
    flat_r, flat_q = r.reshape((n_rows, N)), q_term.reshape((len(q_term) * n_trial, N))
    r0, slope0 = np.empty((1, N), D.dtype), np.empty((1, N), D.dtype)
    f_rows(kind, x0.reshape((1, N)), r0)
    df_rows(kind, x0.reshape((1, N)), r0, half, slope0)
    width = n_panels(N + Nin, D) * panel_width(D)
    right = np.zeros((ROWS_TOGETHER, width), D.dtype)
    G = np.zeros((N, width), D.dtype)
    gbrec[:] = 0
    for first in range(0, n_rows, ROWS_TOGETHER):
        size = min(ROWS_TOGETHER, n_rows - first)
        for j in range(size):
            row = first + j
            before = row - n_trial
            for i in range(N):
                right[j, i] = flat_r[before, i] if before >= 0 else r0[0, i]
                gbrec[i] += alpha[i] * flat_D[row, i]
            if before >= 0 and len(flat_q):
                for i in range(N):
                    right[j, i] += scale * flat_q[before, i]
            for k in range(Nin):
                right[j, N + k] = flat_u[row, k]
        add_outer(flat_D[first : first + size], right[:size], G)
    D_first = np.zeros(N, D.dtype)
    for b in range(n_trial):
        D_first += D[0, b]
    gx0[:] = 0
    for i in range(N):
        for k in range(N):
            gWrec[i, k] = alpha[i] * G[i, k]
            gx0[k] += alpha[i] * D_first[i] * Wrec[i, k]
        for k in range(Nin):
            gWin[i, k] = alpha[i] * G[i, N + k]
    for k in range(N):
        gx0[k] = gx0[k] * slope0[0, k] + (one - alpha[k]) * D_first[k]
