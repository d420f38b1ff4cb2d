"""How trajectories of training drift apart: rounding, grown by many steps of gradient descent.

    drift(k) = max over parameters of  max |theta_k - theta*_k| / max |theta*_k|

after k updates, theta* being the PyTensor network in float64. Three networks drift from it: torch
in float64 (a different order of summation), PyTensor and torch in float32 (coarser numbers). The
table has one row an update, the columns of `COLUMNS`.
"""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from bridge.crosscheck.backends import BACKENDS, Backend
from bridge.crosscheck.comparison import Case
from bridge.files import write_whole

REFERENCE = ("PyTensor fast", "float64")
OTHERS = (("torch", "float64"), ("PyTensor fast", "float32"), ("torch", "float32"))
COLUMNS = ("update", *(f"{name} {dtype}" for name, dtype in OTHERS))
TOLERANCES = {100: {"float64": 1e-8, "float32": 1e-2}}
COLOURS = ("#0072b2", "#d55e00", "#009e73")
FLOOR = 1e-17  # below the rounding of float64: where 0 is drawn


def drift(case: Case, steps: int, tick: Callable[[int], None] = lambda step: None) -> np.ndarray:
    """Train all four side by side; return (update, 1 + len(OTHERS)), the columns of COLUMNS."""
    reference = BACKENDS[REFERENCE[0]](case.start, REFERENCE[1])
    others = [BACKENDS[name](case.start, dtype) for name, dtype in OTHERS]
    rows = []
    for step, batch in enumerate(islice(case.batches(), steps), start=1):
        for backend in (reference, *others):
            backend.update(batch)
        rows.append([step, *(distance(other, reference) for other in others)])
        tick(step)
    return np.array(rows)


def distance(other: Backend, reference: Backend) -> float:
    """The largest difference of any parameter, relative to the largest entry of its tensor."""
    pairs = zip(other.parameters(), reference.parameters(), strict=True)
    return max(
        float(np.abs(mine - own).max() / max(np.abs(own).max(), 1e-300))
        for mine, own in pairs
        if own is not None
    )


def draw(rows: np.ndarray, title: str, stem: Path) -> list[Path]:
    """Draw the drift over updates as STEM.png and STEM.pdf; return the paths."""
    import io

    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for column, (label, colour) in enumerate(zip(COLUMNS[1:], COLOURS, strict=True), start=1):
        axes.semilogy(
            rows[:, 0], np.maximum(rows[:, column], FLOOR), color=colour, label=label, linewidth=1.5
        )
    for step, limits in TOLERANCES.items():
        for dtype, limit in limits.items():
            axes.plot([step], [limit], marker="v", color="0.4", markersize=6)
            axes.annotate(
                f"{dtype}: at most {limit:.0e}",
                (step, limit),
                xytext=(6, 3),
                textcoords="offset points",
                fontsize=8,
                color="0.4",
            )
    axes.set(
        xlabel="updates",
        ylabel="largest relative difference of a parameter",
        title=title,
        xlim=(0, rows[-1, 0]),
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(
        title=f"against {' '.join(REFERENCE)}",
        frameon=False,
        loc="best",
        fontsize=8,
        title_fontsize=8,
    )
    paths = []
    for kind in ("png", "pdf"):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=150)
        paths.append(stem.with_suffix(f".{kind}"))
        write_whole(paths[-1], buffer.getvalue())
    return paths


def as_csv(rows: np.ndarray) -> bytes:
    """The rows as text: COLUMNS, then one line an update."""
    lines = [",".join(COLUMNS)]
    lines += [",".join([str(int(row[0])), *(f"{value:.3e}" for value in row[1:])]) for row in rows]
    return ("\n".join(lines) + "\n").encode()
