"""What every solver and generator here asks of its examples, and how it walks through them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
import torch

from torch_dgr.errors import ExamplesError, SettingError, shown

__all__ = [
    "LARGEST_COUNT",
    "LARGEST_SEED",
    "MOST_PIXELS",
    "SUM_TOLERANCE",
    "checked_count",
    "checked_device",
    "checked_image_shape",
    "checked_images",
    "checked_number",
    "checked_rng",
    "checked_sizes",
    "checked_targets",
    "checked_weights",
    "minibatches",
    "named",
]

T = TypeVar("T")

# A row of class probabilities may miss 1 by the rounding of a float32 softmax over many classes.
SUM_TOLERANCE = 1e-4


def checked_images(
    images: np.ndarray, shape: tuple[int | None, int | None] | None = None
) -> torch.Tensor:
    """Return images (trial, row, column) in [0, 1] as a float32 tensor, or raise ExamplesError.

    shape: the (row, column) that a network was built for; a None in it matches anything.
    """
    images = _numbers(images, "images")
    expected = (None, None) if shape is None else shape
    if images.ndim != 3 or any(
        want is not None and want != got
        for want, got in zip(expected, images.shape[1:], strict=True)
    ):
        wanted = ", ".join(
            name if want is None else str(want)
            for name, want in zip(("row", "column"), expected, strict=True)
        )
        raise ExamplesError(f"images have shape {images.shape}; give (trial, {wanted})")
    if images.size == 0:
        raise ExamplesError(f"images have shape {images.shape}: no example; give at least one")
    low, high = float(images.min()), float(images.max())  # NaN goes through min and max
    if not (low >= 0 and high <= 1):
        raise ExamplesError(
            f"images range over [{low:g}, {high:g}]; pixels have to be finite and within [0, 1] "
            "(divide 8-bit pixels by 255)"
        )
    return torch.from_numpy(np.array(images, dtype=np.float32))


def checked_targets(targets: np.ndarray, n_trials: int, n_classes: int) -> torch.Tensor:
    """Return class probabilities (trial, class) as a float32 tensor, or raise ExamplesError."""
    targets = _numbers(targets, "targets")
    if targets.shape != (n_trials, n_classes):
        raise ExamplesError(
            f"targets have shape {targets.shape}; give class probabilities of shape "
            f"({n_trials}, {n_classes}), one-hot rows for labels"
        )
    if not (targets.min() >= 0 and targets.max() <= 1):
        raise ExamplesError(
            f"targets range over [{float(targets.min()):g}, {float(targets.max()):g}]; "
            "probabilities have to be finite and within [0, 1]"
        )
    sums = targets.sum(axis=1, dtype=np.float64)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > SUM_TOLERANCE:
        raise ExamplesError(
            f"targets of trial {worst} sum to {sums[worst]:g}; the class probabilities of a trial "
            "have to sum to 1"
        )
    return torch.from_numpy(np.array(targets, dtype=np.float32))


def checked_weights(weights: np.ndarray | None, n_trials: int) -> torch.Tensor:
    """Return weights (trial,) as a tensor, 1 where None was given, or raise ExamplesError."""
    if weights is None:
        return torch.ones(n_trials)
    weights = _numbers(weights, "weights")
    if weights.shape != (n_trials,):
        raise ExamplesError(
            f"weights have shape {weights.shape}; give one weight a trial, shape ({n_trials},)"
        )
    if not (weights.min() >= 0 and weights.max() > 0 and np.isfinite(weights).all()):
        raise ExamplesError(
            f"weights range over [{float(weights.min()):g}, {float(weights.max()):g}]; they have "
            "to be finite, at least 0, and above 0 for some trial"
        )
    return torch.from_numpy(np.array(weights, dtype=np.float32))


LARGEST_COUNT = 2**31 - 1  # of units, trials or iterations
LARGEST_SEED = 2**63 - 1  # that torch takes


def checked_count(value: int, name: str, least: int = 1, most: int = LARGEST_COUNT) -> int:
    """Return value as an int from `least` to `most`, or raise SettingError."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))
    if not whole or not least <= value <= most:
        limits = f"of at least {least}" if whole and value < least else f"from {least} to {most}"
        raise SettingError(f"{name} is {shown(value)}; give a whole number {limits}")
    return int(value)


def checked_number(
    value: float, name: str, *, least: float = 0.0, above: float | None = None
) -> float:
    """Return value as a float of at least `least`, or above `above`, or raise SettingError."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or (value < least if above is None else value <= above):
        limit = f"of at least {least:g}" if above is None else f"above {above:g}"
        raise SettingError(f"{name} is {shown(value)}; give a finite number {limit}")
    return float(value)


def checked_sizes(sizes: Sequence[int], name: str, length: int | None = None) -> tuple[int, ...]:
    """Return a sequence of sizes of at least 1 as a tuple of int, or raise SettingError."""
    if isinstance(sizes, str) or not isinstance(sizes, Sequence):
        raise SettingError(f"{name} is {shown(sizes)}; give a sequence of whole numbers")
    if not sizes or length not in (None, len(sizes)):
        wanted = "at least one" if length is None else length
        raise SettingError(f"{name} is {shown(sizes)}; give {wanted} whole numbers")
    return tuple(checked_count(size, name) for size in sizes)


MOST_PIXELS = 2**16  # of an image


def checked_image_shape(shape: Sequence[int]) -> tuple[int, int]:
    """Return (row, column), or raise SettingError."""
    rows, columns = checked_sizes(shape, "image_shape", length=2)
    if rows * columns > MOST_PIXELS:
        raise SettingError(
            f"image_shape is {shown(shape)}; give two sizes, (row, column), of at most "
            f"{MOST_PIXELS} pixels"
        )
    return rows, columns


def named(table: Mapping[str, T], name: str, setting: str) -> T:
    """Return table[name], or raise SettingError naming the setting and the choices."""
    if name not in table:
        raise SettingError(f"{setting} is {shown(name)}; give one of {', '.join(table)}")
    return table[name]


def checked_rng(rng: np.random.Generator) -> np.random.Generator:
    """Return rng, or raise SettingError unless it is numpy's."""
    if not isinstance(rng, np.random.Generator):
        raise SettingError(f"rng is {shown(rng)}; give numpy.random.default_rng(seed)")
    return rng


def checked_device(device: str | torch.device) -> torch.device:
    """Return the device, or raise SettingError where torch cannot compute on it here."""
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        # torch says 'not compiled with CUDA' in an AssertionError, all else in the others.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise SettingError(
            f"device is {shown(device)}, which cannot be used here ({reason}); give 'cpu', or a "
            "device that this computer and this build of torch have"
        ) from None
    return found


def minibatches(
    n_trials: int, batch_size: int, iterations: int, rng: np.random.Generator
) -> Iterator[torch.Tensor]:
    """Yield `iterations` index tensors (trial,): shuffled passes over the data, one after another.

    Every pass sees each trial once; its last batch holds what is left and may be short.
    """
    checked_rng(rng)
    remaining = iterations
    while remaining > 0:
        order = torch.from_numpy(rng.permutation(n_trials))
        for batch in order.split(batch_size)[:remaining]:
            yield batch
            remaining -= 1


def _numbers(values: np.ndarray, name: str) -> np.ndarray:
    try:
        values = np.asarray(values)
    except ValueError as error:  # ragged nested lists
        raise ExamplesError(f"{name} are not one array ({error}); give equal shapes") from error
    if values.dtype.kind not in "fiub":
        raise ExamplesError(f"{name} have dtype {values.dtype}; give real numbers")
    return values
