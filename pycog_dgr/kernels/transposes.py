"""Matrices transposed in square blocks of one vector's length, in vector registers.

Row by row, every other number would be loaded or stored on its own.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pycog_dgr.kernels.compilation import compiled, merged
from pycog_dgr.kernels.tiles import VECTOR_BYTES


@compiled
def transpose(A, C):
    """C (n, whole vectors) <- A^T, of A (m, n), where n fills a vector at least.

    Columns of C from m on are like those before: what happens to be in memory may be numbers that
    take the processor a hundred times as long.
    """
    m, n = A.shape
    size, A_row, C_row = A.itemsize, A.strides[0], C.strides[0]
    block = VECTOR_BYTES // size
    for i in range(0, C.shape[1], block):
        row = min(i, m - 1)
        for start in range(0, n, block):
            j = min(start, n - block)
            a, c = A.ctypes.data + row * A_row + j * size, C.ctypes.data + j * C_row + i * size
            transposed_block(a, A_row, m - row, c, C_row, block, 0, A)


@compiled
def transpose_to_rows(A, C, keep):
    """C (m, n and what fills a vector) <- A^T, of A (n, m and what fills a vector).

    Added to C where `keep`.
    """
    m, n = C.shape[0], A.shape[0]
    size, A_row, C_row = A.itemsize, A.strides[0], C.strides[0]
    block = VECTOR_BYTES // size
    for i in range(0, n, block):
        for j in range(0, m, block):
            a, c = A.ctypes.data + i * A_row + j * size, C.ctypes.data + j * C_row + i * size
            transposed_block(a, A_row, n - i, c, C_row, m - j, keep, A)


@merged
def put_transposed(A, C):
    """C (n, m) <- A^T, of the first m rows and n columns of A."""
    n, m = C.shape
    size, A_row, C_row = A.itemsize, A.strides[0], C.strides[0]
    block = VECTOR_BYTES // size
    if min(n, m) < block:
        for j in range(n):
            for i in range(m):
                C[j, i] = A[i, j]
        return
    for row in range(0, m, block):  # the last block of each overlaps with the one before
        i = min(row, m - block)
        for column in range(0, n, block):
            j = min(column, n - block)
            a, c = A.ctypes.data + i * A_row + j * size, C.ctypes.data + j * C_row + i * size
            transposed_block(a, A_row, block, c, C_row, block, 0, A)


@intrinsic
def transposed_block(typing, A, A_row, A_rows, C, C_row, C_rows, keep, like):
    """One block; addresses and steps in bytes, of the number type of the array `like`.

    Of fewer rows than a block has, the last one is read, or written last, in place of the others.
    """
    words = [types.intp] * 7

    def generate(context, builder, signature, values):
        emit_block(builder, context.get_value_type(like.dtype), values[:-1])
        return context.get_dummy_value()

    return types.void(*words, like), generate


def emit_block(builder: Any, scalar: Any, values: Any) -> None:
    """Each round interleaves the first half of the rows with the second; log2 of them transpose."""
    A, A_row, A_rows, C, C_row, C_rows, keep = values
    alignment = 4 if isinstance(scalar, ir.FloatType) else 8
    word, n = A.type, VECTOR_BYTES // alignment
    vector, index = ir.VectorType(scalar, n), ir.VectorType(ir.IntType(32), n)

    def row(base: Any, step: Any, rows: Any, m: int) -> Any:
        last = builder.sub(rows, word(1))
        inside = builder.icmp_signed("<", word(m), rows)
        place = builder.mul(builder.select(inside, word(m), last), step)
        return builder.inttoptr(builder.add(base, place), vector.as_pointer())

    def load(pointer: Any) -> Any:
        value = builder.load(pointer)
        value.align = alignment
        return value

    rows = [load(row(A, A_row, A_rows, m)) for m in range(n)]
    halves = [
        ir.Constant(index, [place for k in range(first, first + n // 2) for place in (k, k + n)])
        for first in (0, n // 2)
    ]
    for _ in range(n.bit_length() - 1):
        pairs = zip(rows[: n // 2], rows[n // 2 :], strict=True)
        rows = [builder.shuffle_vector(*pair, half) for pair in pairs for half in halves]
    to = [row(C, C_row, C_rows, m) for m in range(n)]
    with builder.if_else(builder.icmp_signed("!=", keep, word(0))) as (add, overwrite):
        with add:
            added = [builder.fadd(load(one), value) for one, value in zip(to, rows, strict=True)]
            store(builder, added, to, alignment)
        with overwrite:
            store(builder, rows, to, alignment)


def store(builder: Any, rows: list, to: list, alignment: int) -> None:
    """The first row last, after those that are written in its place."""
    for value, pointer in reversed(list(zip(rows, to, strict=True))):
        builder.store(value, pointer).align = alignment
