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

import csv
import io
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridge.batches import check_images
from bridge.errors import BatchError, ResultsError

REMEDY = "run `dgr reproduce` into a new folder, or restore the file from a copy"


class MissingResults(ResultsError):
    """What a figure needs was not part of this run."""


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


# --- cells of a table: text -> value, ValueError with what was expected


def _text(cell: str) -> str:
    return cell


def _whole(cell: str) -> int:
    value = float(cell)
    if value != int(value) or value < 0:
        raise ValueError
    return int(value)


def _number(cell: str) -> float:
    return float(cell)


def _percent(cell: str) -> float:
    value = float(cell)
    if not 0 <= value <= 100:
        raise ValueError
    return value


def _percent_or_blank(cell: str) -> float:
    return _percent(cell) if cell else math.nan


EXPECTED = {
    _text: "text",
    _whole: "a whole number >= 0",
    _number: "a number",
    _percent: "a percentage in [0, 100]",
    _percent_or_blank: "a percentage in [0, 100] or blank",
}

Schema = Mapping[str, Callable[[str], Any]]

_ACCURACIES: Schema = {"overall": _percent, "new": _percent, "old": _percent_or_blank}
TABLES: Mapping[str, tuple[tuple[str, ...], Schema]] = {  # name -> (columns of the key, columns)
    "accuracy": (
        ("solver", "replay", "seed", "context", "iteration"),
        {"solver": _text, "replay": _text, "seed": _whole, "context": _whole, "iteration": _whole,
         **_ACCURACIES, "selected": lambda cell: _whole(cell or "0")},
    ),
    "joint": (
        ("solver", "variant", "seed", "epoch"),
        {"solver": _text, "variant": _text, "seed": _whole, "epoch": _whole, "test": _percent,
         "validation": _percent_or_blank},
    ),
    "warmstart": (
        ("solver", "variant", "seed", "context"),
        {"solver": _text, "variant": _text, "seed": _whole, "context": _whole, **_ACCURACIES},
    ),
    "generator": (
        ("seed", "context", "iteration"),
        {"seed": _whole, "context": _whole, "iteration": _whole, "discriminator_loss": _number,
         "generator_loss": _number, "n_real": _whole, "n_replayed": _whole},
    ),
    "diagnostics": (
        ("solver", "seed", "context", "quantity"),
        {"solver": _text, "seed": _whole, "context": _whole, "quantity": _text, "value": _number},
    ),
}


@dataclass(frozen=True)
class Table:
    """Named columns of equal length."""

    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def where(self, **wanted: Any) -> "Table":
        """The rows whose columns equal every value of `wanted`."""
        keep = np.ones(len(self), dtype=bool)
        for column, value in wanted.items():
            keep &= self.columns[column] == value
        return Table({name: values[keep] for name, values in self.columns.items()})

    def distinct(self, column: str) -> list:
        """The different values of `column`, in order of first appearance."""
        return list(dict.fromkeys(self.columns[column].tolist()))


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
            self._tables[name] = _read_table(self.folder / "tables" / f"{name}.csv", key, schema)
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
    for key, kind in {"data": str, "protocol": dict, "seeds": list, "solvers": list,
                      "replays": list, "contexts": list}.items():
        if not isinstance(config.get(key), kind) or not config[key]:
            raise ResultsError(f"{path}: '{key}' must be a non-empty {kind.__name__}, "
                               f"not {config.get(key)!r}; {REMEDY}")
    if not all(type(seed) is int for seed in config["seeds"]):
        raise ResultsError(f"{path}: 'seeds' must be whole numbers, not {config['seeds']!r}")
    if not all(isinstance(c, list) and c and all(type(k) is int for k in c)
               for c in config["contexts"]):
        raise ResultsError(f"{path}: 'contexts' must be lists of digits, "
                           f"not {config['contexts']!r}")
    manifest = folder / "manifest.json"
    return Results(folder, config, _read_json(manifest) if manifest.is_file() else {})


def _generated_path(folder: Path, seed: int | str, context: int) -> Path:
    return folder / "samples" / f"seed-{seed}" / f"generated-context-{context}.npz"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: not readable as JSON ({error}); {REMEDY}") from None
    if not isinstance(value, dict):
        raise ResultsError(f"{path}: holds {type(value).__name__}, expected an object; {REMEDY}")
    return value


def _read_table(path: Path, key: tuple[str, ...], schema: Schema) -> Table:
    """Read a CSV file whose first line names the columns; columns beyond `schema` are ignored."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingResults(f"{path}: this run has no such table") from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: not readable ({error}); {REMEDY}") from None
    lines = list(csv.reader(io.StringIO(text)))
    header = lines[0] if lines else []
    absent = [column for column in schema if column not in header]
    if absent:
        raise ResultsError(f"{path}: lacks column {', '.join(map(repr, absent))}; {REMEDY}")
    columns: dict[str, list] = {column: [] for column in schema}
    seen = set()
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise ResultsError(f"{path}, line {number}: {len(line)} cells instead of "
                               f"{len(header)}; {REMEDY}")
        row = dict(zip(header, line, strict=True))
        for column, parse in schema.items():
            try:
                columns[column].append(parse(row[column]))
            except (ValueError, OverflowError):
                expected = EXPECTED.get(parse, EXPECTED[_whole])
                raise ResultsError(f"{path}, line {number}, column '{column}': {row[column]!r} "
                                   f"is not {expected}; {REMEDY}") from None
        identity = tuple(columns[column][-1] for column in key)
        if identity in seen:
            which = ", ".join(f"{c} {v}" for c, v in zip(key, identity, strict=True))
            raise ResultsError(f"{path}, line {number}: a second row for {which}; {REMEDY}")
        seen.add(identity)
    if not seen:
        raise MissingResults(f"{path}: has no rows")
    return Table({name: np.asarray(values) for name, values in columns.items()})


def _read_arrays(path: Path, names: tuple[str, ...]) -> list[np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            absent = [name for name in names if name not in file]
            if absent:
                raise ResultsError(f"{path}: lacks array {', '.join(map(repr, absent))}; {REMEDY}")
            return [file[name] for name in names]
    except FileNotFoundError:
        raise MissingResults(f"{path}: this run has no such samples") from None
    except ResultsError:
        raise
    except (OSError, ValueError, EOFError, AttributeError, TypeError,
            zipfile.BadZipFile) as error:
        raise ResultsError(f"{path}: damaged or not an .npz file ({error}); {REMEDY}") from None


def _read_digits(path: Path) -> Digits:
    images, labels = _read_arrays(path, ("images", "labels"))
    try:
        check_images(images)
    except BatchError as error:
        raise ResultsError(f"{path}: {error}; {REMEDY}") from None
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or not len(labels):
        raise ResultsError(f"{path}: labels of shape {labels.shape} and dtype {labels.dtype} do "
                           f"not name {len(images)} images; {REMEDY}")
    return Digits(images, labels)


def _read_structure(path: Path) -> Structure:
    structure = Structure(*_read_arrays(path, Structure._fields))
    N = len(structure.ei)
    shapes = tuple(array.shape for array in structure)
    if (shapes[1] != (N, N) or shapes[0][:1] != (N,) or shapes[2][1:] != (N,)
            or not np.isin(structure.ei, (-1, 1)).all()):
        raise ResultsError(f"{path}: Win, Wrec, Wout, ei have shapes {shapes}; expected (N, Nin), "
                           f"(N, N), (Nout, N) and (N,) of +1/-1; {REMEDY}")
    if not (structure.Wrec * structure.ei >= 0).all():
        raise ResultsError(f"{path}: Wrec breaks Dale's law: a column has the wrong sign, so "
                           f"these are not effective weights; {REMEDY}")
    return structure
