"""Figure of sinewave: output against target, units, the orbit in state space, weights.

    python examples/analysis/sinewave.py RUNFOLDER

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016).
"""

import numpy as np

from pycog_dgr import PycogDgrError
from pycog_dgr.analysis import regression
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands.figure import main

n_trials = 200  # that the figure wants
n_shown = 10  # trials
n_units = 6
caption = (
    "A: output in ten trials, and the target. B: root mean square errors of single trials. C: mean "
    "rates of the six most active units. D: first two principal components of the mean rates. "
    f"E: all weights. {panels.OWN_COLOURS} F: strengths of the recurrent weights."
)


@style.styled
def draw(trials, rnn):
    """The figure."""
    fig, axes = style.figure(
        ["A B", "C D", "E F"], [2.0, 2.2, 2.9], {0: [2, 1], 1: [2, 1], 2: [2, 1]}
    )
    z, target = trials.outputs[:, :, 0], trials.targets[:, :, 0]
    axes["A"].plot(trials.t, z[:n_shown].T, color=style.BLUE, linewidth=0.6, alpha=0.6)
    axes["A"].plot(trials.t, target[0], color=style.BLACK, linestyle="--", label="target")
    axes["A"].plot([], [], color=style.BLUE, label=f"output, {min(n_shown, len(trials))} trials")
    axes["A"].set_ylim(-1.1, 1.6)
    axes["A"].set(xlabel="Time (ms)", ylabel="Output", xlim=(0, trials.t[-1]))
    axes["A"].legend(ncols=2, loc="upper left")

    error = np.sqrt(np.nanmean((z - target) ** 2, axis=1))
    axes["B"].hist(error, bins="sturges", color=style.BLUE)
    axes["B"].set(xlabel="RMS error of a trial", ylabel="Trials")

    mean_rates = np.nanmean(trials.rates, axis=0, dtype=np.float64)
    active = np.argsort(mean_rates.std(axis=0))[::-1][:n_units]
    panels.courses(
        axes["C"], trials.t, mean_rates[:, active].T, style.CYCLE[:len(active)],
        labels=[f"unit {unit}" for unit in active],
    )  # fmt: skip
    axes["C"].set(xlabel="Time (ms)", ylabel=f"Mean {panels.RATE.lower()}")
    axes["C"].set_ylim(top=1.35 * axes["C"].get_ylim()[1])
    axes["C"].legend(fontsize=6, ncols=3, loc="upper left")
    try:
        orbit(fig, axes["D"], trials.t, mean_rates)
    except PycogDgrError as problem:
        style.say(axes["D"], str(problem))
    panels.network(fig, axes["E"], rnn)
    panels.weight_distribution(axes["F"], rnn)
    return fig


def orbit(fig, ax, t, mean_rates):
    """The mean rates (time, unit) on their first two components, coloured by time."""
    found = regression.principal_components(mean_rates, 2)
    ax.plot(*found.scores.T, color="0.8", linewidth=0.8, zorder=1)
    dots = ax.scatter(*found.scores.T, c=t, s=6, cmap="viridis", zorder=2, linewidth=0)
    ax.set_aspect("equal", "datalim")
    shares = [f"PC {i + 1} ({share:.0%})" for i, share in enumerate(found.share)]
    ax.set(xlabel=shares[0], ylabel=shares[1])
    fig.colorbar(dots, ax=ax, label="Time (ms)", pad=0.02, aspect=30).outline.set_visible(False)


if __name__ == "__main__":
    main(draw, __file__)
