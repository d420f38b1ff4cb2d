"""The recurrence's backward pass and Omega as loops compiled by Numba.

Equations, symbols and the interface stand in interface.py, the loop forward in integrate_numba.py,
those backward in backward_numba.py; recurrence_numpy.py is the reference. Compiled once for each
number type and kept on disk (Numba's cache, which processes share).
"""

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numba import KINDS
from pycog_dgr.kernels.arrays import Kept, is_shared, reused, rows, times
from pycog_dgr.kernels.backward_numba import (
    alpha_cotangent,
    backpropagate,
    backpropagate_with_omega,
    omega_pass,
    start_gradient,
)
from pycog_dgr.kernels.connections import connections, factor_of_derivatives, factors
from pycog_dgr.kernels.integrate_numba import forward, integrate_batch, run
from pycog_dgr.kernels.interface import (
    Cotangents,
    Gradients,
    Omega,
    Readout,
    Recurrence,
    Regularised,
    Regulariser,
    Trajectory,
)
from pycog_dgr.kernels.normals_numba import normals, some_normals
from pycog_dgr.kernels.polar_numba import polar
from pycog_dgr.kernels.products import Factor
from pycog_dgr.kernels.readout_numba import OUTPUT_KINDS, loss_gradient, loss_rows, outputs
from pycog_dgr.kernels.weight_gradients import omega_gradient, weight_gradients
from pycog_dgr.kernels.weights_numba import effective, raw_gradient, subtract, sum_of_squares

__all__ = [
    "alpha_cotangent", "backward", "backward_with_omega", "connections", "effective", "forward",
    "gradients", "loss_gradient", "normals", "omega", "omega_gradient", "outputs", "polar",
    "raw_gradient", "run", "some_normals", "subtract", "sum_of_squares",
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
    kind, r0 = KINDS[recurrence.activation], np.empty_like(recurrence.x0)
    start_gradient(kind, W, recurrence.x0, recurrence.alpha, out.D[0], r0, out.x0)
    weight_gradients(recurrence, inputs, r, out.D, r0, r[:0], gr.dtype.type(0), out)
    return out


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


def backward_with_omega(
    recurrence: Recurrence,
    inputs: NDArray,
    trajectory: Trajectory,
    gr: NDArray,
    regulariser: Regulariser,
    kept: Kept | None = None,
) -> Regularised:
    W = factor_of_derivatives(recurrence, gr.shape[1], kept)
    x, r = trajectory
    return regularised(recurrence, W, inputs, x.copy(), r, gr, regulariser, kept)


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
    """Python does little between the loops, whose arrays have pushed it out of the caches."""
    n_trial, shape, dtype = noise.shape[1], noise.shape, noise.dtype
    W, W_back = factors(recurrence, n_trial, kept)
    x, r, gr = (reused(kept, name, shape, dtype) for name in ("x", "r", "gr"))
    integrate_batch(recurrence, W, inputs, noise, x, r)
    Wout, bout, activation = readout
    gWout, gbout = reused(kept, "Wout", Wout.shape, dtype), reused(kept, "bout", bout.shape, dtype)
    loss = loss_rows(
        OUTPUT_KINDS[activation], rows(r), Wout, bout, rows(targets), rows(mask), rows(gr), gWout,
        gbout,
    )  # fmt: skip
    states = x.copy() if with_alpha else x
    back = regularised(recurrence, W_back, inputs, states, r, gr, regulariser, kept)
    g_alpha = alpha_cotangent(recurrence, Trajectory(x, r), gr) if with_alpha else None
    return Gradients(
        loss, back.Omega, back.nelems, back.Win, back.Wrec, back.brec, back.x0, gWout, gbout,
        g_alpha,
    )  # fmt: skip


def regularised(
    recurrence: Recurrence,
    W: Factor,
    inputs: NDArray,
    x: NDArray,
    r: NDArray,
    gr: NDArray,
    regulariser: Regulariser,
    kept: Kept | None,
) -> Regularised:
    """`backward_with_omega` by the factor W of derivatives: D takes the place of gr, q_term that
    of x.
    """
    Win, Wrec, brec, x0, alpha, activation, _ = recurrence
    dtype, D, kind = gr.dtype.type, gr, KINDS[activation]
    total, n_counting, one_alpha = backpropagate_with_omega(
        kind, W, x, r, D, alpha, dtype(regulariser.bound)
    )
    out = Regularised(
        Win=reused(kept, "Win", Win.shape, gr.dtype),
        Wrec=reused(kept, "Wrec", Wrec.shape, gr.dtype),
        brec=reused(kept, "brec", brec.shape, gr.dtype),
        x0=reused(kept, "x0", x0.shape, gr.dtype),
        Omega=total / n_counting if n_counting else np.nan,
        nelems=n_counting / (D.shape[0] * D.shape[1]),
    )  # fmt: skip
    q_term, r0 = x[:-1], reused(kept, "r0", x0.shape, gr.dtype)
    start_gradient(kind, W, x0, alpha, D[0], r0, out.x0)
    weight = dtype(regulariser.lambda_Omega / max(n_counting, 1))
    with_D, scale = (q_term, weight * (1 - alpha[0])) if weight and one_alpha else (r[:0], weight)
    weight_gradients(recurrence, inputs, r, D, r0, with_D, scale, out, kept)
    if weight and not one_alpha:
        out.Wrec[:] += weight * omega_gradient(recurrence, D, q_term)
    return out
