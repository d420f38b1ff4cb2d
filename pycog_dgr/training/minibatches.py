"""Minibatches of a set of trials: shuffled passes, one after another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import SettingError


def minibatches(
    n_trial: int, size: int, iterations: int, rng: np.random.Generator
) -> Iterator[NDArray]:
    """Index arrays of minibatches; each pass ends with what is left over.

    Parameters
    ----------
    n_trial : int
        How many trials there are.
    size : int
        Trials in a minibatch, at least 1.
    iterations : int
        How many minibatches are wanted, at least 0.
    rng : numpy.random.Generator
        Shuffles the trials once per pass.

    Returns
    -------
    iterator of ndarray of shape (size,), or fewer
        Indices from 0 to n_trial - 1.

    Raises
    ------
    SettingError
        For an argument that is none of these, before anything is drawn.
    """
    if not isinstance(rng, np.random.Generator):
        raise SettingError(f"rng must be a numpy.random.Generator, not {rng!r}")
    for name, value, least in (("batch_size", size, 1), ("iterations", iterations, 0)):
        is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not is_integer or value < least:
            raise SettingError(f"{name} must be a whole number, {least} or more, not {value!r}")
    return _passes(n_trial, size, iterations, rng)


def _passes(
    n_trial: int, size: int, iterations: int, rng: np.random.Generator
) -> Iterator[NDArray]:
    remaining = iterations
    while remaining > 0:
        order = rng.permutation(n_trial)
        for start in range(0, n_trial, size)[:remaining]:
            yield order[start : start + size]
            remaining -= 1
