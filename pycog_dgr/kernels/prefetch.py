"""Instructions that fetch memory into the cache before it is read.

The processor does so by itself where one array, or a few, are read from begin to end; not for the
rows of many trials, one from each at every time step. Without this, a third of the loop's time was
waiting for the noise.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pycog_dgr.kernels.arrays import LINE_BYTES
from pycog_dgr.kernels.compilation import inner

FOR_READING, NEAREST_CACHE, DATA = 0, 3, 1  # what LLVM's instruction is told


@inner
def prefetch_rows(values, begins, n, offset):
    """The first n trials' rows of `values` (row, unit), begins[b] + offset, into the cache."""
    size = values.shape[1] * values.itemsize
    for b in range(n):
        row = values.ctypes.data + (begins[b] + offset) * size
        for k in range(0, size, LINE_BYTES):
            prefetch(row + k)


@intrinsic
def prefetch(typing: Any, address: Any) -> Any:
    """The cache line at an address. None need be there."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        told = [word(number) for number in (FOR_READING, NEAREST_CACHE, DATA)]
        builder.call(function, [builder.inttoptr(values[0], pointer), *told])
        return context.get_dummy_value()

    return types.void(types.intp), generate
