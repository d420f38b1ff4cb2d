"""Runs side by side: protocols, and variations of one protocol."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bridge.figures import measures, style
from bridge.figures.measures import Spread
from bridge.figures.style import GREY
from bridge.replay import VARIATIONS
from bridge.runs import MissingResults, Results

BASELINE = "whole recipe"
FAMILIES = {
    "plasticity": "plastic recurrent weights (%)",
    "balance": "excitatory units (%)",
}
OWN_SHARE = {"plasticity": 98, "balance": 80}  # of the recipe: all but self-connections, 51 of 64


def name_of(results: Results) -> str:
    """What a run is called beside others: its protocol, and what was varied."""
    protocol = results.config.protocol
    return f"{protocol.name}, {protocol.variation}" if protocol.variation else protocol.name


def without_variations(others: Sequence[Results], whole: Results) -> list[Results]:
    """The other runs, without the variations of a run, which have figures of their own."""
    return [other for other in others if not (_group(other) and _alike(other, whole))]


@style.styled
def figure_protocols(runs: Sequence[Results]) -> Figure:
    """Both solvers: accuracy on all classes so far in every run, the thesis dashed, joint dotted.

    Variations of the last run are left out.
    """
    runs = [*without_variations(runs[:-1], runs[-1]), runs[-1]]
    solvers = list(dict.fromkeys(solver for run in runs for solver in run.solvers))
    figure = style.new_figure(style.DOUBLE if len(solvers) > 1 else style.SINGLE, 2.9)
    axes = style.panels(figure, 1, len(solvers), sharey=True)[0]
    for panel, solver in zip(axes, solvers, strict=True):
        for number, run in enumerate(runs):
            _protocol(panel, run, solver, number)
        published = measures.thesis_curve(runs[0], solver, "overall")
        style.draw_thesis(panel, published, style.BLACK, "thesis")
        panel.set_title(style.solver_look(solver, solvers)[0])
        style.context_axis(panel, runs[0].context_names)
    style.percent_axis(axes[0], "test accuracy, classes so far (%)")
    style.legend_above(figure, list(axes), columns=3)
    return figure


def _protocol(axes: Axes, run: Results, solver: str, number: int) -> None:
    colour = style.CYCLE[number % len(style.CYCLE)]
    marker = style.MARKERS[number % len(style.MARKERS)]
    if run.has("accuracy"):
        curve = measures.by_context(run, solver, "overall")
        if curve:
            style.draw_spread(axes, curve, colour, name_of(run), marker)
    joint = measures.joint_final(run, solver)
    if joint is not None:
        label = f"{name_of(run)}: all classes at once"
        axes.axhline(joint.mean, color=colour, linestyle=":", linewidth=1, label=label)


@style.styled
def figure_ablation(runs: Sequence[Results]) -> Figure:
    """Accuracy after the last context with one ingredient taken away, every solver.

    The last run is the whole recipe; of the others, the variations of its protocol on its data,
    what costs most at the top.
    """
    whole = runs[-1]
    varied = [run for run in runs[:-1] if _group(run) == "ablation" and _alike(run, whole)]
    if not varied:
        raise MissingResults("none of these runs takes an ingredient away")
    shown = [whole, *sorted(varied, key=_lowest)]
    solvers = list(dict.fromkeys(solver for run in shown for solver in run.solvers))
    figure = style.new_figure(style.DOUBLE, 0.9 + 0.2 * len(shown))
    axes = style.panels(figure, 1, len(solvers), sharey=True)[0]
    names = [run.config.protocol.variation or BASELINE for run in shown]
    for panel, solver in zip(axes, solvers, strict=True):
        label, colour, _ = style.solver_look(solver, solvers)
        finals = [final_accuracy(run, solver) for run in shown]
        least = _least([final.mean for final in finals if final is not None])
        for row, final in enumerate(finals):
            if final is None:
                panel.text(least, row, "  does not apply", va="center", fontsize=6.5, color=GREY)
            else:
                _point(panel, row, final, colour)
        if finals[0] is not None:
            panel.axvline(finals[0].mean, color=style.BLACK, linewidth=0.7, linestyle=":")
        panel.set_title(label)
        panel.set_xlabel("test accuracy after the last context (%)")
        panel.set_yticks(range(len(shown)), names)
        panel.set_xlim(least, 100 + (100 - least) / 6)  # room for the numbers
        panel.set_xticks(np.arange(least, 101, 5 if least >= 70 else 10))
        panel.set_ylim(len(shown) - 0.5, -0.5)
    return figure


def _alike(run: Results, whole: Results) -> bool:
    """Whether a run varies another's protocol on the same data."""
    return (run.config.protocol.name, run.config.data) == (
        whole.config.protocol.name,
        whole.config.data,
    )


def _lowest(run: Results) -> float:
    """The lowest final accuracy of a run's solvers."""
    finals = (final_accuracy(run, solver) for solver in run.solvers)
    return min((final.mean for final in finals if final is not None), default=100.0)


def _point(axes: Axes, row: int, value: Spread, colour: str) -> None:
    error = None if np.isnan(value.sd) else value.sd
    axes.errorbar(value.mean, row, xerr=error, fmt="o", color=colour, capsize=2)
    axes.text(value.mean + (error or 0), row, f"  {value}", va="center", fontsize=6.5)


def _least(values: Sequence[float]) -> float:
    """A round lower limit below every value."""
    return max(0.0, 10 * np.floor((min(values) - 5) / 10))


@style.styled
def figure_shares(runs: Sequence[Results], group: str) -> Figure:
    """Accuracy and forgetting against a share: of plastic weights, or of excitatory units.

    The last run is the whole recipe, which has a share of its own.
    """
    whole, by_share = runs[-1], {}
    for run in runs[:-1]:
        if _group(run) == group and _alike(run, whole):
            by_share[_share(run)] = run
    if not by_share:
        raise MissingResults(f"none of these runs varies {group}")
    solvers = list(dict.fromkeys(solver for run in by_share.values() for solver in run.solvers))
    by_share = dict(sorted({OWN_SHARE[group]: whole, **by_share}.items()))
    figure = style.new_figure(style.DOUBLE, 2.6)
    left, right = style.panels(figure, 1, 2)[0]
    for solver in solvers:
        label, colour, marker = style.solver_look(solver, solvers)
        finals = {share: final_accuracy(run, solver) for share, run in by_share.items()}
        lost = {share: measures.forgetting(run, solver) for share, run in by_share.items()}
        for panel, curve in ((left, finals), (right, lost)):
            found = {share: value for share, value in curve.items() if value is not None}
            style.draw_spread(panel, found, colour, label, marker)
    left.set_ylabel("test accuracy after the last context (%)")
    right.set_ylabel("forgetting (points)")
    for panel in (left, right):
        panel.set_xlabel(FAMILIES[group])
    style.legend_above(figure, [left], columns=2)
    return figure


def final_accuracy(run: Results, solver: str) -> Spread | None:
    """Accuracy on all classes after the last context; None where the run did not get there."""
    if not run.has("accuracy"):
        return None
    return measures.by_context(run, solver, "overall").get(len(run.contexts))


def _group(run: Results) -> str:
    name = run.config.protocol.variation
    return VARIATIONS[name].group if name in VARIATIONS else ""


def _share(run: Results) -> int:
    """'plasticity-75' -> 75."""
    return int(run.config.protocol.variation.rsplit("-", 1)[1])
