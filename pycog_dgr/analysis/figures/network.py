"""Figures of one network (an RNN of rnn.py): how it was trained, and its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import FigureBase
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.analysis.interface import TrainedNetwork
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.figtools import Figure, Subplot, colors, gradient


def plot_costs(rnn: TrainedNetwork, fig: FigureBase | None = None) -> Figure:
    """Figure of a trained RNN's cost, Omega term and error against the number of trials.

    The histories count from zero again where a training was resumed; the figure counts on.

    fig   a Figure or SubFigure of matplotlib to draw into; a new one of 6.5 x 3 inches otherwise
    """
    if not rnn.costs_history:
        raise PycogDgrError("plot_costs: the network has not been trained")
    figure = Figure(fig, w=6.5, h=3, axislabelsize=7.5, ticklabelsize=6.5)
    terms, error = figure.add([0.1, 0.17, 0.38, 0.76]), figure.add([0.57, 0.17, 0.38, 0.76])
    trials = thousands(rnn.costs_history)
    cost, rmse = ([row[1][i] for row in rnn.costs_history] for i in (0, 1))
    terms.plot(trials, cost, color="0.2", lw=1, label="Cost")
    if rnn.Omega_history:
        Omega = [value for _, value in rnn.Omega_history]
        terms.plot(
            thousands(rnn.Omega_history), Omega, color=colors["red"], lw=1, label="Omega term"
        )
    terms.ylabel("Terms of the objective")
    terms.legend(fontsize=7)
    error.plot(trials, rmse, color="0.2", lw=1)
    error.ylabel("Error (RMSE)")
    for plot in (terms, error):
        plot.ylim(bottom=0)
        plot.xlabel("Trials (thousands)")
    return figure


def thousands(history: Sequence[Sequence[Any]]) -> list[float]:
    """Trials since the first start, in thousands, of the rows [trials since the last, ...]."""
    total, before, counted = 0, 0, []
    for trials, _ in history:
        total += trials - before if trials > before else trials
        counted.append(total / 1000)
        before = trials
    return counted


def plot_connection_matrix(
    plot: Subplot,
    W: NDArray,
    smap_exc: ScalarMappable | None = None,
    smap_inh: ScalarMappable | None = None,
    labelsize: float = 5,
) -> None:
    """Show W (post, pre), positive weights in blue and negative ones in red, on a Subplot."""
    W = W[:, np.newaxis] if W.ndim == 1 else W
    largest = np.max(np.abs(W), initial=0) or 1
    scale = Normalize(0, largest)
    smap_exc = smap_exc or ScalarMappable(scale, gradient("w", colors["strongblue"]))
    smap_inh = smap_inh or ScalarMappable(scale, gradient("w", colors["strongred"]))
    positive = (W > 0)[..., np.newaxis]
    image = np.where(positive, smap_exc.to_rgba(W), smap_inh.to_rgba(-W))
    plot.imshow(image, interpolation="nearest", aspect="auto")
    plot.set_thickness(0.2)
    plot.set_tick_params(0, labelsize, 0)
    plot.xticks()
    plot.yticks()


MOST_NAMES = 5  # of outputs, one below the other beside their weights


class _Panel(NamedTuple):
    """Where a matrix stands, as fractions of the figure, and the matrix (post, pre) or (unit,)."""

    rect: list[float]
    values: NDArray


def plot_structure(
    rnn: TrainedNetwork,
    sortby: str | Path | ArrayLike | None = None,
    fig: FigureBase | None = None,
) -> Figure:
    """Figure of an RNN's weights and biases, and the distributions of the weights.

    Every matrix has colours up to its own largest |weight|, which is written at it.

    sortby   order of the units: indices (N,), or a text file of them
    fig      a Figure or SubFigure of matplotlib to draw into; else a new one, 7.2 x 4.5 inches
    """
    panels = _structure_panels(rnn, _unit_order(rnn, sortby))
    figure = Figure(
        fig, w=7.2, h=4.5, axislabelsize=6.5, ticklabelsize=6.5, labelpadx=3, labelpady=4
    )
    for name, (rect, matrix) in panels.items():
        plot = figure.add(rect, None)
        plot_connection_matrix(plot, matrix)
        largest = f"{name}\n|w| ≤ {np.max(np.abs(matrix), initial=0):.2g}"
        if name in ("Wrec", "brec", "Win"):
            plot.text_upper_center(largest, dy=0.01, fontsize=6.5)
        elif name == "Wout":
            plot.text(1.02, 0.5, largest, transform=plot.transAxes, va="center", fontsize=6.5)
    _weight_bar(figure)
    shown = dict(zip(panels, figure.plots, strict=True))
    shown.get("brec", shown["Wrec"]).ylabel("To unit")
    shown.get("Wout", shown["Wrec"]).xlabel("From unit")
    _name_inputs_and_outputs(shown, rnn)
    weights = {name: panels[name].values for name in ("Win", "Wrec", "Wout") if name in panels}
    for (name, W), bottom in zip(weights.items(), (0.72, 0.4, 0.08), strict=False):
        _weight_histogram(figure.add([0.79, bottom, 0.2, 0.2]), name, W)
    figure.plots[-1].xlabel("Weight")
    return figure


def _weight_bar(fig: Figure) -> None:
    """The colours of all matrices of the structure figure, as shares of each one's largest."""
    shades = LinearSegmentedColormap.from_list(
        "weights", [colors["strongred"], "w", colors["strongblue"]]
    )
    axes = fig.add_axes((0.65, 0.36, 0.012, 0.36))
    bar = fig.colorbar(ScalarMappable(Normalize(-1, 1), shades), cax=axes, ticks=[-1, 0, 1])
    bar.set_label("Weight / largest |w| of its matrix", fontsize=6.5)
    bar.ax.tick_params(labelsize=6, length=2, width=0.5)
    bar.outline.set_visible(False)


def _unit_order(rnn: TrainedNetwork, sortby: str | Path | ArrayLike | None) -> NDArray:
    """The order of the units: as they are, as given, or as a text file says."""
    N = rnn.p["N"]
    if sortby is None:
        return np.arange(N)
    order = _numbers_in(Path(sortby)) if isinstance(sortby, (str, Path)) else np.asarray(sortby)
    if not np.array_equal(np.sort(order), np.arange(N)):
        raise PycogDgrError(f"plot_structure: sortby must hold every unit 0..{N - 1} once")
    return order


def _numbers_in(path: Path) -> NDArray:
    """The whole numbers of a text file; an error that names the file where it has other words."""
    try:
        return np.loadtxt(path, dtype=np.int64)
    except ValueError as error:
        words = " ".join(str(error).split())[:200]
        raise PycogDgrError(f"{path}: expected one unit's number a line ({words})") from None


def _structure_panels(rnn: TrainedNetwork, order: NDArray) -> dict[str, _Panel]:
    """The matrices and biases that the network has, units in `order`."""
    panels = {"Wrec": _Panel([0.11, 0.17, 0.43, 0.74], rnn.Wrec[order][:, order])}
    if np.any(rnn.brec):
        panels["brec"] = _Panel([0.06, 0.17, 0.02, 0.74], rnn.brec[order])
    if rnn.Win is not None:
        panels["Win"] = _Panel([0.555, 0.17, 0.06, 0.74], rnn.Win[order])
    if rnn.Wout is not None:
        panels["Wout"] = _Panel([0.11, 0.08, 0.43, 0.07], rnn.Wout[:, order])
        if np.any(rnn.bout):
            panels["bout"] = _Panel([0.06, 0.08, 0.02, 0.07], rnn.bout)
    return panels


def _name_inputs_and_outputs(shown: Mapping[str, Subplot], rnn: TrainedNetwork) -> None:
    """Write the model file's names of inputs and outputs beside their weights."""
    labels = rnn.p["structure"]
    if "inputs" in labels and "Win" in shown:
        inputs = labels["inputs"]
        shown["Win"].xticks(range(len(inputs)), labels=inputs, rotation=90)
    if "Wout" in shown and rnn.Wout is not None:
        names = labels.get("outputs", [f"z{i}" for i in range(len(rnn.Wout))])
        few = slice(None, None, -(-len(names) // MOST_NAMES))
        shown["Wout"].yticks(range(len(names))[few], labels=names[few])
        shown["Wout"].tick_params("y", pad=2)


def _weight_histogram(plot: Subplot, name: str, W: NDArray) -> None:
    """Densities of the positive and of the negative weights."""
    for part, color in ((W[W > 0], "blue"), (W[W < 0], "red")):
        if part.size:
            plot.hist(part, color=colors[color])
    plot.text_upper_center(
        f"{name}, {np.count_nonzero(W) / W.size:.0%} present", dy=0.02, fontsize=6.5
    )
    plot.ylabel("Density")
