"""Figures of activity: a few trials of any task, and a network left to itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import FigureBase
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pycog_dgr.analysis.interface import SimulatedTrials, TrainedNetwork
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.figtools import Figure, Subplot, colors, gradient

LINES = [colors[name] for name in ("strongblue", "strongred", "green", "orange", "purple")]
ACTIVITY = gradient("w", colors["darkblue"])
MOST = 6  # trials that one figure can show
COLUMN, ROW, LEFT, RIGHT, BOTTOM, TOP = 2.2, 1.2, 0.8, 0.8, 0.45, 0.3  # inches
LABELS = {"inputs": "Inputs (a.u.)", "rates": "Unit", "outputs": "Outputs (a.u.)"}
RATE = "Rate (a.u.)"
MOST_NAMES = 8  # lines that a legend names
BAR, BAR_GAP = 0.08, 0.05  # inches: width of a colour bar, and what lies between it and its image


def plot_trials(
    trials: SimulatedTrials,
    labels: Mapping[str, Sequence[str]] | None = None,
    title: str = "",
    fig: FigureBase | None = None,
) -> Figure:
    """Figure of up to six Trials, a column each: inputs, rates of all units, outputs.

    labels   the model's `structure`: {"inputs": [...], "outputs": [...]}, names of the lines
    title    of the whole figure
    fig      a Figure or SubFigure of matplotlib to draw into; else a new one that fits the trials

    Lines without a name are numbered. Targets are dashed; every second epoch is shaded. Units stand
    in the order of the times at which they are most active in the first trial. PycogDgrError for
    too many trials, or none.
    """
    if not 1 <= len(trials) <= MOST:
        raise PycogDgrError(f"plot_trials: {len(trials)} trials; a figure holds 1 to {MOST}")
    rows = [name for name in LABELS if getattr(trials, name).shape[2]]
    w, h = LEFT + COLUMN * len(trials) + RIGHT, BOTTOM + ROW * len(rows) + TOP
    figure = Figure(fig, w=w, h=h, axislabelsize=7.5, ticklabelsize=6.5)
    figure.suptitle(title, y=1 - 0.05 / h, va="top", fontsize=8.5)
    for row, name in enumerate(rows):
        bottom = (BOTTOM + ROW * (len(rows) - 1 - row)) / h
        plots = [
            figure.add([(LEFT + COLUMN * b) / w, bottom, 0.85 * COLUMN / w, 0.8 * ROW / h])
            for b in range(len(trials))
        ]
        _row(figure, plots, trials, name, (labels or {}).get(name))
        for b, plot in enumerate(plots):
            plot.set_xlim(0, trials.t[trials.lengths[b] - 1])
            if row == 0:
                plot.set_title(_condition(trials, b), fontsize=6.5)
            if row == len(rows) - 1:
                plot.xlabel("Time (ms)")
            else:
                plot.set_xticklabels([])
    return figure


def plot_resting_state(rnn: TrainedNetwork, fig: FigureBase | None = None) -> Figure:
    """Figure of an RNN that has just been run: its mean rates, each unit's, and the outputs.

    fig   a Figure or SubFigure of matplotlib to draw into; a new one of 6.5 x 4 inches otherwise
    """
    if rnn.r is None:
        raise PycogDgrError("plot_resting_state: run the network first")
    figure = Figure(fig, w=6.5, h=4, axislabelsize=7.5, ticklabelsize=6.5)
    mean, units = figure.add([0.1, 0.74, 0.55, 0.2]), figure.add([0.1, 0.41, 0.55, 0.27])
    output, spread = figure.add([0.1, 0.12, 0.55, 0.22]), figure.add([0.79, 0.41, 0.19, 0.53])

    mean.plot(rnn.t, rnn.r.mean(axis=0), color="0.2", lw=1, label="all")
    ei = rnn.p["ei"]
    if ei is not None:
        mean.plot(rnn.t, rnn.r[ei > 0].mean(axis=0), color=LINES[0], lw=1, label="excitatory")
        mean.plot(rnn.t, rnn.r[ei < 0].mean(axis=0), color=LINES[1], lw=1, label="inhibitory")
    mean.legend(fontsize=6, ncols=3, loc="lower right", bbox_to_anchor=(1, 0.95))
    mean.ylabel("Mean " + RATE.lower())

    by_rate = np.argsort(rnn.r.mean(axis=1))[::-1]
    _rate_bar(figure, units, _image(units, rnn.t, rnn.r[by_rate], rnn.r.max()))
    units.ylabel("Unit, by its rate")
    _lines(output, rnn.t, rnn.z.T, _names("output", len(rnn.z), rnn.p["structure"].get("outputs")))
    _legend_beside(output)
    output.ylabel("Outputs (a.u.)")
    output.xlabel("Time (ms)")
    spread.hist(rnn.r.mean(axis=1))
    spread.xlabel("Mean rate of a unit (a.u.)")
    spread.ylabel("Density")
    for plot in (mean, units, output):
        plot.set_xlim(rnn.t[0], rnn.t[-1])
    for plot in (mean, units):
        plot.set_xticklabels([])
    return figure


def _row(
    fig: Figure,
    plots: Sequence[Subplot],
    trials: SimulatedTrials,
    name: str,
    labels: Sequence[str] | None,
) -> None:
    """One quantity of every trial, on common axes; `labels` are the names of its lines."""
    values = getattr(trials, name)
    labels = _names(name.removesuffix("s"), values.shape[2], labels)
    if name == "rates":
        order = np.argsort(np.argmax(values[0, : trials.lengths[0]], axis=0))
        largest = np.nanmax(values)
    for b, plot in enumerate(plots):
        own = slice(trials.lengths[b])
        if name == "rates":
            image = _image(plot, trials.t[own], values[b, own].T[order], largest)
            continue
        _lines(plot, trials.t[own], values[b, own], labels)
        if name == "outputs":
            _lines(plot, trials.t[own], trials.targets[b, own], lw=1.2, ls=(0, (2, 2)))
        for start, end in _epochs(trials, b)[1::2]:
            plot.axvspan(start, end, facecolor="0.93", edgecolor="none", zorder=0)
    if name == "rates":
        _rate_bar(fig, plots[-1], image)
    else:
        limits = np.array([plot.get_ylim() for plot in plots])
        for plot in plots:
            plot.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        dashed = [Line2D([], [], color="0.4", lw=1.2, ls=(0, (2, 2)), label="target")]
        _legend_beside(plots[-1], dashed if name == "outputs" else [])
    plots[0].ylabel(LABELS[name])
    for plot in plots[1:]:
        plot.set_yticklabels([])


def _names(kind: str, n: int, names: Sequence[str] | None) -> Sequence[str] | None:
    """What a legend calls n lines: their names, else 'output 0', ...; None where it has no room."""
    return names or ([f"{kind} {i}" for i in range(n)] if n <= MOST_NAMES else None)


def _legend_beside(plot: Subplot, more: Sequence[Line2D] = ()) -> None:
    """A legend to the right of the plot, where its lines have names; `more` are further entries."""
    lines, _ = plot.get_legend_handles_labels()
    if lines or more:
        plot.legend(
            handles=[*lines, *more], fontsize=6, loc="upper left", bbox_to_anchor=(1, 1.05),
            handlelength=1.4,
        )  # fmt: skip


def _rate_bar(fig: Figure, plot: Subplot, image: AxesImage) -> None:
    """The colours of rates, to the right of the plot."""
    width = fig.bbox.width / fig.dpi  # inches
    place = plot.get_position()
    left = place.x1 + BAR_GAP / width
    axes = fig.add_axes((left, place.y0, BAR / width, place.height))
    bar = fig.colorbar(image, cax=axes)
    bar.set_label(RATE, fontsize=6.5)
    bar.ax.tick_params(labelsize=6, length=2, width=0.5)
    bar.outline.set_visible(False)


def _image(plot: Subplot, t: NDArray, rates: NDArray, largest: float) -> AxesImage:
    """Rates (unit, time) as a picture, white for 0."""
    return plot.imshow(
        rates, aspect="auto", cmap=ACTIVITY, vmin=0, vmax=largest or 1, interpolation="nearest",
        extent=(t[0], t[-1], len(rates), 0),
    )  # fmt: skip


def _lines(
    plot: Subplot, t: NDArray, values: NDArray, labels: Sequence[str] | None = None, **style: Any
) -> None:
    """A line for each column of `values` (time, unit)."""
    for i, value in enumerate(values.T):
        label = labels[i] if labels else None
        plot.plot(t, value, **{"color": LINES[i % len(LINES)], "lw": 0.8, "label": label, **style})


def _epochs(trials: SimulatedTrials, b: int) -> list[tuple[float, float]]:
    """(start, end) in ms of a trial's epochs, as they begin."""
    spans = (span[b] for span in trials.epochs.values())
    return sorted(tuple(span) for span in spans if np.isfinite(span).all())


def _condition(trials: SimulatedTrials, b: int) -> str:
    """'coh 16, in_out 1' of one trial; numbers as short as they are."""

    def shown(value: Any) -> str:
        return f"{value:g}" if isinstance(value, np.number) else str(value)

    return ", ".join(f"{name} {shown(column[b])}" for name, column in trials.info.items())
