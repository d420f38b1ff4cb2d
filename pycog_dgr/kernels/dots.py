"""Dot products of one row with some rows of a matrix, together, summed in vector registers.

C[i] = sum_k A[k] B[i, k]       a few i of a list
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

import functools
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pycog_dgr.kernels.tiles import VECTOR_BYTES, multiply_add


@functools.cache
def dots(together: int) -> Any:
    """The function that computes so many.

    dots(A, B, row step, list, vectors in a row, C, number): addresses and steps in bytes; the list
    holds row numbers of 64 bits, and `number` shows the number type.
    """

    @intrinsic
    def compute(typing, A, B, B_row, listing, n_vectors, C, number):
        words = [types.intp] * 6

        def generate(context, builder, signature, values):
            emit_dots(builder, context.get_value_type(signature.args[-1]), together, values[:-1])
            return context.get_dummy_value()

        return types.void(*words, number), generate

    return compute


def emit_dots(builder: Any, scalar: Any, together: int, values: Any) -> None:
    """Instructions: a loop over the vectors of a row, of which there is one at least."""
    A, B, B_row, listing, n_vectors, C = values
    size = 4 if isinstance(scalar, ir.FloatType) else 8
    word, vector = n_vectors.type, ir.VectorType(scalar, VECTOR_BYTES // size)

    def at(base: Any, offset: Any, kind: Any) -> Any:
        return builder.inttoptr(builder.add(base, offset), kind.as_pointer())

    def load(base: Any, offset: Any) -> Any:
        value = builder.load(at(base, offset, vector))
        value.align = size
        return value

    places = [builder.load(at(listing, word(8 * m), word)) for m in range(together)]
    rows = [builder.add(B, builder.mul(place, B_row)) for place in places]
    before, body = builder.block, builder.append_basic_block("vectors")
    builder.branch(body)
    builder.position_at_end(body)
    k = builder.phi(word)
    sums = [builder.phi(vector) for _ in rows]
    offset = builder.mul(k, word(VECTOR_BYTES))
    a = load(A, offset)
    later = [
        multiply_add(builder, vector, a, load(row, offset), total)
        for row, total in zip(rows, sums, strict=True)
    ]
    following = builder.add(k, word(1))
    k.add_incoming(word(0), before)
    k.add_incoming(following, body)
    for total, added in zip(sums, later, strict=True):
        total.add_incoming(ir.Constant(vector, [0.0] * vector.count), before)
        total.add_incoming(added, body)
    after = builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed("<", following, n_vectors), body, after)
    builder.position_at_end(after)
    for place, added in zip(places, later, strict=True):
        total = sum_of_lanes(builder, scalar, added)
        builder.store(total, at(C, builder.mul(place, word(size)), scalar)).align = size


def sum_of_lanes(builder: Any, scalar: Any, vector: Any) -> Any:
    """One number from a vector, in whatever order is fast."""
    letter = "f32" if isinstance(scalar, ir.FloatType) else "f64"
    kind = ir.FunctionType(scalar, [scalar, vector.type])
    name = f"llvm.vector.reduce.fadd.v{vector.type.count}{letter}"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, [ir.Constant(scalar, 0.0), vector], fastmath=("reassoc", "nsz"))
