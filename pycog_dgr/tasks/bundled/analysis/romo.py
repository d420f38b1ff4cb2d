"""Figure of romo: performance by pair, tuning to the first frequency over the delay, weights.

    python examples/analysis/romo.py RUNFOLDER

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), Fig. 7, and R. Romo, C. D. Brody,
A. Hernandez & L. Lemus, Nature 399, 470 (1999).

Tuning is a1 of     rate_i(t) = a0_i(t) + a1_i(t) f1     by least squares over trials, in 1/Hz.
"""

import numpy as np

from pycog_dgr import PycogDgrError
from pycog_dgr.analysis import choices, regression, sorting
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands.figure import main

n_trials = 500  # that the figure wants
window = 500  # ms, at the beginning and at the end of the delay
n_tuned = 3  # units of either sign whose tuning curves are shown
caption = (
    "A: percentage correct of every pair of frequencies f1, f2. B, C: mean rates, by f1, of the "
    "units whose rate at the end of the delay grows and falls most with f1; grey: both stimuli. "
    f"D: rates at the end of the delay of the {n_tuned} units that grow and fall most with f1. "
    "E: tuning (change of the rate per Hz of f1) of every unit at the beginning and at the "
    "end of the delay. F: correlation over units of the tuning at any two times; dotted: the delay "
    f"begins. G: all weights. {panels.OWN_COLOURS} H: strengths of the recurrent weights."
)
EPOCHS = ("f1", "delay", "f2", "decision")


@style.styled
def draw(trials, rnn):
    """The figure."""
    fig, axes = style.figure(["A B C", "D E F", "G H"], [2.2, 2.2, 2.9], {2: [2.1, 1]})
    made = choices.final_choices(trials)
    trials_shown = np.isfinite(trials.column("choice"))
    trials, made = trials.select(trials_shown), made[trials_shown]
    performance(axes["A"], trials, choices.correct(trials, made))
    try:
        early, late, over_time, t = tuning(trials)
    except PycogDgrError as error:
        late = None
        for name in "BCDEF":
            style.say(axes[name], str(error))
    else:
        for name, unit in (("B", late.argmax()), ("C", late.argmin())):
            unit_by_f1(axes[name], trials, unit)
        f1_bar(fig, axes["C"], trials)
        tuning_curves(axes["D"], trials, late)
        early_and_late(axes["E"], early, late, panels.kinds(rnn))
        lasting(fig, axes["F"], t, over_time, trials)
    panels.network(fig, axes["G"], rnn, late, by="tuning")
    panels.weight_distribution(axes["H"], rnn)
    return fig


def performance(ax, trials, right):
    """Percentage correct of every pair, as a number at its place."""
    f1, f2 = trials.column("f1"), trials.column("f2")
    pairs = sorting.conditions(f1, f2)
    for number, (x, y) in enumerate(pairs.values):
        share = np.mean(right[pairs.number == number])
        ax.text(x, y, f"{share:.0%}".rstrip("%"), ha="center", va="center", fontsize=7)
    both = np.concatenate([f1, f2])
    ends = both.min() - 3, both.max() + 3
    ax.plot(ends, ends, color=style.GREY, linestyle=":", linewidth=0.8)
    ax.set(xlim=ends, ylim=ends, xlabel="f1 (Hz)", ylabel="f2 (Hz)")
    ax.set(xticks=np.unique(both), yticks=np.unique(both))
    ax.set_title("Correct (%)", fontsize=7)


def delay_ends(trials):
    """(start, end) in ms (trial,) of the first and of the last `window` of the delay."""
    start, end = trials.epoch("delay").T
    return (start, start + window), (end - window, end)


def tuning(trials):
    """a1 (unit,) early and late in the delay; a1 (time, unit) from f1 to the end of the delay and
    its times t (time,) in ms from the start of f1."""
    f1 = trials.column("f1")[:, np.newaxis]
    early, late = (
        regression.regress(sorting.means_between(trials, trials.rates, *ends), f1)[0][0]
        for ends in delay_ends(trials)
    )
    start = trials.epoch("f1")[:, 0]
    length = float(np.min(trials.epoch("delay")[:, 1] - start))
    t, rates = sorting.align(trials.t, trials.rates, start, 0, length)
    over_time = regression.regress(rates, f1)[0][0]
    if not np.any(late):
        raise PycogDgrError("no unit fires during the delay")
    return early, late, over_time, t


def unit_by_f1(ax, trials, unit):
    """Mean rate of a unit for every f1, over the whole trial."""
    start = trials.epoch("f1")[:, 0]
    length = float(np.min(trials.epoch("decision")[:, 1] - start))
    t, rates = sorting.align(trials.t, trials.rates[:, :, unit : unit + 1], start, 200, length)
    by_f1 = sorting.conditions(trials.column("f1"))
    means = sorting.condition_means(rates, by_f1)[:, :, 0]
    shade = [np.mean(trials.epoch(name) - start[:, np.newaxis], axis=0) for name in ("f1", "f2")]
    panels.courses(ax, t / 1000, means, style.ordered(len(means)), shade=np.array(shade) / 1000)
    ax.set(xlabel="Time from f1 (s)", ylabel=panels.RATE)
    ax.set_title(f"Unit {unit}", fontsize=7)


def f1_bar(fig, ax, trials):
    """Which colour is which f1."""
    levels = np.unique(trials.column("f1"))
    panels.color_steps(fig, ax, levels, style.ordered(len(levels)), "f1 (Hz)")


def tuning_curves(ax, trials, late):
    """Mean rates at the end of the delay of the units with the steepest tuning."""
    _, ends = delay_ends(trials)
    rates = sorting.means_between(trials, trials.rates, *ends)
    order = np.argsort(late)
    for units, color, change in (
        (order[-n_tuned:], style.BLUE, "grow with f1"),
        (order[:n_tuned], style.VERMILION, "fall with f1"),
    ):
        for i, unit in enumerate(units):
            by_f1 = choices.mean_by(trials.column("f1"), rates[:, unit])
            label = change if i == 0 else None
            ax.errorbar(by_f1.x, by_f1.mean, by_f1.error, color=color, marker="o", markersize=3,
                        label=label)  # fmt: skip
    ax.legend(title="Units that", fontsize=6, title_fontsize=6)
    ax.set(xlabel="f1 (Hz)", ylabel=f"Rate, last {window} ms (a.u.)")


def early_and_late(ax, early, late, kinds):
    """a1 of every unit at both ends of the delay; on the line tuning does not change."""
    for kind, (name, color) in enumerate(style.KINDS):
        own = kinds == kind
        if own.any():
            ax.scatter(early[own], late[own], s=6, color=color, label=name, linewidth=0)
    extreme = 1.05 * np.max(np.abs([early, late]))
    ax.plot([-extreme, extreme], [-extreme, extreme], color=style.GREY, linestyle=":", zorder=0)
    ax.set(xlim=(-extreme, extreme), ylim=(-extreme, extreme))
    ax.set(xlabel="Tuning early in the delay (1/Hz)", ylabel="Late (1/Hz)")
    ax.locator_params(nbins=3)
    ax.legend(fontsize=6, handletextpad=0.1, loc="upper left")


def lasting(fig, ax, t, over_time, trials):
    """Correlation of the units' tuning between times; lines where the delay begins."""
    tuned = over_time - over_time.mean(axis=1, keepdims=True)
    size = np.linalg.norm(tuned, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = (tuned @ tuned.T) / np.outer(size, size)
    seconds = t / 1000
    image = ax.imshow(
        correlation, vmin=-1, vmax=1, cmap=style.SIGNED, origin="lower", rasterized=True,
        extent=(seconds[0], seconds[-1], seconds[0], seconds[-1]),
    )  # fmt: skip
    begins = np.mean(trials.epoch("delay")[:, 0] - trials.epoch("f1")[:, 0]) / 1000
    for line in (ax.axhline, ax.axvline):
        line(begins, color=style.BLACK, linestyle=":", linewidth=0.8)
    ax.set(xlabel="Time from f1 (s)", ylabel="Time from f1 (s)")
    bar = fig.colorbar(image, ax=ax, label="Correlation of tuning", pad=0.02, aspect=30)
    bar.outline.set_visible(False)


if __name__ == "__main__":
    main(draw, __file__)
