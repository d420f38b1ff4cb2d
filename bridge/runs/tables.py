"""Tables of a results folder: CSV files, one schema for who writes and who reads.

A table that is absent is `MissingResults`: a figure that needs it is not drawn. A table that is
there and wrong is a plain `ResultsError`, which nothing catches on the way to the user.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridge.errors import MissingBackendError, ResultsError
from bridge.files import utf8, write_whole
from bridge.runs.config import REMEDY
from pycog_dgr.files.npz import shortened

LARGEST_FILE = 2**24  # bytes of a table; one of 100,000 rows has 5 million
LARGEST_WHOLE = 2**53  # beyond, floats leave out whole numbers


class MissingResults(ResultsError):
    """What a figure needs was not part of this run."""


class Cell(NamedTuple):
    """A kind of cell: its text to a value (ValueError where it is none), and what is expected.

    A column of text is one of objects: an array of text would take the longest cell for each.
    """

    parse: Callable[[str], Any]
    expected: str
    dtype: type = float


def _whole(cell: str) -> int:
    value = float(cell)
    if value != int(value) or not 0 <= value <= LARGEST_WHOLE:
        raise ValueError
    return int(value)


def _finite(cell: str) -> float:
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError
    return value


def _percent(cell: str) -> float:
    value = float(cell)
    if not 0 <= value <= 100:
        raise ValueError
    return value


TEXT = Cell(str, "text", object)
WHOLE = Cell(_whole, "a whole number >= 0", int)
FINITE = Cell(_finite, "a finite number")
FLAG = Cell(lambda cell: {"": 0, "0": 0, "1": 1}[cell], "0, 1 or blank", int)
PERCENT = Cell(_percent, "a percentage in [0, 100]")
PERCENT_OR_BLANK = Cell(
    lambda cell: _percent(cell) if cell else math.nan, "a percentage in [0, 100] or blank"
)


@dataclass(frozen=True)
class Schema:
    """The columns of a table in their order; the first `keys` of them name a row.

    An `open` table may have further columns: the losses of a kind of generator. Contexts are
    counted from `first_context`; 0 stands for the untrained network.
    """

    keys: int
    columns: Mapping[str, Cell]
    open: bool = False
    first_context: int = 1


ACCURACIES = {"overall": PERCENT, "new": PERCENT, "old": PERCENT_OR_BLANK}
TABLES: Mapping[str, Schema] = {
    "accuracy": Schema(
        5,
        {
            "solver": TEXT,
            "replay": TEXT,
            "seed": WHOLE,
            "context": WHOLE,
            "iteration": WHOLE,
            **ACCURACIES,
            "selected": FLAG,
        },
    ),
    "matrix": Schema(
        5,
        {
            "solver": TEXT,
            "replay": TEXT,
            "seed": WHOLE,
            "context": WHOLE,
            "tested": WHOLE,
            "accuracy": PERCENT,
        },
    ),
    "scenarios": Schema(
        6,
        {
            "solver": TEXT,
            "replay": TEXT,
            "seed": WHOLE,
            "context": WHOLE,
            "tested": WHOLE,
            "scenario": TEXT,
            "accuracy": PERCENT,
        },
        first_context=0,
    ),
    "confusion": Schema(
        6,
        {
            "solver": TEXT,
            "replay": TEXT,
            "seed": WHOLE,
            "context": WHOLE,
            "true": WHOLE,
            "named": WHOLE,
            "images": WHOLE,
        },
    ),
    "joint": Schema(
        4,
        {
            "solver": TEXT,
            "variant": TEXT,
            "seed": WHOLE,
            "epoch": WHOLE,
            "test": PERCENT,
            "validation": PERCENT_OR_BLANK,
        },
    ),
    "warmstart": Schema(
        4, {"solver": TEXT, "variant": TEXT, "seed": WHOLE, "context": WHOLE, **ACCURACIES}
    ),
    "generator": Schema(
        3,
        {
            "seed": WHOLE,
            "context": WHOLE,
            "iteration": WHOLE,
            "n_real": WHOLE,
            "n_replayed": WHOLE,
        },
        open=True,
    ),
    "diagnostics": Schema(
        4,
        {"solver": TEXT, "seed": WHOLE, "context": WHOLE, "quantity": TEXT, "value": FINITE},
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

    def to_pandas(self) -> Any:
        """The table as a pandas.DataFrame; MissingBackendError without the extra [export]."""
        try:
            import pandas
        except ImportError as error:
            raise MissingBackendError(
                f"a DataFrame needs pandas ({error}): pip install 'dgr[export]'"
            ) from None
        return pandas.DataFrame(dict(self.columns))

    def distinct(self, column: str) -> list:
        """The different values of `column`, in order of first appearance."""
        return list(dict.fromkeys(self.columns[column].tolist()))


def write_table(path: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of the table called `name` as CSV, whole or not at all; None is an empty cell.

    ValueError where a row lacks a column or, in a table that is not open, has one too many.

    Parameters
    ----------
    path
        The file.
    name
        A name in TABLES.
    rows
        Column -> value, each.
    """
    schema, rows = TABLES[name], list(rows)
    columns = list(schema.columns)
    if schema.open:
        columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="raise", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        if missing := [column for column in schema.columns if column not in row]:
            raise ValueError(f"{path}: a row lacks {', '.join(missing)}: {dict(row)}")
        writer.writerow({key: _written(value) for key, value in row.items()})
    write_whole(path, utf8(text.getvalue()))


def _written(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else value


def read_table(path: Path, schema: Schema) -> Table:
    """Read a CSV file whose first line names the columns; others than the schema's are ignored."""
    lines = _lines(path)
    header = next(lines, [])
    if absent := [column for column in schema.columns if column not in header]:
        raise ResultsError(f"{path}: lacks column {', '.join(map(repr, absent))}; {REMEDY}")
    cells = [(name, cell, header.index(name)) for name, cell in schema.columns.items()]
    rows, seen = [], set()
    for number, line in enumerate(lines, start=2):
        row = [_parsed(path, number, name, cell, line[place]) for name, cell, place in cells]
        key = tuple(row[: schema.keys])
        if key in seen:
            named = zip(schema.columns, key, strict=False)
            which = ", ".join(f"{name} {shortened(value, 40)}" for name, value in named)
            raise ResultsError(f"{path}, line {number}: a second row for {which}; {REMEDY}")
        seen.add(key)
        rows.append(row)
    if not rows:
        raise MissingResults(f"{path}: has no rows")
    columns = zip(cells, zip(*rows, strict=True), strict=True)
    return Table({name: np.array(values, cell.dtype) for (name, cell, _), values in columns})


def read_cells(path: Path) -> dict[str, list[str]]:
    """The text of every cell of a CSV file, by column; ResultsError where it is not one."""
    lines = _lines(path)
    header, rows = next(lines, []), list(lines)
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}


def _lines(path: Path) -> Iterator[list[str]]:
    """The header of a CSV file, then its other lines one by one, each as wide as the header."""
    width = 0
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"more than {LARGEST_FILE:,} bytes")
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(csv.reader(io.StringIO(text)), start=1):
            width = len(line) if number == 1 else width
            if len(line) != width:
                raise ResultsError(
                    f"{path}, line {number}: {len(line)} cells instead of {width}; {REMEDY}"
                )
            yield line
    except FileNotFoundError:
        raise MissingResults(f"{path}: this run has no such table") from None
    except ResultsError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        raise ResultsError(f"{path}: not readable as CSV ({shortened(error)}); {REMEDY}") from None


def _parsed(path: Path, number: int, name: str, cell: Cell, text: str) -> Any:
    try:
        return cell.parse(text)
    except (ValueError, OverflowError, KeyError):
        raise ResultsError(
            f"{path}, line {number}, column '{name}': {shortened(text, 40)!r} is not "
            f"{cell.expected}; {REMEDY}"
        ) from None
