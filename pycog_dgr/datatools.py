"""Sorting data into bins."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.errors import PycogDgrError


def partition(
    X: ArrayLike, Y: ArrayLike, nbins: int | None = None, Xedges: ArrayLike | None = None
) -> tuple[list[NDArray], list[NDArray], NDArray, NDArray]:
    """Sort pairs (x, y) into bins of x.

    X, Y     (n,) each
    nbins    make so many bins of len(X) // nbins pairs; the last takes what is left over; or
    Xedges   (bins + 1,) rising edges, each bin closed from the left and the last one on both sides

    Returns (Xbins, Ybins, Xedges, binsizes): lists of arrays, the edges (halfway between
    neighbouring bins where they were not given) and the number of pairs in each bin.
    """
    X, Y = np.asarray(X), np.asarray(Y)
    if not np.isfinite(X).all():
        raise PycogDgrError("partition: X holds values that are not finite, which have no bin")
    if X.shape != Y.shape or X.ndim != 1:
        raise PycogDgrError(f"partition: X {X.shape} and Y {Y.shape} must be 1-D and equally long")
    if (nbins is None) == (Xedges is None):
        raise PycogDgrError("partition: give either nbins or Xedges")
    if nbins is not None:
        if not 1 <= nbins <= len(X):
            raise PycogDgrError(f"partition: cannot make {nbins} bins of {len(X)} pairs")
        order = np.argsort(X, kind="stable")
        cuts = np.arange(1, nbins) * (len(X) // nbins)
        Xbins, Ybins = np.split(X[order], cuts), np.split(Y[order], cuts)
        inner = [(left[-1] + right[0]) / 2 for left, right in itertools.pairwise(Xbins)]
        Xedges = np.array([Xbins[0][0], *inner, Xbins[-1][-1]])
    else:
        Xedges = np.asarray(Xedges)
        if Xedges.ndim != 1 or len(Xedges) < 2 or not (np.diff(Xedges) > 0).all():
            raise PycogDgrError(f"partition: Xedges must rise, two or more, not {Xedges!r}")
        low, high = Xedges[0], Xedges[-1]
        outside = np.flatnonzero(np.clip(X, low, high) != X)
        if outside.size:
            raise PycogDgrError(
                f"partition: {X[outside[0]]} (and {outside.size - 1} more) lie outside the edges "
                f"{low} .. {high}; widen them"
            )
        which = np.minimum(np.searchsorted(Xedges, X, side="right") - 1, len(Xedges) - 2)
        Xbins = [X[which == b] for b in range(len(Xedges) - 1)]
        Ybins = [Y[which == b] for b in range(len(Xedges) - 1)]
    return Xbins, Ybins, Xedges, np.array([len(one) for one in Xbins])
