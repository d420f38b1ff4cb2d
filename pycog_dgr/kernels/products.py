"""Products with a matrix that stays the same, as a recurrence has them at every time step.

    C[m, n] = sum_k A[m, k] W[k, n]

BLAS rearranges both factors at every call. Here W is prepared once, as a Factor, in the form that
its product reads:

    dense    panels (panel, k, columns of a panel), with zeros after the last column

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
from numba import cfunc, from_dtype, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numba import FASTMATH, compiled
from pycog_dgr.kernels.tiles import PANEL_BYTES, ROWS, tile

TILE_ALL, TILE_4, TILE_2, TILE_1 = tile(ROWS), tile(4), tile(2), tile(1)


class Factor(NamedTuple):
    """A matrix W (k, n), prepared to be multiplied from the left many times."""

    product: int  # address of the compiled product
    values: NDArray  # (panel, k, columns of a panel)
    width: int  # numbers in a row of the result, n and what fills the last panel


def prepared(*matrices: NDArray) -> Factor:
    """The Factor W (k, n) whose rows are the columns of `matrices`, each (n, some of k)."""
    n, dtype = len(matrices[0]), matrices[0].dtype
    size = sum(matrix.shape[1] for matrix in matrices)
    W = np.zeros((size, full_panels(n, dtype)), dtype)
    np.concatenate([matrix.T for matrix in matrices], out=W[:, :n])
    panels = W.reshape(size, -1, PANEL_BYTES // dtype.itemsize).transpose(1, 0, 2)
    return Factor(address_of(dense, dtype), np.ascontiguousarray(panels), W.shape[1])


def full_panels(columns: int, dtype: np.dtype) -> int:
    """Columns, with those that fill the last panel."""
    in_one = PANEL_BYTES // dtype.itemsize
    return -(-columns // in_one) * in_one


def product_of(dtype: np.dtype) -> int:
    """The address of the product with panels, for `add_outer`."""
    return address_of(dense, dtype)


# --- in compiled loops ----------------------------------------------------------------------------


@compiled
def times_factor(A, n_rows, W, C):
    """C <- A W, of the first rows of A (m, k) and C (m, W.width), both in C order."""
    size = A.itemsize
    call(
        W.product, A.ctypes.data, A.shape[1] * size, size, n_rows, A.shape[1],
        W.values.ctypes.data, A.shape[1] * PANEL_BYTES, PANEL_BYTES, W.width * size // PANEL_BYTES,
        C.ctypes.data, W.width * size, 0, A,
    )  # fmt: skip


@compiled
def add_outer(product, A, B, n_rows, C):
    """C <- C + A^T B of the first rows of A (k, m) and B (k, n), whose rows are whole panels."""
    size = A.itemsize
    call(
        product, A.ctypes.data, size, A.shape[1] * size, A.shape[1], n_rows,
        B.ctypes.data, PANEL_BYTES, B.shape[1] * size, B.shape[1] * size // PANEL_BYTES,
        C.ctypes.data, C.shape[1] * size, 1, A,
    )  # fmt: skip


WORDS = 12  # integers that every product is called with


@intrinsic
def call(
    typing, product, A, A_row, A_k, n_rows, size, B, B_panel, B_k, n_panels, C, C_row, keep, like
):
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
    signature = types.void(*[types.intp] * WORDS, from_dtype(dtype))
    return cfunc(signature, cache=True, error_model="numpy", fastmath=FASTMATH)(function)


def address_of(function: Callable[..., None], dtype: np.dtype) -> int:
    return compiled_product(function, dtype).address


def dense(A, A_row, A_k, n_rows, size, B, B_panel, B_k, n_panels, C, C_row, keep, number):
    """All tiles, C (+)= A B; addresses and steps in bytes."""
    for p in range(n_panels):
        b, c = B + p * B_panel, C + p * PANEL_BYTES
        m = 0
        while m + ROWS <= n_rows:
            a, to = A + m * A_row, c + m * C_row
            TILE_ALL(a, A_row, A_k, b, B_k, 0, size, to, C_row, keep, number)
            m += ROWS
        if m + 4 <= n_rows:
            a, to = A + m * A_row, c + m * C_row
            TILE_4(a, A_row, A_k, b, B_k, 0, size, to, C_row, keep, number)
            m += 4
        if m + 2 <= n_rows:
            a, to = A + m * A_row, c + m * C_row
            TILE_2(a, A_row, A_k, b, B_k, 0, size, to, C_row, keep, number)
            m += 2
        if m < n_rows:
            a, to = A + m * A_row, c + m * C_row
            TILE_1(a, A_row, A_k, b, B_k, 0, size, to, C_row, keep, number)
