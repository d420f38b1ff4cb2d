"""Random changes of images that leave their class alone: blur, contrast, shift.

All images of a solver are changed alike, real and generated: so that it cannot take 'blurred' for
'of an earlier class' and 'sharp' for 'new'.

    y  <-  1/16 (1 2 1)^T (1 2 1) * y                          with probability `blur`
    y  <-  clip( (y - 1/2) s + 1/2, 0, 1 ),  s = 1 + (contrast - 1) u^2,  u ~ U(0, 1)
    y  <-  y moved by (i, j) pixels, i and j each uniform on -shift..shift; 0 moves in

Every draw is an image's own.
"""

from dataclasses import dataclass

import numpy as np

from bridge.data.examples import check_images
from bridge.errors import SettingError

__all__ = ["Augmentation", "augment"]

AT_ONCE = 4096  # images, which bounds the memory taken beside them


@dataclass(frozen=True)
class Augmentation:
    """How images are changed; (0, 1, 0) leaves them as they are.

    Parameters
    ----------
    blur
        Probability that an image is blurred, in [0, 1].
    contrast
        The largest factor of contrast, at least 1.
    shift
        Pixels, at least 0.

    Raises
    ------
    SettingError
        A value out of its range.
    """

    blur: float = 0.3
    contrast: float = 2.0
    shift: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.blur <= 1:
            raise SettingError(f"blur is {self.blur}; it is a probability, from 0 to 1")
        if not 1 <= self.contrast < np.inf:
            raise SettingError(f"contrast is {self.contrast}; it must be finite and at least 1")
        if isinstance(self.shift, bool) or not isinstance(self.shift, int) or self.shift < 0:
            raise SettingError(f"shift is {self.shift!r}; give whole pixels, at least 0")


def augment(images: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Return changed copies of images.

    Parameters
    ----------
    images
        (trial, row, column) in [0, 1].
    augmentation
        What is done to them.
    rng
        The source of all random numbers.

    Returns
    -------
    np.ndarray
        (trial, row, column) in [0, 1], float32.

    Raises
    ------
    BatchError
        Images of a wrong shape or range.
    SettingError
        A shift of the whole image or more.
    """
    check_images(images)
    if augmentation.shift >= min(images.shape[1:]):
        raise SettingError(
            f"shift is {augmentation.shift} pixels, but images have only {images.shape[1:]}"
        )
    changed = np.empty(images.shape, dtype=np.float32)
    for start in range(0, len(images), AT_ONCE):
        part = images[start : start + AT_ONCE].astype(np.float32)
        blurred = rng.random(len(part)) < augmentation.blur
        part[blurred] = _blurred(part[blurred])
        part = _contrasted(part, 1 + (augmentation.contrast - 1) * rng.random(len(part)) ** 2)
        sides = 2 * augmentation.shift + 1
        moves = rng.integers(sides, size=(len(part), 2)) - augmentation.shift
        changed[start : start + AT_ONCE] = _shifted(part, moves)
    return changed


def _blurred(images: np.ndarray) -> np.ndarray:
    """Convolve with (1 2 1)/4 along rows and columns; beyond the border is 0."""
    for axis in (1, 2):
        inner = [slice(None)] * 3
        ahead, behind = list(inner), list(inner)
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        mixed = images / 2
        mixed[tuple(behind)] += images[tuple(ahead)] / 4
        mixed[tuple(ahead)] += images[tuple(behind)] / 4
        images = mixed
    return images


def _contrasted(images: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Stretch around middle grey by a factor for each image."""
    scale = factors.astype(np.float32)[:, None, None]
    return np.clip((images - np.float32(0.5)) * scale + np.float32(0.5), 0, 1)


def _shifted(images: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Move each image by its (row, column)."""
    rows, columns = images.shape[1:]
    shift = int(np.abs(moves).max(initial=0))
    padded = np.pad(images, ((0, 0), (shift, shift), (shift, shift)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (rows, columns), axis=(1, 2))
    return windows[np.arange(len(images)), shift - moves[:, 0], shift - moves[:, 1]]
