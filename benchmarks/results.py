"""What a benchmark leaves behind: a JSON file with the numbers, the goals and the machine.

{"benchmark": name, "machine": {...}, "goals": [...], ...the benchmark's own numbers}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.timing import machine_facts

RESULTS = Path(__file__).with_name("results")
QUICK = RESULTS / "quick"  # of --quick: never in the place of real results


class Goal(NamedTuple):
    """One line of the table: what was asked, what came out."""

    what: str
    sense: str  # 'at most' or 'at least'
    limit: float
    measured: float | None  # None: not measured, `note` says why
    unit: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        at_most = self.sense == "at most"
        return self.measured <= self.limit if at_most else self.measured >= self.limit


def save(
    benchmark: str, numbers: dict[str, Any], goals: list[Goal], folder: Path = RESULTS
) -> Path:
    """Write one benchmark's result."""
    result = {
        "benchmark": benchmark,
        "machine": machine_facts(),
        "goals": [goal._asdict() | {"met": goal.met} for goal in goals],
        **numbers,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(benchmark, folder)
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path


def path_of(benchmark: str, folder: Path = RESULTS) -> Path:
    """Where a benchmark's result is kept."""
    return folder / f"{benchmark}.json"


def load(path: Path) -> tuple[dict[str, Any], list[Goal]]:
    """A result and its goals."""
    result = json.loads(path.read_text())
    goals = [Goal(**{name: goal[name] for name in Goal._fields}) for goal in result["goals"]]
    return result, goals


def table(goals: Iterable[Goal]) -> str:
    """The goals as lines of text."""
    rows = [("goal", "asked", "measured", "met")]
    for goal in goals:
        asked = f"{goal.sense} {goal.limit:g}{goal.unit}"
        if goal.measured is None:
            rows.append((goal.what, asked, "-", goal.note or "not measured"))
            continue
        met = "yes" if goal.met else "NO"
        rows.append(
            (goal.what, asked, f"{goal.measured:.2f}{goal.unit}", f"{met}  {goal.note}".rstrip())
        )
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}"
        for row in rows
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)
