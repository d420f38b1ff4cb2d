"""matplotlib.mlab.PCA, which pycog's analysis scripts used and matplotlib dropped in 2018.

    a  = (data - mu) / sigma          every column with mean 0 and variance 1
    Y  = a Wt^T                       the data in the components' coordinates
    fracs                             share of the variance in each component

computed by scikit-learn. The sign of a component is arbitrary, as it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.errors import PycogDgrError


class PCA:
    """Principal components of standardised data, under mlab's names.

    Parameters
    ----------
    a
        (observation, variable), more observations than variables.
    standardize
        Whether columns are divided by their standard deviation.

    Attributes
    ----------
    Wt : (component, variable)
    Y : (observation, component)
    fracs : (component,)
    mu, sigma : (variable,)
    a : (observation, variable), standardised
    numrows, numcols : int
    """

    def __init__(self, a: ArrayLike, standardize: bool = True) -> None:
        from sklearn.decomposition import PCA as Components

        data = np.asarray(a, float)
        if data.ndim != 2 or data.shape[0] < data.shape[1]:
            raise PycogDgrError(
                f"PCA: needs (observation, variable) with more observations than variables, not "
                f"{data.shape}; transpose it, or take fewer variables"
            )
        self.numrows, self.numcols = data.shape
        self.mu = data.mean(axis=0)
        self.sigma = data.std(axis=0) if standardize else np.ones(self.numcols)
        if not self.sigma.all():
            raise PycogDgrError(
                f"PCA: column {int(np.argmin(self.sigma))} never changes; leave such units out"
            )
        self.a = self.center(data)
        fitted = Components().fit(self.a)
        self.Wt: NDArray = fitted.components_
        self.fracs: NDArray = fitted.explained_variance_ratio_
        self.Y = self.a @ self.Wt.T

    def center(self, x: ArrayLike) -> NDArray:
        """Standardise (..., variable) like the data."""
        return (np.asarray(x, float) - self.mu) / self.sigma

    def project(self, x: ArrayLike, minfrac: float = 0.0) -> NDArray:
        """(..., variable) in the components that hold more than `minfrac` of the variance."""
        return (self.center(x) @ self.Wt.T)[..., self.fracs >= minfrac]
