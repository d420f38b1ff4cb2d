"""Matrix products inside loops that Numba compiles, by the fastest BLAS at hand.

Numba's own `np.dot` calls scipy's BLAS. numpy's wheels carry a newer OpenBLAS, which multiplies
the small matrices of a recurrent network up to 1.6 times as fast; where it is not found (numpy
built against another library), scipy's serves. Either is called through its address.
"""

import ctypes
import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from scipy.linalg import cython_blas
from threadpoolctl import threadpool_info

LETTER = {"float32": "s", "float64": "d"}
NOT_TRANSPOSED, TRANSPOSED = ord("N"), ord("T")


@functools.cache
def gemm_address(dtype: str) -> int:
    """Where BLAS's matrix product for 'float32' or 'float64' begins in memory."""
    name = f"{LETTER[dtype]}gemm"
    for library in threadpool_info():
        if library["internal_api"] == "openblas" and "numpy" in library["filepath"]:
            loaded = ctypes.CDLL(library["filepath"])
            for symbol in (f"scipy_{name}_64_", f"scipy_{name}_"):
                if hasattr(loaded, symbol):
                    return address_of(getattr(loaded, symbol))
    return address_in_scipy(name)


def address_of(function: Any) -> int:
    """The address of a function of a loaded library."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    if address is None:
        raise OSError(f"{function} has no address")
    return address


def address_in_scipy(name: str) -> int:
    """The address of one of scipy's BLAS functions."""
    capsule = cython_blas.__pyx_capi__[name]
    python = ctypes.pythonapi
    python.PyCapsule_GetName.restype = ctypes.c_char_p
    python.PyCapsule_GetName.argtypes = [ctypes.py_object]
    python.PyCapsule_GetPointer.restype = ctypes.c_void_p
    python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return python.PyCapsule_GetPointer(capsule, python.PyCapsule_GetName(capsule))


@intrinsic
def call_subroutine(typing, address, arguments):
    """Call the Fortran subroutine at `address` with a tuple of addresses."""

    def generate(context, builder, signature, values):
        start, packed = values
        word = context.get_value_type(types.intp)
        count = len(signature.args[1])
        kind = ir.FunctionType(ir.VoidType(), [word] * count)
        subroutine = builder.inttoptr(start, kind.as_pointer())
        builder.call(subroutine, [builder.extract_value(packed, i) for i in range(count)])
        return context.get_dummy_value()

    return types.void(types.intp, arguments), generate


@njit(cache=True, nogil=True)
def workspace(like):
    """What `product` hands to BLAS by address: flags, sizes, and factors of `like`'s type."""
    flags = np.array([NOT_TRANSPOSED, TRANSPOSED], np.uint8)
    return flags, np.empty(4, np.int64), np.array([1, 0], like.dtype)


@njit(cache=True, nogil=True)
def product(gemm, A, B, transpose_B, C, work):
    """C <- A B, or A B^T; matrices in C order, `gemm` from gemm_address for their number type.

    Fortran sees every matrix transposed, hence C^T = B^T A^T. Sizes lie in memory as 64-bit
    numbers, whose lower halves are what a BLAS of 32-bit sizes reads (little-endian machines).
    `work` comes from the caller, who keeps it alive while BLAS reads it.
    """
    flags, sizes, factors = work
    sizes[0], sizes[1], sizes[2], sizes[3] = C.shape[1], C.shape[0], A.shape[1], B.shape[1]
    flag, one, zero = flags.ctypes.data, factors.ctypes.data, factors[1:].ctypes.data
    columns, rows, inner, width_B = (
        sizes.ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data, sizes[3:].ctypes.data
    )  # fmt: skip
    call_subroutine(
        gemm,
        (
            flag + (1 if transpose_B else 0), flag, columns, rows, inner,
            one, B.ctypes.data, width_B, A.ctypes.data, inner,
            zero, C.ctypes.data, columns,
        ),
    )  # fmt: skip
