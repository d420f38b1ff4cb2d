"""The texture that a smooth decoder leaves out, given back to its samples class by class.

    y~ = clip( y(z, c) + a U_c e, 0, 1 ),    e ~ N(0, I),    a ~ U(0, amplitude)

U_c holds the leading principal directions of the residuals y - y(z, c) of the class's real images,
each times its standard deviation; z is drawn from the encoder. Without it a solver can take
'sharp' for 'new' and 'smooth' for 'old'.

| symbol | name    | shape                |
|--------|---------|----------------------|
| U      | factors | (class, pixel, rank) |
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from torch_dgr.errors import StateError
from torch_dgr.generators.latents import checked_classes

__all__ = ["ClassTextures"]


@dataclass(frozen=True, eq=False)
class ClassTextures:
    """Residual directions of every learnt class; rank 0 is no texture."""

    rank: int
    amplitude: float
    classes: tuple[int, ...]
    factors: np.ndarray

    @classmethod
    def empty(cls, n_pixels: int, rank: int, amplitude: float) -> Self:
        """Return the textures of no class yet."""
        return cls(rank, amplitude, (), np.zeros((0, n_pixels, rank), np.float32))

    def draw(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return what is added to an image of each label, (trial, pixel), float32."""
        strength = self.amplitude * rng.random((len(labels), 1), dtype=np.float32)
        normal = strength * rng.standard_normal((len(labels), self.rank), dtype=np.float32)
        texture = np.zeros((len(labels), self.factors.shape[1]), np.float32)
        for label, factor in zip(self.classes, self.factors, strict=True):
            chosen = labels == label
            texture[chosen] = normal[chosen] @ factor.T
        return texture

    def with_texture(self, label: int, residuals: np.ndarray) -> Self:
        """Return the textures with that of one class, from residuals (trial, pixel)."""
        factors = dict(zip(self.classes, self.factors, strict=True))
        factors[label] = principal_directions(residuals, self.rank)
        classes = tuple(sorted(factors))
        return replace(self, classes=classes, factors=np.stack([factors[c] for c in classes]))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return classes and factors."""
        return {"classes": np.array(self.classes, dtype=np.int64), "factors": self.factors}

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        """Return the textures of a state; StateError where the shapes do not fit."""
        classes, factors = checked_classes(arrays["classes"]), np.asarray(arrays["factors"])
        shape = (len(classes), *self.factors.shape[1:])
        if factors.shape != shape or factors.dtype.kind != "f" or not np.isfinite(factors).all():
            raise StateError(
                f"textures.factors has shape {factors.shape} and dtype {factors.dtype}; textures "
                f"of rank {self.rank} of {len(classes)} classes are finite numbers of shape {shape}"
            )
        return replace(self, classes=classes, factors=factors.astype(np.float32))


def principal_directions(residuals: np.ndarray, rank: int) -> np.ndarray:
    """Return the leading directions (pixel, rank) of residuals, each times its deviation."""
    n_pixels = residuals.shape[1]
    if rank == 0:
        return np.zeros((n_pixels, 0), np.float32)
    variances, directions = np.linalg.eigh(np.cov(residuals.T))
    leading = slice(n_pixels - rank, None)
    deviations = np.sqrt(np.maximum(variances[leading], 0))
    return (directions[:, leading] * deviations)[:, ::-1].astype(np.float32)
