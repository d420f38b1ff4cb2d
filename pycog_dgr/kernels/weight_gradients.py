"""The derivatives of a cost with respect to weights, from those with respect to the states.

    [gWrec, gWin, gbrec] = sum_t,trials (alpha D_t)^T [r_{t-1} + scale q_term_{t-1}, u_t, 1]

Symbols stand in interface.py. Where Wrec has few connections (connections.py), the product goes to
the columns of its whole units, and the others have a dot product for each entry.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numpy import ACTIVATIONS
from pycog_dgr.kernels.arrays import Kept, reused, rows
from pycog_dgr.kernels.compilation import compiled
from pycog_dgr.kernels.connections import Connections, add_dots, pick
from pycog_dgr.kernels.interface import Cotangents, Recurrence, Regularised
from pycog_dgr.kernels.products import add_outer, full_panels, product_of
from pycog_dgr.kernels.transposes import transpose

HALF = 0.5  # f' of a rectification at 0, in the backward pass
ROWS_TOGETHER = 128  # steps and trials whose share of a weight gradient is one product


def weight_gradients(
    recurrence: Recurrence,
    inputs: NDArray,
    r: NDArray,
    D: NDArray,
    q_term: NDArray,
    scale: np.floating,
    out: Regularised | Cotangents,
    kept: Kept | None = None,
) -> None:
    """Fill in the derivatives with respect to weights, brec and x0; an empty q_term is zero."""
    _, Wrec, _, x0, alpha, activation, connections = recurrence
    f, df = ACTIVATIONS[activation]
    r0, N, Nin = f(x0), len(x0), inputs.shape[2]
    given = rows(D), r0, rows(r[:-1]), rows(q_term), scale, rows(inputs)
    right = reused(kept, "right", (ROWS_TOGETHER, full_panels(N + Nin + 1, D.dtype)), D.dtype)
    if connections is None:
        G = reused(kept, "G", (N, right.shape[1]), D.dtype)
        sum_outer(product_of(D.dtype), *given, right, G)
        scaled_parts(alpha, G, out.Wrec, out.Win, out.brec)
    else:
        gradients_of_connections(connections, alpha, given, right, out, kept)
    D_first = np.sum(D[0], axis=0)
    out.x0[:] = (alpha * D_first) @ Wrec * df(x0, r0, HALF) + (1 - alpha) * D_first


@compiled
def sum_outer(product, D, r0, r, q_term, scale, inputs, right, G):
    """G (N, width) <- sum over rows (step, trial) of D^T [r + scale q_term, u, 1, 0].

    Of r and q_term a row is that of the step before. Some rows at a time are put side by side into
    `right`, while they are in the cache.
    """
    clear(G)
    clear(right)
    for first in range(0, len(D), len(right)):
        size = min(len(right), len(D) - first)
        put_side_by_side(first, size, len(D) - len(r), r0, r, q_term, scale, inputs, right)
        add_outer(product, D[first : first + size], right, size, G)


@compiled
def clear(a):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] = 0


@compiled
def put_side_by_side(first, size, n_trial, r0, r, q_term, scale, inputs, right):
    """The first columns of `right`, for so many rows from `first` on."""
    N = len(r0)
    for j in range(size):
        before = first + j - n_trial
        for i in range(N):
            right[j, i] = r[before, i] if before >= 0 else r0[i]
        if before >= 0 and len(q_term):
            for i in range(N):
                right[j, i] += scale * q_term[before, i]
        for k in range(inputs.shape[1]):
            right[j, N + k] = inputs[first + j, k]
        right[j, N + inputs.shape[1]] = 1


@compiled
def scaled_parts(alpha, G, gWrec, gWin, gbrec):
    """[gWrec, gWin, gbrec] <- diag(alpha) G."""
    N, Nin = gWin.shape
    for i in range(N):
        for j in range(N):
            gWrec[i, j] = alpha[i] * G[i, j]
        for k in range(Nin):
            gWin[i, k] = alpha[i] * G[i, N + k]
        gbrec[i] = alpha[i] * G[i, N + Nin]


# --- of connections -------------------------------------------------------------------------------


def gradients_of_connections(
    connections: Connections,
    alpha: NDArray,
    given: tuple,
    right: NDArray,
    out: Regularised | Cotangents,
    kept: Kept | None,
) -> None:
    """The derivatives with respect to Wrec, 0 where it has no connection, Win and brec."""
    N, Nin = out.Win.shape
    whole, (starts, columns, flat) = connections.whole, connections.by_post
    dtype, n_whole = right.dtype, len(whole)
    read = np.concatenate([whole, np.arange(N, N + Nin + 1)])
    width = full_panels(len(read), dtype)
    G = reused(kept, "G", (N, width), dtype)
    g = np.zeros(len(columns), dtype)
    sum_connections(
        product_of(dtype), *given, right, read,
        reused(kept, "picked", (len(right), width), dtype), G,
        reused(kept, "D_T", (N, len(right)), dtype),
        reused(kept, "right_T", (right.shape[1], len(right)), dtype),
        starts, columns, g,
    )  # fmt: skip
    G *= alpha[:, np.newaxis]
    out.Wrec[:] = 0
    out.Wrec[:, whole] = G[:, :n_whole]
    out.Wrec.flat[flat] = alpha[flat // N] * g
    out.Win[:], out.brec[:] = G[:, n_whole : n_whole + Nin], G[:, n_whole + Nin]


@compiled
def sum_connections(
    product, D, r0, r, q_term, scale, inputs, right, read, picked, G, D_T, right_T, starts,
    columns, g,
):  # fmt: skip
    """`sum_outer` of the columns `read` into G, and of the entries of the others into g."""
    clear(G)
    clear(right)
    clear(picked)
    for first in range(0, len(D), len(right)):
        size = min(len(right), len(D) - first)
        put_side_by_side(first, size, len(D) - len(r), r0, r, q_term, scale, inputs, right)
        some = D[first : first + size]
        pick(right[:size], read, picked)
        add_outer(product, some, picked, size, G)
        transpose(some, D_T)
        transpose(right[:size], right_T)
        add_dots(D_T, right_T, size, starts, columns, g)
