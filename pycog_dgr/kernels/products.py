"""Products with a matrix that stays the same, as a recurrence has them at every time step.

    C[m, n] = sum_k A[m, k] W[k, n]

BLAS rearranges both factors at every call. Here W is prepared once, as a Factor, in the form that
its product reads: panels (panel, k, columns of a panel), with zeros after the last column. One row
A is multiplied by other products, those of one_row.py; few connections by those of connections.py.

A product is compiled once for each number type and called by its address. Loops that use it would
otherwise each be compiled with a copy of its instructions, which takes longer than all the rest.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import carray, from_dtype, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from pycog_dgr.kernels.arrays import Kept, reused
from pycog_dgr.kernels.compilation import compiled, compiled_address, inner
from pycog_dgr.kernels.tiles import PANEL_BYTES, ROWS, tile

TILE_ALL, TILE_4, TILE_2, TILE_1 = tile(ROWS), tile(4), tile(2), tile(1)
HALF = tile(ROWS, vectors=1)


class Factor(NamedTuple):
    """A matrix W (k, n), prepared to be multiplied from the left many times."""

    product: int  # address of the compiled product
    values: NDArray  # of three dimensions
    panel_step: int  # bytes from one panel to the next
    k_step: int  # and from one k
    width: int  # numbers in a row of the result, n and what fills the last panel
    listing: NDArray  # whole numbers, for the product itself
    space: NDArray  # numbers, for the product itself
    weights: NDArray  # of mixed_factor, otherwise empty


class Words(NamedTuple):
    """A Factor as a loop keeps it: passing on its arrays took longer than some products."""

    product: int
    values: int  # addresses
    panel_step: int
    k_step: int
    width: int
    listing: int
    space: int
    weights: int


def factor_of_panels(panels: NDArray, n: int) -> Factor:
    """Of panels whose columns beyond n are zeros."""
    _, size, columns = panels.shape
    return Factor(
        product_with_panels(n, panels.dtype), panels, size * PANEL_BYTES, PANEL_BYTES,
        len(panels) * columns, np.empty(0, np.int64), *np.empty((2, 0), panels.dtype),
    )  # fmt: skip


def product_with_panels(n: int, dtype: np.dtype) -> int:
    """The address of the product with panels of n columns."""
    columns = PANEL_BYTES // dtype.itemsize
    needs_half = 0 < n % columns <= columns // 2
    return address_of(dense_to_half if needs_half else dense, dtype)


def with_own_space(W: Factor) -> Factor:
    """The same matrix for another product at the same time, as of another thread."""
    return W._replace(listing=W.listing.copy(), space=W.space.copy())


def prepared(*matrices: NDArray, kept: Kept | None = None) -> Factor:
    """The Factor W (k, n) whose rows are the columns of `matrices`, each (n, some of k).

    `kept` serves for its array.
    """
    n, dtype = len(matrices[0]), matrices[0].dtype
    size, width = sum(matrix.shape[1] for matrix in matrices), full_panels(n, dtype)
    columns = PANEL_BYTES // dtype.itemsize
    panels = reused(kept, "panels", (width // columns, size, columns), dtype)
    first = 0
    for matrix in matrices:
        into_panels(matrix, first, panels)
        first += matrix.shape[1]
    return factor_of_panels(panels, n)


def prepared_scaled(factor: NDArray, W: NDArray, kept: Kept | None = None) -> Factor:
    """The Factor diag(factor) W (k, n)."""
    width, in_one = full_panels(W.shape[1], W.dtype), PANEL_BYTES // W.itemsize
    panels = reused(kept, "scaled panels", (width // in_one, len(W), in_one), W.dtype)
    scaled_into_panels(factor, W, panels)
    return factor_of_panels(panels, W.shape[1])


@compiled
def into_panels(W_T, first, panels):
    """The rows of panels (panel, k, columns) from `first` on <- W_T^T, of W_T (n, some of k)."""
    n, size = W_T.shape
    n_panels, _, columns = panels.shape
    for p in range(n_panels):
        for c in range(columns):
            i = p * columns + c
            if i < n:
                for k in range(size):
                    panels[p, first + k, c] = W_T[i, k]
            else:
                for k in range(size):
                    panels[p, first + k, c] = 0


@compiled
def scaled_into_panels(factor, W, panels):
    """Panels (panel, k, columns) <- diag(factor) W, of W (k, n)."""
    size, n = W.shape
    n_panels, _, columns = panels.shape
    for p in range(n_panels):
        m = min(columns, n - p * columns)
        for k in range(size):
            for c in range(m):
                panels[p, k, c] = factor[k] * W[k, p * columns + c]
            for c in range(m, columns):
                panels[p, k, c] = 0


def full_panels(columns: int, dtype: np.dtype) -> int:
    """Columns, with those that fill the last panel."""
    in_one = PANEL_BYTES // dtype.itemsize
    return -(-columns // in_one) * in_one


# --- in compiled loops ----------------------------------------------------------------------------


@compiled
def words_of(W):
    return Words(
        W.product, W.values.ctypes.data, W.panel_step, W.k_step, W.width, W.listing.ctypes.data,
        W.space.ctypes.data, W.weights.ctypes.data,
    )  # fmt: skip


@inner
def times_factor(A, n_rows, W, C):
    """C <- A W, of the first rows of A (m, k) and C (m, W.width), both in C order; W as Words."""
    size = A.itemsize
    call(
        W.product, A.ctypes.data, A.shape[1] * size, size, n_rows, A.shape[1],
        W.values, W.panel_step, W.k_step, W.width * size // PANEL_BYTES,
        C.ctypes.data, W.width * size, W.listing, W.space, W.weights, A,
    )  # fmt: skip


@inner
def times_some(A, n_rows, W, wanted, C):
    """`times_factor` where `wanted` (m, n) is not 0; elsewhere that, or 0."""
    if n_rows == 1:
        size = A.itemsize
        call(
            W.product, A.ctypes.data, 0, size, 1, A.shape[1],
            W.values, 0, W.k_step, wanted.shape[1], C.ctypes.data, 0,
            W.listing, W.space, wanted.ctypes.data, A,
        )  # fmt: skip
    else:
        times_factor(A, n_rows, W, C)


WORDS = 14  # integers that every product is called with


@intrinsic
def call(
    typing, product, A, A_row, A_k, n_rows, size, B, B_panel, B_k, n_panels, C, C_row, listing,
    space, weights, like,
):  # fmt: skip
    """Call the product at an address, for the number type of the array `like`."""

    def generate(context, builder, signature, values):
        word, number = ir.IntType(64), context.get_value_type(like.dtype)
        kind = ir.FunctionType(ir.VoidType(), [word] * WORDS + [number])
        function = builder.inttoptr(values[0], kind.as_pointer())
        builder.call(function, [*values[1 : WORDS + 1], ir.Constant(number, 0)])
        return context.get_dummy_value()

    return types.void(*[types.intp] * (WORDS + 1), like), generate


# --- the products ---------------------------------------------------------------------------------


@functools.cache
def compiled_product(function: Callable[..., None], dtype: np.dtype) -> Any:
    number, word = from_dtype(dtype), types.intp
    numbers = types.CPointer(number)
    signature = types.void(
        numbers, *[word] * 8, numbers, word, types.CPointer(word), numbers, numbers, number
    )
    return compiled_address(signature, function)


def address_of(function: Callable[..., None], dtype: np.dtype) -> int:
    return compiled_product(function, dtype).address


@compiled
def address(pointer):
    return carray(pointer, (1,)).ctypes.data


def dense(
    A, A_row, A_k, n_rows, size, B, B_panel, B_k, n_panels, C, C_row, listing, space, weights,
    number,
):  # fmt: skip
    """All tiles, C <- A B; steps, and the address B, in bytes."""
    first, result = address(A), address(C)
    never = n_panels < 0  # a plain False would compile another version of times_panel
    for p in range(n_panels):
        b, c = B + p * B_panel, result + p * PANEL_BYTES
        times_panel(first, A_row, A_k, n_rows, size, b, B_k, never, c, C_row, number)


def dense_to_half(
    A, A_row, A_k, n_rows, size, B, B_panel, B_k, n_panels, C, C_row, listing, space, weights,
    number,
):  # fmt: skip
    """`dense`, but what the second half of the last panel gives is of no use."""
    first, result = address(A), address(C)
    for p in range(n_panels):
        b, c, is_last = B + p * B_panel, result + p * PANEL_BYTES, p == n_panels - 1
        times_panel(first, A_row, A_k, n_rows, size, b, B_k, is_last, c, C_row, number)


@inner
def times_panel(A, A_row, A_k, n_rows, size, b, B_k, half_counts, c, C_row, number):
    """The columns of one panel, or those of its first half, and perhaps the others."""
    m = 0
    while m + ROWS <= n_rows:
        if half_counts:
            HALF(A + m * A_row, A_row, A_k, b, B_k, 0, size, c + m * C_row, C_row, number)
        else:
            TILE_ALL(A + m * A_row, A_row, A_k, b, B_k, 0, size, c + m * C_row, C_row, number)
        m += ROWS
    if m + 4 <= n_rows:
        TILE_4(A + m * A_row, A_row, A_k, b, B_k, 0, size, c + m * C_row, C_row, number)
        m += 4
    if m + 2 <= n_rows:
        TILE_2(A + m * A_row, A_row, A_k, b, B_k, 0, size, c + m * C_row, C_row, number)
        m += 2
    if m < n_rows:
        TILE_1(A + m * A_row, A_row, A_k, b, B_k, 0, size, c + m * C_row, C_row, number)
