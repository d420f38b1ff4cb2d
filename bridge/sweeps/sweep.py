"""A whole sweep: its cells, running those that are not finished, and the table of all."""

import csv
import io
import logging
import sys
from collections import Counter
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bridge.errors import SettingError
from bridge.files import utf8, write_whole
from bridge.runs import lock
from bridge.sweeps.cells import Cell, Point
from bridge.sweeps.execution import run_cells
from bridge.sweeps.experiments import Experiment, ReplayExperiment, TaskExperiment
from bridge.sweeps.plan import SweepFile, read_sweep_file
from pycog_dgr.files.npz import shortened

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sweep:
    """The cells of a sweep file, and the folder in which they lie."""

    plan: SweepFile
    experiment: Experiment
    cells: tuple[Cell, ...]
    folder: Path

    @property
    def table(self) -> Path:
        """Where `write_table` writes."""
        return self.folder / "table.csv"

    @property
    def waiting(self) -> list[Cell]:
        """The cells that are not finished."""
        return [cell for cell in self.cells if cell.status != "done"]

    @property
    def counts(self) -> dict[str, int]:
        """Status -> number of cells, read from their folders."""
        return dict(Counter(cell.status for cell in self.cells))


def open_sweep(path: Path, folder: Path | None = None) -> Sweep:
    """The sweep of a sweep file; nothing is written.

    Parameters
    ----------
    path : Path
        The sweep file.
    folder : Path, optional
        Default: runs/sweeps/NAME, NAME being the file's.

    Returns
    -------
    Sweep

    Raises
    ------
    SettingError
        Where the file or a cell's settings are wrong; the message names the cell.
    """
    plan = read_sweep_file(path)
    folder = Path("runs") / "sweeps" / path.stem if folder is None else folder
    experiment = _experiment(plan, path)
    cells: dict[str, Cell] = {}
    root = folder.absolute()  # workers on a cluster have working folders of their own
    for seed in plan.all_seeds:
        for values in plan.points:
            cell = Cell(experiment, plan.settings | values, Point(values, seed), root)
            try:
                cells.setdefault(cell.name, cell)
            except ValueError as error:
                where = f"{path}, {shortened(values)}, seed {seed}"
                raise SettingError(f"{where}: {shortened(error, 300)}") from error
    return Sweep(plan, experiment, tuple(cells.values()), folder)


def _experiment(plan: SweepFile, path: Path) -> Experiment:
    if plan.task is None:
        return ReplayExperiment()
    try:
        modelfile = (path.parent / plan.task).resolve()
        there = modelfile.is_file()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        raise SettingError(
            f"{path}: no model file {shortened(plan.task)!r}; `task` is relative to the sweep file"
        )
    return TaskExperiment(modelfile)


def run_sweep(sweep: Sweep, pool: Executor, progress: bool = True) -> list[Cell]:
    """Run the cells that are not finished, and write the table.

    Parameters
    ----------
    sweep : Sweep
    pool : concurrent.futures.Executor
        Of `bridge.runs.executor`.
    progress : bool
        Whether to draw a bar, on a terminal.

    Returns
    -------
    list of Cell
        Those that failed on every try.
    """
    sweep.folder.mkdir(parents=True, exist_ok=True)
    with (
        lock(sweep.folder),
        tqdm(
            total=len(sweep.cells),
            initial=len(sweep.cells) - len(sweep.waiting),
            unit=" cells",
            disable=not (progress and sys.stderr.isatty()),
        ) as bar,
    ):

        def advance(cell: Cell) -> None:
            bar.update()
            there = len(sweep.cells) - len(sweep.waiting)
            logger.info("%d of %d cells: %s is %s", there, len(sweep.cells), cell, cell.status)

        failed = run_cells(sweep.waiting, pool, sweep.plan.retries, advance)
        write_table(sweep)
    return failed


def rows(sweep: Sweep) -> list[dict[str, Any]]:
    """One row a cell: its name, the values of the axes, its seed, its status, its measures.

    Parameters
    ----------
    sweep
        An open sweep.

    Returns
    -------
    list of dict
        In the order of the cells.
    """
    table = []
    for cell in sweep.cells:
        values = {name: cell.point.values.get(name) for name in sweep.plan.axes}
        row = {"cell": cell.name, **values, "seed": cell.point.seed, "status": cell.status}
        table.append(row | (cell.result() if row["status"] == "done" else {}))
    return table


def write_table(sweep: Sweep) -> Path:
    """Write OUT/table.csv, one row a cell, and return its path.

    Parameters
    ----------
    sweep
        An open sweep.

    Returns
    -------
    Path
        The table.
    """
    table = rows(sweep)
    columns = list(dict.fromkeys(name for row in table for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_whole(sweep.table, utf8(text.getvalue()))
    return sweep.table
