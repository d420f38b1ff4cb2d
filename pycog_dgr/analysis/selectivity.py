"""Selectivity of single units: d' between two groups of trials.

    d' = (mu_1 - mu_2) / sqrt((s_1^2 + s_2^2) / 2)

Source: Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016). mu and s^2 are mean and
(unbiased) variance over the trials of a group, for every unit, and for every time where values
have one.

    symbol   name     shape                     unit
    -        values   (trial, ..., unit)        rates, dimensionless
    mu, s    -        (..., unit)               the same
    d'       dprime   (..., unit)               dimensionless; positive: prefers the first group
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import PycogDgrError


def dprime(values: NDArray, first: NDArray, second: NDArray) -> NDArray:
    """d' of every unit between the trials `first` and `second`, both (trial,) of bool.

    values   (trial, ..., unit); NaN does not count

    0 where a unit never varies (it is silent), NaN where a group has less than two values.
    PycogDgrError where a whole group has less than two trials.
    """
    for name, group in (("first", first), ("second", second)):
        if np.count_nonzero(group) < 2:
            raise PycogDgrError(
                f"d': the {name} group has {np.count_nonzero(group)} trials, at least 2 are "
                "needed; the network may always choose the same"
            )
    (mu1, var1), (mu2, var2) = (_moments(values[group]) for group in (first, second))
    spread = np.sqrt((var1 + var2) / 2)
    difference = mu1 - mu2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((spread == 0) & (difference == 0), 0, difference / spread)


def _moments(values: NDArray) -> tuple[NDArray, NDArray]:
    """Mean and unbiased variance over the first axis, in float64, without NaN."""
    there = np.isfinite(values)
    n = there.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.sum(values, axis=0, where=there, dtype=np.float64) / n
        squares = np.where(there, values - mean, 0) ** 2
        return mean, squares.sum(axis=0) / np.where(n > 1, n - 1, np.nan)


def by_preference(d: NDArray, group: NDArray | None = None) -> NDArray:
    """Order of the units for matrices and rasters: by group (unit,), in each by falling d (unit,).

    Units whose d is NaN stand as if it were 0.
    """
    group = np.zeros(len(d)) if group is None else group
    return np.lexsort((-np.nan_to_num(d), group))
