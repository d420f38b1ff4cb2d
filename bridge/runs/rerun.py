"""A finished run once more, in a new folder, and whether its numbers are the same to the last bit.

    plan_of(folder)          what the folder's config.json asked for
    circumstances(old, new)  what the two manifests say differently: commit, versions, machine
    compare(old, new)        every table and sample, every network and row of numbers under work/

A published folder, without samples/ and work/, is compared in its tables alone, which hold six
digits.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridge.errors import ResultsError
from bridge.files import archive
from bridge.networks.registry import KIND
from bridge.replay.protocols import BUDGETS, Budget
from bridge.runs.jobs import STATE
from bridge.runs.reproduce import Plan, reproduce
from bridge.runs.results import SAMPLES, manifest, read_json

CIRCUMSTANCES = ("commit", "dirty", "versions", "platform", "cpu", "threads", "blas", "pytensor")
DIGITS = 12  # to which a quotient of two budgets gives back the scale that was asked for


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

    `data_root`: where the data are, if not where the folder's manifest says. An `out` that holds
    part of the run goes on. Raises ResultsError where `folder` is not a finished run that this
    version can repeat.
    """
    if out.resolve() == folder.resolve():
        raise ResultsError(f"{folder} cannot be run into itself: give another --out")
    held = read_json(folder / "manifest.json")
    reproduce(plan_of(folder, data_root or held.get("data_root")), out, command, workers)
    return list(compare(folder, out))


def plan_of(folder: Path, data_root: str | None = None) -> Plan:
    """The Plan that the run in `folder` had; ResultsError where it is not finished."""
    config = read_json(folder / "config.json")
    try:
        plan = Plan(
            data=config["data"],
            data_root=data_root,
            protocol=config["protocol"]["name"],
            seeds=tuple(config["seeds"]),
            solvers=tuple(config["solvers"]),
            replays=tuple(config["replays"]),
            audits=tuple(config["audits"]),
            contexts=tuple(tuple(classes) for classes in config["contexts"]),
            scale=_scale(config["data"], config["budget"]),
        )
        finished = set(read_json(folder / "manifest.json")["jobs"])
    except (KeyError, TypeError) as error:
        raise ResultsError(
            f"{folder / 'config.json'}: {error} is missing or malformed: restore "
            "the folder from a copy"
        ) from None
    now = json.loads(json.dumps(plan.config()))
    if differ := sorted(key for key in {*now, *config} if now.get(key) != config.get(key)):
        raise ResultsError(
            f"{folder}: this version runs it with another {' and '.join(differ)}: "
            "check out the commit that its manifest.json names"
        )
    if missing := [job.name for job in plan.jobs() if job.name not in finished]:
        raise ResultsError(
            f"{folder} is not finished ({len(missing)} jobs are missing, first "
            f"{missing[0]}): the command in its manifest.json goes on with it"
        )
    return plan


def _scale(data: str, budget: Mapping[str, Any]) -> float:
    """The factor that made `budget` from the data set's own."""
    exact = budget["solver_scale"] / BUDGETS[data].solver_scale
    wanted = Budget(**budget)
    for scale in (exact, *(round(exact, digits) for digits in range(DIGITS, 0, -1))):
        if BUDGETS[data].times(scale) == wanted:
            return scale
    raise ResultsError(
        f"config.json: budget {dict(budget)} is not one of this version's for "
        f"'{data}': check out the commit that manifest.json names"
    )


def circumstances(folder: Path) -> list[str]:
    """What was different when `folder` was run: one line for each thing, with both values."""
    old, new = read_json(folder / "manifest.json"), manifest("")
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
        yield name, *("not noted" if value is None else value for value in (was, now))


def compare(old: Path, new: Path) -> Iterator[Compared]:
    """Every file of numbers in two run folders: tables, samples, and the jobs' own files."""
    for pattern, read in (
        ("tables/*.csv", _table),
        ("samples/**/*.npz", _samples),
        ("work/*/*.npz", _work),
    ):
        files = [
            {path.relative_to(folder) for path in folder.glob(pattern)} for folder in (old, new)
        ]
        if not files[0] and not pattern.startswith("tables"):
            continue
        for name in sorted(files[0] | files[1]):
            if absent := [
                str(folder)
                for folder, names in zip((old, new), files, strict=True)
                if name not in names
            ]:
                yield Compared(str(name), 0, note=f"not in {absent[0]}")
            else:
                yield compared(str(name), read(old / name), read(new / name))


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
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return {name: _column([row[i] for row in rows]) for i, name in enumerate(header)}


def _column(cells: list[str]) -> np.ndarray:
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return np.array(cells, dtype=str)


def _samples(path: Path) -> dict[str, np.ndarray]:
    return archive.load(path, SAMPLES)[0]


def _work(path: Path) -> dict[str, np.ndarray]:
    """A job's file: a network's arrays; of a state file the rows at full precision as well."""
    if path.name == "diverged.npz":
        return _diverged(path)
    if path.name != "state.npz":
        return archive.load(path, KIND)[0]
    arrays, notes = archive.load(path, STATE)
    rows = [json.dumps(row, sort_keys=True) for row in notes["rows"]]
    return {**arrays, "rows": np.array(rows, dtype=str)}


def _diverged(path: Path) -> dict[str, np.ndarray]:
    from pycog_dgr.training import divergence  # imports PyTensor

    first = asdict(divergence.load(path))
    return {name: np.asarray(first[name]) for name in ("update", "loss", "gnorm", "value")}
