"""What crosses between networks: generated or real images with the labels they were given.

    symbol    field      shape                 meaning
    x         images     (trial, 28, 28)       pixels in [0, 1], row t is the input of step t
    y         targets    (trial, class)        class probabilities, each row sums to 1
    w         weights    (trial,)              weight of the trial in the loss, >= 0

The weights carry r L(real) + (1 - r) L(replayed) of deep generative replay (Shin, Lee, Kim and
Kim, 2017), so that no training loop needs to know what is replayed; see `mix`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bridge.errors import BatchError
from bridge.files import archive

EXAMPLES = "dgr replay batch"


@dataclass(frozen=True)
class Examples:
    """Images, class probabilities and trial weights, with a note of where they came from.

    Construction checks every array, once: an Examples is the certificate that the others rely
    on. What is made of certified parts (`mix`, `with_images`) is not checked again.

    Parameters
    ----------
    images
        (trial, row, column) floats in [0, 1].
    targets
        (trial, class) probabilities.
    weights
        (trial,) of the trials in the loss, at least 0.
    origin
        Where the images come from, in words that survive in the file: generator, solver, seed.

    Raises
    ------
    BatchError
        An array of a wrong type, shape or range.
    """

    images: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    origin: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_images(self.images)
        n = len(self.images)
        check_targets(self.targets, n)
        check_numbers(self.weights, "weights")
        if self.weights.shape != (n,):
            raise BatchError(f"weights have shape {self.weights.shape}, expected ({n},)")
        if not (np.isfinite(self.weights).all() and (self.weights >= 0).all()):
            raise BatchError("weights must be finite and not negative")

    def __repr__(self) -> str:
        shape, classes = self.images.shape[1:], self.targets.shape[1]
        return f"Examples({len(self)} images {shape}, {classes} classes, {self.origin})"

    def __len__(self) -> int:
        return len(self.images)

    def with_images(self, images: np.ndarray) -> "Examples":
        """The same trials with images of the same shape that are known to be in [0, 1]."""
        return _certified(images, self.targets, self.weights, self.origin)


def _certified(
    images: np.ndarray, targets: np.ndarray, weights: np.ndarray, origin: dict[str, Any]
) -> Examples:
    """An Examples of arrays that have been checked already."""
    made = object.__new__(Examples)
    for name, value in zip(
        ("images", "targets", "weights", "origin"), (images, targets, weights, origin), strict=True
    ):
        object.__setattr__(made, name, value)
    return made


def check_images(images: np.ndarray, what: str = "images") -> None:
    """Raise BatchError unless `images` is float (trial, row, column), finite and in [0, 1].

    Parameters
    ----------
    images
        What is to be checked.
    what
        What messages call it.
    """
    if not isinstance(images, np.ndarray) or images.dtype.kind != "f":
        found = getattr(images, "dtype", type(images).__name__)
        raise BatchError(f"{what} must be a numpy array of floats in [0, 1], not {found}")
    if images.ndim != 3 or 0 in images.shape[1:]:
        raise BatchError(f"{what} have shape {images.shape}, expected (trial, row, column)")
    bad = ~np.isfinite(images)
    if bad.any():
        raise BatchError(
            f"{what} hold {bad.sum()} NaN or infinite pixels, first in image "
            f"{np.argwhere(bad)[0][0]}"
        )
    if images.size and (images.min() < 0 or images.max() > 1):
        raise BatchError(
            f"{what} leave [0, 1]: they span [{images.min():g}, {images.max():g}]; "
            "divide 8-bit pixels by 255"
        )


def check_numbers(values: np.ndarray, what: str) -> None:
    """Raise BatchError unless `values` is a numpy array of real numbers."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf":
        found = getattr(values, "dtype", type(values).__name__)
        raise BatchError(f"{what} must be a numpy array of real numbers, not {found}")


def check_targets(targets: np.ndarray, n: int) -> None:
    """Raise BatchError unless `targets` is float (n, class), each row a distribution."""
    check_numbers(targets, "targets")
    if targets.ndim != 2 or len(targets) != n or targets.shape[1] == 0:
        raise BatchError(f"targets have shape {targets.shape}, expected ({n}, class)")
    if not np.isfinite(targets).all() or (targets < 0).any():
        raise BatchError("targets must be finite and not negative")
    off = np.abs(targets.sum(axis=1) - 1) > 1e-4
    if off.any():
        raise BatchError(
            f"targets of {off.sum()} trials do not sum to 1, first trial "
            f"{np.argmax(off)} (sum {targets[np.argmax(off)].sum():g})"
        )


def one_hot(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """(trial,) integer labels to (trial, class) float32 targets. BatchError if out of range.

    Parameters
    ----------
    labels
        (trial,), whole numbers from 0.
    n_classes
        Number of classes.

    Returns
    -------
    ndarray
        (trial, class), float32.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise BatchError(
            f"labels have shape {labels.shape} and dtype {labels.dtype}, expected "
            "whole numbers, one a trial"
        )
    if labels.size and (labels.min() < 0 or labels.max() >= n_classes):
        raise BatchError(
            f"labels span {labels.min()}..{labels.max()}, but there are only "
            f"{n_classes} classes (0..{n_classes - 1})"
        )
    return np.eye(n_classes, dtype=np.float32)[labels]


def examples(images: np.ndarray, targets: np.ndarray, **origin: Any) -> Examples:
    """Equally weighted Examples, everything checked.

    Parameters
    ----------
    images
        (trial, row, column), float, in [0, 1].
    targets
        (trial, class), probabilities.
    **origin
        Where they come from, by name.

    Returns
    -------
    bridge.data.Examples
        All weights 1.
    """
    check_images(images)
    return labelled(images, targets, **origin)


def labelled(images: np.ndarray, targets: np.ndarray, **origin: Any) -> Examples:
    """Equally weighted Examples of images that `check_images` has seen; targets are checked.

    Parameters
    ----------
    images
        (trial, row, column), checked already.
    targets
        (trial, class), probabilities.
    **origin
        Where they come from, by name.

    Returns
    -------
    bridge.data.Examples
        All weights 1.
    """
    targets = np.asarray(targets, np.float32)
    check_targets(targets, len(images))
    return _certified(images, targets, np.ones(len(images), dtype=np.float32), origin)


def mix(real: Examples, replayed: Examples | None, real_weight: float | None) -> Examples:
    """Real and replayed trials in one set, weighted as r L(real) + (1 - r) L(replayed).

    With n = n_real + n_replayed trials, a real trial weighs r n/n_real and a replayed one
    (1 - r) n/n_replayed, so weights average 1. `real_weight=None` weighs every trial alike,
    which is r = n_real/n. Without replayed trials the real ones are returned as they are.

    Parameters
    ----------
    real
        Examples of the present context.
    replayed
        Examples that stand for earlier ones, or None.
    real_weight
        r, from 0 to 1, or None.

    Returns
    -------
    bridge.data.Examples
        The real ones first.
    """
    if replayed is None or len(replayed) == 0:
        return real
    n_real, n_replayed = len(real), len(replayed)
    if n_real == 0:
        raise BatchError("no real trial to mix with replayed ones; give at least one")
    for name in ("images", "targets"):
        shapes = [getattr(part, name).shape[1:] for part in (real, replayed)]
        if shapes[0] != shapes[1]:
            raise BatchError(
                f"{name} of a real trial have shape {shapes[0]}, of a replayed one "
                f"{shapes[1]}; they must be alike"
            )
    n = n_real + n_replayed
    r = n_real / n if real_weight is None else real_weight
    if not 0 < r < 1:
        raise BatchError(f"the weight of real trials is {r:g}; it must lie between 0 and 1")
    weights = np.concatenate(
        [real.weights * (r * n / n_real), replayed.weights * ((1 - r) * n / n_replayed)]
    )
    return _certified(
        np.concatenate([real.images, replayed.images]),
        np.concatenate([real.targets, replayed.targets]),
        weights.astype(np.float32),
        {"real": real.origin, "replayed": replayed.origin, "real_weight": r},
    )


def save_examples(path: str | Path, batch: Examples) -> None:
    """Write a replay batch as an archive (`bridge.files.archive`), whole or not at all.

    Parameters
    ----------
    path
        The file.
    batch
        What it is to hold.
    """
    archive.save(
        path,
        EXAMPLES,
        {"images": batch.images, "targets": batch.targets, "weights": batch.weights},
        origin=batch.origin,
    )


def load_examples(path: str | Path, n_classes: int | None = None) -> Examples:
    """Read a replay batch; ArchiveError or BatchError names the file and what is wrong.

    Parameters
    ----------
    path
        A file of `save_examples`.
    n_classes
        How many the targets must have; None: any number.

    Returns
    -------
    bridge.data.Examples
        Checked.
    """
    arrays, metadata = archive.load(path, EXAMPLES)
    missing = {"images", "targets", "weights"} - set(arrays)
    if missing:
        raise BatchError(f"{path}: lacks {', '.join(sorted(missing))}")
    try:
        batch = Examples(
            arrays["images"], arrays["targets"], arrays["weights"], metadata.get("origin", {})
        )
        if n_classes is not None and batch.targets.shape[1] != n_classes:
            raise BatchError(
                f"targets have {batch.targets.shape[1]} classes, the network has {n_classes}"
            )
    except BatchError as error:
        raise BatchError(f"{path}: {error}") from None
    return batch
