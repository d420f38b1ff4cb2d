"""Where the latents of each learnt class lie: what a conditional generator samples from.

    z | class ~ N(0, I)                                    StandardNormal
    z | class ~ sum_k w_k N(m_k, L_k L_k^T)                ClassMixtures, K components a class

| symbol | name    | shape                       |
|--------|---------|-----------------------------|
| w      | weights | (class, K)                  |
| m      | means   | (class, K, latent)          |
| L      | factors | (class, K, latent, latent)  |
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np

from torch_dgr.errors import ExamplesError, StateError, shown

__all__ = ["ClassMixtures", "Latents", "StandardNormal"]

COVARIANCE_FLOOR = 1e-2  # added to the diagonal of every covariance
EM_ITERATIONS = 15


class Latents(Protocol):
    """The distributions of the latents of all classes learnt so far; immutable."""

    @property
    def n_latent(self) -> int:
        """The size of a latent."""

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes learnt so far."""

    def draw(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return one latent for each label, (trial, latent), float32."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all that `with_arrays` needs, by name."""

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        """Return the distributions that `arrays` describes; StateError where they do not fit."""


@dataclass(frozen=True)
class StandardNormal:
    """The same distribution for every class."""

    n_latent: int
    classes: tuple[int, ...] = ()

    def draw(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return standard normal latents (trial, latent)."""
        return rng.standard_normal((len(labels), self.n_latent), dtype=np.float32)

    def with_classes(self, classes: tuple[int, ...]) -> Self:
        """Return the distribution that holds for further classes too."""
        return replace(self, classes=tuple(sorted({*self.classes, *classes})))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the classes as one array."""
        return {"classes": np.array(self.classes, dtype=np.int64)}

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        """Return the distribution for the classes of a state."""
        return replace(self, classes=checked_classes(arrays["classes"]))


@dataclass(frozen=True, eq=False)
class ClassMixtures:
    """A mixture of Gaussians with full covariances for each class.

    components: Gaussians a class; with one a probe of the samples gets 94.7 % right, with ten 95.5.
    """

    n_latent: int
    components: int = 10
    classes: tuple[int, ...] = ()
    weights: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    means: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    factors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0, 0), np.float32))

    def draw(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return latents (trial, latent): a component each, then a draw from its Gaussian."""
        normal = rng.standard_normal((len(labels), self.n_latent), dtype=np.float32)
        uniform = rng.random((len(labels), 1))
        if not len(labels):
            return normal
        row = np.searchsorted(np.array(self.classes), labels)
        beyond = uniform > np.cumsum(self.weights, axis=1, dtype=np.float64)[row, :-1]
        component = beyond.sum(axis=1)
        shifts = np.einsum("nij,nj->ni", self.factors[row, component], normal)
        return self.means[row, component] + shifts

    def with_mixture(self, label: int, latents: np.ndarray, rng: np.random.Generator) -> Self:
        """Return the distributions, with a mixture fitted to latents (trial, latent) of a class.

        It replaces the class's last one. Raises ExamplesError for fewer trials than components.
        """
        if len(latents) < self.components:
            raise ExamplesError(
                f"class {label} has {len(latents)} images; a mixture of {self.components} "
                f"Gaussians needs at least {self.components}"
            )
        distributions = {
            c: (self.weights[i], self.means[i], self.factors[i]) for i, c in enumerate(self.classes)
        }
        distributions[label] = fit_mixture(latents, self.components, rng)
        classes = tuple(sorted(distributions))
        weights, means, factors = (
            np.stack(part) for part in zip(*(distributions[c] for c in classes), strict=True)
        )
        return replace(self, classes=classes, weights=weights, means=means, factors=factors)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return classes, weights, means and factors."""
        return {
            "classes": np.array(self.classes, dtype=np.int64),
            "weights": self.weights,
            "means": self.means,
            "factors": self.factors,
        }

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        """Return the mixtures of a state; StateError where the shapes do not fit."""
        classes = checked_classes(arrays["classes"])
        n, d = len(classes), self.n_latent if len(classes) else 0
        k = np.shape(arrays["weights"])[-1] if np.ndim(arrays["weights"]) else 0
        shapes = {"weights": (n, k), "means": (n, k, d), "factors": (n, k, d, d)}
        parts = {}
        for name, shape in shapes.items():
            value = np.asarray(arrays[name])
            if value.shape != shape or value.dtype.kind != "f" or not np.isfinite(value).all():
                raise StateError(
                    f"latents.{name} has shape {value.shape} and dtype {value.dtype}; mixtures of "
                    f"{n} classes over {self.n_latent} latents are finite numbers of shape {shape}"
                )
            parts[name] = value.astype(np.float32)
        weights, means, factors = (parts[name] for name in shapes)
        return replace(self, classes=classes, weights=weights, means=means, factors=factors)


def fit_mixture(
    latents: np.ndarray, components: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights (K,), means (K, latent) and factors (K, latent, latent), all float32."""
    # Imported where it is used: the import alone takes longer than a fit.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        components,
        covariance_type="full",
        reg_covar=COVARIANCE_FLOOR,
        max_iter=EM_ITERATIONS,
        init_params="random_from_data",
        random_state=int(rng.integers(2**31)),
    )
    with warnings.catch_warnings():
        # A fixed number of steps is what is wanted: the last digits of a fit change no image.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(latents)
    factors = np.linalg.cholesky(model.covariances_)
    weights, means = model.weights_.astype(np.float32), model.means_.astype(np.float32)
    return weights, means, factors.astype(np.float32)


def checked_classes(classes: np.ndarray) -> tuple[int, ...]:
    classes = np.asarray(classes)
    rising = classes.ndim == 1 and classes.dtype.kind in "iu" and (np.diff(classes) > 0).all()
    if not rising or (classes < 0).any():
        raise StateError(
            f"classes of the state are {shown(classes)}; whole numbers in rising order expected"
        )
    return tuple(classes.tolist())
