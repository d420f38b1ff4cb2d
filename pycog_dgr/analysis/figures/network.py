"""Figures of one network (an RNN of rnn.py): how it was trained, and its weights."""

from pathlib import Path

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from pycog_dgr.errors import PycogDgrError
from pycog_dgr.figtools import Figure, colors, gradient


def plot_costs(rnn):
    """Figure of a trained RNN's cost, Omega term and error against the number of trials.

    The histories count from zero again where a training was resumed; the figure counts on.
    """
    if not rnn.costs_history:
        raise PycogDgrError("plot_costs: the network has not been trained")
    fig = Figure(w=6.5, h=3, axislabelsize=7.5, ticklabelsize=6.5)
    terms, error = fig.add([0.1, 0.17, 0.38, 0.76]), fig.add([0.57, 0.17, 0.38, 0.76])
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
    return fig


def thousands(history):
    """Trials since the first start, in thousands, of the rows [trials since the last, ...]."""
    total, before, counted = 0, 0, []
    for trials, _ in history:
        total += trials - before if trials > before else trials
        counted.append(total / 1000)
        before = trials
    return counted


def plot_connection_matrix(plot, W, smap_exc=None, smap_inh=None, labelsize=5):
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


def plot_structure(rnn, sortby=None):
    """Figure of an RNN's weights and biases, and the distributions of the weights.

    sortby   order of the units: indices (N,), or a text file of them
    """
    N = rnn.p["N"]
    if sortby is None:
        order = np.arange(N)
    else:
        order = np.loadtxt(sortby, dtype=int) if isinstance(sortby, (str, Path)) else sortby
        if not np.array_equal(np.sort(order), np.arange(N)):
            raise PycogDgrError(f"plot_structure: sortby must hold every unit 0..{N - 1} once")
    matrices = {"Wrec": ([0.11, 0.17, 0.48, 0.76], rnn.Wrec[order][:, order])}
    if np.any(rnn.brec):
        matrices["brec"] = ([0.06, 0.17, 0.02, 0.76], rnn.brec[order])
    if rnn.Win is not None:
        matrices["Win"] = ([0.605, 0.17, 0.06, 0.76], rnn.Win[order])
    if rnn.Wout is not None:
        matrices["Wout"] = ([0.11, 0.08, 0.48, 0.07], rnn.Wout[:, order])
        if np.any(rnn.bout):
            matrices["bout"] = ([0.06, 0.08, 0.02, 0.07], rnn.bout)
    fig = Figure(w=6.5, h=4.5, axislabelsize=6.5, ticklabelsize=6.5, labelpadx=3, labelpady=4)
    for name, (rect, matrix) in matrices.items():
        plot = fig.add(rect, None)
        plot_connection_matrix(plot, matrix)
        if name in ("Wrec", "brec", "Win"):
            plot.text_upper_center(name, dy=0.01, fontsize=6.5)
    shown = dict(zip(matrices, fig.plots, strict=True))
    shown.get("brec", shown["Wrec"]).ylabel("To unit")
    shown.get("Wout", shown["Wrec"]).xlabel("From unit")

    labels = rnn.p["structure"]
    if "inputs" in labels and "Win" in shown:
        plot = shown["Win"]
        plot.xticks(range(len(labels["inputs"])), labels=labels["inputs"], rotation=90)
    if "Wout" in shown:
        names = labels.get("outputs", [f"z{i}" for i in range(len(rnn.Wout))])
        shown["Wout"].yticks(range(len(names)), labels=names)

    weights = [name for name in ("Win", "Wrec", "Wout") if name in matrices]
    for name, bottom in zip(weights, (0.72, 0.4, 0.08), strict=False):
        W = matrices[name][1]
        plot = fig.add([0.76, bottom, 0.22, 0.21])
        for part, color in ((W[W > 0], "blue"), (W[W < 0], "red")):
            if part.size:
                plot.hist(part, color=colors[color])
        present = np.count_nonzero(W) / W.size
        plot.text_upper_center(f"{name}, {present:.0%} present", dy=0.02, fontsize=6.5)
        plot.ylabel("Density")
    plot.xlabel("Weight")
    return fig
