"""How loops are compiled by Numba, and when what it keeps on disk is too old.

Numba compiles a function anew when its own file has changed. The functions that it calls are
compiled into it, wherever they stand; so the key of what is kept holds a digest of all kernels.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from types import CellType, FunctionType
from typing import Any

from numba import cfunc, njit, types
from numba.extending import intrinsic

# Sums may be regrouped and products fused; infinities and NaN keep their meaning.
FASTMATH = {"reassoc", "contract", "nsz"}


def compiled(
    function: Callable, fastmath: Any = FASTMATH, from_python: bool = True, inline: str = "never"
) -> Any:
    """Compile a function once for each type of its arguments, and keep it on disk."""
    return njit(
        cache=True, nogil=True, error_model="numpy", fastmath=fastmath, no_cfunc_wrapper=True,
        no_cpython_wrapper=not from_python, inline=inline,
    )(with_digest(function))  # fmt: skip


def inner(function: Callable) -> Any:
    """The same for what compiled functions alone call: without what takes Python's arguments,
    which is a twelfth of all compiling.
    """
    return compiled(function, from_python=False)


def merged(function: Callable) -> Any:
    """A part of one compiled function, which is compiled with it, not on its own before that."""
    return compiled(function, inline="always")


def exact(function: Callable) -> Any:
    """The same where every operation is to be rounded as numpy rounds it."""
    return compiled(function, fastmath=False)


@intrinsic
def wide_vectors(typing: Any) -> Any:
    """Called in a compiled function: its loops are on the widest vectors that the processor has.

    LLVM prefers half of AVX-512 otherwise, since its first processors slowed down for the whole.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        # of the attributes of LLVM's functions llvmlite lists those without a value alone
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate


def compiled_address(signature: Any, function: Callable) -> Any:
    """The same for one signature, of numbers alone, to be called by its address."""
    kept = cfunc(signature, cache=True, error_model="numpy", fastmath=FASTMATH)
    return kept(with_digest(function))


def with_digest(function: Callable) -> Callable:
    """The same function, with the digest among the variables it closes over: a part of the key."""
    assert isinstance(function, FunctionType)
    code = function.__code__
    code = code.replace(co_freevars=(*code.co_freevars, "digest_of_kernels"))
    closure = (*(function.__closure__ or ()), CellType(digest()))
    same = FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, closure
    )
    return functools.update_wrapper(same, function)


@functools.cache
def digest() -> str:
    """Of the sources of all kernels."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()
