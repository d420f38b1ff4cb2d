"""The recurrence, its backward pass and Omega in plain numpy: the reference for the compiled loops.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)
    z_t     = g(r_t Wout^T + bout)                                          t = 1..T

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 1-3,
discretised by Euler's method as in its eqs. 5-7. Symbols, the backward pass and the interface stand
in interface.py.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numpy import ACTIVATIONS, Function
from pycog_dgr.kernels.arrays import Kept, is_shared, rows, times
from pycog_dgr.kernels.normals_numpy import normals, some_normals
from pycog_dgr.kernels.polar_numpy import polar
from pycog_dgr.kernels.readout_numpy import loss_gradient, outputs
from pycog_dgr.kernels.tuples import (
    Cotangents,
    Gradients,
    Omega,
    Readout,
    Recurrence,
    Regulariser,
    Rows,
    Trajectory,
)
from pycog_dgr.kernels.weights_numpy import effective, raw_gradient, subtract, sum_of_squares

__all__ = [
    "alpha_cotangent", "backward", "connections", "effective", "forward", "gradients",
    "loss_gradient", "normals", "omega", "omega_gradient", "outputs", "polar", "raw_gradient",
    "run", "some_normals", "subtract", "sum_of_squares",
]  # fmt: skip

HALF, ZERO = 0.5, 0.0  # f' of a rectification at 0: in the backward pass, in Omega


def connections(mask: NDArray) -> None:
    return None


def forward(
    recurrence: Recurrence,
    inputs: NDArray,
    noise: NDArray,
    out: Trajectory | None = None,
    kept: Kept | None = None,
) -> Trajectory:
    Win, Wrec, brec, x0, alpha, activation, _ = recurrence
    f, _ = ACTIVATIONS[activation]
    x, r = out or Trajectory.empty(noise)
    x_prev = np.broadcast_to(x0, noise.shape[1:])
    r_prev = f(x_prev)
    for t, drive_t in enumerate(drive(inputs, noise, Win, brec)):
        x_prev, r_prev = x[t], r[t] = step(x_prev, r_prev, drive_t, Wrec, alpha, f)
    return Trajectory(x, r)


def run(
    recurrence: Recurrence,
    readout: Readout,
    places: Rows,
    inputs: NDArray,
    noise: NDArray,
    x: NDArray,
    r: NDArray | None = None,
    states: NDArray | None = None,
    from_start: bool = False,
) -> NDArray:
    Win, Wrec, brec, _, alpha, activation, _ = recurrence
    f, _ = ACTIVATIONS[activation]
    a = np.empty((len(noise), len(readout.bout)), noise.dtype)
    r_t = f(x)
    for t, n in enumerate(places.running):
        row = places.begins[:n] + t * places.every
        if t > 0 or not from_start:
            drive_t = inputs[row] @ Win.T + brec + noise[row]
            x[:n], r_t[:n] = step(x[:n], r_t[:n], drive_t, Wrec, alpha, f)
        a[row] = r_t[:n] @ readout.Wout.T + readout.bout
        for values, kept in ((r_t, r), (x, states)):
            if kept is not None:
                kept[row] = values[:n]
    return a


def drive(inputs: NDArray, noise: NDArray, Win: NDArray, brec: NDArray) -> NDArray:
    """What drives the units from outside (time, trial, N)."""
    return times(inputs, Win.T) + brec + noise


def step(
    x_prev: NDArray, r_prev: NDArray, drive_t: NDArray, Wrec: NDArray, alpha: NDArray, f: Function
) -> tuple[NDArray, NDArray]:
    """States and rates (trial, N) one time step on."""
    x_t = (1 - alpha) * x_prev + alpha * (r_prev @ Wrec.T + drive_t)
    r_t = f(x_t)
    return x_t, r_t


def backward(
    recurrence: Recurrence,
    inputs: NDArray,
    trajectory: Trajectory,
    gr: NDArray,
    gx: NDArray | None = None,
    out: Cotangents | None = None,
) -> Cotangents:
    out = out or Cotangents.empty(recurrence, trajectory.x)
    backpropagate(recurrence, trajectory, gr, gx, out)
    weight_cotangents(recurrence, inputs, trajectory.r[:-1], out)
    return out


def alpha_cotangent(recurrence: Recurrence, trajectory: Trajectory, D: NDArray) -> NDArray:
    x = trajectory.x
    from_start = np.sum(D[0] * (x[0] - recurrence.x0), axis=0)
    return (from_start + np.sum(D[1:] * np.diff(x, axis=0), axis=(0, 1))) / recurrence.alpha


def omega(
    recurrence: Recurrence,
    trajectory: Trajectory,
    D: NDArray,
    S: NDArray,
    bound: float,
    out: NDArray | None = None,
) -> Omega:
    _, Wrec, _, _, alpha, activation, _ = recurrence
    _, df = ACTIVATIONS[activation]
    x, r = trajectory.x[:-1], trajectory.r[:-1]
    slope = df(x, r, ZERO)
    d = (1 - alpha) * D[1:]
    # (alpha d_t) Wrec is (1 - alpha) S_t where all units share one alpha
    recurrent = (1 - alpha) * S if is_shared(alpha) else times(alpha * d, Wrec)
    q = (1 - alpha) * d + recurrent * slope

    num, den = np.sum(q**2, axis=2), np.sum(d**2, axis=2)
    counts = den >= bound
    n_counting = np.count_nonzero(counts)
    den = np.where(counts, den, 1)
    excess = np.where(counts, num / den - 1, 0)
    factor = 4 * excess / den / max(int(n_counting), 1)
    q_term = np.multiply(factor[:, :, np.newaxis] * q, slope, out=out)
    value = np.sum(excess**2) / n_counting if n_counting else np.nan
    return Omega(float(value), n_counting / (len(D) * D.shape[1]), q_term)


def omega_gradient(recurrence: Recurrence, D: NDArray, q_term: NDArray) -> NDArray:
    alpha = recurrence.alpha[:, np.newaxis]
    return alpha * (1 - alpha) * (rows(D[1:]).T @ rows(q_term))


def gradients(
    recurrence: Recurrence,
    readout: Readout,
    inputs: NDArray,
    targets: NDArray,
    mask: NDArray,
    noise: NDArray,
    regulariser: Regulariser,
    with_alpha: bool = False,
    kept: Kept | None = None,
) -> Gradients:
    trajectory = forward(recurrence, inputs, noise)
    loss, gr, gWout, gbout = loss_gradient(readout, trajectory.r, targets, mask)
    out = Cotangents.empty(recurrence, noise)
    backpropagate(recurrence, trajectory, gr, None, out)
    value, nelems, q_term = omega(recurrence, trajectory, out.D, out.S, regulariser.bound)
    lambda_Omega, with_D = regulariser.lambda_Omega, trajectory.r[:-1]
    together = lambda_Omega and is_shared(recurrence.alpha)  # both have the factor alpha D_{t+1}
    if together:
        with_D = with_D + lambda_Omega * (1 - recurrence.alpha) * q_term
    weight_cotangents(recurrence, inputs, with_D, out)
    if lambda_Omega and not together:
        out.Wrec[:] += lambda_Omega * omega_gradient(recurrence, out.D, q_term)
    g_alpha = alpha_cotangent(recurrence, trajectory, out.D) if with_alpha else None
    g = out.Win, out.Wrec, out.brec, out.x0, gWout, gbout
    return Gradients(loss, value, nelems, *g, g_alpha)


# --- parts of the backward pass -------------------------------------------------------------------


def backpropagate(
    recurrence: Recurrence,
    trajectory: Trajectory,
    gr: NDArray,
    gx: NDArray | None,
    out: Cotangents,
) -> None:
    """Fill out.D and out.S."""
    alpha, D, S = recurrence.alpha, out.D, out.S
    _, df = ACTIVATIONS[recurrence.activation]
    slope = df(*trajectory, HALF)
    D[-1] = gr[-1] * slope[-1]
    if gx is not None:
        D[-1] += gx[-1]
    for t in range(len(D) - 2, -1, -1):
        S[t] = (alpha * D[t + 1]) @ recurrence.Wrec
        D[t] = (gr[t] + S[t]) * slope[t] + (1 - alpha) * D[t + 1]
        if gx is not None:
            D[t] += gx[t]


def weight_cotangents(
    recurrence: Recurrence, inputs: NDArray, with_D: NDArray, out: Cotangents
) -> None:
    """Fill in the derivatives with respect to weights, brec and x0 from out.D.

    with_D   (time - 1, trial, N), what alpha D_{t+1} is multiplied by for Wrec's: r_t, and Omega's
             term where there is one
    """
    _, Wrec, _, x0, alpha, activation, _ = recurrence
    f, df = ACTIVATIONS[activation]
    r0 = f(x0)
    D_first = np.sum(out.D[0], axis=0)
    out.Wrec[:] = rows(out.D[1:]).T @ rows(with_D) + np.outer(D_first, r0)
    out.Win[:] = rows(out.D).T @ rows(inputs)
    out.Wrec[:] *= alpha[:, np.newaxis]
    out.Win[:] *= alpha[:, np.newaxis]
    out.brec[:] = alpha * np.sum(out.D, axis=(0, 1))
    out.x0[:] = (alpha * D_first) @ Wrec * df(x0, r0, HALF) + (1 - alpha) * D_first
