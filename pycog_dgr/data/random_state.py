"""What is drawn from numpy's RandomState with the same bits, in less time than it takes.

Its state, a Mersenne Twister, is read and set where numpy keeps it.
"""

from __future__ import annotations

import ctypes
import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels import fastest_kernels, get_kernels

LEAST_COMPILED = 512  # numbers: fewer are drawn by numpy before the compiled loops have begun
WORTH_COMPILING = 2**20  # numbers of a process: 40 ms of numpy's time, where compiling takes 1000
TWISTER_WORDS = 624  # of the Mersenne Twister's state, after which its position stands
_drawn = {"numbers": 0}  # of the original's stream, in this process


def normals(rng: np.random.RandomState, shape: tuple[int, ...]) -> NDArray:
    """rng.normal(size=shape), in the long run by compiled loops: the same bits."""
    n = math.prod(shape)
    few = n < LEAST_COMPILED or not _worth_compiling(n)
    if few or not same_bits() or (state := twister_state(rng)) is None:
        return rng.normal(size=shape)
    drawn = np.empty(n)
    before = state[TWISTER_WORDS]
    drawn[0], begun = rng.standard_normal(), 1
    if state[TWISTER_WORDS] != before:  # a new pair, whose other number is next
        drawn[1], begun = rng.standard_normal(), 2
    end = n - (n - begun) % 2
    key = state[:TWISTER_WORDS]
    pairs = drawn[begun:end]
    state[TWISTER_WORDS] = get_kernels(fastest_kernels()).polar(
        key, int(state[TWISTER_WORDS]), pairs
    )
    if end < n:
        drawn[end] = rng.standard_normal()
    return drawn.reshape(shape)


def _worth_compiling(n: int) -> bool:
    """Whether this process has drawn so many numbers, with these n, that compiled loops pay."""
    _drawn["numbers"] += n
    return _drawn["numbers"] >= WORTH_COMPILING


def twister_state(rng: np.random.RandomState) -> NDArray | None:
    """The state of a RandomState's Mersenne Twister itself, its key and the position (625,).

    None where numpy keeps it in another way. Reading and setting it by numpy's own functions takes
    as long as drawing thousands of numbers.
    """
    bits = getattr(rng, "_bit_generator", None)
    if not isinstance(bits, np.random.MT19937):
        return None
    state: Any = (ctypes.c_uint32 * (TWISTER_WORDS + 1)).from_address(bits.ctypes.state_address)
    return np.frombuffer(state, np.uint32)


@functools.cache
def same_bits() -> bool:
    """Whether the compiled loops round as the numpy that is installed here, and find its state
    where they look for it; no number shows it.
    """
    rng = np.random.RandomState(0)
    compiled, plain = (np.empty(4096) for _ in range(2))
    state: Any = rng.get_state(legacy=True)
    found = twister_state(rng)
    if found is None or not np.array_equal(found, [*state[1], state[2]]):
        return False
    for kernels, out in ((fastest_kernels(), compiled), ("numpy", plain)):
        get_kernels(kernels).polar(state[1].copy(), state[2], out)
    return np.array_equal(compiled, plain)


def word_of(rng: np.random.RandomState) -> int:
    """rng.randint(0, 2**64, dtype=np.uint64), without the checks that take its time.

    Two words of the Mersenne Twister, the upper half first.
    """
    bits = getattr(rng, "_bit_generator", None)
    if not isinstance(bits, np.random.MT19937):
        return int(rng.randint(0, 2**64, dtype=np.uint64))
    upper = bits.random_raw()
    return upper << 32 | bits.random_raw()
