"""What both sets of kernels do with arrays before and after their loops."""

from __future__ import annotations

from numpy.typing import NDArray


def rows(a: NDArray) -> NDArray:
    """(time, trial, unit) -> (time * trial, unit)."""
    return a.reshape(a.shape[0] * a.shape[1], a.shape[2])


def times(a: NDArray, W: NDArray) -> NDArray:
    """a W for a (time, trial, unit): one large product, where numpy makes one a time step."""
    return (rows(a) @ W).reshape(*a.shape[:2], W.shape[1])


def is_shared(alpha: NDArray) -> bool:
    """Whether all units have the same alpha."""
    return bool(alpha.min() == alpha.max())
