"""Demixed components of context-dependent integration, decoding, and the trials for other programs.

    python examples/second_day/population.py

Trains mante if runs/second_day/mante has no network yet, simulates trials, takes condition means
apart into what depends on time, choice and context alone (demixed PCA), and asks when the choice
can be read, also in a context that the decoder has not seen. Trials are written as netCDF and
MATLAB files, conditions as CSV.
"""

import argparse
from pathlib import Path

import numpy as np

from pycog_dgr import simulate_trials
from pycog_dgr.analysis import choices, population, sorting
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands import taskrun
from pycog_dgr.errors import MissingExtraError
from pycog_dgr.tasks import bundled_tasks

BEFORE, AFTER = 100, 900  # ms around the stimulus' beginning
CONTEXTS = {"colour": "--", "motion": "-"}  # and how they are drawn
EVERY = 3  # samples between those that are decoded


def trials_of(run, n_trials):
    """Simulated trials, 20 ms between samples."""
    return simulate_trials(taskrun.network(run), run.model.task, n_trials, seed=1, dt_save=20)


def analyse(trials):
    """Time (ms), demixed components of choice and context, decoding within and across contexts."""
    start = trials.epoch("stimulus")[:, 0]
    time, rates = sorting.align(trials.t, trials.rates, start, BEFORE, AFTER)
    made = choices.final_choices(trials).astype(float)
    context = (trials.column("context") == "m").astype(float)
    own = np.isfinite(rates).all(axis=(1, 2))
    means = population.means_by_variable(
        rates[own], {"choice": made[own], "context": context[own]}
    ).means
    parts = population.demixed_components(means, ["choice", "context"], n=1)
    some = rates[own][:, ::EVERY]
    within = population.decode(some, made[own])
    across = population.decode_across_conditions(some, made[own], context[own])
    return time, parts, within, across


@style.styled
def draw(time, parts, within, across):
    """Each part's first component, and decoding."""
    fig, axes = style.figure(["A B C", "D"], [2.1, 2.1])
    for letter, name in zip("ABC", ("time", "choice", "context"), strict=True):
        part, ax = parts[name], axes[letter]
        for choice in (0, 1):
            for context, line in CONTEXTS.items():
                scores = part.scores[choice, int(context == "motion"), :, 0]
                ax.plot(time, scores, line, color=style.CHOICES[choice])
        ax.set(title=f"{name}: {100 * part.share[0]:.2g} % of variance", xlabel="Time (ms)")
    for choice in (0, 1):
        axes["A"].plot([], [], color=style.CHOICES[choice], label=f"choice {choice}")
    for context, line in CONTEXTS.items():
        axes["A"].plot([], [], line, color=style.BLACK, label=f"{context} context")
    axes["A"].legend(loc="lower right")
    axes["A"].set_ylabel("Component (a.u.)")
    for scores, colour, label in (
        (within, style.BLACK, "trained on both contexts"),
        (across, style.ORANGE, "tested in a context not trained on"),
    ):
        axes["D"].plot(time[::EVERY], 100 * scores, color=colour, label=label)
    axes["D"].axhline(50, color=style.GREY, linestyle=":", linewidth=0.8)
    panels.percent(axes["D"], "Choice decoded (%)")
    axes["D"].set_xlabel("Time from stimulus (ms)")
    axes["D"].legend(loc="lower right")
    return fig


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/second_day/mante"), metavar="FOLDER")
    parser.add_argument("--max-iter", type=int, help="train so many updates at most")
    parser.add_argument("--trials", type=int, default=1000)
    options = parser.parse_args(words)
    changes = {"max_iter": options.max_iter} if options.max_iter else None
    run = taskrun.open_run(bundled_tasks()["mante"], seed=1, folder=options.out, changes=changes)
    taskrun.train(run)

    trials = trials_of(run, options.trials)
    for name in ("trials.csv", "trials.mat", "trials.nc"):
        try:
            trials.export(options.out / name)
            print(f"written: {options.out / name}")
        except MissingExtraError as error:
            print(error)
    time, parts, within, across = analyse(trials)
    for name, part in parts.items():
        print(f"{name}: first demixed component explains {100 * part.share[0]:.1f} % of variance")
    print(f"choice decoded at the end: {100 * within[-1]:.1f} %, across {100 * across[-1]:.1f} %")
    path = options.out / "population.png"
    draw(time, parts, within, across).savefig(path, dpi=150)
    print(f"written: {path}")


if __name__ == "__main__":
    main()
