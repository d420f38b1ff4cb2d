"""Figure 2.6: the trained excitatory-inhibitory network, drawn from its effective weights.

Win (N, Nin)   Wrec (N, N)   Wout (Nout, N)   ei (N,) of +1/-1: the sign of each column
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bridge.figures import style
from bridge.runs import Results, Structure

SHOWN = 0.06  # share of the non-zero weights of each kind that is drawn, the strongest first
SIDE = 1.7  # distance of inputs and outputs from the middle, in the drawing's units


@style.styled
def figure_2_6(results: Results) -> Figure:
    """A: units and their strongest connections. B: the effective recurrent weights.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    structure = results.structure(results.seed_with_structure())
    figure = style.new_figure(style.DOUBLE, 3.3)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _draw_units(left, structure)
    _draw_matrix(figure, right, structure)
    for x, letter in ((0.01, "A"), (0.5, "B")):
        figure.text(x, 0.98, letter, fontweight="bold", va="top")
    return figure


@style.styled
def figure_connections(results: Results) -> Figure:
    """Recurrent weights before and after training, and their eigenvalues.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    seed = results.seed_with_structure()
    matrices = {"before": results.initial(seed).Wrec, "after": results.structure(seed).Wrec}
    largest = max(np.percentile(np.abs(W), 99) for W in matrices.values()) or 1.0
    figure = style.new_figure(style.DOUBLE, 2.6)
    axes = style.panels(figure, 1, 3, width_ratios=(1, 1, 1.1))[0]
    for panel, (when, W) in zip(axes, matrices.items(), strict=False):
        image = panel.imshow(W, cmap="RdBu", vmin=-largest, vmax=largest)
        panel.set(title=f"{when} training", xlabel="presynaptic unit", ylabel="postsynaptic unit")
        panel.grid(False)
    figure.colorbar(image, ax=axes[1], shrink=0.8, label="effective weight")
    for (when, W), colour, marker in zip(
        matrices.items(), (style.GREY, style.VERMILION), "o^", strict=True
    ):
        values = np.linalg.eigvals(W)
        axes[2].plot(values.real, values.imag, marker, color=colour, markersize=3, label=when)
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
    axes[2].plot(circle.real, circle.imag, "--", color="black", linewidth=0.8, label="modulus 1")
    axes[2].set(title="eigenvalues", xlabel="real part", ylabel="imaginary part", aspect="equal")
    axes[2].legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=3, handletextpad=0.2)
    return figure


def _column(n: int, x: float, height: float) -> np.ndarray:
    """Places (n, 2) of `n` units one above the other."""
    return np.column_stack([np.full(n, x), np.linspace(height, -height, n)])


def _ring(n: int, radius: float, centre: float) -> np.ndarray:
    """Places (n, 2) of `n` units on a circle."""
    angle = np.pi / 2 - 2 * np.pi * np.arange(n) / max(n, 1)
    return np.column_stack([centre + radius * np.cos(angle), radius * np.sin(angle)])


def _draw_units(axes: Axes, structure: Structure) -> None:
    N, Nin = structure.Win.shape
    Nout = len(structure.Wout)
    excitatory = structure.ei > 0
    inputs, outputs = _column(Nin, -SIDE, 1.15), _column(Nout, SIDE, 0.85)
    units = np.empty((N, 2))
    units[excitatory] = _ring(excitatory.sum(), 1.15, 0)
    units[~excitatory] = _ring((~excitatory).sum(), 0.5, 0)
    _draw_weights(axes, structure.Win, inputs, units, "0.45")
    for kind, colour in ((excitatory, style.EXCITATORY), (~excitatory, style.INHIBITORY)):
        _draw_weights(axes, structure.Wrec[:, kind], units[kind], units, colour)
        _draw_weights(axes, structure.Wout[:, kind], units[kind], outputs, colour)
    for places, colour, size in (
        (inputs, "0.45", 9),
        (units[excitatory], style.EXCITATORY, 20),
        (units[~excitatory], style.INHIBITORY, 20),
        (outputs, style.BLACK, 14),
    ):
        x, y = places.T
        axes.scatter(x, y, s=size, color=colour, edgecolor="white", linewidth=0.5, zorder=3)
    for k, (x, y) in enumerate(outputs):
        axes.text(x + 0.12, y, str(k), va="center", fontsize=7)
    for x, text in (
        (-SIDE, f"{Nin} inputs\n(one image row)"),
        (SIDE, f"{Nout} outputs\n(classes)"),
        (0.0, f"{excitatory.sum()} E (outer)\n{(~excitatory).sum()} I (inner)"),
    ):
        axes.text(x, -1.36, text, ha="center", va="top", fontsize=7)
    keys = [
        Line2D([], [], color=colour, label=label)
        for colour, label in (
            ("0.45", "input"),
            (style.EXCITATORY, "excitatory"),
            (style.INHIBITORY, "inhibitory"),
        )
    ]
    axes.legend(
        handles=keys, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, handlelength=1.4
    )
    axes.set(xlim=(-SIDE - 0.5, SIDE + 0.4), ylim=(-1.7, 1.25), aspect="equal")
    style.bare(axes)


def _draw_weights(
    axes: Axes, W: np.ndarray, sources: np.ndarray, targets: np.ndarray, colour: str
) -> None:
    """Lines for the strongest weights of W (target, source); thicker is stronger."""
    strength = np.abs(W)
    nonzero = np.count_nonzero(strength)
    if not nonzero:
        return
    shown = max(1, round(SHOWN * nonzero))
    order = np.argsort(strength, axis=None, kind="stable")[-shown:]
    to, of = np.unravel_index(order, W.shape)
    share = strength[to, of] / strength.max()
    axes.add_collection(
        LineCollection(
            list(np.stack([sources[of], targets[to]], axis=1)),
            colors=[to_rgba(colour, 0.1 + 0.4 * s) for s in share],
            linewidths=0.2 + 0.9 * share,
            zorder=1,
        )
    )


def _draw_matrix(figure: Figure, axes: Axes, structure: Structure) -> None:
    """Wrec with excitatory units first, the border between the two kinds drawn in."""
    order = np.argsort(-structure.ei, kind="stable")
    Wrec = structure.Wrec[np.ix_(order, order)]
    N, E = len(order), int((structure.ei > 0).sum())
    limit = float(np.percentile(np.abs(Wrec[Wrec != 0]), 99)) if Wrec.any() else 1.0
    image = axes.imshow(Wrec, cmap="RdBu", vmin=-limit, vmax=limit, interpolation="nearest")
    axes.axvline(E - 0.5, color="black", linewidth=0.8)
    axes.axhline(E - 0.5, color="black", linewidth=0.8)
    middles = [(E - 1) / 2, (E + N - 1) / 2]
    axes.set_xticks(middles, [f"{E} E", f"{N - E} I"])
    axes.set_yticks(middles, [f"{E} E", f"{N - E} I"])
    axes.tick_params(length=0)
    axes.set_xlabel("from unit (presynaptic)")
    axes.set_ylabel("to unit (postsynaptic)")
    axes.grid(False)
    axes.spines[:].set_visible(True)
    bar = figure.colorbar(image, ax=axes, extend="both", shrink=0.9, pad=0.03)
    bar.set_label("effective recurrent weight")
    bar.outline.set_linewidth(0.5)
