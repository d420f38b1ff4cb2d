"""Images and weights that a run keeps for its figures."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridge.data import N_CLASSES, check_images
from bridge.errors import ArchiveError, BatchError, ResultsError
from bridge.files import archive
from bridge.networks import SOLVERS, make_solver, read_network
from bridge.runs.config import REMEDY
from bridge.runs.paths import RunPaths
from bridge.runs.setting import Setting
from bridge.runs.tables import MissingResults

SAMPLES = "dgr samples"
TRUE_IMAGES = 60  # test images a class, for grids and t-SNE


class LabelledImages(NamedTuple):
    """`images` (trial, 28, 28) in [0, 1] and their integer `labels` (trial,)."""

    images: np.ndarray
    labels: np.ndarray


class Structure(NamedTuple):
    """Effective weights Win (N, Nin), Wrec (N, N), Wout (Nout, N); signs ei (N,) of +1/-1."""

    Win: np.ndarray
    Wrec: np.ndarray
    Wout: np.ndarray
    ei: np.ndarray


def write_true_images(setting: Setting) -> None:
    """Keep the first test images of every class."""
    test = setting.contexts.data.test
    chosen = np.concatenate(
        [np.flatnonzero(test.labels == c)[:TRUE_IMAGES] for c in np.unique(test.labels)]
    )
    archive.save(
        setting.paths.true_images,
        SAMPLES,
        {"images": test.images[chosen], "labels": test.labels[chosen]},
    )


def write_structure(paths: RunPaths, seed: int, network_file: Path) -> None:
    """Keep the effective weights of a constrained solver, trained and as it was made.

    Nothing where its units have no signs: without Dale's law there is no such figure.
    """
    network, name, options = read_network(network_file, SOLVERS)
    if network.network.ei is None:
        return
    _keep_weights(paths.structure(seed), network)
    _keep_weights(paths.initial(seed), make_solver(name, seed, **options))


def _keep_weights(path: Path, network: Any) -> None:
    kept = {name: getattr(network.weights, name) for name in ("Win", "Wrec", "Wout")}
    archive.save(path, SAMPLES, {**kept, "ei": np.asarray(network.network.ei)})


def read_images(path: Path) -> LabelledImages:
    """Images of a run; MissingResults where it kept none, ResultsError where they are wrong."""
    images, labels = _read(path, LabelledImages._fields)
    try:
        check_images(images)
    except BatchError as error:
        raise ResultsError(f"{path}: {error}; {REMEDY}") from None
    whole = labels.shape == images.shape[:1] and labels.dtype.kind in "iu" and len(labels) > 0
    if not whole or not np.isin(labels, range(N_CLASSES)).all():
        raise ResultsError(
            f"{path}: labels of shape {labels.shape} and dtype {labels.dtype} do "
            f"not name the classes 0-9 of {len(images)} images; {REMEDY}"
        )
    return LabelledImages(images, labels)


def read_structure(path: Path) -> Structure:
    """A trained network's weights; they must obey their own signature."""
    structure = Structure(*_read(path, Structure._fields))
    N = structure.ei.size
    shapes = tuple(array.shape for array in structure)
    expected = ((N, *shapes[0][1:2]), (N, N), (*shapes[2][:1], N), (N,))
    if shapes != expected or not np.isin(structure.ei, (-1, 1)).all():
        raise ResultsError(
            f"{path}: Win, Wrec, Wout, ei have shapes {shapes}; expected (N, Nin), "
            f"(N, N), (Nout, N) and (N,) of +1/-1; {REMEDY}"
        )
    if not (structure.Wrec * structure.ei >= 0).all():
        raise ResultsError(
            f"{path}: Wrec breaks Dale's law: a column has the wrong sign, so "
            f"these are not effective weights; {REMEDY}"
        )
    return structure


def _read(path: Path, names: tuple[str, ...]) -> list[np.ndarray]:
    if not path.is_file():
        raise MissingResults(f"{path}: this run has no such samples")
    try:
        arrays, _ = archive.load(path, SAMPLES)
    except ArchiveError as error:
        raise ResultsError(f"{error}; {REMEDY}") from None
    absent = [name for name in names if name not in arrays]
    if absent:
        raise ResultsError(f"{path}: lacks array {', '.join(map(repr, absent))}; {REMEDY}")
    return [arrays[name] for name in names]
