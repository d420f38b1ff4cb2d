"""Population analyses by scikit-learn: components, demixed components, decoding across conditions.

    X_phi        = parts of the condition means X that depend on the variables phi alone
    X            = X_time + X_a + X_b + X_ab
    min_F,D sum |X_phi - F D X|^2      reduced-rank (ridge) regression       demixed PCA

Sources: D. Kobak et al., eLife 5, e10989 (2016) for demixed PCA, of which X_phi and the regression
are equations 1-4; S. Bernardi et al., Cell 183, 954 (2020) for decoding across conditions, their
cross-condition generalisation performance. The mathematics is scikit-learn's: Ridge and PCA here,
any of its transformers in `reduce`, any of its classifiers in `decode`.

    symbol   name      shape                              unit
    X        means     (a, b, ..., time, unit)            rates, averaged over a condition's trials
    F, D     encoder, decoder   (unit, component)         of each part X_phi
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.errors import PycogDgrError

FOLDS = 5  # of a cross-validation
TIME = "time"  # the part of the means that no variable changes


# -- components -----------------------------------------------------------------------------------


def reduce(values: NDArray, model: Any) -> NDArray:
    """Fit one of scikit-learn's transformers to samples of a population, and transform them.

    Parameters
    ----------
    values
        (..., unit), as trials.rates (trial, time, unit): all axes but the last are samples. Samples
        with NaN (beyond a trial's end) are not fitted.
    model
        PCA(3), FactorAnalysis(3), FastICA(3), ...: fitted in place, so that its components_ and
        explained_variance_ratio_ can be read afterwards.

    Returns
    -------
    (..., component); NaN where a sample has NaN.

    Raises
    ------
    PycogDgrError
        Where no sample is without NaN.
    """
    flat = values.reshape(-1, values.shape[-1])
    valid = np.isfinite(flat).all(axis=1)
    if not valid.any():
        raise PycogDgrError("reduce: every sample has NaN; cut a window in which trials have rates")
    found = model.fit_transform(np.asarray(flat[valid], np.float64))
    scores = np.full((len(flat), found.shape[1]), np.nan)
    scores[valid] = found
    return scores.reshape(*values.shape[:-1], -1)


# -- demixed PCA ----------------------------------------------------------------------------------


class ConditionMeans(NamedTuple):
    """means (level of each variable, time, unit), and levels: variable -> its sorted values."""

    means: NDArray
    levels: dict[str, NDArray]


def means_by_variable(values: NDArray, variables: dict[str, ArrayLike]) -> ConditionMeans:
    """Average trials over every combination of the variables' values.

    Parameters
    ----------
    values
        (trial, time, unit) without NaN in the trials that count, as from sorting.align.
    variables
        name -> (trial,), as {"coh": trials.column("coh"), "choice": choices}. A trial with NaN in
        any of them does not count.

    Raises
    ------
    PycogDgrError
        Where a combination has no trial, or its trials have NaN in common.
    """
    columns = {name: np.asarray(column, float) for name, column in variables.items()}
    known = np.all([np.isfinite(column) for column in columns.values()], axis=0)
    levels = {name: np.unique(column[known]) for name, column in columns.items()}
    shape = tuple(len(level) for level in levels.values())
    means = np.empty((*shape, *values.shape[1:]))
    for place in np.ndindex(shape):
        chosen = {name: levels[name][i] for name, i in zip(levels, place, strict=True)}
        own = known & np.all([columns[name] == value for name, value in chosen.items()], axis=0)
        if not own.any():
            said = ", ".join(f"{name} = {value:g}" for name, value in chosen.items())
            raise PycogDgrError(f"no trial has {said}; simulate more, or leave a variable out")
        means[place] = values[own].mean(axis=0, dtype=np.float64)
    if np.isnan(means).any():
        raise PycogDgrError("some trials have no rates at some times; cut a window that all share")
    return ConditionMeans(means, levels)


def marginals(means: NDArray, names: Sequence[str]) -> dict[str, NDArray]:
    """The parts of condition means that depend on some of the variables alone; they add up to them.

    Parameters
    ----------
    means
        (level of each variable, time, unit)
    names
        Of the variables, in the order of the axes.

    Returns
    -------
    "time", "a", "b", "a, b", ... -> an array of the shape of `means`, the mean over everything
    taken off. Each part holds the interaction with time.
    """
    centred = means - means.mean(axis=tuple(range(means.ndim - 1)))
    parts: dict[str, NDArray] = {}
    axes = range(len(names))
    for count in range(len(names) + 1):
        for kept in itertools.combinations(axes, count):
            others = tuple(axis for axis in axes if axis not in kept)
            part = np.broadcast_to(centred.mean(axis=others, keepdims=True), means.shape).copy()
            within = [_label(names, some) for n in range(count) for some in
                      itertools.combinations(kept, n)]  # fmt: skip
            part -= sum((parts[name] for name in within), np.zeros(means.shape))
            parts[_label(names, kept)] = part
    return parts


def _label(names: Sequence[str], kept: Sequence[int]) -> str:
    return ", ".join(names[axis] for axis in kept) or TIME


class Demixed(NamedTuple):
    """Components of one part of the means.

    encoder, decoder (unit, n); scores (level of each variable, time, n): means by the decoder;
    share (n,) of the variance of all means that each component explains.
    """

    encoder: NDArray
    decoder: NDArray
    scores: NDArray
    share: NDArray


def demixed_components(
    means: NDArray, names: Sequence[str], n: int = 2, ridge: float = 1e-6
) -> dict[str, Demixed]:
    """Demixed PCA: for every part of the means the components that show it best.

    Parameters
    ----------
    means
        (level of each variable, time, unit), as from means_by_variable.
    names
        Of the variables, in the order of the axes.
    n
        Components of each part.
    ridge
        Weight of the ridge penalty, as a share of the means' variance; it keeps decoders small
        where units are nearly copies of each other.

    Returns
    -------
    "time", "a", "b", "a, b", ... -> Demixed
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import Ridge

    parts = marginals(means, names)
    X = (means - means.mean(axis=tuple(range(means.ndim - 1)))).reshape(-1, means.shape[-1])
    total = np.sum(X**2)
    if not total:
        raise PycogDgrError("demixed PCA: the means do not vary")
    found = {}
    for name, part in parts.items():
        flat = part.reshape(X.shape)
        regression = Ridge(alpha=ridge * total / X.shape[1], fit_intercept=False).fit(X, flat)
        predicted = X @ regression.coef_.T
        # by eigenvectors: the iteration of the singular values need not converge at low rank
        pca = PCA(min(n, *X.shape), svd_solver="covariance_eigh")
        encoder = pca.fit(predicted).components_.T
        decoder = regression.coef_.T @ encoder
        scores = X @ decoder
        left = [
            np.sum((X - np.outer(scores[:, k], encoder[:, k])) ** 2) for k in range(len(encoder.T))
        ]
        share = 1 - np.array(left) / total
        found[name] = Demixed(encoder, decoder, scores.reshape(*means.shape[:-1], -1), share)
    return found


# -- decoding -------------------------------------------------------------------------------------


def decode(
    values: NDArray, labels: ArrayLike, estimator: Any = None, folds: int = FOLDS
) -> NDArray:
    """How often a variable can be read from the population, cross-validated, at every time.

    Parameters
    ----------
    values
        (trial, time, unit), or (trial, unit) for one time. Trials with NaN at a time are left out.
    labels
        (trial,) of what is to be read; NaN or "" where a trial has none.
    estimator
        One of scikit-learn's classifiers; a logistic regression on z-scored rates where it is None.
    folds
        Of the cross-validation; every label needs so many trials.

    Returns
    -------
    (time,) share of right predictions, or one number; chance is the share of the commonest label.
    """
    from sklearn.model_selection import StratifiedKFold

    def score(features: NDArray, own: NDArray) -> float:
        _enough(own, folds)
        return _score(
            features, own, estimator, StratifiedKFold(folds, shuffle=True, random_state=0)
        )

    return _at_every_time(values, labels, None, lambda features, own, _: score(features, own))


def decode_across_conditions(
    values: NDArray, labels: ArrayLike, conditions: ArrayLike, estimator: Any = None
) -> NDArray:
    """How often a variable can be read in a condition that the decoder was not trained on.

    Parameters
    ----------
    values, labels, estimator
        As in `decode`.
    conditions
        (trial,) of what is held out in turn, one value at a time.

    Returns
    -------
    (time,) share of right predictions, averaged over the conditions held out, or one number: the
    cross-condition generalisation performance.
    """
    from sklearn.model_selection import LeaveOneGroupOut

    def score(features: NDArray, own: NDArray, groups: NDArray) -> float:
        for group in np.unique(groups):
            if len(np.unique(own[groups != group])) < 2:
                raise PycogDgrError(
                    f"decoding: without condition {group!r} only one label is left to learn from"
                )
        return _score(features, own, estimator, LeaveOneGroupOut(), groups)

    return _at_every_time(values, labels, np.asarray(conditions), score)


def _at_every_time(
    values: NDArray, labels: ArrayLike, groups: NDArray | None, score: Any
) -> NDArray:
    """score(features, labels, groups) of the trials that have samples, at every time."""
    labels = np.asarray(labels)
    known = labels != "" if labels.dtype.kind == "U" else np.isfinite(labels.astype(float))
    if len(labels) != len(values):
        raise PycogDgrError(f"decoding: {len(labels)} labels for {len(values)} trials")
    groups = np.zeros(len(labels)) if groups is None else groups
    columns = values[:, np.newaxis] if values.ndim == 2 else values
    scores = np.full(columns.shape[1], np.nan)
    for t in range(len(scores)):
        there = known & np.isfinite(columns[:, t]).all(axis=1)
        if there.any():
            scores[t] = score(columns[there, t], labels[there], groups[there])
    return scores[0] if values.ndim == 2 else scores


def _score(
    features: NDArray, labels: NDArray, estimator: Any, folds: Any, groups: Any = None
) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if estimator is None:
        estimator = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    found = cross_val_score(
        estimator, np.asarray(features, np.float64), labels, groups=groups, cv=folds
    )
    return float(np.mean(found))


def _enough(labels: NDArray, folds: int) -> None:
    values, counts = np.unique(labels, return_counts=True)
    if len(values) < 2:
        raise PycogDgrError(f"decoding: every trial has the label {values[0]!r}; two are needed")
    if counts.min() < folds:
        raise PycogDgrError(
            f"decoding: label {values[counts.argmin()]!r} has {counts.min()} trials, fewer than "
            f"the {folds} folds; simulate more trials, or lower folds"
        )
