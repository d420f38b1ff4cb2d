"""The table thesis | ours | difference, as data and as Markdown.

difference = ours - thesis, in percentage points;  ours = mean over n seeds +/- 1 s.d., of two
seeds both values
"""

from pathlib import Path
from typing import Any, NamedTuple

from bridge import thesis
from bridge.figures import measures, style
from bridge.figures.measures import Spread
from bridge.runs import MissingResults, Results, load_results

NAMES = {
    "overall": "all classes so far",
    "new": "new classes",
    "old": "old classes",
    "joint": "all classes trained together",
}
HEADER = ("experiment", "after", "thesis (%)", "ours (%)", "difference (points)")
REPRODUCED_WITHIN = 2.0  # percentage points: what the report calls reproduced


class Row(NamedTuple):
    """One number of the thesis, ours, or both; `after` counts contexts or epochs."""

    solver: str
    quantity: str
    after: int
    published: float | None
    ours: Spread | None
    source: str = ""
    remark: str = ""

    @property
    def difference(self) -> float | None:
        if self.published is None or self.ours is None:
            return None
        return self.ours.mean - self.published

    @property
    def reproduced(self) -> bool:
        """Whether ours lies within REPRODUCED_WITHIN points of the thesis."""
        return self.difference is not None and abs(self.difference) <= REPRODUCED_WITHIN

    def cells(self) -> tuple[str, str, str, str, str]:
        """The row in words, in the order of HEADER."""
        unit = "epoch" if self.quantity == "joint" else "context"
        published = "not reported" if self.published is None else f"{self.published:g}"
        if self.remark:
            published += f" ({self.remark})"
        ours = "not run" if self.ours is None else f"{self.ours} (n = {self.ours.n})"
        difference = "" if self.difference is None else signed(self.difference)
        return (
            f"{style.solver_look(self.solver)[0]}, {NAMES[self.quantity]}",
            f"{self.after} {unit}{'s' if self.after > 1 else ''}",
            published,
            ours,
            difference,
        )


def signed(value: float) -> str:
    """A difference with its sign, typographic minus: "+1.2", "−0.7", "0.0"."""
    rounded = round(value, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def comparison(results: Results) -> list[Row]:
    """Every number that the thesis reports or that answers one, solver by solver."""
    rows = []
    for solver in dict.fromkeys([*(c.solver for c in thesis.CURVES), *results.solvers]):
        for quantity in NAMES:
            rows += _rows(results, solver, quantity)
    return rows


def _ours(results: Results, solver: str, quantity: str) -> dict[int, Spread]:
    try:
        if quantity == "joint":
            return measures.by_epoch(results, solver)
        return measures.by_context(results, solver, quantity)
    except MissingResults:
        return {}


def _rows(results: Results, solver: str, quantity: str) -> list[Row]:
    ours = _ours(results, solver, quantity)
    curve = thesis.curve(solver, quantity)
    if curve is None or measures.comparable(results):
        curve = thesis.Curve(solver, quantity, {}, "")
    published = curve.values
    shown = set(published) | set(ours)
    if quantity == "joint" and ours:  # beyond the thesis' epochs only our last one
        shown = set(published) | {max(ours)}
    return [
        Row(
            solver,
            quantity,
            k,
            published.get(k),
            ours.get(k),
            curve.source if k in published else "",
            curve.remarks.get(k, "") if k in published else "",
        )
        for k in sorted(shown)
    ]


def table_rows(folder: str | Path) -> list[dict[str, Any]]:
    """The table thesis | ours | difference of a results folder, as plain values.

    Parameters
    ----------
    folder
        A results folder.

    Returns
    -------
    list of dict
        solver, quantity, after, thesis, mean, sd and n of ours, difference; None where there is
        none.
    """
    return [
        {
            "solver": row.solver,
            "quantity": row.quantity,
            "after": row.after,
            "thesis": row.published,
            "mean": row.ours.mean if row.ours else None,
            "sd": row.ours.sd if row.ours and row.ours.n > 1 else None,
            "n": row.ours.n if row.ours else 0,
            "difference": row.difference,
        }
        for row in comparison(load_results(folder))
    ]


def markdown_table(folder: str | Path) -> str:
    """The table thesis | ours | difference of a results folder, for a README.

    Parameters
    ----------
    folder
        A results folder.

    Returns
    -------
    str
        A Markdown table.
    """
    rows = [row.cells() for row in comparison(load_results(folder))]
    lines = ["| " + " | ".join(HEADER) + " |", "|---|---|---:|---:|---:|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
