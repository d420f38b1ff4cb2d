"""A finished run once more, in a new folder, and whether its numbers are the same to the last bit.

    circumstances(folder)    what its manifest says differently: commit, versions, machine
    compare(old, new)        every table and sample, every network and row of numbers under work/

A published folder, without samples/ and work/, is compared in its tables alone, which hold six
digits.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridge import data, networks
from bridge.errors import ResultsError
from bridge.files import archive
from bridge.runs.config import read_config, read_json
from bridge.runs.held import HELD
from bridge.runs.job_list import jobs_of
from bridge.runs.job_state import STATE, check_notes
from bridge.runs.manifest import Manifest, manifest
from bridge.runs.paths import RunPaths
from bridge.runs.reproduce import reproduce
from bridge.runs.samples import SAMPLES
from bridge.runs.tables import read_cells

LATER_TABLES = ("scenarios", "confusion")  # runs of earlier versions have none
LATER_SAMPLES = "initial-seed-"  # nor these
CIRCUMSTANCES = ("commit", "dirty", "versions", "platform", "cpu", "threads", "blas", "pytensor")


class Compared(NamedTuple):
    """One file in both folders: how many values it holds and how many of them differ.

    `largest` is the largest difference of two numbers; `note` says what cannot be counted.
    """

    name: str
    values: int
    differing: int = 0
    largest: float = 0.0
    note: str = ""

    @property
    def same(self) -> bool:
        return not (self.differing or self.note)

    def __str__(self) -> str:
        if self.note:
            return f"{self.name:<52} DIFFERS: {self.note}"
        if self.differing:
            return (
                f"{self.name:<52} DIFFERS in {self.differing:,} of {self.values:,} values, "
                f"by at most {self.largest:.3g}"
            )
        return f"{self.name:<52} same ({self.values:,} values)"


def rerun(
    folder: Path, out: Path, command: str, data_root: str | None = None, workers: int = 2
) -> list[Compared]:
    """Run what `folder` holds once more into `out`, and compare the two.

    Parameters
    ----------
    folder
        A finished run.
    out
        The new folder; one that holds part of the run goes on.
    command
        By which it was asked for, for the manifest.
    data_root
        Where the data are, if not where the folder's manifest says.
    workers
        Processes.

    Returns
    -------
    list of Compared
        One for each file.

    Raises
    ------
    ResultsError
        `folder` is not a finished run, or was run on other data.
    """
    if out.resolve() == folder.resolve():
        raise ResultsError(f"{folder} cannot be run into itself: give another --out")
    held, config = finished_manifest(folder), read_config(folder)
    root = data_root or held.data_root
    digest = data.load(config.data, root).digest()
    if held.data_sha256 not in (None, digest):
        raise ResultsError(
            f"{folder} was run on other images or labels called '{config.data}' (SHA-256 "
            f"{held.data_sha256}, here {digest}): name the right folder with --data-root"
        )
    reproduce(config, out, command, data_root=root, workers=workers)
    return list(compare(folder, out))


def finished_manifest(folder: Path) -> Manifest:
    """The manifest of a finished run; ResultsError where jobs of its configuration are missing.

    Parameters
    ----------
    folder
        A run folder.

    Returns
    -------
    Manifest
        Checked.
    """
    config = read_config(folder)
    held = read_json(RunPaths(folder).manifest, Manifest)
    if missing := [job.name for job in jobs_of(config) if job.name not in held.jobs]:
        raise ResultsError(
            f"{folder} is not finished ({len(missing)} jobs are missing, first "
            f"{missing[0]}): the command in its manifest.json goes on with it"
        )
    return held


def circumstances(folder: Path) -> list[str]:
    """What was different when `folder` was run: one line for each thing, with both values.

    Parameters
    ----------
    folder
        A finished run.

    Returns
    -------
    list of str
        Empty where nothing differs.
    """
    old, new = read_json(RunPaths(folder).manifest, dict), manifest("")
    return [
        f"{name} was {was}, is {now}"
        for key in CIRCUMSTANCES
        for name, was, now in _unequal(key, old.get(key), new[key])
    ]


def _unequal(name: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted({*was, *now}):
            yield from _unequal(f"{name} {key}", was.get(key), now.get(key))
    elif was != now:
        was, now = ("not noted" if value is None else value for value in (was, now))
        yield name, was, now


def compare(old: Path, new: Path) -> Iterator[Compared]:
    """Every file of numbers in two run folders: tables, samples, and the jobs' own files.

    Parameters
    ----------
    old, new
        Run folders.

    Returns
    -------
    iterator of Compared
        One for each file.
    """
    readers = {"table": _table, "sample": _samples, "work": _work}
    for (kind, before), (_, after) in zip(
        RunPaths(old).numbers(), RunPaths(new).numbers(), strict=True
    ):
        if not before and kind != "table":
            continue
        for name in sorted({*before, *after}):
            later = name.stem in LATER_TABLES or name.stem.startswith(LATER_SAMPLES)
            if name not in before and later:
                continue
            absent = [
                folder for folder, names in ((old, before), (new, after)) if name not in names
            ]
            if absent:
                yield Compared(str(name), 0, note=f"not in {absent[0]}")
            else:
                yield compared(str(name), readers[kind](old / name), readers[kind](new / name))


def compared(name: str, old: Mapping[str, np.ndarray], new: Mapping[str, np.ndarray]) -> Compared:
    """Two sets of named arrays, bit for bit: NaN equals NaN, 0 is not -0."""
    if list(old) != list(new):
        return Compared(name, 0, note=f"holds {', '.join(sorted(old.keys() ^ new.keys()))} in one")
    values = differing = 0
    largest = 0.0
    for key, was in old.items():
        now = new[key]
        if (was.shape, was.dtype.kind) != (now.shape, now.dtype.kind):
            return Compared(
                name,
                0,
                note=f"{key} is {was.dtype}{was.shape} in one, {now.dtype}{now.shape} in the other",
            )
        unequal = was != now
        if was.dtype.kind == "f":
            unequal = unequal & ~(np.isnan(was) & np.isnan(now)) | (
                np.signbit(was) != np.signbit(now)
            )
            apart = np.abs(was[unequal].astype(float) - now[unequal].astype(float))
            largest = max(largest, float(apart.max(initial=0.0)))
        values += was.size
        differing += int(np.count_nonzero(unequal))
    return Compared(name, values, differing, largest)


def _table(path: Path) -> dict[str, np.ndarray]:
    """A CSV table's columns: numbers where all cells of one are, else text."""
    return {name: _column(cells) for name, cells in read_cells(path).items()}


def _column(cells: list[str]) -> np.ndarray:
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return np.array(cells, dtype=object)  # of text it would take the longest cell for each


def _samples(path: Path) -> dict[str, np.ndarray]:
    return archive.load(path, SAMPLES)[0]


def _work(path: Path) -> dict[str, np.ndarray]:
    """A job's file: a network's arrays; of a state file the rows at full precision as well."""
    if path.name == "diverged.npz":
        return _diverged(path)
    if path.name.startswith("held-"):
        return archive.load(path, HELD)[0]
    if path.name != "state.npz":
        return archive.load(path, networks.KIND)[0]
    arrays, notes = archive.load(path, STATE)
    check_notes(path, notes)
    rows = [
        json.dumps(row, sort_keys=True)
        for row in notes["rows"]
        if row.get("table") not in LATER_TABLES
    ]
    return {**arrays, "rows": np.array(rows, dtype=object)}


def _diverged(path: Path) -> dict[str, np.ndarray]:
    from pycog_dgr.training import divergence  # imports PyTensor

    first = asdict(divergence.load(path))
    return {name: np.asarray(first[name]) for name in ("update", "loss", "gnorm", "value")}
