"""The results as one figure: train steps side by side, and how they grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

OURS = "#0072b2"
FLOOR = "0.35"
OTHER = "0.65"
LINES = {"floor": FLOOR, "fast": OURS, "torch autograd": "#d55e00", "jax": "#009e73",
         "torch compiled": "#cc79a7"}  # fmt: skip
MARKERS = {"floor": "s", "fast": "o", "torch autograd": "^", "jax": "D", "torch compiled": "v"}
AXES = {"T": "time steps T", "N": "units N", "B": "trials B"}


def draw(results: dict[str, dict[str, Any]], path: Path) -> Path | None:
    """Draw what there is of `step` and `scaling` (name -> result); None where there is neither."""
    step, scaling = results.get("step"), results.get("scaling")
    rows = [result for result in (step, scaling) if result]
    if not rows:
        return None
    with matplotlib.rc_context({"font.size": 8, "axes.spines.top": False,
                                "axes.spines.right": False}):  # fmt: skip
        figure = Figure(figsize=(10, 3.6 * len(rows)), layout="constrained")
        parts = iter(figure.subfigures(len(rows), 1, squeeze=False)[:, 0])
        if step:
            draw_steps(next(parts), step)
        if scaling:
            draw_scaling(next(parts), scaling)
        figure.savefig(path, dpi=150)
    return path


def draw_steps(part: Any, step: dict[str, Any]) -> None:
    """CPU ms of every peer, fastest on the first size at the top; one panel a size."""
    part.suptitle(f"One train step, one thread: CPU ms, medians and quartiles ({cpu_of(step)})")
    sizes = list(step["sizes"].values())
    rows = list(dict.fromkeys(row for result in sizes for row in by_speed(result)))
    panels = part.subplots(1, len(sizes), squeeze=False, sharey=True)[0]
    panels[0].set_yticks(range(len(rows)), [step["labels"][row] for row in rows])
    panels[0].invert_yaxis()
    for axes, result in zip(panels, sizes, strict=True):
        dots(axes, result, rows)


def cpu_of(result: dict[str, Any]) -> str:
    return result["machine"]["cpu"]


def by_speed(result: dict[str, Any]) -> list[str]:
    return sorted(result["ms"], key=lambda row: result["ms"][row]["cpu"]["median"])


def dots(axes: Axes, result: dict[str, Any], rows: list[str]) -> None:
    """One dot a peer; whiskers are quartiles, the line is the floor."""
    for y, row in enumerate(rows):
        if row not in result["ms"]:
            continue
        cpu = result["ms"][row]["cpu"]
        whiskers = [[cpu["median"] - cpu["q1"]], [cpu["q3"] - cpu["median"]]]
        colour = OURS if row == "fast" else FLOOR if row.startswith("floor") else OTHER
        axes.errorbar(cpu["median"], y, xerr=whiskers, fmt="o", color=colour, ecolor="0.2")
        shown = f"{cpu['median']:.2f}" if cpu["median"] < 10 else f"{cpu['median']:.0f}"
        axes.annotate(shown, (cpu["median"], y), (5, 2), textcoords="offset points", fontsize=7)
    if "floor" in result["ms"]:
        floor = result["ms"]["floor"]["cpu"]["median"]
        axes.axvline(floor, color=FLOOR, linewidth=0.8, label="the floor")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(title=result["size"], xlabel="ms")
    axes.margins(x=0.15)
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False, ncols=2)


def draw_scaling(part: Any, scaling: dict[str, Any]) -> None:
    """Wall ms against T, N and B; two threads dashed."""
    part.suptitle("The thesis' network, one size changed at a time: wall ms (dashed: two threads)")
    varied = list(dict.fromkeys(one["varied"] for one in scaling["steps"]))
    for axes, name in zip(part.subplots(1, len(varied), squeeze=False)[0], varied, strict=True):
        for row, colour in LINES.items():
            for threads, style in ((1, "-"), (2, "--")):
                points = [
                    (one[name], one["wall_ms"]["median"])
                    for one in scaling["steps"]
                    if (one["varied"], one["row"], one["threads"]) == (name, row, threads)
                ]
                if points:
                    axes.plot(*zip(*points, strict=True), style, color=colour,
                              marker=MARKERS[row], markersize=3,
                              label=row if threads == 1 else None)  # fmt: skip
        axes.set(xscale="log", yscale="log", xlabel=AXES[name], ylabel="one train step, wall ms")
        axes.set_xticks(sorted({one[name] for one in scaling["steps"] if one["varied"] == name}))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
    part.axes[0].legend(frameon=False, fontsize=7)
