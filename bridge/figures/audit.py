"""The audit of what does not reproduce, and the diagnostics of replay."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from bridge.figures import measures, style
from bridge.runs import MissingResults, Results

LINESTYLES = ("-", (0, (4, 1.5)), (0, (1, 1)), "-.")


@style.styled
def figure_audit_joint(results: Results) -> Figure:
    """Joint training by epoch for every variant of optimiser and loss, the thesis dashed.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    rows = results.table("joint")
    variants = rows.distinct("variant")
    solvers = [s for s in results.solvers if len(rows.where(solver=s).distinct("variant")) > 1]
    measures.require(solvers, "audit variants of joint training")
    figure = style.new_figure(style.DOUBLE if len(solvers) > 1 else style.SINGLE * 1.4, 3.2)
    axes = style.panels(figure, 1, len(solvers), sharey=True)[0]
    for panel, solver in zip(axes, solvers, strict=True):
        published = measures.thesis_curve(results, solver, "joint")
        style.draw_thesis(panel, published, style.BLACK, "thesis, published")
        for number, variant in enumerate(variants):
            curve = measures.by_epoch(results, solver, variant)
            if curve:
                _variant(panel, number, curve, variant)
        panel.set_title(style.solver_look(solver, results.solvers)[0])
        panel.set_xlabel("epoch of training on all classes together")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.percent_axis(axes[0])
    style.legend_above(figure, list(axes), columns=2)
    return figure


@style.styled
def figure_audit_warmstart(results: Results) -> Figure:
    """Generative replay with the recurrent weights kept, and rescaled at every context.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    rows = results.table("warmstart")
    solvers = [
        s for s in rows.distinct("solver") if len(rows.where(solver=s).distinct("variant")) > 1
    ]
    measures.require(solvers, "audit of the warm start: all of its weights were kept")
    figure = style.new_figure(style.DOUBLE, 0.7 + 2.0 * len(solvers))
    axes = style.panels(figure, len(solvers), len(style.QUANTITIES), sharey=True)
    for line, solver in zip(axes, solvers, strict=True):
        name = style.solver_look(solver, results.solvers)[0]
        for panel, (quantity, (what, _, _)) in zip(line, style.QUANTITIES.items(), strict=True):
            _warm_starts(panel, results, solver, quantity)
            panel.set_title(f"{name}: {what}")
            style.context_axis(panel, results.context_names)
        style.percent_axis(line[0])
    style.legend_above(figure, list(axes.flat), columns=3)
    return figure


def _warm_starts(axes: Axes, results: Results, solver: str, quantity: str) -> None:
    rows = results.table("warmstart").where(solver=solver)
    published = measures.thesis_curve(results, solver, quantity)
    style.draw_thesis(axes, published, style.BLACK, "thesis, published")
    for number, variant in enumerate(rows.distinct("variant")):
        curve = measures.grouped(rows.where(variant=variant), "context", quantity)
        _variant(axes, number, curve, variant)


@style.styled
def figure_diagnostics_classes(results: Results) -> Figure:
    """Class shares of every generator's samples; collapsed generators are named.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    generators = [
        (seed, context)
        for seed in results.seeds
        for context in range(1, len(results.contexts) + 1)
        if measures.class_shares(results, seed, context) is not None
    ]
    measures.require(generators, "class shares of generated samples")
    shares = np.array([measures.class_shares(results, *generator) for generator in generators])
    collapsed = set(measures.collapsed_generators(results))
    figure = style.new_figure(style.DOUBLE * 0.8, 0.8 + 0.2 * len(generators))
    axes = style.panels(figure, 1, 1)[0, 0]
    axes.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    style.class_ticks(axes, results.class_names)
    axes.set_yticks(
        range(len(generators)),
        [
            f"{'COLLAPSED: ' if (s, k) in collapsed else ''}seed {s}, generator {k}"
            for s, k in generators
        ],
    )
    for row, (generator, label) in enumerate(zip(generators, axes.get_yticklabels(), strict=True)):
        _class_row(axes, results, row, generator[1], shares[row])
        if generator in collapsed:
            label.set(color=style.VERMILION, fontweight="bold")
    for row in range(1, len(generators)):
        if generators[row][0] != generators[row - 1][0]:
            axes.axhline(row - 0.5, color=style.BLACK, linewidth=0.8)
    axes.set_xlabel("class, by the reference classifier")
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_title("share of the generated samples (%)")
    return figure


@style.styled
def figure_diagnostics_drift(results: Results) -> Figure:
    """Variety of the samples, drift of their labels, old classes taken for new ones.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    figure = style.new_figure(style.DOUBLE, 4.6)
    axes = style.panels(figure, 2, 2)
    of_generator = (
        ("effective classes", "effective number of classes"),
        ("diversity", "diversity (true images = 1)"),
    )
    of_solver = (
        ("label drift", "replayed labels that drifted (%)"),
        ("old called new", "old classes called new (%)"),
    )
    for panel, (quantity, label) in zip(axes[0], of_generator, strict=True):
        curve = measures.diagnostic(results, quantity)
        if curve:
            style.draw_spread(panel, curve, style.GREEN, "generator")
        panel.set_ylabel(label)
    seen = np.cumsum([len(context) for context in results.contexts])
    axes[0, 0].plot(
        1 + np.arange(len(seen)), seen, color=style.BLACK, linestyle=":", linewidth=1, label="ideal"
    )
    axes[0, 0].set_ylim(0, seen[-1] + 0.5)
    axes[0, 1].axhline(1, color=style.BLACK, linestyle=":", linewidth=1)
    axes[0, 1].set_ylim(0, max(1.1, *(1.1 * np.max(line.get_ydata()) for line in axes[0, 1].lines)))
    for panel, (quantity, label) in zip(axes[1], of_solver, strict=True):
        for solver in results.solvers:
            curve = {
                k: fraction.scaled(100)
                for k, fraction in measures.diagnostic(results, quantity, solver).items()
            }
            if curve:
                name, colour, marker = style.solver_look(solver, results.solvers)
                style.draw_spread(panel, curve, colour, name, marker)
        style.percent_axis(panel, label)
    if not any(line.get_marker() != "None" for panel in axes.flat for line in panel.lines):
        raise MissingResults("this run holds no diversity, label drift or confusion of old classes")
    for panel, letter in zip(axes.flat, "ABCD", strict=True):
        style.context_axis(panel, results.context_names, label=panel in axes[1])
        panel.set_title(letter, loc="left")
    style.legend_above(figure, list(axes.flat), columns=4)
    return figure


def _variant(axes: Axes, number: int, curve: dict, label: str) -> None:
    """A variant's curve; the main one is black, like the thesis' own that it stands beside."""
    main, n = label == measures.THESIS_VARIANT, max(point.n for point in curve.values())
    style.draw_spread(
        axes,
        curve,
        style.BLACK if main else style.CYCLE[number % len(style.CYCLE)],
        f"{'this run, main curve' if main else label} (n = {n})",
        style.MARKERS[number % len(style.MARKERS)],
        linestyle=LINESTYLES[number // len(style.CYCLE) % len(LINESTYLES)],
    )


def _class_row(axes: Axes, results: Results, row: int, context: int, shares: np.ndarray) -> None:
    """Percentages of one generator; classes that it has not met are grey."""
    met = {k for classes in results.contexts[:context] for k in classes}
    for k, share in enumerate(shares):
        if k not in met and share == 0:
            axes.add_patch(Rectangle((k - 0.5, row - 0.5), 1, 1, color="0.9", linewidth=0))
        else:
            axes.text(
                k,
                row,
                f"{100 * share:.0f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if share > 0.55 else "black",
            )
