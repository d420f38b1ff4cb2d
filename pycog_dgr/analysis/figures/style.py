"""How figures of the analysis look: sizes, fonts, colours, panel letters.

Named colours are those of Okabe and Ito (2008), ordered ones parts of viridis, signed ones the red
to blue of ColorBrewer: all can be told apart with any common colour vision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from textwrap import wrap
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.typing import ColorType
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

WIDTH = 7.0  # inches, two columns of a paper
DPI = 150
MESSAGE_WIDTH = 30  # letters
LETTER_OFFSET = (-14, 3)  # points from a panel's corner

BLACK, GREY, ORANGE, SKY = "#000000", "#7F7F7F", "#E69F00", "#56B4E9"
GREEN, BLUE, VERMILION, PURPLE = "#009E73", "#0072B2", "#D55E00", "#CC79A7"
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, GREY)
CHOICES = (BLUE, VERMILION)  # choice 0 and choice 1
WEIGHTS = (BLUE, VERMILION)  # positive or excitatory, negative or inhibitory
KINDS = tuple(zip(("excitatory", "inhibitory"), WEIGHTS, strict=True))
SIGNED = "RdBu"  # negative red, positive blue

RC: Any = {  # matplotlib's stubs name every setting; these are checked when they are used
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.labelspacing": 0.25,
    "legend.borderaxespad": 0.2,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "pdf.fonttype": 42,  # text stays text
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Let `draw` draw in this style, and leave matplotlib's settings as they were."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.rc_context(RC):
            return draw(*args, **kwargs)

    return in_style


def figure(
    rows: Sequence[str],
    heights: Sequence[float],
    widths: Mapping[int, Sequence[float]] | None = None,
) -> tuple[Figure, dict[str, Axes]]:
    """A Figure as wide as a page and its axes by name; every row is laid out by itself.

    rows      one string of panel names per row, as in ["A B C", "D E"]; a "." leaves a gap, names
              of one capital letter are written at their panels
    heights   inches of each row
    widths    row number -> relative widths of its panels, all alike where it is absent
    """
    fig = Figure(
        figsize=(WIDTH, sum(heights)),
        dpi=DPI,
        layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.05, wspace=0.06),
    )
    parts = fig.subfigures(len(rows), 1, squeeze=False, height_ratios=heights)[:, 0]
    axes: dict[str, Axes] = {}
    for i, (row, part) in enumerate(zip(rows, parts, strict=True)):
        names = row.split()
        ratios = (widths or {}).get(i, [1] * len(names))
        axes |= part.subplot_mosaic([names], width_ratios=ratios)
    for name, ax in axes.items():
        if len(name) == 1 and name.isupper():
            letter(ax, name)
    return fig, axes


def letter(ax: Axes, text: str) -> None:
    """The panel's letter, outside its upper left corner."""
    ax.annotate(
        text, (0, 1), xytext=LETTER_OFFSET, xycoords="axes fraction", textcoords="offset points",
        fontsize=10, fontweight="bold", ha="right", va="bottom",
    )  # fmt: skip


def ordered(n: int) -> list[ColorType]:
    """N colours from dark to light for conditions with an order; the lightest still shows."""
    return [matplotlib.colormaps["viridis"](x) for x in np.linspace(0.02, 0.85, n)]


def signed(values: Sequence[float] | NDArray) -> list[ColorType]:
    """A colour for each of the signed values: dark blue for the largest, dark red for the
    smallest, the light middle of the map left out.
    """
    largest = np.max(np.abs(values)) or 1
    shade = [np.sign(v) * (0.35 + 0.65 * abs(v) / largest) for v in values]
    return [matplotlib.colormaps[SIGNED](0.5 + 0.5 * s) for s in shade]


def say(ax: Axes, text: str) -> None:
    """A short message in the middle of a panel that has nothing to show."""
    said = ax.text(
        0.5, 0.5, "\n".join(wrap(text, MESSAGE_WIDTH)), transform=ax.transAxes, ha="center",
        va="center", color=GREY, fontsize=7,
    )  # fmt: skip
    said.set_in_layout(False)
    ax.set(xticks=[], yticks=[])
