"""One figure an axis of a sweep: mean over seeds, and its 95 % confidence interval."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from bridge.sweeps.sweep import Sweep, rows

MAX_LINES = 8  # combinations of the other axes that get a line each; beyond, they are pooled
RATIO_OF_LOG = 20  # largest over smallest value from which an axis is logarithmic


class Mean(NamedTuple):
    """Mean of a measure and half the width of its 95 % interval (0 for a single value)."""

    value: float
    half_width: float


def mean_of(values: Sequence[float]) -> Mean:
    """Mean and Student's 95 % confidence interval of independent values.

    Parameters
    ----------
    values : sequence of float

    Returns
    -------
    Mean
    """
    n = len(values)
    if n < 2:
        return Mean(float(values[0]), 0.0)
    spread = float(np.std(values, ddof=1)) / np.sqrt(n)
    return Mean(float(np.mean(values)), float(stats.t.ppf(0.975, n - 1) * spread))


def draw_axes(sweep: Sweep) -> list[Path]:
    """Draw one figure for every axis with more than one value.

    Parameters
    ----------
    sweep : Sweep
        Some of its cells finished.

    Returns
    -------
    list of Path
        The pictures, in OUT/figures.
    """
    done = [row for row in rows(sweep) if row["status"] == "done"]
    shown = {
        name: label
        for name, label in sweep.experiment.shown.items()
        if any(row.get(name) is not None for row in done)
    }
    axes = [name for name in sweep.plan.axes if len({_key(row[name]) for row in done}) > 1]
    return [_draw(sweep.folder, axis, axes, done, shown) for axis in axes if shown]


def _draw(
    folder: Path,
    axis: str,
    axes: Sequence[str],
    done: Sequence[Mapping[str, Any]],
    shown: Mapping[str, str],
) -> Path:
    from matplotlib.figure import Figure

    others = [name for name in axes if name != axis]
    lines = _grouped(done, others)
    if len(lines) > MAX_LINES:
        lines = {(): list(done)}
    positions, ticks = _positions([row[axis] for row in done])
    called = short_names(axes)
    figure = Figure(figsize=(4 * len(shown), 3.2), layout="constrained")
    for panel, (measure, label) in zip(
        figure.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True
    ):
        for values, its_rows in lines.items():
            points = _points(its_rows, axis, measure, positions)
            if points:
                x, means = zip(*points, strict=True)
                panel.errorbar(
                    x,
                    [one.value for one in means],
                    [one.half_width for one in means],
                    marker="o",
                    capsize=3,
                    label=", ".join(
                        f"{called[n]} = {v}" for n, v in zip(others, values, strict=False)
                    ),
                )
        if ticks:
            panel.set_xticks(range(len(ticks)), ticks)
        elif min(positions.values()) > 0 and (
            max(positions.values()) / min(positions.values()) >= RATIO_OF_LOG
        ):
            panel.set_xscale("log")
        panel.set(xlabel=called[axis], ylabel=label)
    if others and () not in lines:
        figure.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    path = folder / "figures" / f"{axis}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Each setting by the last word of its place, where no other one has the same.

    Parameters
    ----------
    names : sequence of str
        As `solvers.biornn.options.plastic`.

    Returns
    -------
    dict
        Setting -> as `plastic`.
    """
    last = [name.rpartition(".")[2] for name in names]
    return {
        name: word if last.count(word) == 1 else name
        for name, word in zip(names, last, strict=True)
    }


def _key(value: Any) -> Any:
    """A value of an axis as something that can be compared and counted."""
    return repr(value) if isinstance(value, (list, dict)) else value


def _grouped(
    done: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> dict[tuple, list[Mapping[str, Any]]]:
    groups: dict[tuple, list[Mapping[str, Any]]] = {}
    for row in done:
        groups.setdefault(tuple(_key(row[name]) for name in names), []).append(row)
    return groups


def _positions(values: Sequence[Any]) -> tuple[dict[Any, float], list[str]]:
    """Where each value of an axis lies, and its names where it is no number."""
    keys = list(dict.fromkeys(map(_key, values)))
    if all(isinstance(key, (int, float)) and not isinstance(key, bool) for key in keys):
        return {key: float(key) for key in keys}, []
    return {key: float(i) for i, key in enumerate(keys)}, [str(key) for key in keys]


def _points(
    its_rows: Sequence[Mapping[str, Any]],
    axis: str,
    measure: str,
    positions: Mapping[Any, float],
) -> list[tuple[float, Mean]]:
    """(position, mean) of a measure at every value of the axis, in order of position."""
    at: dict[float, list[float]] = {}
    for row in its_rows:
        if row.get(measure) is not None:
            at.setdefault(positions[_key(row[axis])], []).append(float(row[measure]))
    return [(x, mean_of(values)) for x, values in sorted(at.items())]
