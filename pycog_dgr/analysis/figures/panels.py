"""The panels that figures of the analysis are made of; each draws on matplotlib's Axes.

A panel whose numbers do not exist (no choice was ever made the other way, a curve that cannot be
fitted) says so in words instead of drawing something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import FigureBase
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator, NullLocator
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.analysis import choices, selectivity
from pycog_dgr.analysis.figures import style
from pycog_dgr.analysis.interface import TrainedNetwork
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.fittools import ChoiceFit

CURVE_POINTS = 200
FEWEST_TIMES = 10  # reaction times that make a mean
NOTE = "note"  # mark of the text in the corner of a panel
NOTE_WIDTH = 26  # letters
EXTREME = 99  # percentile of |value| at which the colours of a matrix end
DENSITY_BINS = 30
LEGEND_ROOM = 6  # factor by which a logarithmic axis is longer than its data
RATE = "Rate (a.u.)"
OWN_COLOURS = "The weights of inputs and outputs have colour scales of their own."
KIND_LETTERS = "EI"  # excitatory, inhibitory
STRIP, GAP = 0.05, 0.03  # of the recurrent matrix: one input or output, and what lies between
MOST_TICKS = 8  # of inputs or outputs without names
WIDEST_STRIP = 0.3  # of all inputs together


def percent(ax: Axes, label: str, low: int = 0) -> None:
    """A vertical axis of percentages."""
    ax.set_ylim(low, 100)
    ax.set_yticks(np.arange(low, 101, 25))
    ax.set_ylabel(label)


def doubling_axis(ax: Axes, values: NDArray, label: str) -> None:
    """A logarithmic horizontal axis with a tick at every one of the values."""
    levels = np.unique(values[np.isfinite(values)])
    ax.set_xscale("log")
    ax.set_xticks(levels, [f"{level:g}" for level in levels])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(label)


def legend_below(ax: Axes, n_columns: int) -> None:
    """The legend of the lines of `ax` below its row of panels, where it covers none of them."""
    handles, labels = ax.get_legend_handles_labels()
    ax.figure.legend(handles, labels, loc="outside lower right", ncols=n_columns, fontsize=6)


def same_limits(axes: Sequence[Axes], which: str) -> None:
    """Give several panels the same 'x' or 'y' limits, the widest of them."""
    limits = [getattr(ax, f"get_{which}lim")() for ax in axes]
    for ax in axes:
        getattr(ax, f"set_{which}lim")(min(low for low, _ in limits), max(up for _, up in limits))


def minus(number: float, spec: str = "g") -> str:
    """A number as text with a proper minus sign; what is rounded to zero has none."""
    text = format(number, spec)
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def note(ax: Axes, text: str) -> None:
    """Add to the small text in the lower right corner what it does not say yet."""
    text = "\n".join(wrap(text, NOTE_WIDTH))
    old = next((old for old in ax.texts if old.get_gid() == NOTE), None)
    if old is None:
        look: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": 6, "color": style.GREY}
        said = ax.text(0.99, 0.02, text, transform=ax.transAxes, gid=NOTE, **look)
        said.set_in_layout(False)
    elif text not in old.get_text():
        old.set_text(f"{old.get_text()}\n{text}")


# -- behaviour ------------------------------------------------------------------------------------


def psychometric(
    ax: Axes,
    x: ArrayLike,
    chosen: ArrayLike,
    color: ColorType = style.BLACK,
    marker: str = "o",
    label: str | None = None,
    units: str | None = "%",
    title: str | None = None,
) -> ChoiceFit | None:
    """Percentage of `chosen` (trial,) at every x (trial,), binomial errors, and the fitted curve.

    The fit's bias and width are written below, in `units` (None: they are not). Curves with a label
    are in a legend under `title`, which says where there is no fit; without a label the panel says
    why.

    Returns the ChoiceFit, or None.
    """
    points, fit = choices.proportions(x, chosen), None
    look: dict[str, Any] = {
        "color": color,
        "marker": marker,
        "linestyle": "none",
        "capsize": 0,
        "zorder": 3,
    }
    try:
        fit = choices.fit_choices(x, chosen)
    except PycogDgrError as error:
        if label:
            label = f"{label}, no fit"
        else:
            note(ax, str(error))
    else:
        at = np.linspace(points.x[0], points.x[-1], CURVE_POINTS)
        ax.plot(at, 100 * fit.curve(at), color=color, zorder=2)
        if units is not None:
            note(ax, f"μ = {minus(fit.mu, '.1f')} ± {fit.mu_error:.1f} {units}")
            note(ax, f"σ = {fit.sigma:.1f} ± {fit.sigma_error:.1f} {units}")
    ax.errorbar(points.x, 100 * points.p, 100 * points.error, label=label, clip_on=False, **look)
    percent(ax, "Choice 0 (%)")
    if label:
        ax.legend(loc="upper left", handletextpad=0.1, fontsize=6, title=title, title_fontsize=6)
    return fit


def percent_correct(
    ax: Axes,
    x: ArrayLike,
    right: ArrayLike,
    color: ColorType = style.BLACK,
    marker: str = "o",
    label: str | None = None,
) -> None:
    """Percentage correct at every x, with binomial errors; dotted at chance."""
    points = choices.proportions(x, right)
    ax.errorbar(
        points.x, 100 * points.p, 100 * points.error, color=color, marker=marker, label=label,
        clip_on=False, zorder=3,
    )  # fmt: skip
    percent(ax, "Correct (%)")
    if not ax.get_lines() or all(line.get_gid() != "chance" for line in ax.get_lines()):
        ax.axhline(50, color=style.GREY, linestyle=":", linewidth=0.8, gid="chance")


def mean_times(
    ax: Axes,
    x: ArrayLike,
    times: ArrayLike,
    color: ColorType = style.BLACK,
    marker: str = "o",
    label: str | None = None,
) -> None:
    """Mean of times (trial,) in ms at every x (trial,), with standard errors of the mean.

    Only where there are at least FEWEST_TIMES of them.
    """
    found = choices.mean_by(x, times, FEWEST_TIMES)
    ax.errorbar(found.x, found.mean, found.error, color=color, marker=marker, label=label, zorder=3)
    ax.set_ylabel("Reaction time (ms)")


# -- time courses ---------------------------------------------------------------------------------


def courses(
    ax: Axes,
    t: NDArray,
    means: NDArray,
    colors: Sequence[ColorType],
    styles: Sequence[str] | None = None,
    labels: Sequence[str | None] | None = None,
    shade: Iterable[tuple[float, float]] = (),
    event: float | None = None,
) -> None:
    """One line per condition: t (time,) in ms, means (condition, time).

    styles   a line style per condition; labels likewise, for a legend
    shade    (start, end) pairs in ms in which something is shown; event: where to put a line
    """
    for start, end in shade:
        ax.axvspan(start, end, color="0.93", linewidth=0, zorder=0)
    if event is not None:
        ax.axvline(event, color=style.GREY, linestyle=":", linewidth=0.8)
    styles = ["-"] * len(means) if styles is None else styles
    labels = [None] * len(means) if labels is None else labels
    for mean, color, line, label in zip(means, colors, styles, labels, strict=True):
        ax.plot(t, mean, color=color, linestyle=line, label=label)
    ax.set_xlim(t[0], t[-1])
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(4))


def color_steps(
    fig: FigureBase,
    ax: Axes,
    levels: NDArray | Sequence[float],
    colors: Sequence[ColorType],
    label: str,
) -> None:
    """A bar beside `ax` that names the colour of each of the levels, lowest first."""
    steps = ListedColormap(colors)
    bar = fig.colorbar(
        ScalarMappable(BoundaryNorm(np.arange(len(levels) + 1) - 0.5, steps.N), steps),
        ax=ax, ticks=range(len(levels)), label=label, pad=0.02, aspect=30,
    )  # fmt: skip
    bar.ax.set_yticks(range(len(levels)), [minus(level) for level in levels], fontsize=6)
    bar.ax.tick_params(length=0, which="both")
    bar.minorticks_off()
    bar.outline.set_visible(False)


def selectivity_raster(
    fig: FigureBase,
    ax: Axes,
    t: NDArray,
    over_time: NDArray,
    d: NDArray,
    group: NDArray,
    label: str = "d'",
) -> None:
    """d' (time, unit) of every unit over time t (ms), with a line where time is 0.

    Units are sorted by d (unit,) within each group (unit,), with lines between groups; where there
    are two, their names (excitatory, inhibitory) stand at the left.
    """
    extreme = np.nanpercentile(np.abs(over_time), EXTREME) or 1
    order = selectivity.by_preference(d, group)
    image = ax.imshow(
        over_time.T[order], aspect="auto", cmap=style.SIGNED, vmin=-extreme, vmax=extreme,
        extent=(t[0], t[-1], len(order), 0), interpolation="nearest", rasterized=True,
    )  # fmt: skip
    cuts = _boundaries(group[order])
    for boundary in cuts:
        ax.axhline(boundary, color=style.BLACK, linewidth=0.7)
    if cuts:
        for name, middle in zip(KIND_LETTERS, _middles(cuts, len(order)), strict=True):
            ax.text(0.02, middle, name, transform=ax.get_yaxis_transform(), va="center", fontsize=7)
    if t[0] < 0 < t[-1]:
        ax.axvline(0, color=style.BLACK, linestyle=":", linewidth=0.8)
    ax.set_ylabel("Unit, sorted by d'")
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    fig.colorbar(image, ax=ax, label=label, pad=0.02, aspect=30).outline.set_visible(False)


# -- weights --------------------------------------------------------------------------------------


def matrix(ax: Axes, W: NDArray, extreme: float | None = None) -> AxesImage:
    """W (post, pre), positive weights blue, negative ones red; returns the image.

    extreme   |weight| at which the colours end; the 99th percentile where it is None
    """
    if extreme is None:
        extreme = np.percentile(np.abs(W[W != 0]), EXTREME) if np.any(W) else 1
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, linewidth=0.5)
    return ax.imshow(
        W, aspect="auto", cmap=style.SIGNED, vmin=-extreme, vmax=extreme, interpolation="nearest",
        rasterized=True,
    )  # fmt: skip


def kinds(rnn: TrainedNetwork) -> NDArray:
    """0 for excitatory, 1 for inhibitory units (unit,); all 0 without Dale's law."""
    ei = rnn.p["ei"]
    return np.zeros(rnn.p["N"], int) if ei is None else (np.asarray(ei) < 0).astype(int)


def _boundaries(group: NDArray) -> list[int]:
    """Places in sorted group (unit,) where the next one begins."""
    return (np.flatnonzero(np.diff(group)) + 1).tolist()


def _middles(cuts: Sequence[int], n: int) -> list[float]:
    """The middles of the groups that n sorted units are cut into."""
    return [(low + high) / 2 for low, high in pairwise([0, *cuts, n])]


def network(
    fig: FigureBase,
    ax: Axes,
    rnn: TrainedNetwork,
    d: NDArray | None = None,
    group: NDArray | None = None,
    names: Sequence[str] | None = None,
    by: str = "d'",
) -> None:
    """All weights: Wrec on `ax`, Win to its right, Wout below.

    d       (unit,) what units are sorted by within their group, called `by`; as they are if None
    group   (unit,) numbers from 0, divided by lines; excitatory before inhibitory if None
    names   of the groups, written at the left; E and I if both are None, under Dale's law
    """
    labels = rnn.p["structure"]
    if group is None:
        group = kinds(rnn)
        if names is None and rnn.p["ei"] is not None:
            names = [KIND_LETTERS[kind] for kind in np.unique(group)]
    order = selectivity.by_preference(np.zeros(len(group)) if d is None else d, group)
    units = "unit" if d is None else f"unit, sorted by {by}"
    image = matrix(ax, rnn.Wrec[order][:, order])
    ax.set_ylabel(f"To {units}")
    cuts = _boundaries(group[order])
    for boundary in cuts:
        for line in (ax.axhline, ax.axvline):
            line(boundary - 0.5, color=style.BLACK, linewidth=0.5)
    if names is not None:
        ax.set_yticks(_middles(cuts, len(group)), names, fontsize=6)
        ax.tick_params(length=0)
    right = 1 + GAP
    if rnn.Win is not None:
        width = min(STRIP * rnn.Win.shape[1], WIDEST_STRIP)
        inputs = ax.inset_axes((right, 0, width, 1))
        matrix(inputs, rnn.Win[order])
        inputs.set_title("Inputs", fontsize=7)
        _name_ticks(inputs.xaxis, rnn.Win.shape[1], labels.get("inputs"))
        right += width + GAP
    below = ax
    if rnn.Wout is not None:
        height = STRIP * rnn.Wout.shape[0]
        below = ax.inset_axes((0, -GAP - height, 1, height))
        matrix(below, rnn.Wout[:, order])
        _name_ticks(below.yaxis, rnn.Wout.shape[0], labels.get("outputs"))
        below.set_ylabel("Outputs", rotation=0, ha="right", va="center", fontsize=7)
    below.set_xlabel(f"From {units}")
    bar = fig.colorbar(image, cax=ax.inset_axes((right, 0.2, 0.03, 0.6)))
    bar.set_label("Recurrent weight")
    bar.outline.set_visible(False)


def _name_ticks(axis: XAxis | YAxis, n: int, names: Sequence[str] | None) -> None:
    """Ticks on an axis of n places, with the model file's names or else numbers, as many as fit."""
    places = range(n) if names else range(0, n, -(-n // MOST_TICKS))
    texts = [str(name) for name in names or places]
    rotation = 90 if axis.axis_name == "x" and any(len(text) > 2 for text in texts) else 0
    axis.set_ticks(places, texts, fontsize=6, rotation=rotation)
    axis.set_tick_params(length=0)


def weight_distribution(ax: Axes, rnn: TrainedNetwork) -> None:
    """Densities of the strengths of the recurrent weights that are present.

    By presynaptic kind under Dale's law, else by sign; the legend says how many are present.
    """
    W, ei = rnn.Wrec, rnn.p["ei"]
    if ei is None:
        parts = {"positive": W[W > 0], "negative": -W[W < 0]}
        possible = W.size
    else:
        parts = {"excitatory": W[:, ei > 0], "inhibitory": -W[:, ei < 0]}
        possible = None
    largest = np.percentile(np.abs(W[W != 0]), 99.5) if np.any(W) else 1
    edges = np.linspace(0, largest, DENSITY_BINS + 1)
    for (name, part), color in zip(parts.items(), style.WEIGHTS, strict=True):
        strengths = part[part > 0]
        if strengths.size:
            share = strengths.size / (possible or part.size)
            density, _ = np.histogram(strengths, edges, density=True)
            ax.stairs(density, edges, color=color, label=f"{name}, {share:.0%}", linewidth=1.2)
    ax.set(xlabel="Recurrent strength |w|", ylabel="Density", xlim=(0, largest))
    ax.set_yscale("log")
    ax.set_ylim(top=LEGEND_ROOM * ax.get_ylim()[1])
    ax.legend(loc="upper right", title="Present")
