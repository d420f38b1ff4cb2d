"""Choices and reaction times of trials, how often each was made, and psychometric fits.

p = k / n,   error of p = sqrt(p (1 - p) / n)                        binomial
choice k(T)  the larger output at a trial's own last sample          fixed duration
choice k(t)  the output that first reaches a threshold, and when     reaction time

symbol   name       shape     unit
x        x          (trial,)  of a condition, as signed coherence in percent
k, n     count, n   (x,)      trials
p        p          (x,)      0 .. 1
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr import fittools
from pycog_dgr.analysis.interface import SimulatedTrials
from pycog_dgr.errors import PycogDgrError

NO_CHOICE = -1


def final_choices(trials: SimulatedTrials) -> NDArray:
    """The larger output at each trial's own last sample: (trial,) of int."""
    last = trials.outputs[np.arange(len(trials)), trials.lengths - 1]
    return last.argmax(axis=1)


def correct(trials: SimulatedTrials, choices: NDArray) -> NDArray:
    """Whether each of `choices` (trial,) is info['choice']: 1 or 0, NaN in catch trials."""
    wanted = trials.column("choice")
    return np.where(np.isfinite(wanted), choices == wanted, np.nan)


class Reactions(NamedTuple):
    """choice (trial,) of int, NO_CHOICE where no output reached the threshold; time (trial,) in
    ms from the start of the epoch, NaN where there is no choice.
    """

    choice: np.ndarray
    time: np.ndarray


def reactions(trials: SimulatedTrials, threshold: float, epoch: str = "stimulus") -> Reactions:
    """The output that first reaches `threshold` during an epoch, and when, as Reactions.

    Of two outputs that cross at the same sample the larger one is chosen.
    """
    during = trials.during(epoch)
    over = (np.nan_to_num(trials.outputs.max(axis=2), nan=-np.inf) >= threshold) & during
    crossed, when = over.any(axis=1), over.argmax(axis=1)
    choice = trials.outputs[np.arange(len(trials)), when].argmax(axis=1)
    time = trials.t[when] - trials.epoch(epoch)[:, 0]
    return Reactions(np.where(crossed, choice, NO_CHOICE), np.where(crossed, time, np.nan))


# -- proportions ----------------------------------------------------------------------------------


class Proportions(NamedTuple):
    """x (k,) rising, p (k,) how often, n (k,) trials, error (k,) binomial standard error of p."""

    x: np.ndarray
    p: np.ndarray
    n: np.ndarray
    error: np.ndarray


def proportions(x: ArrayLike, happened: ArrayLike) -> Proportions:
    """How often `happened` (trial,), true or false, at every value of x (trial,), as Proportions.

    Trials in which either is NaN do not count. PycogDgrError where none is left.
    """
    x, happened = np.asarray(x, float), np.asarray(happened, float)
    counted = np.isfinite(x) & np.isfinite(happened)
    if not counted.any():
        raise PycogDgrError("proportions: no trial has both a condition and an outcome")
    values, which = np.unique(x[counted], return_inverse=True)
    n = np.bincount(which)
    p = np.bincount(which, happened[counted]) / n
    return Proportions(values, p, n, np.sqrt(p * (1 - p) / n))


def binned(x: ArrayLike, edges: ArrayLike) -> NDArray:
    """Mean of the x (trial,) in the same bin, NaN outside: for `proportions` of a continuous x.

    edges   (bins + 1,) rising; bins are closed on the left, the last one on both sides
    """
    x, edges = np.asarray(x, float), np.asarray(edges, float)
    inside = (x >= edges[0]) & (x <= edges[-1])
    which = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
    sums = np.bincount(which[inside], x[inside], len(edges) - 1)
    with np.errstate(invalid="ignore"):
        means = sums / np.bincount(which[inside], minlength=len(edges) - 1)
    return np.where(inside, means[which], np.nan)


class Means(NamedTuple):
    """x (k,) rising, mean (k,) of y, n (k,) trials, error (k,) standard error of the mean, NaN
    where there is one trial.
    """

    x: np.ndarray
    mean: np.ndarray
    n: np.ndarray
    error: np.ndarray


def mean_by(x: ArrayLike, y: ArrayLike, fewest: int = 1) -> Means:
    """Mean of y (trial,) at every value of x (trial,) that has at least `fewest` trials, as Means.

    Trials in which either is NaN do not count.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    counted = np.isfinite(x) & np.isfinite(y)
    values, which = np.unique(x[counted], return_inverse=True)
    n = np.bincount(which, minlength=len(values))
    mean = np.bincount(which, y[counted], len(values)) / n
    squares = np.bincount(which, (y[counted] - mean[which]) ** 2, len(values))
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(squares / (n - 1) / n)
    enough = n >= fewest
    return Means(values[enough], mean[enough], n[enough], error[enough])


def fit_choices(
    x: ArrayLike, chosen: ArrayLike, function: str = "cdf_gaussian"
) -> fittools.ChoiceFit:
    """Psychometric function of single trials by maximum likelihood, as fittools.ChoiceFit.

    x (trial,), chosen (trial,) true or false; trials in which either is NaN do not count.
    PycogDgrError says why there is no fit.
    """
    points = proportions(x, chosen)
    return fittools.fit_choices(points.x, points.p * points.n, points.n, function)
