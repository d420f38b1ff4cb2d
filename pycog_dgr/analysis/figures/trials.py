"""Figures of activity: a few trials of any task, and a network left to itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.analysis.interface import SimulatedTrials, TrainedNetwork
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.figtools import Figure, Subplot, colors, gradient

LINES = [colors[name] for name in ("strongblue", "strongred", "green", "orange", "purple")]
ACTIVITY = gradient("w", colors["darkblue"])
MOST = 6  # trials that one figure can show
COLUMN, ROW, LEFT, BOTTOM, TOP = 2.2, 1.2, 0.8, 0.45, 0.3  # inches
LABELS = {"inputs": "Inputs", "rates": "Units", "outputs": "Outputs"}


def plot_trials(
    trials: SimulatedTrials, labels: Mapping[str, Sequence[str]] | None = None, title: str = ""
) -> Figure:
    """Figure of up to six Trials, a column each: inputs, rates of all units, outputs.

    labels   the model's `structure`: {"inputs": [...], "outputs": [...]}, names of the lines
    title    of the whole figure

    Targets are dashed; every second epoch is shaded. Units stand in the order of the times at
    which they are most active in the first trial. PycogDgrError for too many trials, or none.
    """
    if not 1 <= len(trials) <= MOST:
        raise PycogDgrError(f"plot_trials: {len(trials)} trials; a figure holds 1 to {MOST}")
    rows = [name for name in LABELS if getattr(trials, name).shape[2]]
    w, h = LEFT + COLUMN * len(trials), BOTTOM + ROW * len(rows) + TOP
    fig = Figure(w=w, h=h, axislabelsize=7.5, ticklabelsize=6.5)
    fig.suptitle(title, y=1 - 0.05 / h, va="top", fontsize=8.5)
    for row, name in enumerate(rows):
        bottom = (BOTTOM + ROW * (len(rows) - 1 - row)) / h
        plots = [
            fig.add([(LEFT + COLUMN * b) / w, bottom, 0.85 * COLUMN / w, 0.8 * ROW / h])
            for b in range(len(trials))
        ]
        _row(plots, trials, name, (labels or {}).get(name))
        for b, plot in enumerate(plots):
            plot.set_xlim(0, trials.t[trials.lengths[b] - 1])
            if row == 0:
                plot.set_title(_condition(trials, b), fontsize=6.5)
            if row == len(rows) - 1:
                plot.xlabel("Time (ms)")
            else:
                plot.set_xticklabels([])
    return fig


def plot_resting_state(rnn: TrainedNetwork) -> Figure:
    """Figure of an RNN that has just been run: its mean rates, each unit's, and the outputs."""
    if rnn.r is None:
        raise PycogDgrError("plot_resting_state: run the network first")
    fig = Figure(w=6.5, h=4, axislabelsize=7.5, ticklabelsize=6.5)
    mean, units = fig.add([0.1, 0.74, 0.55, 0.2]), fig.add([0.1, 0.41, 0.55, 0.27])
    output, spread = fig.add([0.1, 0.12, 0.55, 0.22]), fig.add([0.76, 0.41, 0.2, 0.53])

    mean.plot(rnn.t, rnn.r.mean(axis=0), color="0.2", lw=1, label="all")
    ei = rnn.p["ei"]
    if ei is not None:
        mean.plot(rnn.t, rnn.r[ei > 0].mean(axis=0), color=LINES[0], lw=1, label="excitatory")
        mean.plot(rnn.t, rnn.r[ei < 0].mean(axis=0), color=LINES[1], lw=1, label="inhibitory")
    mean.legend(fontsize=6, ncols=3, loc="lower right", bbox_to_anchor=(1, 0.95))
    mean.ylabel("Mean rate")

    by_rate = np.argsort(rnn.r.mean(axis=1))[::-1]
    _image(units, rnn.t, rnn.r[by_rate], rnn.r.max())
    units.ylabel("Units")
    _lines(output, rnn.t, rnn.z.T)
    output.ylabel("Outputs")
    output.xlabel("Time (ms)")
    spread.hist(rnn.r.mean(axis=1))
    spread.xlabel("Mean rate of a unit")
    spread.ylabel("Density")
    for plot in (mean, units, output):
        plot.set_xlim(rnn.t[0], rnn.t[-1])
    for plot in (mean, units):
        plot.set_xticklabels([])
    return fig


def _row(
    plots: Sequence[Subplot], trials: SimulatedTrials, name: str, labels: Sequence[str] | None
) -> None:
    """One quantity of every trial, on common axes; `labels` are the names of its lines."""
    values = getattr(trials, name)
    if name == "rates":
        order = np.argsort(np.argmax(values[0, : trials.lengths[0]], axis=0))
        largest = np.nanmax(values)
    for b, plot in enumerate(plots):
        own = slice(trials.lengths[b])
        if name == "rates":
            _image(plot, trials.t[own], values[b, own].T[order], largest)
            continue
        _lines(plot, trials.t[own], values[b, own], labels)
        if name == "outputs":
            _lines(plot, trials.t[own], trials.targets[b, own], lw=1.2, ls=(0, (2, 2)))
        for start, end in _epochs(trials, b)[1::2]:
            plot.axvspan(start, end, facecolor="0.93", edgecolor="none", zorder=0)
    if name != "rates":
        limits = np.array([plot.get_ylim() for plot in plots])
        for plot in plots:
            plot.set_ylim(limits[:, 0].min(), limits[:, 1].max())
    plots[0].ylabel(LABELS[name])
    for plot in plots[1:]:
        plot.set_yticklabels([])
    if labels is not None and name != "rates":
        plots[-1].legend(fontsize=6)


def _image(plot: Subplot, t: NDArray, rates: NDArray, largest: float) -> None:
    """Rates (unit, time) as a picture, white for 0."""
    plot.imshow(
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
