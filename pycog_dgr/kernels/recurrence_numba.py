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
    backpropagate,
    backpropagate_with_omega,
    omega_pass,
    sum_of_changes,
)
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
from pycog_dgr.kernels.normals_numba import normals, some_normals
from pycog_dgr.kernels.polar_numba import polar
from pycog_dgr.kernels.readout_numba import loss_gradient, outputs
from pycog_dgr.kernels.weight_gradients import weight_gradients
from pycog_dgr.kernels.weights_numba import effective, raw_gradient, subtract, sum_of_squares

__all__ = [
    "alpha_cotangent", "backward", "backward_with_omega", "connections", "effective", "forward",
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
