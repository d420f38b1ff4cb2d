"""Figure of rdm_rt: psychometric and chronometric function, units up to the response, weights.

    python examples/analysis/rdm_rt.py RUNFOLDER

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), Fig. 2. The choice is the output
that first reaches the threshold, the reaction time is when it does.
"""

import numpy as np

from pycog_dgr.analysis import choices, sorting
from pycog_dgr.analysis.figures import decision, panels, style
from pycog_dgr.commands.figure import main

n_trials = 3000  # that the figure wants
threshold = 1.0  # of an output whose target is 1.2
before_response = 400  # ms
shown = 800  # ms of stimulus in time courses
caption = (
    "A: psychometric function. B: mean reaction times of correct and of wrong choices. C: mean "
    "difference of the two outputs before the response, by coherence. " + decision.UNITS
)


@style.styled
def draw(trials, rnn):
    """The figure, of a network that answers when it is ready."""
    made = choices.reactions(trials, threshold)
    chose = np.where(made.choice == choices.NO_CHOICE, np.nan, made.choice == 0)
    right = choices.correct(trials, made.choice)
    fig, axes = decision.figure()

    panels.psychometric(axes["A"], decision.signed_coherence(trials), chose)
    axes["A"].set_xlabel(decision.COHERENCE)
    answered = np.mean(made.choice[np.isfinite(right)] != choices.NO_CHOICE)
    axes["A"].set_title(f"{answered:.0%} of trials answered", fontsize=7)

    for value, label, color, marker in ((1, "correct", "k", "o"), (0, "wrong", style.GREY, "s")):
        times = np.where(right == value, made.time, np.nan)
        panels.mean_times(axes["B"], trials.column("coh"), times, color, marker, label)
    panels.doubling_axis(axes["B"], trials.column("coh"), "Coherence (%)")
    axes["B"].legend()

    response = trials.epoch("stimulus")[:, 0] + made.time
    difference = trials.outputs[:, :, :1] - trials.outputs[:, :, 1:2]
    t, cut = sorting.align(trials.t, difference, response, before_response, 0)
    decision.by_coherence(axes["C"], t, cut[:, :, 0], trials, "Output 0 minus output 1", "response")
    decision.coherence_bar(fig, axes["C"], trials)

    decision.units_and_weights(fig, axes, trials, rnn, made.choice, made.time, shown)
    return fig


if __name__ == "__main__":
    main(draw, __file__)
