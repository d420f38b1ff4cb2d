"""Contexts made by permutations: the same classes, each context's pixels in an order of its own.

    context k shows   image[permutation_k],   permutation_1 the identity, the others drawn at random

What is to be named, the class, does not change; what is seen does (Goodfellow et al. 2013; domain-
incremental in van de Ven and Tolias 2019). A generator that is to draw old contexts is conditioned
on a *condition*, which is context and class in one number: n_classes (k - 1) + class.
"""

from dataclasses import dataclass

import numpy as np

from bridge.data.datasets import ImageData, Labelled
from bridge.errors import DataError


@dataclass(frozen=True, eq=False)
class PermutedContexts:
    """A data set seen through several permutations of its pixels, one after the other.

    Parameters
    ----------
    data
        The data set.
    n
        How many contexts, at least 1.
    seed
        Of the permutations.

    Raises
    ------
    DataError
        Fewer than one context.
    """

    data: ImageData
    n: int
    seed: int

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or not isinstance(self.n, int) or self.n < 1:
            raise DataError(f"n is {self.n!r}; give a whole number of contexts, at least 1")

    def __len__(self) -> int:
        return self.n

    @property
    def n_conditions(self) -> int:
        """Pairs of a context and a class."""
        return self.n * self.data.n_classes

    def permutation(self, k: int) -> np.ndarray:
        """The pixels (pixel,) that context k (1-based) shows, in its order."""
        if not 1 <= k <= self.n:
            raise DataError(f"there is no context {k}; contexts are 1 to {self.n}")
        n_pixels = int(np.prod(self.data.image_shape))
        if k == 1:
            return np.arange(n_pixels)
        return np.random.default_rng([self.seed, k]).permutation(n_pixels)

    def train(self, k: int) -> Labelled:
        """Real training images of context k alone (1-based), labelled by class."""
        return self._seen(self.data.train, k)

    def validation(self, k: int) -> Labelled:
        """Real held-out training images of context k alone."""
        return self._seen(self.data.validation, k)

    def test(self, k: int) -> Labelled:
        """Test images of context k: for reporting, never for choosing."""
        return self._seen(self.data.test, k)

    def conditions(self, k: int, labels: np.ndarray) -> np.ndarray:
        """The condition (trial,) of trials of context k with these classes (trial,)."""
        return self.data.n_classes * (k - 1) + labels

    def classes(self, conditions: np.ndarray) -> np.ndarray:
        """The class (trial,) of each condition (trial,)."""
        return conditions % self.data.n_classes

    def _seen(self, part: Labelled, k: int) -> Labelled:
        flat = part.images.reshape(len(part.images), -1)[:, self.permutation(k)]
        return Labelled(flat.reshape(part.images.shape), part.labels)
