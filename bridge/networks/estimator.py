"""A solver as an estimator of scikit-learn: for its cross-validation, searches and scores.

    from sklearn.model_selection import cross_val_score
    cross_val_score(SolverEstimator("lstm", iterations=200), images, labels)

`predict` names classes and `predict_proba` gives probabilities, as everywhere in scikit-learn; the
solvers themselves, which replay uses, give probabilities and are trained call by call.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from bridge.errors import BatchError
from bridge.networks.interface import Solver
from bridge.networks.registry import SOLVERS, make_solver, sizes


class SolverEstimator(ClassifierMixin, BaseEstimator):
    """Trains a new solver at every `fit`.

    Parameters
    ----------
    solver
        A name in `bridge.networks.SOLVERS`.
    iterations
        Updates of a fit.
    batch_size
        Images of each.
    seed
        Of the initial weights, the order of the images and the noise.
    options
        Of the solver's class.

    Attributes
    ----------
    solver_ : Solver
        The trained solver.
    classes_ : ndarray
        The labels that it knows, sorted.
    """

    solver_: Solver
    classes_: np.ndarray

    def __init__(
        self,
        solver: str = "biornn",
        iterations: int = 200,
        batch_size: int = 64,
        seed: int = 1,
        options: Mapping[str, Any] | None = None,
    ):
        self.solver = solver
        self.iterations = iterations
        self.batch_size = batch_size
        self.seed = seed
        self.options = options

    def fit(self, X: np.ndarray, y: np.ndarray) -> "SolverEstimator":
        """Train a new solver.

        Parameters
        ----------
        X
            Images (trial, row, column) in [0, 1].
        y
            Their labels (trial,), of any kind.

        Returns
        -------
        SolverEstimator
            Itself.

        Raises
        ------
        BatchError
            Images of another shape or range.
        SettingError
            A solver, an option or a number that is impossible.
        """
        images = _images(X)
        self.classes_, places = np.unique(np.asarray(y), return_inverse=True)
        fitting = sizes(SOLVERS, self.solver, images.shape[1:], len(self.classes_))
        self.solver_ = make_solver(self.solver, self.seed, **{**fitting, **(self.options or {})})
        self.solver_.fit(
            images,
            np.eye(len(self.classes_), dtype=np.float32)[places],
            iterations=self.iterations,
            rng=np.random.default_rng(self.seed),
            batch_size=self.batch_size,
        )
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (trial, class) of images (trial, row, column).

        Parameters
        ----------
        X
            Images in [0, 1].

        Returns
        -------
        ndarray
            One column for each of `classes_`.
        """
        check_is_fitted(self)
        return self.solver_.predict(_images(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The label of each image.

        Parameters
        ----------
        X
            Images (trial, row, column) in [0, 1].

        Returns
        -------
        ndarray
            (trial,), of `classes_`.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _images(X: np.ndarray) -> np.ndarray:
    images = np.asarray(X, np.float32)
    if images.ndim != 3:
        raise BatchError(
            f"images have shape {images.shape}, expected (trial, row, column); reshape flat images"
        )
    return images
