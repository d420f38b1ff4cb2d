"""Which numbers of a row are not 0: half of the units of a rectified network are silent.

With AVX-512 a vector's numbers are moved together in one instruction; elsewhere one by one.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pycog_dgr.kernels.compilation import merged
from pycog_dgr.kernels.tiles import HAS_AVX512, VECTOR_BYTES

SPARE = VECTOR_BYTES // 4  # how many entries of a list may be written after its end
WORD_LANES = VECTOR_BYTES // 8  # whole numbers of 64 bits in a vector


@merged
def list_non_zeros(a, places, values):
    """Where a (n,) is not 0, and the numbers there, into the first of both lists; how many.

    Each list has room for n + SPARE.
    """
    found, start, lanes = 0, 0, VECTOR_BYTES // a.itemsize
    if HAS_AVX512 and len(a) >= lanes:
        start = len(a) // lanes * lanes
        found = whole_vectors(
            a.ctypes.data, start, places.ctypes.data, values.ctypes.data, a.dtype.type(0)
        )
    for i in range(start, len(a)):  # written in any case, which needs no branch
        places[found] = i
        values[found] = a[i]
        found += a[i] != 0
    return found


@intrinsic
def whole_vectors(typing, a, size, places, values, number):
    """The same for whole vectors, one at least; addresses, and `number` shows the number type."""

    def generate(context, builder, signature, given):
        return emit_listing(builder, context.get_value_type(signature.args[-1]), given[:-1])

    return types.intp(*[types.intp] * 4, number), generate


def emit_listing(builder: Any, scalar: Any, given: Any) -> Any:
    """Instructions: a loop over the vectors, which moves what is not 0 to the front of each."""
    a, size, places, values = given
    bytes_each = 4 if isinstance(scalar, ir.FloatType) else 8
    lanes, word = VECTOR_BYTES // bytes_each, size.type
    vector, words = ir.VectorType(scalar, lanes), ir.VectorType(word, WORD_LANES)

    def at(base: Any, number: Any, bytes_one: int, kind: Any) -> Any:
        offset = builder.mul(number, word(bytes_one))
        return builder.inttoptr(builder.add(base, offset), kind.as_pointer())

    def put(value: Any, base: Any, place: Any, bytes_one: int) -> None:
        builder.store(value, at(base, place, bytes_one, value.type)).align = bytes_one

    before, body = builder.block, builder.append_basic_block("vectors")
    builder.branch(body)
    builder.position_at_end(body)
    k, found = builder.phi(word), builder.phi(word)
    numbers = [builder.phi(words) for _ in range(lanes // WORD_LANES)]
    value = builder.load(at(a, k, bytes_each, vector))
    value.align = bytes_each
    counts = builder.fcmp_unordered("!=", value, ir.Constant(vector, [0.0] * lanes))
    put(moved_together(builder, value, counts), values, found, bytes_each)
    later = found
    for part, own in enumerate(numbers):
        lanes_of_part = [part * WORD_LANES + lane for lane in range(WORD_LANES)]
        some = ir.Constant(ir.VectorType(ir.IntType(32), WORD_LANES), lanes_of_part)
        chosen = builder.shuffle_vector(counts, counts, some)
        put(moved_together(builder, own, chosen), places, later, 8)
        later = builder.add(later, number_of(builder, chosen, word))
        own.add_incoming(ir.Constant(words, lanes_of_part), before)
        own.add_incoming(builder.add(own, ir.Constant(words, [lanes] * WORD_LANES)), body)
    following = builder.add(k, word(lanes))
    for phi, later_value in ((k, following), (found, later)):
        phi.add_incoming(word(0), before)
        phi.add_incoming(later_value, body)
    after = builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed("<", following, size), body, after)
    builder.position_at_end(after)
    return later


def moved_together(builder: Any, vector: Any, chosen: Any) -> Any:
    """The chosen numbers of a vector in its first lanes, in order, and 0 in the others."""
    kind, element = vector.type, vector.type.element
    letter = {"float": "f32", "double": "f64"}.get(str(element), str(element))
    name = f"llvm.x86.avx512.mask.compress.v{kind.count}{letter}"
    signature = ir.FunctionType(kind, [kind, kind, chosen.type])
    function = cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, [vector, ir.Constant(kind, None), chosen])


def number_of(builder: Any, chosen: Any, word: Any) -> Any:
    """How many are chosen."""
    bits = ir.IntType(chosen.type.count)
    signature = ir.FunctionType(bits, [bits])
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.ctpop.{bits}")
    return builder.zext(builder.call(function, [builder.bitcast(chosen, bits)]), word)
