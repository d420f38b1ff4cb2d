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
from pycog_dgr.kernels.normals_numba import normals, some_normals
from pycog_dgr.kernels.polar_numba import polar
from pycog_dgr.kernels.readout_numba import OUTPUT_KINDS, loss_gradient, loss_rows, outputs
from pycog_dgr.kernels.tuples import (
    Cotangents,
    Gradients,
    Omega,
    Readout,
    Recurrence,
    Regulariser,
    Trajectory,
)
from pycog_dgr.kernels.weight_gradients import omega_gradient, weight_gradients
from pycog_dgr.kernels.weights_numba import effective, raw_gradient, subtract, sum_of_squares

__all__ = [
    "alpha_cotangent", "backward", "connections", "effective", "forward", "gradients",
    "loss_gradient", "normals", "omega", "omega_gradient", "outputs", "polar", "raw_gradient",
    "run", "some_normals", "subtract", "sum_of_squares",
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
    weight_gradients(
        recurrence, inputs, r, out.D, r0, r[:0], gr.dtype.type(0), out.Win, out.Wrec, out.brec
    )
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
    Win, Wrec, brec, x0, alpha, activation, _ = recurrence
    Wout, bout, output_activation = readout
    shape, dtype, kind = noise.shape, noise.dtype, KINDS[activation]
    x, r, gr = (reused(kept, name, shape, dtype) for name in ("x", "r", "gr"))
    gWin, gWrec, gbrec, gx0, gWout, gbout, r0 = (
        reused(kept, name, like.shape, dtype)
        for name, like in (
            ("Win", Win), ("Wrec", Wrec), ("brec", brec), ("x0", x0), ("Wout", Wout),
            ("bout", bout), ("r0", x0),
        )
    )  # fmt: skip
    W, W_back = factors(recurrence, shape[1], kept)
    integrate_batch(recurrence, W, inputs, noise, x, r)
    loss = loss_rows(
        OUTPUT_KINDS[output_activation], rows(r), Wout, bout, rows(targets), rows(mask), rows(gr),
        gWout, gbout,
    )  # fmt: skip
    D, q_term = gr, x.copy() if with_alpha else x  # which take their places
    total, n_counting, one_alpha = backpropagate_with_omega(
        kind, W_back, q_term, r, D, alpha, dtype.type(regulariser.bound)
    )
    start_gradient(kind, W_back, x0, alpha, D[0], r0, gx0)
    weight, q_term = dtype.type(regulariser.lambda_Omega / max(n_counting, 1)), q_term[:-1]
    with_D, scale = (q_term, weight * (1 - alpha[0])) if weight and one_alpha else (r[:0], weight)
    weight_gradients(recurrence, inputs, r, D, r0, with_D, scale, gWin, gWrec, gbrec, kept)
    if weight and not one_alpha:
        gWrec[:] += weight * omega_gradient(recurrence, D, q_term)
    g_alpha = alpha_cotangent(recurrence, Trajectory(x, r), D) if with_alpha else None
    Omega = total / n_counting if n_counting else np.nan
    nelems = n_counting / (shape[0] * shape[1])
    return Gradients(loss, Omega, nelems, gWin, gWrec, gbrec, gx0, gWout, gbout, g_alpha)
