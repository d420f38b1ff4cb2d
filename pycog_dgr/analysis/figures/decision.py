"""Figure of a perceptual decision: behaviour, single units, selectivity, weights.

After Figs. 2 and 3 of Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016). The panels A to C
belong to the task and are drawn by examples/analysis/TASK.py; D to H are the same for all (UNITS).
Coherence is signed: positive towards choice 0, the first output.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from numpy.typing import NDArray

from pycog_dgr.analysis import selectivity, sorting
from pycog_dgr.analysis.choices import correct, final_choices
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.analysis.interface import SimulatedTrials, TrainedNetwork
from pycog_dgr.errors import PycogDgrError

BEFORE = 200  # ms of fixation that time courses show
UNITS = (  # what the panels D to H show
    "D, E: mean rates, by coherence, of the two units that prefer either choice most. F: d' of "
    "every unit between the two choices, over time; excitatory units (E) above inhibitory (I). "
    f"G: all weights. {panels.OWN_COLOURS} H: strengths of the recurrent weights."
)
FIXED_DURATION = (
    "A: psychometric function, with a fitted cumulative normal distribution (bias μ, width σ). "
    "B: percentage correct. C: mean difference of the two outputs, by coherence. " + UNITS
)
HALF = 0.5
COHERENCE = "Coherence towards choice 0 (%)"


def figure() -> tuple[Figure, dict[str, Axes]]:
    """An empty figure and its axes, A to H."""
    return style.figure(["A B C", "D E F", "G H"], [2.2, 2.2, 2.9], {2: [2.1, 1]})


def signed_coherence(trials: SimulatedTrials) -> NDArray:
    """In percent (trial,), positive towards choice 0; NaN in catch trials."""
    return trials.column("coh") * trials.column("in_out")


def from_stimulus(
    trials: SimulatedTrials, values: NDArray, until: NDArray, shown: float
) -> tuple[NDArray, NDArray]:
    """(t, values) around the start of the stimulus: BEFORE to `shown` ms, NaN after `until`
    (trial,) ms of it.
    """
    t, cut = sorting.align(trials.t, values, trials.epoch("stimulus")[:, 0], BEFORE, shown)
    cut[~(t <= until[:, np.newaxis])] = np.nan
    return t, cut


def stimulus_durations(trials: SimulatedTrials) -> NDArray:
    """In ms (trial,); NaN in catch trials."""
    return np.diff(trials.epoch("stimulus"))[:, 0]


def decision_variable(
    fig: FigureBase, ax: Axes, trials: SimulatedTrials, until: NDArray, shown: float
) -> None:
    """Mean difference of the two outputs by coherence, from the start of the stimulus."""
    difference = trials.outputs[:, :, :1] - trials.outputs[:, :, 1:2]
    t, cut = from_stimulus(trials, difference, until, shown)
    by_coherence(ax, t, cut[:, :, 0], trials, "Output 0 minus output 1")
    coherence_bar(fig, ax, trials)


def coherence_bar(fig: FigureBase, ax: Axes, trials: SimulatedTrials) -> None:
    """Which colour is which coherence, beside `ax`."""
    levels = np.unique(signed_coherence(trials)[np.isfinite(signed_coherence(trials))])
    panels.color_steps(fig, ax, levels, style.signed(levels), COHERENCE)


def by_coherence(
    ax: Axes,
    t: NDArray,
    values: NDArray,
    trials: SimulatedTrials,
    label: str,
    event: str = "stimulus",
) -> None:
    """Mean of values (trial, time) at every signed coherence, for as long as half of its trials
    go on.
    """
    sorted_trials = sorting.conditions(signed_coherence(trials))
    means = sorting.condition_means(values[:, :, np.newaxis], sorted_trials, HALF)[:, :, 0]
    colors = style.signed([coherence for (coherence,) in sorted_trials.values])
    panels.courses(ax, t, means, colors, event=0)
    ax.set(xlabel=f"Time from {event} (ms)", ylabel=label)


def units_and_weights(
    fig: FigureBase,
    axes: Mapping[str, Axes],
    trials: SimulatedTrials,
    rnn: TrainedNetwork,
    choices: NDArray,
    until: NDArray,
    shown: float,
) -> None:
    """Panels D to H.

    choices   (trial,) what the network chose, 0 or 1, anything else for no choice
    until     (trial,) ms from the start of the stimulus in which rates count
    shown     ms from the start of the stimulus that time courses show
    """
    first, second = choices == 0, choices == 1
    start = trials.epoch("stimulus")[:, 0]
    t, rates = from_stimulus(trials, trials.rates, until, shown)
    d: NDArray | None = None
    try:
        means = sorting.means_between(trials, trials.rates, start, start + until)
        by_unit = selectivity.dprime(means, first, second)
        over_time = selectivity.dprime(rates, first, second)
    except PycogDgrError as error:
        for name in "DEF":
            style.say(axes[name], str(error))
    else:
        d = by_unit
        for name, unit in (("D", np.nanargmax(by_unit)), ("E", np.nanargmin(by_unit))):
            by_coherence(axes[name], t, rates[:, :, unit], trials, panels.RATE)
            axes[name].set_title(
                f"Unit {unit}, d' = {panels.minus(by_unit[unit], '.1f')}", fontsize=7
            )
        coherence_bar(fig, axes["E"], trials)
        panels.selectivity_raster(
            fig, axes["F"], t, over_time, by_unit, panels.kinds(rnn), "d', choice 0 − choice 1"
        )
        axes["F"].set_xlabel("Time from stimulus (ms)")
    panels.network(fig, axes["G"], rnn, d)
    panels.weight_distribution(axes["H"], rnn)


@style.styled
def draw_fixed_duration(trials: SimulatedTrials, rnn: TrainedNetwork) -> Figure:
    """Figure of a task that shows the stimulus for a fixed time and reads the choice at the end.

    FIXED_DURATION says what the panels show.
    """
    choices = final_choices(trials)
    durations = stimulus_durations(trials)
    shown = float(np.nanmax(durations))
    fig, axes = figure()
    panels.psychometric(axes["A"], signed_coherence(trials), choices == 0)
    axes["A"].set_xlabel(COHERENCE)
    panels.percent_correct(axes["B"], trials.column("coh"), correct(trials, choices))
    panels.doubling_axis(axes["B"], trials.column("coh"), "Coherence (%)")
    decision_variable(fig, axes["C"], trials, durations, shown)
    units_and_weights(fig, axes, trials, rnn, choices, durations, shown)
    return fig
