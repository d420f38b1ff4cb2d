"""Figure of context-dependent integration: behaviour, units, state space, weights.

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), Figs. 4 and 5, and V. Mante, D.
Sussillo, K. V. Shenoy & W. T. Newsome, Nature 503, 78 (2013), Fig. 2.

States are projected on orthogonal axes of choice, motion and colour, without beta_0, the time
course that all conditions share; evidence is signed, positive towards choice 0. CAPTION says what
the panels show.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from numpy.typing import NDArray

from pycog_dgr.analysis import regression, selectivity, sorting
from pycog_dgr.analysis.choices import correct, final_choices
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.analysis.interface import SimulatedTrials, TrainedNetwork
from pycog_dgr.errors import PycogDgrError

CONTEXTS = {"m": ("motion", style.BLACK, "o"), "c": ("colour", style.GREEN, "s")}
VARIABLES = ("choice", "motion", "colour", "context")
COLORS = (style.BLACK, style.BLUE, style.VERMILION, style.GREEN)
BEFORE = 200  # ms of fixation that time courses show
CAPTION = (
    "A, B: choices by motion and by colour evidence, in the context that asks for it and in the "
    "other one, where choices do not depend on it and no curve is fitted. C: strength of each task "
    "variable in the population over time, the root mean square of the regression coefficients "
    "over units. D, E: motion context, G, H: colour context: mean states of correct trials on axes "
    "of choice and of motion or colour, which come from the regression. F, I: mean rates of the "
    "units that are most selective for choice and for context. "
    f"J: all weights. {panels.OWN_COLOURS} K: strengths of the recurrent weights."
)
LINES = ("-", "--", ":")


def evidence(trials: SimulatedTrials, modality: str) -> NDArray:
    """Signed coherence of a modality, 'm' or 'c', in percent (trial,)."""
    return trials.column(f"coh_{modality}") * trials.column(f"left_right_{modality}")


def task_variables(trials: SimulatedTrials, made: NDArray) -> NDArray:
    """(trial, 4) from -1 to 1: choice made, motion, colour, context; NaN in catch trials."""
    motion, colour = (evidence(trials, modality) for modality in "mc")
    return np.column_stack([
        np.where(made == 0, 1, -1),
        motion / np.nanmax(np.abs(motion)),
        colour / np.nanmax(np.abs(colour)),
        np.where(trials.column("context") == "m", 1, -1),
    ])  # fmt: skip


@style.styled
def draw(
    trials: SimulatedTrials, rnn: TrainedNetwork, areas: Mapping[str, NDArray] | None = None
) -> Figure:
    """The figure.

    areas   name -> units; sorts the weights by area, and shows C for each
    """
    made = final_choices(trials)
    fig, axes = style.figure(
        ["A B C", "D E F", "G H I", "J K"], [2.2, 2.2, 2.2, 2.9], {3: [2.1, 1]}
    )
    for name, modality in (("A", "m"), ("B", "c")):
        behaviour(axes[name], trials, made, modality)
    try:
        state_space(fig, axes, trials, made, areas)
    except PycogDgrError as error:
        for name in "CDEGH":
            style.say(axes[name], str(error))
    try:
        d = units(axes["F"], axes["I"], trials, made)
    except PycogDgrError as error:
        d = None
        for name in "FI":
            style.say(axes[name], str(error))
    weights(fig, axes["J"], rnn, d, areas)
    panels.weight_distribution(axes["K"], rnn)
    return fig


def behaviour(ax: Axes, trials: SimulatedTrials, made: NDArray, modality: str) -> None:
    """Psychometric functions of one modality's evidence in both contexts."""
    for context, (name, color, marker) in CONTEXTS.items():
        chosen = np.where(trials.column("context") == context, made == 0, np.nan)
        if np.isfinite(chosen).any():
            x = evidence(trials, modality)
            panels.psychometric(ax, x, chosen, color, marker, name, units=None, title="Context")
    ax.set_xlabel(f"{CONTEXTS[modality][0].capitalize()} towards choice 0 (%)")


def state_space(
    fig: FigureBase,
    axes: Mapping[str, Axes],
    trials: SimulatedTrials,
    made: NDArray,
    areas: Mapping[str, NDArray] | None,
) -> None:
    """Panels C, D, E, G and H. PycogDgrError where the trials do not determine the regression."""
    shown = np.isfinite(trials.column("choice"))
    trials, made = trials.select(shown), made[shown]
    start, end = trials.epoch("stimulus").T
    t, rates = sorting.align(trials.t, trials.rates, start, 0, float(np.min(end - start)))
    rates = regression.zscored(rates, regression.scale_of(rates))
    coefficients, shared = regression.regress(rates, task_variables(trials, made))
    strengths(axes["C"], t, coefficients, areas)

    motion, colour = evidence(trials, "m"), evidence(trials, "c")
    context = trials.column("context")
    all_conditions = sorting.conditions(context, motion, colour)
    rates -= shared
    means = sorting.condition_means(rates, all_conditions)
    Q = regression.state_space_axes(coefficients, means)
    right = correct(trials, made) == 1
    for (by_motion, by_colour), asked in ((("D", "E"), "m"), (("G", "H"), "c")):
        kept = right & (context == asked)
        title = f"{CONTEXTS[asked][0].capitalize()} context, by"
        for name, shade, axis in ((by_motion, motion, 1), (by_colour, colour, 2)):
            paths(axes[name], rates, np.where(kept, shade, np.nan), Q[:, [0, axis]])
            axes[name].set_title(f"{title} {VARIABLES[axis]}", fontsize=7)
            axes[name].set(xlabel="Choice axis", ylabel=f"{VARIABLES[axis].capitalize()} axis")
    panels.same_limits([axes[name] for name in "DEGH"], "x")
    panels.same_limits([axes[name] for name in "DG"], "y")
    panels.same_limits([axes[name] for name in "EH"], "y")
    levels = np.unique(colour)
    for name in "EH":
        panels.color_steps(fig, axes[name], levels, style.signed(levels), "Evidence (%)")


def strengths(
    ax: Axes, t: NDArray, coefficients: NDArray, areas: Mapping[str, NDArray] | None
) -> None:
    """Root mean square coefficient of each variable over time, per area where there are some."""
    lines = {"": "-"} if areas is None else dict(zip(areas, LINES, strict=False))
    for variable, color, beta in zip(VARIABLES, COLORS, coefficients, strict=True):
        for area, line in lines.items():
            own = slice(None) if areas is None else areas[area]
            ax.plot(t, np.sqrt(np.mean(beta[:, own] ** 2, axis=1)), color=color, linestyle=line)
        ax.plot([], [], color=color, label=variable)
    if areas is not None:
        for area, line in lines.items():
            ax.plot([], [], color=style.GREY, linestyle=line, label=area)
    ax.legend(fontsize=6, ncols=2, loc="upper left", columnspacing=0.8)
    ax.set(xlabel="Time from stimulus (ms)", ylabel="RMS coefficient", xlim=(t[0], t[-1]))
    ax.set_ylim(0, 1.45 * ax.get_ylim()[1])


def paths(ax: Axes, rates: NDArray, sort_by: NDArray, axes_2d: NDArray) -> None:
    """Mean path of each value of sort_by (trial,) on two axes (unit, 2); a dot where it begins."""
    sorted_trials = sorting.conditions(sort_by)
    states = sorting.condition_means(rates, sorted_trials) @ axes_2d
    levels = [level for (level,) in sorted_trials.values]
    for path, color in zip(states, style.signed(levels), strict=True):
        ax.plot(*path.T, color=color, marker="o", markevery=[0], markersize=3)
    ax.margins(0.08)


def units(by_choice: Axes, by_context: Axes, trials: SimulatedTrials, made: NDArray) -> NDArray:
    """The units most selective for choice and for context; returns d' (unit,) for choice."""
    shown = np.isfinite(trials.column("choice"))
    context = trials.column("context")
    rates = sorting.epoch_means(trials, trials.rates, "stimulus")
    d_choice = selectivity.dprime(rates, shown & (made == 0), shown & (made == 1))
    d_context = selectivity.dprime(rates, context == "m", context == "c")
    start, end = trials.epoch("stimulus").T
    sorted_trials = sorting.conditions(context, np.where(shown, made, np.nan))
    for ax, d, word in ((by_choice, d_choice, "choice"), (by_context, d_context, "context")):
        unit = int(np.nanargmax(np.abs(d)))
        one = trials.rates[:, :, unit : unit + 1]
        t, cut = sorting.align(trials.t, one, start, BEFORE, float(np.nanmax(end - start)))
        means = sorting.condition_means(cut, sorted_trials)[:, :, 0]
        panels.courses(
            ax, t, means, event=0,
            colors=[style.CHOICES[int(choice)] for _, choice in sorted_trials.values],
            styles=["-" if context == "m" else "--" for context, _ in sorted_trials.values],
            labels=[
                f"{CONTEXTS[context][0]}, choice {choice:.0f}"
                for context, choice in sorted_trials.values
            ],
        )  # fmt: skip
        ax.set(xlabel="Time from stimulus (ms)", ylabel=panels.RATE)
        ax.set_title(f"Unit {unit}: {word}, d' = {panels.minus(d[unit], '.1f')}", fontsize=7)
    panels.legend_below(by_choice, 4)
    return d_choice


def weights(
    fig: FigureBase,
    ax: Axes,
    rnn: TrainedNetwork,
    d: NDArray | None,
    areas: Mapping[str, NDArray] | None,
) -> None:
    """All weights, by kind, or by kind and area."""
    if areas is None:
        panels.network(fig, ax, rnn, d)
        return
    kinds, area = panels.kinds(rnn), np.zeros(rnn.p["N"], int)
    for number, own in enumerate(areas.values()):
        area[own] = number
    names = [f"{name}\n{kind[:3]}." for kind, _ in style.KINDS for name in areas]
    panels.network(fig, ax, rnn, d, len(areas) * kinds + area, names)
