"""Cells of a sweep: one run folder each, named by a digest of the settings that it holds.

    OUT/cells/DIGEST/cell.json      the resolved settings, and what was swept
    OUT/cells/DIGEST/result.json    what came out, once it is finished
    OUT/cells/DIGEST/failed.json    the last error, and after how many tries it was given up

The digest is of the settings *resolved*: defaults filled in, the task's source included. The same
cell asked for in other words is the same folder, and a cell whose task has changed is another.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bridge.files import write_json
from bridge.runs import read_json
from bridge.sweeps.experiments import Experiment

DIGITS = 16  # of a cell's name
REMEDY = "remove it to run the cell again"
Status = Literal["done", "failed", "started", "waiting"]
STATUS_OF: dict[str, Status] = {
    "result.json": "done",
    "failed.json": "failed",
    "cell.json": "started",
}


class Point(NamedTuple):
    """Where a cell lies: the values of the axes, and the seed."""

    values: dict[str, Any]
    seed: int


@dataclass(frozen=True)
class Result:
    """result.json: name of a measure -> value."""

    measures: dict[str, float | int | str | bool | None]


@dataclass(frozen=True)
class Failure:
    """failed.json: the last error, and the number of tries."""

    error: str
    tries: int


@dataclass(frozen=True)
class Cell:
    """One run of an experiment: its settings as given, its place on the axes, its folder."""

    experiment: Experiment
    settings: dict[str, Any]
    point: Point
    root: Path

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """All settings that decide the result, as JSON has them."""
        return self.experiment.resolve(self.settings, self.point.seed)

    @cached_property
    def name(self) -> str:
        """The digest that names the folder."""
        text = json.dumps(self.resolved, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]

    @property
    def folder(self) -> Path:
        return self.root / "cells" / self.name

    def __str__(self) -> str:
        values = (f"{name} = {value}" for name, value in self.point.values.items())
        return f"cell {self.name} ({', '.join([*values, f'seed {self.point.seed}'])})"

    @property
    def status(self) -> Status:
        """How far it is, by what lies in its folder."""
        for file, status in STATUS_OF.items():
            if (self.folder / file).exists():
                return status
        return "waiting"

    def result(self) -> dict[str, Any]:
        """What came out of a finished cell: name of a measure -> value."""
        return dict(read_json(self.folder / "result.json", Result, REMEDY).measures)

    def error(self) -> str:
        """Why a failed cell failed."""
        return read_json(self.folder / "failed.json", Failure, REMEDY).error

    def fail(self, error: BaseException, tries: int) -> None:
        """Note that the cell was given up."""
        words = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        write_json(self.folder / "failed.json", asdict(Failure(words, tries)))


def run_cell(cell: Cell) -> None:
    """Run a cell, or go on with it from its last state; a finished one is left as it is.

    Parameters
    ----------
    cell : Cell
    """
    if cell.status == "done":
        return
    write_json(
        cell.folder / "cell.json",
        {"resolved": cell.resolved, **cell.point._asdict()},
    )
    measures = cell.experiment.run(cell.settings, cell.point.seed, cell.folder)
    write_json(cell.folder / "result.json", {"cell": cell.name, "measures": measures})
    (cell.folder / "failed.json").unlink(missing_ok=True)
