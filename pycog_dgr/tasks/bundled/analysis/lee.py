"""Figure of lee: eye movements, errors by sequence, sequences in state space, weights.

    python examples/analysis/lee.py RUNFOLDER

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), Figs. 8 and 9, and B. B. Averbeck
& D. Lee, J. Neurosci. 27, 2204 (2007).

Where the eye is in a movement is its mean position in the middle half of the movement's time:
sequences are predictable, so that it leaves a target before the next movement begins.
"""

import numpy as np

from pycog_dgr import PycogDgrError
from pycog_dgr.analysis import choices, regression, sorting
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands.figure import main

n_trials = 400  # that the figure wants
caption = (
    "A: path of the eye in single trials of the eight sequences; the targets are numbered. B: "
    "distance of the eye from the target of each movement, M1 to M3. C: movements in which the "
    "target is the dot nearest to the eye. D: first two principal components of the mean rates, "
    "from fixation to the last movement. E: first three components over time, in the colours of D; "
    "dotted: movements begin. "
    f"F: all weights. {panels.OWN_COLOURS} G: strengths of the recurrent weights."
)
MOVES = ("M1", "M2", "M3")
DOTS = np.array([(x, y) for y in (0.5, 0, -0.5) for x in (-0.5, 0, 0.5)])
n_shown = 10  # trials per sequence
MIDDLE = (0.25, 0.75)  # of a movement's time
COMPONENTS = ("E", "PC2", "PC3")
SEQUENCES = [f"S{number}" for number in range(1, 9)]


@style.styled
def draw(trials, rnn):
    """The figure."""
    fig, axes = style.figure(
        [" ".join(SEQUENCES[:4]), " ".join(SEQUENCES[4:]), "B C D", "E PC2 PC3", "F G"],
        [1.75, 1.75, 2.2, 2.0, 2.9], {4: [2.1, 1]},
    )  # fmt: skip
    style.letter(axes["S1"], "A")
    sequence = trials.column("seq")
    colors = dict(zip(np.unique(sequence), style.CYCLE, strict=False))
    for number, name in enumerate(SEQUENCES, start=1):
        eye_movements(axes[name], trials.select(np.flatnonzero(sequence == number)[:n_shown]))
        axes[name].set_title(f"Sequence {number}", fontsize=7)
    accuracy(axes["B"], axes["C"], trials)
    try:
        state_space(axes["D"], [axes[name] for name in COMPONENTS], trials, colors)
    except PycogDgrError as error:
        for name in ("D", *COMPONENTS):
            style.say(axes[name], str(error))
    panels.network(fig, axes["F"], rnn)
    panels.weight_distribution(axes["G"], rnn)
    return fig


def eye_movements(ax, trials):
    """Way of the eye from fixation to the end, in single trials of one sequence."""
    ax.scatter(*DOTS.T, s=14, facecolor="none", edgecolor="0.6", linewidth=0.7)
    moving = _between(trials, "fixation", MOVES[-1])
    for eye, when in zip(trials.outputs, moving, strict=True):
        ax.plot(*eye[when, :2].T, color=style.BLUE, linewidth=0.5, alpha=0.6)
    if len(trials):
        for number, (x, y) in enumerate(_targets(trials)[0]):
            ax.annotate(str(number + 1), (x, y), (3, 3), textcoords="offset points", fontsize=7)
    ax.set(xlim=(-0.75, 0.75), ylim=(-0.75, 0.75), xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)


def _between(trials, first, last):
    """(trial, time) of bool, from the start of one epoch to the end of another."""
    start, end = trials.epoch(first)[:, :1], trials.epoch(last)[:, 1:]
    return (trials.t > start) & (trials.t <= end)


def _in_movements(trials, values):
    """Mean of values (trial, time, 2) in the middle of every movement: (trial, movement, 2)."""
    means = []
    for move in MOVES:
        start, end = trials.epoch(move).T
        middle = [start + part * (end - start) for part in MIDDLE]
        means.append(sorting.means_between(trials, values, *middle))
    return np.stack(means, axis=1)


def _targets(trials):
    return _in_movements(trials, trials.targets[:, :, :2])


def accuracy(distances, shares, trials):
    """Distance from the target, and how often it is the nearest dot, by sequence and movement."""
    eye, target = _in_movements(trials, trials.outputs[:, :, :2]), _targets(trials)
    distance = np.linalg.norm(eye - target, axis=2)
    nearest = np.linalg.norm(eye[:, :, np.newaxis] - DOTS, axis=3).min(axis=2)
    hit = np.isclose(nearest, distance, atol=1e-6)
    sequence = trials.column("seq")
    for move, (color, marker) in enumerate(zip(style.CYCLE, "osD", strict=False)):
        shift = 0.15 * (move - 1)
        found = choices.mean_by(sequence, distance[:, move])
        look = {"color": color, "marker": marker, "linestyle": "none", "label": MOVES[move]}
        distances.errorbar(found.x + shift, found.mean, found.error, **look)
        points = choices.proportions(sequence, hit[:, move])
        shares.errorbar(points.x + shift, 100 * points.p, 100 * points.error, clip_on=False, **look)
    distances.set(xlabel="Sequence", ylabel="Distance from target", xticks=range(1, 9))
    distances.set_ylim(0, 1.3 * distances.get_ylim()[1])
    distances.legend(ncols=3, loc="upper left", handletextpad=0.1, columnspacing=0.8)
    panels.percent(shares, "Nearest dot is the target (%)")
    shares.set(xlabel="Sequence", xticks=range(1, 9))


def state_space(plane, courses, trials, colors):
    """Mean rates of every sequence on their principal components."""
    start = trials.epoch("fixation")[:, 0]
    length = float(np.min(trials.epoch(MOVES[-1])[:, 1] - start))
    t, rates = sorting.align(trials.t, trials.rates, start, 0, length)
    by_sequence = sorting.conditions(trials.column("seq"))
    means = sorting.condition_means(rates, by_sequence)
    found = regression.principal_components(means, len(COMPONENTS))
    edges = [np.mean(trials.epoch(move)[:, 0] - start) for move in MOVES]
    for (number,), scores in zip(by_sequence.values, found.scores, strict=True):
        color = colors[number]
        plane.plot(*scores[:, :2].T, color=color, linewidth=0.9, label=f"{number}")
        plane.plot(*scores[0, :2], color=color, marker="o", markersize=3)
        for ax, component in zip(courses, scores.T, strict=False):
            ax.plot(t, component, color=color, linewidth=0.9)
    shares = [f"PC {i + 1} ({share:.0%})" for i, share in enumerate(found.share)]
    plane.set(xlabel=shares[0], ylabel=shares[1])
    plane.legend(fontsize=6, loc="center left", bbox_to_anchor=(1, 0.5), title="Sequence")
    for ax, share in zip(courses, shares, strict=False):
        for edge in edges:
            ax.axvline(edge, color=style.GREY, linestyle=":", linewidth=0.8)
        ax.set(xlabel="Time from fixation (ms)", ylabel=share, xlim=(t[0], t[-1]))


if __name__ == "__main__":
    main(draw, __file__)
