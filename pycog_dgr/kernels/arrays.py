"""What both sets of kernels do with arrays before and after their loops."""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Kept = MutableMapping[str, Any]  # arrays of a kernel's own, from one call to the next
LINE_BYTES = 64  # of a cache


def rows(a: NDArray) -> NDArray:
    """Steps and trials as one dimension.

    Parameters
    ----------
    a : ndarray of shape (time, trial, unit)
        In C order.

    Returns
    -------
    ndarray of shape (time * trial, unit)
        The same numbers, not copied.
    """
    return a.reshape(a.shape[0] * a.shape[1], a.shape[2])


def times(a: NDArray, W: NDArray) -> NDArray:
    """a W for a (time, trial, unit): one large product, where numpy makes one a time step."""
    return (rows(a) @ W).reshape(*a.shape[:2], W.shape[1])


def is_shared(alpha: NDArray) -> bool:
    """Whether all units have the same alpha."""
    return bool(alpha.min() == alpha.max())


def empty_in_lines(shape: tuple[int, ...], dtype: Any) -> NDArray:
    """An array that begins with a cache line, not filled.

    A vector that lies in two lines takes two loads, which made products up to a quarter slower.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    numbers = np.empty(n_bytes + LINE_BYTES, np.uint8)
    start = -numbers.ctypes.data % LINE_BYTES
    return numbers[start : start + n_bytes].view(dtype).reshape(shape)


def reused(kept: Kept | None, name: str, shape: tuple[int, ...], dtype: Any) -> NDArray:
    """The array of this name where it fits, or a new one in its place, in whole lines; not
    filled.
    """
    array = None if kept is None else kept.get(name)
    if array is None or array.shape != shape or array.dtype != dtype:
        array = empty_in_lines(shape, dtype)
        if kept is not None:
            kept[name] = array
    return array
