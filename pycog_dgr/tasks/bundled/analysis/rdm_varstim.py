"""Figure of rdm_varstim: percentage correct against the stimulus' duration, units, weights.

    python examples/analysis/rdm_varstim.py RUNFOLDER

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), Fig. 2.
"""

import numpy as np

from pycog_dgr.analysis import choices
from pycog_dgr.analysis.figures import decision, panels, style
from pycog_dgr.commands.figure import main

n_trials = 4000  # that the figure wants
n_bins = 6  # of the duration, with equally many trials
shown = 500  # ms of stimulus in time courses; few trials are longer
caption = (
    "A: psychometric function. B: percentage correct by duration of the stimulus and by coherence. "
    "C: mean difference of the two outputs, by coherence. " + decision.UNITS
)


@style.styled
def draw(trials, rnn):
    """The figure, of a network that sees the stimulus for as long as it happens to last."""
    made = choices.final_choices(trials)
    right = choices.correct(trials, made)
    durations = decision.stimulus_durations(trials)
    coherence = trials.column("coh")
    fig, axes = decision.figure()

    panels.psychometric(axes["A"], decision.signed_coherence(trials), made == 0)
    axes["A"].set_xlabel(decision.COHERENCE)

    edges = np.nanquantile(durations, np.linspace(0, 1, n_bins + 1))
    levels = np.unique(coherence[np.isfinite(coherence)])
    for level, color in zip(levels, style.ordered(len(levels)), strict=True):
        own = np.where(coherence == level, right, np.nan)
        panels.percent_correct(
            axes["B"], choices.binned(durations, edges), own, color, label=f"{level:g} %"
        )
    axes["B"].set_xlabel("Stimulus duration (ms)")
    axes["B"].legend(title="Coherence", loc="lower right", ncols=2)

    decision.decision_variable(fig, axes["C"], trials, durations, shown)
    decision.units_and_weights(fig, axes, trials, rnn, made, durations, shown)
    return fig


if __name__ == "__main__":
    main(draw, __file__)
