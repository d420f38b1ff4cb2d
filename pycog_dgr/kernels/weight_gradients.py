"""The derivatives of a cost with respect to weights, from those with respect to the states.

    [gWrec, gWin, gbrec]^T = sum_t,trials [r_{t-1} + scale q_term_{t-1}, u_t, 1]^T (alpha D_t)

Symbols stand in interface.py. Units that are silent for some time have no part in the sum for as
long. Where Wrec has few connections (connections.py), the product goes to the columns of its whole
units, and the others have a dot product for each entry.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.arrays import Kept, empty_in_lines, reused, rows
from pycog_dgr.kernels.compilation import compiled, merged
from pycog_dgr.kernels.connections import Connections, add_dots
from pycog_dgr.kernels.listing import SPARE
from pycog_dgr.kernels.outer import add_outer, list_columns, outer_product
from pycog_dgr.kernels.products import full_panels
from pycog_dgr.kernels.tiles import ROWS
from pycog_dgr.kernels.transposes import put_transposed, transpose
from pycog_dgr.kernels.tuples import Recurrence

ROWS_TOGETHER = 128  # steps and trials whose share of a weight gradient is one product
STEPS_OF_ONE = 32  # the same of one trial, in fewer steps of which more units are silent throughout


class Space(NamedTuple):
    """For the sum of some rows (step, trial): a product, and arrays."""

    product: int  # its address
    right: NDArray  # (row, column): r_{t-1} + scale q_term_{t-1}, u_t, 1, and zeros that stay
    left: NDArray  # (row, width): alpha D_t, and zeros that stay
    G: NDArray  # (column, width)
    listing: NDArray  # of columns
    line: NDArray  # two times as long


def space_of(n_trial: int, N: int, Nin: int, dtype: np.dtype, kept: Kept | None = None) -> Space:
    n_rows = STEPS_OF_ONE if n_trial == 1 else ROWS_TOGETHER
    name = f"space of {n_rows} rows"
    n_columns, width = full_panels(N + Nin + 2, dtype), full_panels(N, dtype)
    found = None if kept is None else kept.get(name)
    if found is not None and found.G.shape == (n_columns, width) and found.G.dtype == dtype:
        return found
    longest = n_columns + ROWS + SPARE
    made = Space(
        outer_product(dtype),
        empty_in_lines((n_rows, n_columns), dtype),
        empty_in_lines((n_rows, width), dtype),
        empty_in_lines((n_columns, width), dtype),
        np.empty(longest, np.int64),
        np.empty((2, longest), dtype),
    )
    made.right.fill(0)
    made.left.fill(0)
    if kept is not None:
        kept[name] = made
    return made


def weight_gradients(
    recurrence: Recurrence,
    inputs: NDArray,
    r: NDArray,
    D: NDArray,
    r0: NDArray,
    q_term: NDArray,
    scale: np.floating,
    gWin: NDArray,
    gWrec: NDArray,
    gbrec: NDArray,
    kept: Kept | None = None,
) -> None:
    """Fill in gWin, gWrec and gbrec, the derivatives with respect to Win, Wrec and brec.

    r0 is f(x0), and an empty q_term is zero.
    """
    given = recurrence.alpha, rows(D), r0, rows(r[:-1]), rows(q_term), scale, rows(inputs)
    space = space_of(D.shape[1], len(r0), inputs.shape[2], D.dtype, kept)
    if recurrence.connections is None:
        sum_outer(*given, *space)
        parts(space.G, gWin, gWrec, gbrec)
    else:
        gradients_of_connections(
            recurrence.connections, recurrence.alpha, given, space, gWin, gWrec, gbrec, kept
        )


@compiled
def sum_outer(
    alpha, D, r0, r, q_term, scale, inputs, product, right, left, G, listing, line
):  # fmt: skip
    """G (column, width) <- sum over rows (step, trial) of [r + scale q_term, u, 1, 0]^T (alpha D).

    Of r and q_term a row is that of the step before. Some rows at a time are put side by side into
    `right`, while they are in the cache.
    """
    clear(G)
    n_trial, n_listed = len(D) - len(r), len(r0) + inputs.shape[1] + 1
    for column in range(n_listed):
        listing[column] = column
    for first in range(0, len(D), len(right)):
        size = min(len(right), len(D) - first)
        put_side_by_side(first, size, n_trial, r0, r, q_term, scale, inputs, right)
        put_scaled(alpha, D[first : first + size], left)
        if n_trial == 1:  # units that are silent in many trials together are few
            n_listed = list_columns(right, size, line[0, : right.shape[1]], listing, line[1])
        add_outer(product, right, left, size, listing, n_listed, D.shape[1], G)


@merged
def put_scaled(alpha, D, left):
    """The first columns of `left` <- alpha D."""
    for j in range(D.shape[0]):
        for i in range(D.shape[1]):
            left[j, i] = alpha[i] * D[j, i]


@compiled
def clear(a):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] = 0


@merged
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
def parts(G, gWin, gWrec, gbrec):
    """[gWrec, gWin, gbrec] <- G^T, of G (column, width)."""
    N, Nin = gWin.shape
    put_transposed(G, gWrec)
    for i in range(N):
        for k in range(Nin):
            gWin[i, k] = G[N + k, i]
        gbrec[i] = G[N + Nin, i]


def omega_gradient(recurrence: Recurrence, D: NDArray, q_term: NDArray) -> NDArray:
    alpha = recurrence.alpha[:, np.newaxis]
    return alpha * (1 - alpha) * (rows(D[1:]).T @ rows(q_term))


# --- of connections -------------------------------------------------------------------------------


def gradients_of_connections(
    connections: Connections,
    alpha: NDArray,
    given: tuple,
    space: Space,
    gWin: NDArray,
    gWrec: NDArray,
    gbrec: NDArray,
    kept: Kept | None,
) -> None:
    """The derivatives with respect to Wrec, 0 where it has no connection, Win and brec."""
    N, Nin = gWin.shape
    whole, (starts, columns, flat) = connections.whole, connections.by_post
    dtype, G, n_read = space.G.dtype, space.G, len(whole) + Nin + 1
    space.listing[:n_read] = *whole, *range(N, N + Nin + 1)
    g = np.zeros(len(columns), dtype)
    sum_connections(
        *given, *space, n_read,
        reused(kept, "D_T", (N, ROWS_TOGETHER), dtype),
        reused(kept, "right_T", (space.right.shape[1], ROWS_TOGETHER), dtype),
        starts, columns, g,
    )  # fmt: skip
    gWrec[:] = 0
    gWrec[:, whole] = G[whole, :N].T
    gWrec.flat[flat] = alpha[flat // N] * g
    gWin[:], gbrec[:] = G[N : N + Nin, :N].T, G[N + Nin, :N]


@compiled
def sum_connections(
    alpha, D, r0, r, q_term, scale, inputs, product, right, left, G, listing, line, n_read, D_T,
    right_T, starts, columns, g,
):  # fmt: skip
    """`sum_outer` of the listed columns, and of the entries of the others into g, without alpha."""
    clear(G)
    for first in range(0, len(D), len(right)):
        size = min(len(right), len(D) - first)
        put_side_by_side(first, size, len(D) - len(r), r0, r, q_term, scale, inputs, right)
        some = D[first : first + size]
        put_scaled(alpha, some, left)
        add_outer(product, right, left, size, listing, n_read, D.shape[1], G)
        transpose(some, D_T)
        transpose(right[:size], right_T)
        add_dots(D_T, right_T, size, starts, columns, g)
