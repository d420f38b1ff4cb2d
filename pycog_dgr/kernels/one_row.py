"""Products of one row A with a matrix that stays the same: one trial at a time.

Reading the matrix takes all their time. A loop forward and one backward read the same array,

    rows (k, n and zeros up to whole panels)

    C[n] = sum_k A[k] rows[k, n]              k where A is not 0: half of the units of a rectified
                                              network are silent
    C[k] = sum_n factor[n] A[n] rows[k, n]    k where C is wanted

The first one goes through all rows once for each part of a row, as many columns as the registers
hold sums for, or a few less, so that all parts are about as long.

The array does not fit into the first-level cache. Every other product goes through it backwards,
and so begins with what the last one has left there; no sum is taken in another order for that.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import carray
from numpy.typing import NDArray

from pycog_dgr.kernels.arrays import Kept, reused
from pycog_dgr.kernels.compilation import compiled, inner
from pycog_dgr.kernels.dots import dots
from pycog_dgr.kernels.listing import SPARE, list_non_zeros
from pycog_dgr.kernels.products import Factor, address, address_of, full_panels
from pycog_dgr.kernels.tiles import HAS_AVX512, PANEL_BYTES, VECTOR_BYTES, tile
from pycog_dgr.kernels.transposes import transpose

TWO, THREE, FOUR = (tile(1, listed="k", vectors=vectors) for vectors in (2, 3, 4))
MOST = 4 if HAS_AVX512 else 3  # vectors of a row in one tile, whose sums fit into the registers
TOGETHER = 8  # dot products
DOTS = dots(TOGETHER)
HEADER = 5  # numbers of a listing before its list


def into_rows(*matrices: NDArray, kept: Kept | None = None) -> NDArray:
    """Rows (k, width) <- the columns of `matrices`, each (n, some of k)."""
    n, dtype = len(matrices[0]), matrices[0].dtype
    size = sum(matrix.shape[1] for matrix in matrices)
    rows = reused(kept, "rows", (size, full_panels(n, dtype)), dtype)
    first = 0
    for matrix in matrices:
        put_into_rows(matrix, rows[first : first + matrix.shape[1]])
        first += matrix.shape[1]
    return rows


@compiled
def put_into_rows(W, rows):
    """Rows (k, width) <- W^T, of W (n, k), and zeros."""
    n, size = W.shape
    if size >= VECTOR_BYTES // W.itemsize:
        transpose(W, rows)
    else:
        for i in range(n):
            for k in range(size):
                rows[k, i] = W[i, k]
    for k in range(size):
        for i in range(n, rows.shape[1]):
            rows[k, i] = 0


def times_rows(rows: NDArray, n: int) -> Factor:
    """The Factor whose product with one row A (1, k) is the first one above; of n columns."""
    return factor_of_rows(sum_of_rows, rows, rows.shape[1], 0, n)


def times_columns(factor: NDArray, rows: NDArray) -> Factor:
    """The Factor whose product with one row A (1, n), by `times_some`, is the second one."""
    made = factor_of_rows(chosen_dots, rows, len(rows), len(factor), len(factor))
    made.space[: len(factor)] = factor
    return made


def times_both(factor: NDArray, rows: NDArray, kept: Kept | None = None) -> tuple[Factor, Factor]:
    """Both; of the first len(factor) rows the second one."""
    n = len(factor)
    made = None if kept is None else kept.get("factors of rows")
    if made is None or made[0] is not rows or made[1] != n:
        made = rows, n, times_rows(rows, n), times_columns(factor, rows[:n])
        if kept is not None:
            kept["factors of rows"] = made
    *_, first, second = made
    second.space[:n] = factor
    return first, second


def factor_of_rows(
    product: Callable[..., None], rows: NDArray, width: int, n_factor: int, n: int
) -> Factor:
    """Its listing holds which way the product goes next, how many vectors n numbers fill, into how
    many parts these are divided for tiles, how long the shortest is, how many have one more, and a
    list; its space the factor, and what is not 0.
    """
    longest, dtype = max(rows.shape) + SPARE, rows.dtype
    listing, space = np.zeros(HEADER + longest, np.int64), np.zeros(n_factor + longest, dtype)
    n_vectors = -(-n * dtype.itemsize // VECTOR_BYTES)
    n_parts = -(-n_vectors // MOST)
    listing[1:HEADER] = n_vectors, n_parts, n_vectors // n_parts, n_vectors % n_parts
    return Factor(
        address_of(product, dtype), rows[np.newaxis], PANEL_BYTES, rows.strides[0], width, listing,
        space, np.empty(0, dtype),
    )  # fmt: skip


# --- the products ---------------------------------------------------------------------------------


@inner
def turned(way):
    """Whether this product goes backwards; the next one goes the other way."""
    back = way[0] != 0
    way[0] = 0 if back else 1
    return back


def sum_of_rows(
    A, A_row, A_k, n_rows, size, B, B_panel, B_k, n_panels, C, C_row, listing, space, weights,
    number,
):  # fmt: skip
    """C <- A B of a single row A; as `products.dense`. 0 inf is 0."""
    numbers, values = carray(listing, (HEADER + size + SPARE,)), carray(space, (size + SPARE,))
    back, n_parts, shortest, n_longer = turned(numbers), numbers[2], numbers[3], numbers[4]
    places, result = numbers[HEADER:], address(C)
    count = list_non_zeros(carray(A, (size,)), places, values)
    for p in range(n_parts):
        q = n_parts - 1 - p if back else p
        first, length = q * shortest + min(q, n_longer), shortest + (q < n_longer)
        a, b, c = values.ctypes.data, B + first * VECTOR_BYTES, result + first * VECTOR_BYTES
        if length == 4:
            FOUR(a, 0, A_k, b, B_k, places.ctypes.data, count, c, C_row, number)
        elif length == 3:
            THREE(a, 0, A_k, b, B_k, places.ctypes.data, count, c, C_row, number)
        else:  # a row that fills one vector alone has a second one of zeros
            TWO(a, 0, A_k, b, B_k, places.ctypes.data, count, c, C_row, number)


def chosen_dots(
    A, A_row, A_k, n_rows, size, B, B_panel, B_k, n_columns, C, C_row, listing, space, wanted,
    number,
):  # fmt: skip
    """C <- the dot products of factor A, of a single row A, with the rows of B where `wanted` is
    not 0; elsewhere 0.
    """
    longest = max(n_columns, size) + SPARE
    numbers = carray(listing, (HEADER + n_columns + SPARE,))
    given = carray(space, (size + longest,))
    back, n_vectors, places = turned(numbers), numbers[1], numbers[HEADER:]
    factor, row, a, c = given[:size], given[size:], carray(A, (size,)), carray(C, (n_columns,))
    found = list_non_zeros(carray(wanted, (n_columns,)), places, row)
    places[found : found + TOGETHER] = places[0]  # those that fill the last few
    for k in range(size):
        row[k] = factor[k] * a[k]
    row[size : size + SPARE] = 0  # up to the end of a vector
    for k in range(n_columns):
        c[k] = 0
    for j in range(0, found, TOGETHER):
        first = (found - 1) // TOGETHER * TOGETHER - j if back else j
        listed = places.ctypes.data + 8 * first
        DOTS(row.ctypes.data, B, B_k, listed, n_vectors, address(C), number)
