"""Figure of dms: percentage correct, outputs, and what can be read from the population when.

python examples/analysis/dms.py RUNFOLDER
"""

import numpy as np

from pycog_dgr.analysis import choices, population, sorting
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands.figure import main

n_trials = 1000  # that the figure wants
BEFORE, AFTER = 600, 800  # ms around the beginning of the test
EVERY = 3  # samples between those that are decoded
n_bins = 4  # of the delay
caption = (
    "A: percentage correct of the four pairs of stimuli. B: percentage correct by delay. C: mean "
    "outputs around the test stimulus. D: percentage of trials in which a linear decoder reads "
    "sample, test and answer from the rates (cross-validated)."
)


@style.styled
def draw(trials, rnn):
    """The figure, of a network that compares what it sees with what it saw."""
    made = choices.final_choices(trials)
    right = choices.correct(trials, made)
    fig, axes = style.figure(["A B", "C D"], [2.2, 2.4])
    pairs(axes["A"], trials, right)
    delays = trials.column("delay")
    edges = np.nanquantile(delays, np.linspace(0, 1, n_bins + 1))
    panels.percent_correct(axes["B"], choices.binned(delays, edges), right, style.BLUE, label="all")
    axes["B"].set_xlabel("Delay (ms)")
    outputs(axes["C"], trials)
    decoding(axes["D"], trials)
    return fig


def pairs(ax, trials, right):
    """A bar for each pair of sample and test."""
    found = sorting.conditions(trials.column("sample"), trials.column("test"))
    percent = [100 * np.nanmean(right[found.number == i]) for i in range(len(found.values))]
    names = ["".join("AB"[int(value)] for value in pair) for pair in found.values]
    colours = [style.CHOICES[int(a != b)] for a, b in found.values]
    ax.bar(names, percent, color=colours)
    ax.axhline(50, color=style.GREY, linestyle=":", linewidth=0.8)
    panels.percent(ax, "Correct (%)")
    ax.set_xlabel("Sample and test (blue: match)")


def around_the_test(trials, values):
    """Time from the beginning of the test (ms), and values (trial, time, unit) around it."""
    return sorting.align(trials.t, values, trials.epoch("test")[:, 0], BEFORE, AFTER)


def outputs(ax, trials):
    """Mean of each output in trials that match (solid) and do not (dashed)."""
    time, z = around_the_test(trials, trials.outputs)
    for choice, line in ((0, "-"), (1, "--")):
        mean = np.nanmean(z[trials.column("choice") == choice], axis=0)
        for k, name in enumerate(("match", "no match")):
            label = f"output '{name}'" if choice == 0 else None
            ax.plot(time, mean[:, k], line, color=style.CHOICES[k], label=label)
        ax.plot([], [], line, color=style.BLACK, label=("match", "no match")[choice] + " trials")
    ax.set(xlabel="Time from the test (ms)", ylabel="Outputs")
    ax.legend(loc="upper left")


def decoding(ax, trials):
    """How often sample, test and match can be read from the rates, cross-validated."""
    time, rates = around_the_test(trials, trials.rates)
    own = np.isfinite(trials.column("choice"))
    for name, colour in (("sample", style.GREEN), ("test", style.ORANGE), ("choice", style.BLACK)):
        scores = population.decode(rates[own, ::EVERY], trials.column(name)[own])
        label = {"choice": "match or not"}.get(name, name)
        ax.plot(time[::EVERY], 100 * scores, color=colour, label=label)
    ax.axhline(50, color=style.GREY, linestyle=":", linewidth=0.8)
    panels.percent(ax, "Decoded (%)")
    ax.set_xlabel("Time from the test (ms)")
    ax.legend(loc="lower right")


if __name__ == "__main__":
    main(draw, __file__)
