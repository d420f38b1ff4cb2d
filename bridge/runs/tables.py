"""Tables of a results folder: CSV files with known columns, checked cell by cell.

A table that is absent is `MissingResults`: a figure that needs it is not drawn. A table that is
there and wrong is a plain `ResultsError`, which nothing catches on the way to the user.
"""

import csv
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bridge.errors import ResultsError

REMEDY = "run `dgr reproduce` into a new folder, or restore the file from a copy"


class MissingResults(ResultsError):
    """What a figure needs was not part of this run."""


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


def _finite(cell: str) -> float:
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError
    return value


def _flag(cell: str) -> int:
    return {"": 0, "0": 0, "1": 1}[cell]


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
    _finite: "a finite number",
    _flag: "0, 1 or blank",
    _percent: "a percentage in [0, 100]",
    _percent_or_blank: "a percentage in [0, 100] or blank",
}

Schema = Mapping[str, Callable[[str], Any]]

_ACCURACIES: Schema = {"overall": _percent, "new": _percent, "old": _percent_or_blank}
TABLES: Mapping[str, tuple[tuple[str, ...], Schema]] = {  # name -> (columns of the key, columns)
    "accuracy": (
        ("solver", "replay", "seed", "context", "iteration"),
        {
            "solver": _text,
            "replay": _text,
            "seed": _whole,
            "context": _whole,
            "iteration": _whole,
            **_ACCURACIES,
            "selected": _flag,
        },
    ),
    "joint": (
        ("solver", "variant", "seed", "epoch"),
        {
            "solver": _text,
            "variant": _text,
            "seed": _whole,
            "epoch": _whole,
            "test": _percent,
            "validation": _percent_or_blank,
        },
    ),
    "warmstart": (
        ("solver", "variant", "seed", "context"),
        {"solver": _text, "variant": _text, "seed": _whole, "context": _whole, **_ACCURACIES},
    ),
    "generator": (
        ("seed", "context", "iteration"),
        {
            "seed": _whole,
            "context": _whole,
            "iteration": _whole,
            "discriminator_loss": _number,
            "generator_loss": _number,
            "n_real": _whole,
            "n_replayed": _whole,
        },
    ),
    "diagnostics": (
        ("solver", "seed", "context", "quantity"),
        {"solver": _text, "seed": _whole, "context": _whole, "quantity": _text, "value": _finite},
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


def read_table(path: Path, key: tuple[str, ...], schema: Schema) -> Table:
    """Read a CSV file whose first line names the columns; columns beyond `schema` are ignored."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingResults(f"{path}: this run has no such table") from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: not readable ({error}); {REMEDY}") from None
    try:
        lines = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise ResultsError(f"{path}: not a CSV file ({error}); {REMEDY}") from None
    header = lines[0] if lines else []
    absent = [column for column in schema if column not in header]
    if absent:
        raise ResultsError(f"{path}: lacks column {', '.join(map(repr, absent))}; {REMEDY}")
    columns: dict[str, list] = {column: [] for column in schema}
    seen = set()
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise ResultsError(
                f"{path}, line {number}: {len(line)} cells instead of {len(header)}; {REMEDY}"
            )
        row = dict(zip(header, line, strict=True))
        for column, parse in schema.items():
            try:
                columns[column].append(parse(row[column]))
            except (ValueError, OverflowError, KeyError):
                raise ResultsError(
                    f"{path}, line {number}, column '{column}': {row[column]!r} "
                    f"is not {EXPECTED[parse]}; {REMEDY}"
                ) from None
        identity = tuple(columns[column][-1] for column in key)
        if identity in seen:
            which = ", ".join(f"{c} {v}" for c, v in zip(key, identity, strict=True))
            raise ResultsError(f"{path}, line {number}: a second row for {which}; {REMEDY}")
        seen.add(identity)
    if not seen:
        raise MissingResults(f"{path}: has no rows")
    return Table({name: np.asarray(values) for name, values in columns.items()})
