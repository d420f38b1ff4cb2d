"""Sums of outer products, as the derivatives with respect to weights are.

    C[l, n] += sum_k A[k, l] B[k, n]        l of a list

Rows that are not in the list, since A is 0 there, cost nothing: a unit that is silent for a while
gives no derivative with respect to what it sends.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

import numpy as np

from pycog_dgr.kernels.compilation import merged
from pycog_dgr.kernels.listing import list_non_zeros
from pycog_dgr.kernels.products import address, address_of, call
from pycog_dgr.kernels.tiles import PANEL_BYTES, ROWS, VECTOR_BYTES, VECTORS, tile

TILE = tile(ROWS, listed="rows", adds=True)
HALF = tile(ROWS, listed="rows", adds=True, vectors=1)


def outer_product(dtype: np.dtype) -> int:
    """The address of the compiled product, for `add_outer`."""
    return address_of(outer, dtype)


@merged
def add_outer(product, A, B, n_rows, listing, n_listed, n, C):
    """C (l, n) += A^T B of the first rows of A (k, l) and B (k, n), whose rows are whole panels.

    The first n columns count. Up to the next whole tile the list is filled with the last l, of
    which A is 0.
    """
    size, row = A.itemsize, B.shape[1] * B.itemsize
    for m in range(n_listed, -(-n_listed // ROWS) * ROWS):
        listing[m] = A.shape[1] - 1
    call(
        product, A.ctypes.data, size, A.shape[1] * size, n_listed, n_rows,
        B.ctypes.data, PANEL_BYTES, row, -(-n * size // VECTOR_BYTES),
        C.ctypes.data, row, listing.ctypes.data, 0, 0, A,
    )  # fmt: skip


@merged
def list_columns(A, n_rows, seen, listing, values):
    """Which columns of the first rows of A (k, l) are not all 0, into a list; how many.

    `seen` (l,) and `values`, as long as the list, are for the function itself.
    """
    one, columns = A.dtype.type(1), A.shape[1]
    seen[:] = 0
    for k in range(n_rows):
        for i in range(columns):
            seen[i] = one if A[k, i] != 0 else seen[i]
    return list_non_zeros(seen, listing, values)


def outer(
    A, A_row, A_k, n_rows, size, B, B_panel, B_k, n_vectors, C, C_row, listing, space, weights,
    number,
):  # fmt: skip
    """As `products.dense`, of whole tiles of rows in the list and so many vectors in a row."""
    first, result, places = address(A), address(C), address(listing)
    for p in range(-(-n_vectors // VECTORS)):
        b, c = B + p * B_panel, result + p * PANEL_BYTES
        for m in range(0, n_rows, ROWS):
            if VECTORS * (p + 1) <= n_vectors:
                TILE(first, A_row, A_k, b, B_k, places + 8 * m, size, c, C_row, number)
            else:
                HALF(first, A_row, A_k, b, B_k, places + 8 * m, size, c, C_row, number)
