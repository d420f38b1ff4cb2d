"""Tiles of matrix products: some rows times a panel of columns, summed in vector registers.

    C[m, n] = sum_k A[m, k] B[k, n]        a few rows m, the columns n of one panel, all k

The tile is written out in LLVM's vector instructions, since compilers do not keep so many sums in
registers on their own. Vectors are as long as the processor's. products.py makes products of tiles.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

import functools
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic


def has_avx512() -> bool:
    """Whether Numba compiles for a processor with AVX-512, which its settings may rule out.

    What is kept on disk is found by those settings, so they alone may decide.
    """
    if config.CPU_FEATURES is not None:
        return "+avx512f" in config.CPU_FEATURES.split(",")
    try:
        features = llvm.get_host_cpu_features()
    except RuntimeError:  # where LLVM cannot tell, Numba assumes none
        return False
    return bool(config.ENABLE_AVX and features.get("avx512f"))


HAS_AVX512 = has_avx512()
VECTOR_BYTES = 64 if HAS_AVX512 else 32
VECTORS = 2  # in a panel's row
PANEL_BYTES = VECTORS * VECTOR_BYTES
ROWS = 8 if HAS_AVX512 else 4  # of a tile: 16 or 8 sums, which fit into the registers
SUMS = 8  # at once at least, so that the adders always have work


@functools.cache
def tile(n_rows: int, listed: str = "", adds: bool = False, vectors: int = VECTORS) -> Any:
    """The function that computes a tile of `n_rows` rows, and of a panel's first `vectors`.

    tile(A, row step, k step, panel, its k step, list, size of k, C, row step, number): addresses
    and steps in bytes; C <- A B, or added to C where it `adds`; `number` shows the number type.
    The list is of whole numbers of 64 bits: where "k" are `listed`, those of the panel's rows that
    are multiplied, where "rows" are, those of the rows of A and C.
    """

    @intrinsic
    def compute(typing, A, A_row, A_k, B, B_k, listing, size, C, C_row, number):
        words = [types.intp] * 9

        def generate(context, builder, signature, values):
            scalar = context.get_value_type(signature.args[-1])
            emit_tile(builder, scalar, n_rows, listed, adds, vectors, values[:-1])
            return context.get_dummy_value()

        return types.void(*words, number), generate

    return compute


def emit_tile(  # noqa: C901 - one compiled loop
    builder: Any, scalar: Any, n_rows: int, listed: str, adds: bool, vectors: int, values: Any
) -> None:
    """Instructions of a tile: a loop over k in steps of `unrolled`, then one for the rest."""
    A, A_row, A_k, B, B_k, listing, size, C, C_row = values
    alignment = 4 if isinstance(scalar, ir.FloatType) else 8  # of one number, so of any array
    word, width = size.type, VECTOR_BYTES // alignment
    vector = ir.VectorType(scalar, width)
    unrolled = max(1, SUMS // (n_rows * VECTORS))
    places = [(m, v) for m in range(n_rows) for v in range(vectors)]

    def at(base: Any, offset: Any, kind: Any) -> Any:
        return builder.inttoptr(builder.add(base, offset), kind.as_pointer())

    def load(pointer: Any) -> Any:
        value = builder.load(pointer)
        value.align = alignment
        return value

    def in_list(number: Any) -> Any:
        return builder.load(at(listing, builder.mul(number, word(8)), word))

    rows = [in_list(word(m)) if listed == "rows" else word(m) for m in range(n_rows)]
    A_rows = [builder.add(A, builder.mul(row, A_row)) for row in rows]

    def times_one_k(k: Any, sums: list) -> list:
        row = builder.mul(in_list(k) if listed == "k" else k, B_k)
        b = [load(at(B, builder.add(row, word(v * VECTOR_BYTES)), vector)) for v in range(vectors)]
        found, column = [], builder.mul(k, A_k)
        for m in range(n_rows):
            number = load(at(A_rows[m], column, scalar))
            first = builder.insert_element(
                ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0)
            )
            spread = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
            a = builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), spread)
            found += [
                multiply_add(builder, vector, a, b[v], sums[m * vectors + v])
                for v in range(vectors)
            ]
        return found

    def loop(start: Any, end: Any, step: int, sums: list) -> list:
        before = builder.block
        body, after = builder.append_basic_block("k"), builder.append_basic_block("after")
        builder.cbranch(builder.icmp_signed("<", start, end), body, after)
        builder.position_at_end(body)
        k = builder.phi(word)
        phis = [builder.phi(vector) for _ in sums]
        updated: list = []
        for part in range(step):
            own = phis[part * len(places) : (part + 1) * len(places)]
            updated += times_one_k(builder.add(k, word(part)), own)
        updated += phis[step * len(places) :]
        following = builder.add(k, word(step))
        inside = builder.block
        k.add_incoming(start, before)
        k.add_incoming(following, inside)
        for phi, first, later in zip(phis, sums, updated, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, inside)
        builder.cbranch(builder.icmp_signed("<", following, end), body, after)
        builder.position_at_end(after)
        results = []
        for first, later in zip(sums, updated, strict=True):
            result = builder.phi(vector)
            result.add_incoming(first, before)
            result.add_incoming(later, inside)
            results.append(result)
        return results

    zero = ir.Constant(vector, [0.0] * width)
    sums = [zero] * (len(places) * unrolled)
    whole = builder.mul(builder.sdiv(size, word(unrolled)), word(unrolled))
    sums = loop(word(0), whole, unrolled, sums)
    if unrolled > 1:
        sums = loop(whole, size, 1, sums)
    for part in range(1, unrolled):
        for i in range(len(places)):
            sums[i] = builder.fadd(sums[i], sums[part * len(places) + i])
    for (m, v), total in zip(places, sums[: len(places)], strict=True):
        offset = builder.add(builder.mul(rows[m], C_row), word(v * VECTOR_BYTES))
        pointer = at(C, offset, vector)
        value = builder.fadd(load(pointer), total) if adds else total
        builder.store(value, pointer).align = alignment


def multiply_add(builder: Any, vector: Any, a: Any, b: Any, c: Any) -> Any:
    """a b + c, with one rounding where the processor can."""
    letter = "f32" if isinstance(vector.element, ir.FloatType) else "f64"
    kind = ir.FunctionType(vector, [vector] * 3)
    name = f"llvm.fmuladd.v{vector.count}{letter}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a, b, c])
