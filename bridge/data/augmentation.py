"""Images changed at random: blurred, of stronger contrast, shifted.

A solver that is shown sharp real images of new classes beside smooth generated images of old
ones learns that difference; changes that every image may have hide it.
"""

from dataclasses import dataclass

import numpy as np

from bridge.data.examples import Examples
from bridge.errors import SettingError


@dataclass(frozen=True)
class Augmentation:
    """How images are changed; each image draws its own changes.

    Parameters
    ----------
    blur
        Probability of a blur with the kernel [1 2 1]/4 in both directions.
    contrast
        Largest factor by which pixels move away from 1/2; the factor of an image is
        1 + (contrast - 1) u^2 with u uniform in [0, 1]; 1 for none.
    shift
        Largest shift in rows and in columns, in pixels; what leaves one side enters at the other.
    """

    blur: float = 0.3
    contrast: float = 3.0
    shift: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.blur <= 1:
            raise SettingError(f"blur is {self.blur}; it is a probability in [0, 1]")
        if not 1 <= self.contrast < np.inf:
            raise SettingError(f"contrast is {self.contrast}; give a factor of at least 1")
        if self.shift < 0:
            raise SettingError(f"shift is {self.shift}; give a number of pixels, 0 for none")

    def __call__(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """The same examples with their images changed; pixels stay in [0, 1].

        Parameters
        ----------
        examples
            Any set of images.
        rng
            The source of all changes.
        """
        return examples.with_images(self.images(examples.images, rng))

    def images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Changed copies of images (trial, row, column), float32 in [0, 1]."""
        n = len(images)
        changed = images.astype(np.float32)
        blurred = np.flatnonzero(rng.random(n) < self.blur)
        changed[blurred] = _blurred(changed[blurred])
        factor = 1 + (self.contrast - 1) * rng.random((n, 1, 1), dtype=np.float32) ** 2
        changed -= 0.5
        changed *= factor
        changed += 0.5
        np.clip(changed, 0, 1, out=changed)
        return _shifted(changed, rng.integers(-self.shift, self.shift + 1, (n, 2)))


def _blurred(images: np.ndarray) -> np.ndarray:
    """Images convolved with [1 2 1]/4 along rows and columns, 0 beyond the edges."""
    for axis in (1, 2):
        width = [(0, 0)] * 3
        width[axis] = (1, 1)
        padded = np.moveaxis(np.pad(images, width), axis, 0)
        images = np.moveaxis((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4, 0, axis)
    return images


def _shifted(images: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Each image rolled by its own steps (trial, 2) in rows and columns."""
    moved = np.empty_like(images)
    for step in np.unique(steps, axis=0):
        those = (steps == step).all(axis=1)
        moved[those] = np.roll(images[those], tuple(step), axis=(1, 2))
    return moved
