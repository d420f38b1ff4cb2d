"""How every figure looks: sizes, fonts, colours, and the two ways in which a curve is drawn.

Colours are those of Okabe and Ito (2008), told apart with any common colour vision; classes take
Paul Tol's "bright" set. One solver, one replay type, one quantity keeps its colour everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from bridge.figures.measures import Spread

P = ParamSpec("P")
R = TypeVar("R")

SINGLE, DOUBLE = 3.4, 7.0  # in, widths of one and of two columns of a paper
DPI = 200

RC: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "legend.columnspacing": 1.4,
    "lines.linewidth": 1.5,
    "lines.markersize": 4,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "pdf.fonttype": 42,  # text stays text
    "svg.hashsalt": "dgr",
}

BLACK, GREY, ORANGE, SKY = "#000000", "#7F7F7F", "#E69F00", "#56B4E9"
GREEN, YELLOW, BLUE, VERMILION, PURPLE = "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
CYCLE = (GREEN, ORANGE, PURPLE, SKY, GREY, BLUE, VERMILION)
MARKERS = "osD^vP<>"

SOLVERS = {
    "lstm": ("LSTM", BLUE, "o"),
    "biornn": ("Biological RNN", VERMILION, "s"),
    "mlp": ("Perceptron (control)", GREEN, "^"),
}
REPLAYS = {
    "none": ("no replay", GREY),
    "noise": ("noise", ORANGE),
    "generative": ("generative replay", GREEN),
    "exact": ("exact replay", PURPLE),
    "memory": ("bounded memory", SKY),
    "lwf": ("learning without forgetting", YELLOW),
    "ewc": ("elastic weight consolidation", BLUE),
    "si": ("synaptic intelligence", VERMILION),
    "joint": ("joint training", BLACK),
}
QUANTITIES = {
    "overall": ("all classes so far", BLACK, "o"),
    "new": ("new classes", SKY, "^"),
    "old": ("old classes", ORANGE, "v"),
}
CLASSES = (
    "#4477AA",
    "#EE6677",
    "#228833",
    "#CCBB44",
    "#66CCEE",
    "#AA3377",
    "#BB5500",
    "#000000",
    "#77AADD",
    "#999933",
)
EXCITATORY, INHIBITORY = BLUE, VERMILION


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Let `function` draw in this style, and leave matplotlib's settings as they were."""

    @wraps(function)
    def draw(*arguments: P.args, **keywords: P.kwargs) -> R:
        with matplotlib.rc_context(RC):
            return function(*arguments, **keywords)

    return draw


def solver_look(solver: str, results_solvers: Sequence[str] = ()) -> tuple[str, str, str]:
    """Label, colour and marker of a solver; one without its own takes the next free colour."""
    if solver in SOLVERS:
        return SOLVERS[solver]
    others = [name for name in results_solvers if name not in SOLVERS]
    place = others.index(solver) if solver in others else 0
    free = [colour for colour in CYCLE if colour not in (BLUE, VERMILION)]
    return solver, free[place % len(free)], MARKERS[(2 + place) % len(MARKERS)]


def replay_look(replay: str) -> tuple[str, str]:
    """Label and colour of a replay type."""
    return REPLAYS.get(replay, (replay, SKY))


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of `width` x `height` inches that lays itself out without overlap."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels(figure: Figure, rows: int, columns: int, **keywords: Any) -> np.ndarray:
    """Axes (rows, columns) of `figure`, always as a 2-D array."""
    return figure.subplots(rows, columns, squeeze=False, **keywords)


def draw_spread(
    axes: Axes,
    curve: Mapping[int, Spread],
    colour: str,
    label: str,
    marker: str = "o",
    **keywords: Any,
) -> None:
    """Mean as a line with markers, and a band of one standard deviation where n > 1."""
    x = np.array(list(curve))
    mean = np.array([point.mean for point in curve.values()])
    sd = np.array([point.sd for point in curve.values()])
    axes.plot(
        x, mean, color=colour, marker=marker, label=label, clip_on=False, zorder=3, **keywords
    )
    draw_band(axes, x, mean, sd, colour)


def draw_band(axes: Axes, x: np.ndarray, mean: np.ndarray, sd: np.ndarray, colour: str) -> None:
    """Shade mean +/- sd; points without a standard deviation have no band."""
    if np.isfinite(sd).any():
        axes.fill_between(
            x,
            mean - sd,
            mean + sd,
            where=np.isfinite(sd),
            color=colour,
            alpha=0.2,
            linewidth=0,
            zorder=1,
        )


def draw_thesis(
    axes: Axes, values: Mapping[int, float], colour: str, label: str, marker: str = "o"
) -> None:
    """The thesis' numbers: dashed, with open markers, in the colour of our own curve."""
    if values:
        axes.plot(
            list(values),
            list(values.values()),
            color=colour,
            marker=marker,
            label=label,
            linestyle="--",
            linewidth=1.1,
            markerfacecolor="white",
            clip_on=False,
            zorder=2,
        )


def percent_axis(axes: Axes, label: str = "test accuracy (%)") -> None:
    """A vertical axis from 0 to 100 %."""
    axes.set_ylim(0, 100)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel(label)


def context_axis(axes: Axes, names: Sequence[str], label: bool = True) -> None:
    """A horizontal axis of contexts learnt, each tick with the classes that it added."""
    ticks = range(1, len(names) + 1)
    added = [
        f"{'+ ' if k > 1 else ''}{in_lines(name)}" for k, name in zip(ticks, names, strict=True)
    ]
    axes.set_xticks(ticks, [f"{k}\n{name}" for k, name in zip(ticks, added, strict=True)])
    axes.set_xlim(0.75, len(names) + 0.25)
    if label:
        axes.set_xlabel("contexts learnt (classes added)")


def class_ticks(axes: Axes, names: Sequence[str], rows: bool = False) -> None:
    """A tick for each class or context along the columns, and the rows; long names lean."""
    axes.set_xticks(range(len(names)), names)
    if not all(map(is_short, names)):
        axes.tick_params("x", rotation=45)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    if rows:
        axes.set_yticks(range(len(names)), names)


def is_short(name: str) -> bool:
    """Whether it is a number of at most two digits, or some with commas."""
    return all(len(word) <= 2 for word in name.split(", "))


def in_lines(name: str) -> str:
    """The names of several classes, one below the other where they are long."""
    return name if is_short(name) else name.replace(", ", ",\n")


def legend_above(figure: Figure, axes: Sequence[Axes], columns: int) -> None:
    """One legend above all panels, where no curve can run into it."""
    entries: dict[str, Artist] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(
        handles=list(entries.values()),
        labels=list(entries),
        loc="outside upper center",
        ncols=columns,
    )


def space_between(figure: Figure, share: float) -> None:
    """Leave so much of a panel's width between panels."""
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(wspace=share)


def bare(axes: Axes) -> None:
    """No ticks, no grid, no frame: for images and drawings."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
