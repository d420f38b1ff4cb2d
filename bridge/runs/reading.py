"""One results folder, read for drawing: the only place where figures and report touch files.

    file                                     read by
    config.json, manifest.json               load_results (checked at once)
    tables/NAME.csv                          Results.table(NAME) (checked when first asked for)
    samples/true.npz                         Results.true_digits()
    samples/seed-S/generated-context-K.npz   Results.generated(S, K)
    samples/structure-seed-S.npz             Results.structure(S)

A file that is absent is `MissingResults`: a figure that needs it is not drawn. A file that is
there and wrong is a plain `ResultsError`, which nothing catches on the way to the user.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridge.data.examples import check_images
from bridge.errors import ArchiveError, BatchError, ResultsError
from bridge.files import archive
from bridge.runs.results import NAME, SAMPLES
from bridge.runs.tables import REMEDY, TABLES, MissingResults, Table, read_table


class Digits(NamedTuple):
    """`images` (trial, 28, 28) in [0, 1] and their integer `labels` (trial,)."""

    images: np.ndarray
    labels: np.ndarray


class Structure(NamedTuple):
    """Effective weights Win (N, Nin), Wrec (N, N), Wout (Nout, N); signs ei (N,) of +1/-1."""

    Win: np.ndarray
    Wrec: np.ndarray
    Wout: np.ndarray
    ei: np.ndarray


@dataclass(frozen=True)
class Results:
    """A results folder: its configuration, its manifest, and its tables and samples on demand."""

    folder: Path
    config: Mapping[str, Any]
    manifest: Mapping[str, Any]
    _tables: dict[str, Table] = field(default_factory=dict, repr=False, compare=False)

    @property
    def seeds(self) -> list[int]:
        return list(self.config["seeds"])

    @property
    def solvers(self) -> list[str]:
        return list(self.config["solvers"])

    @property
    def contexts(self) -> list[tuple[int, ...]]:
        """The classes of each context, in the order learnt."""
        return [tuple(context) for context in self.config["contexts"]]

    def has(self, name: str) -> bool:
        """Whether table `name` is in the folder."""
        return (self.folder / "tables" / f"{name}.csv").is_file()

    def table(self, name: str) -> Table:
        """Table `name`, checked; MissingResults where the run has none."""
        if name not in self._tables:
            key, schema = TABLES[name]
            path = self.folder / "tables" / f"{name}.csv"
            table = read_table(path, key, schema)
            if "context" in schema:
                _check_contexts(path, table, len(self.contexts))
            self._tables[name] = table
        return self._tables[name]

    def true_digits(self) -> Digits:
        """True test digits of every class."""
        return _read_digits(self.folder / "samples" / "true.npz")

    def generated(self, seed: int, context: int) -> Digits:
        """Samples of the generator that has learnt `context` contexts; labels by the reference."""
        return _read_digits(_generated_path(self.folder, seed, context))

    def seeds_with_samples(self, context: int) -> list[int]:
        """Seeds whose generator after `context` contexts left samples; MissingResults if none."""
        seeds = [s for s in self.seeds if _generated_path(self.folder, s, context).is_file()]
        if not seeds:
            wanted = _generated_path(Path(), "*", context)
            raise MissingResults(f"{self.folder}: no samples of generator {context} ({wanted})")
        return seeds

    def structure(self, seed: int) -> Structure:
        """The trained biological RNN of `seed`; its weights must obey its own signature."""
        return _read_structure(self.folder / "samples" / f"structure-seed-{seed}.npz")

    def seed_with_structure(self) -> int:
        """The first seed whose trained network was kept."""
        for seed in self.seeds:
            if (self.folder / "samples" / f"structure-seed-{seed}.npz").is_file():
                return seed
        raise MissingResults(f"{self.folder}: no trained biological RNN (samples/structure-seed-*)")


def load_results(folder: str | Path) -> Results:
    """Open a results folder; ResultsError where it is not one or its configuration is damaged."""
    folder = Path(folder)
    path = folder / "config.json"
    if not path.is_file():
        raise ResultsError(f"{folder}: not a results folder (no config.json); {REMEDY}")
    config = _read_json(path)
    for key, kind in {
        "data": str,
        "protocol": dict,
        "seeds": list,
        "solvers": list,
        "replays": list,
        "contexts": list,
    }.items():
        if not isinstance(config.get(key), kind) or not config[key]:
            raise ResultsError(
                f"{path}: '{key}' must be a non-empty {kind.__name__}, "
                f"not {config.get(key)!r}; {REMEDY}"
            )
    if not isinstance(config["protocol"].get("name"), str):
        raise ResultsError(f"{path}: the protocol has no name; {REMEDY}")
    names = [config["data"], *config["solvers"], *config["replays"]]
    strange = [name for name in names if not isinstance(name, str) or not NAME.fullmatch(name)]
    if strange:
        raise ResultsError(
            f"{path}: data, solvers and replays are named by letters, digits and "
            f"- _ . +, not {strange[0]!r}; {REMEDY}"
        )
    if not all(type(seed) is int for seed in config["seeds"]):
        raise ResultsError(f"{path}: 'seeds' must be whole numbers, not {config['seeds']!r}")
    if not all(
        isinstance(c, list) and c and all(type(k) is int and 0 <= k <= 9 for k in c)
        for c in config["contexts"]
    ):
        raise ResultsError(
            f"{path}: 'contexts' must be lists of digits, not {config['contexts']!r}"
        )
    classes = [k for context in config["contexts"] for k in context]
    if len(set(classes)) < len(classes):
        raise ResultsError(f"{path}: 'contexts' must not overlap: {config['contexts']!r}; {REMEDY}")
    for where, key, kind in (
        (config, "budget", dict),
        (config["protocol"], "leaks", list),
        (config["protocol"], "generator", dict),
    ):
        if not isinstance(where.get(key, kind()), kind):
            raise ResultsError(f"{path}: '{key}' must be a {kind.__name__}, not {where[key]!r}")
    manifest = folder / "manifest.json"
    return Results(folder, config, _read_json(manifest) if manifest.is_file() else {})


def _generated_path(folder: Path, seed: int | str, context: int) -> Path:
    return folder / "samples" / f"seed-{seed}" / f"generated-context-{context}.npz"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: not readable as JSON ({error}); {REMEDY}") from None
    if not isinstance(value, dict):
        raise ResultsError(f"{path}: holds {type(value).__name__}, expected an object; {REMEDY}")
    return value


def _check_contexts(path: Path, table: Table, n: int) -> None:
    strange = [k for k in table.distinct("context") if not 1 <= k <= n]
    if strange:
        raise ResultsError(
            f"{path}: names context {strange[0]}, but config.json has contexts 1 to {n}; {REMEDY}"
        )


def _read_arrays(path: Path, names: tuple[str, ...]) -> list[np.ndarray]:
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


def _read_digits(path: Path) -> Digits:
    images, labels = _read_arrays(path, ("images", "labels"))
    try:
        check_images(images)
    except BatchError as error:
        raise ResultsError(f"{path}: {error}; {REMEDY}") from None
    if (
        labels.shape != images.shape[:1]
        or labels.dtype.kind not in "iu"
        or not len(labels)
        or not np.isin(labels, range(10)).all()
    ):
        raise ResultsError(
            f"{path}: labels of shape {labels.shape} and dtype {labels.dtype} do "
            f"not name the digits 0-9 of {len(images)} images; {REMEDY}"
        )
    return Digits(images, labels)


def _read_structure(path: Path) -> Structure:
    structure = Structure(*_read_arrays(path, Structure._fields))
    N = structure.ei.size
    shapes = tuple(array.shape for array in structure)
    if (
        shapes[3] != (N,)
        or shapes[1] != (N, N)
        or shapes[0] != (N, *shapes[0][1:2])
        or shapes[2] != (*shapes[2][:1], N)
        or not np.isin(structure.ei, (-1, 1)).all()
    ):
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
