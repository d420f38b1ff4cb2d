"""Linear regression of every unit at every time, and the axes of state space it defines.

    r_i,t(k) = sum_v beta_v,i,t q_v(k) + beta_0,i,t                    least squares over trials k
    beta_v   = D beta_v,t*,  t* = argmax_t |D beta_v,t|                denoised, where it is largest
    D        = sum_a V_a V_a^T                                         first components of the means
    [beta_1 .. beta_V] = Q R                                           orthogonal axes Q
    p_v,c(t) = Q_v . rbar_c(t)                                         state of condition c

Source: V. Mante, D. Sussillo, K. V. Shenoy & W. T. Newsome, Nature 503, 78 (2013), methods, as
used by Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016).

    symbol   name          shape                     unit
    r        values        (trial, time, unit)       z-scored rates
    q        regressors    (trial, V)                task variables, scaled to -1 .. 1
    beta     coefficients  (V, time, unit)
    rbar     means         (condition, time, unit)   z-scored like r
    Q        axes          (unit, V)                 orthonormal
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import PycogDgrError

COMPONENTS = 12  # kept by the denoising of Mante et al.
ROUNDING = 1e-9  # shares of variance and of length that count as none


class Scale(NamedTuple):
    """mean, spread (unit,): z-scores are (rate - mean) / spread; silent units have spread 1."""

    mean: np.ndarray
    spread: np.ndarray


def scale_of(values: NDArray) -> Scale:
    """Scale of every unit over all trials and times of (trial, time, unit), NaN aside."""
    mean = np.nanmean(values, axis=(0, 1), dtype=np.float64)
    spread = np.nanstd(values, axis=(0, 1), dtype=np.float64)
    return Scale(np.asarray(mean), np.where(spread > 0, spread, 1))


def zscored(values: NDArray, scale: Scale) -> NDArray:
    """(values - mean) / spread of every unit."""
    return (values - scale.mean) / scale.spread


def regress(values: NDArray, regressors: NDArray) -> tuple[NDArray, NDArray]:
    """Coefficients (V, time, unit) of (trial, V) regressors, and the constant (time, unit).

    values (trial, time, unit) must have no NaN: cut a window that all trials share. PycogDgrError
    where they do, or where the trials cannot tell the regressors apart.
    """
    if np.isnan(values).any():
        raise PycogDgrError("regress: some trials lack samples; cut a window that all share")
    design = np.column_stack([regressors, np.ones(len(regressors))])
    rank = np.linalg.matrix_rank(design)
    if rank < design.shape[1]:
        raise PycogDgrError(
            f"regress: {len(design)} trials cannot tell {design.shape[1] - 1} variables apart "
            f"(rank {rank}); simulate more trials, or trials of all conditions"
        )
    found = np.tensordot(np.linalg.pinv(design), values, axes=1)
    return found[:-1], found[-1]


class Components(NamedTuple):
    """axes (unit, n) orthonormal, mean (unit,), scores (..., n), share (n,) of the variance."""

    axes: np.ndarray
    mean: np.ndarray
    scores: np.ndarray
    share: np.ndarray


def principal_components(values: NDArray, n: int) -> Components:
    """First n principal components of (..., unit), all but the last axis being samples.

    Samples with NaN define nothing and score NaN. The sign of an axis is such that its largest
    entry is positive. PycogDgrError where the values do not vary.
    """
    flat = values.reshape(-1, values.shape[-1])
    valid = flat[np.isfinite(flat).all(axis=1)]
    mean = valid.mean(axis=0, dtype=np.float64)
    _, spread, Vt = np.linalg.svd(valid - mean, full_matrices=False)
    if not spread.size or spread[0] == 0:
        raise PycogDgrError("principal components: the rates do not vary")
    axes = Vt[:n].T
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    share = spread[:n] ** 2 / np.sum(spread**2)
    return Components(axes, mean, (values - mean) @ axes, share)


def state_space_axes(
    coefficients: NDArray, means: NDArray, components: int = COMPONENTS
) -> NDArray:
    """Orthonormal axes (unit, V), one per regressor, in the order of the regressors.

    coefficients (V, time, unit), means (condition, time, unit). Every axis points where its
    variable grows. PycogDgrError where a variable has no effect of its own.
    """
    found = principal_components(means, components)
    V = found.axes[:, found.share > ROUNDING]
    denoised = coefficients @ V @ V.T
    strongest = np.linalg.norm(denoised, axis=2).argmax(axis=1)
    beta = denoised[np.arange(len(denoised)), strongest].T
    Q, R = np.linalg.qr(beta)
    own = np.diag(R)
    if np.any(np.abs(own) < ROUNDING * np.linalg.norm(beta, axis=0).max()):
        raise PycogDgrError("state space: a variable has no effect of its own on the rates")
    return Q * np.sign(own)
