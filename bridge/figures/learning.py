"""Figures 3.2 to 3.8: how accuracy grows and is lost, beside the thesis' numbers (dashed)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bridge import thesis
from bridge.figures import measures, style
from bridge.runs import MissingResults, Results

SHOWN_SHARE = 1  # per cent from which a share is written into a confusion matrix
DRAWN_REPLAYS = ("none", "noise", "generative", "exact")


@style.styled
def figure_3_2(results: Results) -> Figure:
    """Joint training on all classes: test accuracy against epoch, every solver.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    figure = style.new_figure(style.SINGLE, 2.6)
    axes = style.panels(figure, 1, 1)[0, 0]
    for solver in results.solvers:
        curve = measures.by_epoch(results, solver)
        if not curve:
            continue
        _with_thesis(axes, results, solver, "joint", curve)
    measures.require(axes.lines, f"joint training of variant '{measures.THESIS_VARIANT}'")
    axes.set_xlabel("epoch of training on all classes together")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.percent_axis(axes)
    style.legend_above(figure, [axes], columns=2)
    return figure


@style.styled
def figure_3_3(results: Results) -> Figure:
    """LSTM, generative replay: accuracy on all classes so far against contexts learnt.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    return _overall(results, ["lstm"])


@style.styled
def figure_3_4(results: Results) -> Figure:
    """Biological RNN, generative replay: accuracy on all classes so far.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    return _overall(results, ["biornn"])


@style.styled
def figure_3_5(results: Results) -> Figure:
    """Both solvers, generative replay: accuracy on all classes so far.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    return _overall(results, results.solvers)


@style.styled
def figure_3_6(results: Results) -> Figure:
    """Replay types compared over training iterations: all classes so far, and old ones alone.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    solvers = [s for s in results.solvers if measures.context_lengths(results, s)]
    measures.require(solvers, "accuracy of any solver")
    figure = style.new_figure(style.DOUBLE if len(solvers) > 1 else style.SINGLE, 4.4)
    axes = style.panels(figure, 2, len(solvers), sharex="col", sharey=True)
    for column, solver in enumerate(solvers):
        top, bottom = axes[:, column]
        for panel, quantity in ((top, "overall"), (bottom, "old")):
            for replay in DRAWN_REPLAYS:
                _training_curve(panel, results, solver, replay, quantity)
        _chance(top, bottom, results, solver)
        joint = measures.joint_final(results, solver)
        if joint:
            label, colour = style.replay_look("joint")
            top.axhline(joint.mean, color=colour, linestyle="-.", linewidth=1, label=label)
        _context_boundaries(axes[:, column], results, solver)
        lines = 1 if all(map(style.is_short, results.context_names)) else 2
        top.set_title(style.solver_look(solver, results.solvers)[0], pad=7 + 9 * lines)
        bottom.set_xlabel("training iteration")
        bottom.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    style.percent_axis(axes[0, 0], "test accuracy, classes so far (%)")
    style.percent_axis(axes[1, 0], "test accuracy, old classes (%)")
    style.legend_above(figure, list(axes.flat), columns=3)
    return figure


@style.styled
def figure_3_7(results: Results) -> Figure:
    """Generative replay: accuracy on all classes so far, on new and on old ones.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    curves = {
        solver: {q: measures.by_context(results, solver, q) for q in style.QUANTITIES}
        for solver in results.solvers
    }
    curves = {solver: found for solver, found in curves.items() if found["overall"]}
    measures.require(curves, "accuracy with generative replay")
    figure = style.new_figure(style.DOUBLE if len(curves) > 1 else style.SINGLE, 2.9)
    axes = style.panels(figure, 1, len(curves), sharey=True)[0]
    for panel, (solver, found) in zip(axes, curves.items(), strict=True):
        for quantity, (label, colour, marker) in style.QUANTITIES.items():
            published = measures.thesis_curve(results, solver, quantity)
            style.draw_spread(panel, found[quantity], colour, f"{label}, this run", marker)
            style.draw_thesis(panel, published, colour, f"{label}, thesis", marker)
        panel.set_title(style.solver_look(solver, results.solvers)[0])
        style.context_axis(panel, results.context_names)
    style.percent_axis(axes[0])
    style.legend_above(figure, list(axes), columns=3)
    return figure


@style.styled
def figure_matrix(results: Results) -> Figure:
    """Generative replay: accuracy on each context's classes after each context, every solver.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    solvers = [
        solver
        for solver in results.solvers
        if len(results.table("matrix").where(solver=solver, replay="generative"))
    ]
    measures.require(solvers, "accuracy matrix of generative replay")
    figure = style.new_figure(style.DOUBLE if len(solvers) > 1 else style.SINGLE, 3.0)
    axes = style.panels(figure, 1, len(solvers))[0]
    n = len(results.contexts)
    for panel, solver in zip(axes, solvers, strict=True):
        R = np.mean(
            [measures.accuracy_matrix(results, solver, s, "generative") for s in results.seeds],
            axis=0,
        )
        R[np.triu_indices(n, 1)] = np.nan  # contexts that are not learnt yet
        panel.imshow(R, cmap="Blues", vmin=0, vmax=100)
        for i, j in zip(*np.tril_indices(n), strict=True):
            colour = "white" if R[i, j] > 60 else "black"
            panel.text(j, i, f"{R[i, j]:.1f}", ha="center", va="center", fontsize=7, color=colour)
        style.class_ticks(panel, results.context_names)
        panel.set_yticks(range(n), range(1, n + 1))
        panel.set_title(style.solver_look(solver, results.solvers)[0])
        panel.set_xlabel("classes tested")
        panel.set_ylabel("contexts learnt")
        panel.grid(False)
    return figure


@style.styled
def figure_confusion(results: Results) -> Figure:
    """Generative replay: what test images are called after the last context, every solver.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    shares = {
        solver: found
        for solver in results.solvers
        if (found := measures.confusion_matrix(results, solver, "generative")) is not None
    }
    measures.require(shares, "confusion matrix of generative replay")
    figure = style.new_figure(style.DOUBLE if len(shares) > 1 else style.SINGLE, 3.3)
    axes = style.panels(figure, 1, len(shares))[0]
    for panel, (solver, share) in zip(axes, shares.items(), strict=True):
        image = panel.imshow(share, cmap="Blues", vmin=0, vmax=100)
        for (i, j), value in np.ndenumerate(share):
            if value >= SHOWN_SHARE:
                colour = "white" if value > 60 else "black"
                panel.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=5, color=colour)
        style.class_ticks(panel, results.class_names[: len(share)], rows=True)
        panel.set_title(style.solver_look(solver, results.solvers)[0])
        panel.set_xlabel("called")
        panel.set_ylabel("true class")
        panel.grid(False)
    figure.colorbar(image, ax=list(axes), shrink=0.7, label="test images of the class (%)")
    return figure


@style.styled
def figure_3_8(results: Results) -> Figure:
    """Training of the generators: epochs in the thesis and here, and iterations here.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    used = measures.generator_iterations(results)
    figure = style.new_figure(style.DOUBLE, 2.6)
    left, right = style.panels(figure, 1, 2)[0]
    style.draw_spread(left, measures.generator_epochs(results), style.GREEN, "this run")
    style.draw_thesis(left, thesis.GENERATOR_EPOCHS, style.GREEN, "thesis")
    left.set_ylabel("generator training (epochs)")
    style.draw_spread(right, used, style.GREEN, "this run")
    right.set_ylabel("generator training (iterations)")
    published = [", ".join(map(str, context)) for context in thesis.CONTEXTS]
    for panel, letter, names in ((left, "A", published), (right, "B", results.context_names)):
        panel.set_title(letter, loc="left")
        style.context_axis(panel, names)
        panel.set_ylim(0, 1.08 * max(max(line.get_ydata(), default=0) for line in panel.lines))
    right.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    style.legend_above(figure, [left], columns=2)
    return figure


def _overall(results: Results, solvers: list[str]) -> Figure:
    figure = style.new_figure(style.SINGLE, 2.6)
    axes = style.panels(figure, 1, 1)[0, 0]
    for solver in solvers:
        curve = measures.by_context(results, solver, "overall")
        if curve:
            _with_thesis(axes, results, solver, "overall", curve)
    if not axes.lines:
        raise MissingResults(
            f"this run holds no accuracy of {' or '.join(solvers)} with generative replay"
        )
    style.context_axis(axes, results.context_names)
    style.percent_axis(axes, "test accuracy, classes so far (%)")
    style.legend_above(figure, [axes], columns=2)
    return figure


def _with_thesis(axes: Axes, results: Results, solver: str, quantity: str, curve: dict) -> None:
    label, colour, marker = style.solver_look(solver, results.solvers)
    published = measures.thesis_curve(results, solver, quantity)
    style.draw_spread(axes, curve, colour, f"{label}, this run", marker)
    style.draw_thesis(axes, published, colour, f"{label}, thesis", marker)


def _training_curve(axes: Axes, results: Results, solver: str, replay: str, quantity: str) -> None:
    label, colour = style.replay_look(replay)
    for segment in measures.training_curve(results, solver, replay, quantity):
        axes.plot(segment.x, segment.mean, color=colour, label=label, linewidth=1.2)
        style.draw_band(axes, segment.x, segment.mean, segment.sd, colour)


def _chance(top: Axes, bottom: Axes, results: Results, solver: str) -> None:
    """Guessing among the classes seen so far: 100 / (number of classes) per cent."""
    start, seen = 0, 0
    for context, length in measures.context_lengths(results, solver).items():
        seen += len(results.contexts[context - 1])
        for panel in (top, bottom) if context > 1 else (top,):
            panel.hlines(
                100 / seen,
                start,
                start + length,
                color=style.BLACK,
                linestyle=":",
                linewidth=0.9,
                label="guessing",
            )
        start += length


def _context_boundaries(column: np.ndarray, results: Results, solver: str) -> None:
    """A line where a context ends, and its classes above the uppermost panel."""
    start = 0
    for context, length in measures.context_lengths(results, solver).items():
        column[0].text(
            start + length / 2,
            1.02,
            style.in_lines(results.context_names[context - 1]),
            ha="center",
            va="bottom",
            fontsize=7,
            transform=column[0].get_xaxis_transform(),
        )
        start += length
        for axes in column:
            axes.axvline(start, color="0.6", linewidth=0.6, zorder=0)
            axes.set_xlim(0, start)
            axes.grid(False, axis="x")
