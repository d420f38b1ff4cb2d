"""Trials sorted by condition, aligned to an event, and averaged over all of a condition.

mean_c(t) = sum over trials k of c with a sample at t of v_k(t)  /  how many have one

symbol   shape                    unit
v_k(t)   (trial, time, unit)      rates or outputs; NaN where a trial has no sample
c        (trial,)                 number of the condition, NONE where a trial has none
mean     (condition, time, unit)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.analysis.interface import SimulatedTrials
from pycog_dgr.errors import PycogDgrError

NONE = -1


class Conditions(NamedTuple):
    """values: one tuple per condition, sorted; number (trial,): which of them, or NONE."""

    values: list
    number: np.ndarray


def conditions(*columns: ArrayLike) -> Conditions:
    """Trials by the values of one or more columns (trial,), such as trials.column('coh').

    A trial with NaN or "" in any of them has no condition.
    """
    arrays = [np.asarray(column) for column in columns]
    for column in arrays:
        if column.ndim != 1:
            raise PycogDgrError(
                f"conditions: a column of shape {column.shape} has several values a trial; choose "
                "one, as column[:, 0]"
            )
    missing = np.zeros(len(arrays[0]), dtype=np.bool_)
    codes, levels = [], []
    for column in arrays:
        missing |= (column == "") if column.dtype.kind == "U" else np.isnan(column)
        level, code = np.unique(column, return_inverse=True)
        codes.append(code)
        levels.append(level)
    combined, index = np.unique(np.stack(codes)[:, ~missing], axis=1, return_inverse=True)
    which = np.full(len(missing), NONE)
    which[~missing] = index.ravel()
    values = [
        tuple(level[c].item() for level, c in zip(levels, one, strict=True)) for one in combined.T
    ]
    return Conditions(values, which)


def align(
    t: NDArray, values: NDArray, events: NDArray, before: float, after: float
) -> tuple[NDArray, NDArray]:
    """Cut a window around an event out of every trial.

    t        (time,) ms, evenly spaced
    values   (trial, time, unit)
    events   (trial,) ms; NaN where a trial has none
    before, after   ms, the window is [event - before, event + after]

    Returns (offsets (window,) in ms from the event, (trial, window, unit)), NaN where a trial has
    no sample. The event is taken at its nearest sample.
    """
    if len(t) < 2:
        raise PycogDgrError(f"align: {len(t)} samples cannot be cut; save trials with more")
    step = t[1] - t[0]
    offsets = np.arange(-round(before / step), round(after / step) + 1)
    known = np.isfinite(events)
    at = np.round((np.where(known, events, t[0]) - t[0]) / step).astype(int)
    samples = at[:, np.newaxis] + offsets
    inside = known[:, np.newaxis] & (samples >= 0) & (samples < len(t))
    cut = np.take_along_axis(values, np.where(inside, samples, 0)[:, :, np.newaxis], axis=1)
    cut[~inside] = np.nan
    return offsets * step, cut


def condition_means(values: NDArray, sorted_trials: Conditions, share: float = 0) -> NDArray:
    """Average over the trials of each of the Conditions, in float64.

    values   (trial, time, unit); NaN does not count
    share    of a condition's trials that must have a sample, as 0.5 for at least half of them

    Returns (condition, time, unit), NaN where too few trials of the condition have a sample.
    """
    means = np.empty((len(sorted_trials.values), *values.shape[1:]))
    for c in range(len(means)):
        own = values[sorted_trials.number == c]
        there = np.isfinite(own)
        total = np.sum(own, axis=0, where=there, dtype=np.float64)
        count = there.sum(axis=0)
        enough = (count > 0) & (count >= share * len(own))
        means[c] = np.where(enough, total / np.maximum(count, 1), np.nan)
    return means


def means_between(
    trials: SimulatedTrials, values: NDArray, start: NDArray, end: NDArray
) -> NDArray:
    """Average of (trial, time, unit) over start < t <= end: (trial, unit) in float64.

    start, end   (trial,) ms; NaN, as a trial without samples in between, gives NaN
    """
    inside = (trials.t > start[:, np.newaxis]) & (trials.t <= end[:, np.newaxis])
    inside = (inside & trials.present())[:, :, np.newaxis]
    total = np.sum(values, axis=1, where=inside, dtype=np.float64)
    samples = inside.sum(axis=1)
    return np.where(samples > 0, total / np.maximum(samples, 1), np.nan)


def epoch_means(trials: SimulatedTrials, values: NDArray, epoch: str) -> NDArray:
    """means_between the start and the end of an epoch."""
    return means_between(trials, values, *trials.epoch(epoch).T)
