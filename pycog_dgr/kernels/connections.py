"""Recurrent weights of which many are 0 for good, by their connections.

    C[b, i] = sum_j A[b, j] W[i, j]           forward, j goes through presynaptic units
    C[b, j] = sum_i A[b, i] W[i, j]           backward

Each presynaptic unit is connected with few units or with many. The columns of those with many, the
whole ones, make a smaller matrix, which panels multiply (products.py). Of the others only the
entries are multiplied: with A transposed, an entry multiplies a vector of trials,

    C^T[i] = sum over its entries (i, j) of W[i, j] A^T[j]

and the sum of one i is a tile of one row, whose listing says which rows of A^T it is made of. As
many trials at a time as a tile has columns, so that A^T stays in the first-level cache.

Only the entries have a gradient. That is a dot product, over steps and trials, for each of them.

Which columns are whole is decided by the pattern alone, so that a training that is taken up again
goes the same way. Measured on steps of 20 trials (Intel Xeon, float32, November 2026): the entries
of a column take as long as the whole one where the share BREAK_EVEN of it is connected, and the
time lost with transposing is that of TRANSPOSING whole columns.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

import numpy as np
from numba import carray
from numpy.typing import NDArray

from pycog_dgr.kernels.arrays import Kept, reused
from pycog_dgr.kernels.compilation import compiled
from pycog_dgr.kernels.one_row import into_rows, times_both, times_columns, times_rows
from pycog_dgr.kernels.products import (
    Factor,
    address_of,
    call,
    full_panels,
    prepared,
    prepared_scaled,
)
from pycog_dgr.kernels.tiles import PANEL_BYTES, VECTOR_BYTES, tile
from pycog_dgr.kernels.transposes import transpose, transpose_to_rows
from pycog_dgr.kernels.tuples import Connections, Entries, Recurrence

BREAK_EVEN = 0.3 if VECTOR_BYTES == 64 else 0.4  # vectors of 16 and of 8 numbers in float32
TRANSPOSING = 30
LEAST_TRIALS = 8  # fewer would leave most of a vector empty
TILE_LISTED = tile(1, listed="k")


def connections(mask: NDArray) -> Connections | None:
    """Those of a mask (post, pre); None where products with the whole matrix take no longer."""
    saved = BREAK_EVEN - np.mean(mask, axis=0)  # in columns
    is_whole = saved <= 0
    if np.sum(saved, where=~is_whole) < TRANSPOSING:
        return None
    whole, others = np.flatnonzero(is_whole), np.flatnonzero(~is_whole)
    entries, flat = mask & ~is_whole, np.arange(mask.size).reshape(mask.shape)
    return Connections(whole, others, entries_of(entries, flat), entries_of(entries.T, flat.T))


def entries_of(mask: NDArray, flat: NDArray) -> Entries:
    """Row by row, where a mask is true; `flat` says which place that is elsewhere."""
    row, columns = np.nonzero(mask)
    starts = np.searchsorted(row, np.arange(len(mask) + 1))
    return Entries(starts, columns, flat[row, columns])


# --- the factor of a product ----------------------------------------------------------------------

ALL = -1  # in a plan: no list, but all
HEADER = 7


def factor_of_rates(
    recurrence: Recurrence, Wout: NDArray, n_trial: int, kept: Kept | None = None
) -> Factor:
    """[[Wrec, Win], [Wout, 0]]^T, whose rows are units and inputs, for so many trials."""
    Win, Wrec, given = recurrence.Win, recurrence.Wrec, recurrence.connections
    (N, Nin), Nout, dtype = Win.shape, len(Wout), Wrec.dtype
    W = np.concatenate([Wrec, Wout]) if Nout else Wrec
    W_in = np.concatenate([Win, np.zeros((Nout, Nin), dtype)]) if Nout else Win
    if n_trial == 1:
        return times_rows(into_rows(W, W_in, kept=kept), len(W))
    if given is None or n_trial < LEAST_TRIALS:
        return prepared(W, W_in, kept=kept)
    panels = prepared(np.take(W, given.whole, axis=1), W_in, kept=kept)
    read = np.concatenate([given.whole, np.arange(N, N + Nin)])
    entries = with_full_rows(given.by_post, given.others, N, Nout)
    width = full_panels(N + Nout, dtype)
    return mixed_factor(panels, read, None, entries, W.ravel()[entries.flat], N + Nin, width, kept)


def factor_of_derivatives(recurrence: Recurrence, n_trial: int, kept: Kept | None = None) -> Factor:
    """diag(alpha) Wrec, whose rows are postsynaptic units, for so many trials."""
    alpha, Wrec, given = recurrence.alpha, recurrence.Wrec, recurrence.connections
    if n_trial == 1:
        return times_columns(alpha, into_rows(Wrec, kept=kept))
    if given is None or n_trial < LEAST_TRIALS:
        return prepared_scaled(alpha, Wrec, kept)
    entries = given.by_pre
    panels = prepared_scaled(alpha, np.take(Wrec, given.whole, axis=1), kept)
    weights = alpha[entries.columns] * Wrec.ravel()[entries.flat]
    width = full_panels(len(Wrec), Wrec.dtype)
    return mixed_factor(panels, None, given.whole, entries, weights, len(Wrec), width, kept)


def factors(
    recurrence: Recurrence, n_trial: int, kept: Kept | None = None
) -> tuple[Factor, Factor]:
    """Both, without a readout."""
    Win, Wrec = recurrence.Win, recurrence.Wrec
    if n_trial == 1:
        return times_both(recurrence.alpha, into_rows(Wrec, Win, kept=kept), kept)
    return (
        factor_of_rates(recurrence, Wrec[:0], n_trial, kept),
        factor_of_derivatives(recurrence, n_trial, kept),
    )


def with_full_rows(entries: Entries, columns: NDArray, N: int, n_rows: int) -> Entries:
    """The same below N rows of N columns, with further rows that have all of some columns."""
    below = np.arange(N, N + n_rows)[:, np.newaxis]
    return Entries(
        np.append(entries.starts, entries.starts[-1] + len(columns) * (below.ravel() - N + 1)),
        np.append(entries.columns, np.tile(columns, n_rows)),
        np.append(entries.flat, below * N + columns),
    )


def mixed_factor(
    panels: Factor,
    read: NDArray | None,
    written: NDArray | None,
    entries: Entries,
    weights: NDArray,
    size: int,
    width: int,
    kept: Kept | None,
) -> Factor:
    """The sum of a product with panels, which reads and writes some columns (None: all), and one
    with entries; of a factor of `size` rows.
    """
    dtype, n_sums = weights.dtype, len(entries.starts) - 1
    lists = [ALL if one is None else len(one) for one in (read, written)]
    parts = [one for one in (read, written) if one is not None]
    header = [panels.product, panels.values.shape[1], panels.width, *lists, n_sums]
    body = [*parts, entries.starts, entries.columns]
    length = HEADER + sum(map(len, body))
    plan = np.concatenate([[length], header, *body])
    lines = size + n_sums + max(lists[0], 0) + panels.width
    space = reused(kept, f"space of {size}", (lines * (PANEL_BYTES // dtype.itemsize),), dtype)
    return panels._replace(
        product=address_of(mixed, dtype), width=width, listing=plan, space=space, weights=weights
    )


def mixed(
    A, A_row, A_k, n_rows, size, B, B_panel, B_k, n_panels, C, C_row, plan, space, weights, number,
):  # fmt: skip
    """C <- A W; as `products.dense`, and a plan made by `mixed_factor`."""
    product, n_k, width = plan[1], plan[2], plan[3]
    n_read, n_written, n_sums = plan[4], plan[5], plan[6]
    lanes = PANEL_BYTES // A_k
    words = carray(plan, (plan[0],))
    read, words = words[HEADER : HEADER + max(n_read, 0)], words[HEADER + max(n_read, 0) :]
    written, words = words[: max(n_written, 0)], words[max(n_written, 0) :]
    starts, columns = words[: n_sums + 1], words[n_sums + 1 :]
    factors = carray(weights, (len(columns),))
    lines = carray(space, (size + n_sums + len(read) + width, lanes))
    transposed, sums = lines[:size], lines[size : size + n_sums]
    picked = lines[size + n_sums : size + n_sums + len(read)].reshape((lanes, len(read)))
    apart = lines[size + n_sums + len(read) :].reshape((lanes, width))
    given, result = carray(A, (n_rows, A_row // A_k)), carray(C, (n_rows, C_row // A_k))
    for first in range(0, n_rows, lanes):
        a, c = given[first : first + lanes], result[first : first + lanes]
        left, to = a, c
        if n_read != ALL:
            pick(a, read, picked)
            left = picked
        if n_written != ALL:
            to = apart
        call(
            product, left.ctypes.data, left.strides[0], A_k, len(a), n_k,
            B, n_k * PANEL_BYTES, PANEL_BYTES, width // lanes, to.ctypes.data, to.strides[0],
            0, 0, 0, left,
        )  # fmt: skip
        transpose(a, transposed)
        sums_of_entries(starts, columns, factors, transposed, sums, number)
        transpose_to_rows(sums, c, n_written == ALL)
        if n_written != ALL:
            place(apart, written, c)


@compiled
def pick(a, columns, picked):
    """Some columns of the rows of a, side by side."""
    for b in range(a.shape[0]):
        for k in range(len(columns)):
            picked[b, k] = a[b, columns[k]]


@compiled
def place(picked, columns, c):
    """The other way round, into the rows of c."""
    for b in range(c.shape[0]):
        for k in range(len(columns)):
            c[b, columns[k]] = picked[b, k]


@compiled
def sums_of_entries(starts, columns, weights, A_T, sums, number):
    """Sums (row, trial) <- S A^T, of the entries of S row by row."""
    size, lane = A_T.itemsize, A_T.strides[0]
    for i in range(len(sums)):
        first = starts[i]
        TILE_LISTED(
            weights.ctypes.data + first * size, 0, size, A_T.ctypes.data, lane,
            columns.ctypes.data + first * columns.itemsize, starts[i + 1] - first,
            sums.ctypes.data + i * lane, 0, number,
        )  # fmt: skip


# --- the gradient ---------------------------------------------------------------------------------


@compiled
def add_dots(D_T, r_T, n_rows, starts, columns, g):
    """g (entry,) += the dot products of rows of D_T (post, row) and r_T (pre, row), of each entry.

    Four of them together, which read the same row of D_T.
    """
    zero = g.dtype.type(0)
    for i in range(len(starts) - 1):
        d, e, end = D_T[i], starts[i], starts[i + 1]
        while e + 4 <= end:
            r0, r1, r2, r3 = (
                r_T[columns[e]], r_T[columns[e + 1]], r_T[columns[e + 2]], r_T[columns[e + 3]],
            )  # fmt: skip
            g0, g1, g2, g3 = zero, zero, zero, zero
            for k in range(n_rows):
                g0 += d[k] * r0[k]
                g1 += d[k] * r1[k]
                g2 += d[k] * r2[k]
                g3 += d[k] * r3[k]
            g[e] += g0
            g[e + 1] += g1
            g[e + 2] += g2
            g[e + 3] += g3
            e += 4
        for rest in range(e, end):
            r0, g0 = r_T[columns[rest]], zero
            for k in range(n_rows):
                g0 += d[k] * r0[k]
            g[rest] += g0
