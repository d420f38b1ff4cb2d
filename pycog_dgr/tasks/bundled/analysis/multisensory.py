"""Figure of multisensory: choices by modality, units selective for choice, modality or both.

    python examples/analysis/multisensory.py RUNFOLDER

After Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), and D. Raposo, M. T. Kaufman &
A. K. Churchland, Nature Neurosci. 17, 1784 (2014).

An optimal combination of the two modalities has 1 / sigma^2 = 1 / sigma_v^2 + 1 / sigma_a^2.
"""

from itertools import product

import numpy as np

from pycog_dgr import PycogDgrError
from pycog_dgr.analysis import choices, selectivity, sorting
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands.figure import main

n_trials = 3000  # that the figure wants
caption = (
    "A: psychometric functions of visual, auditory and multisensory trials. B: their widths, and "
    "the width that an optimal combination of the two modalities would have. C: d' of every unit "
    "for choice and for modality. D, E, F: mean rates of the units that are most selective for "
    "choice, for modality and for both. "
    f"G: all weights. {panels.OWN_COLOURS} H: strengths of the recurrent weights."
)
MODALITIES = {
    "v": ("visual", style.BLUE, "o", "-"),
    "a": ("auditory", style.VERMILION, "s", "--"),
    "va": ("both", style.BLACK, "D", ":"),
}
boundary = 12.5  # events per second
before, shown = 200, 1300  # ms around the start of the stimulus, which lasts 1000 ms
RATE = "Event rate (1/s)"


@style.styled
def draw(trials, rnn):
    """The figure."""
    fig, axes = style.figure(["A B C", "D E F", "G H"], [2.2, 2.2, 2.9], {2: [2.1, 1]})
    made = choices.final_choices(trials)
    behaviour(axes["A"], axes["B"], trials, made)
    try:
        d_choice, d_modality = selectivities(trials, made)
    except PycogDgrError as error:
        d_choice = None
        for name in "CDEF":
            style.say(axes[name], str(error))
    else:
        scatter(axes["C"], d_choice, d_modality, panels.kinds(rnn))
        both = np.minimum(np.abs(d_choice), np.abs(d_modality))
        for name, most, word in (
            ("D", np.abs(d_choice), "choice"),
            ("E", np.abs(d_modality), "modality"),
            ("F", both, "both"),
        ):
            unit = int(np.nanargmax(most))
            unit_by_condition(axes[name], trials, made, unit)
            axes[name].set_title(f"Unit {unit}: {word}", fontsize=7)
        panels.legend_below(axes["D"], 6)
    panels.network(fig, axes["G"], rnn, d_choice, by="d' for choice")
    panels.weight_distribution(axes["H"], rnn)
    return fig


def behaviour(curves, widths, trials, made):
    """Psychometric functions, and their widths beside the optimal one."""
    fits = {}
    for modality, (label, color, marker, _) in MODALITIES.items():
        chosen = np.where(trials.column("modality") == modality, made == 0, np.nan)
        if np.isfinite(chosen).any():
            fits[modality] = panels.psychometric(
                curves, trials.column("freq"), chosen, color, marker, label, units=None
            )
    curves.axvline(boundary, color=style.GREY, linestyle=":", linewidth=0.8)
    curves.set(xlabel=RATE, ylabel="Choice 'high' (%)")

    for place, (modality, fit) in enumerate(fits.items()):
        label, color, marker, _ = MODALITIES[modality]
        if fit is not None:
            widths.errorbar(place, fit.sigma, fit.sigma_error, color=color, marker=marker)
    widths.set_xticks(range(len(fits)), [MODALITIES[modality][0] for modality in fits])
    widths.set(xlim=(-0.5, len(fits) - 0.5), ylabel="Width σ (1/s)")
    if all(fits.get(modality) for modality in MODALITIES):
        best = (fits["v"].sigma ** -2 + fits["a"].sigma ** -2) ** -0.5
        place = list(fits).index("va")
        widths.plot([place - 0.3, place + 0.3], [best, best], "k--", label="optimal combination")
        widths.legend(loc="lower left")
    widths.set_ylim(bottom=0)


def selectivities(trials, made):
    """d' (unit,) of rates during the stimulus: high or low choice, auditory or visual trial."""
    rates = sorting.epoch_means(trials, trials.rates, "stimulus")
    shown = np.isfinite(trials.column("choice"))
    modality = trials.column("modality")
    return (
        selectivity.dprime(rates, shown & (made == 0), shown & (made == 1)),
        selectivity.dprime(rates, modality == "a", modality == "v"),
    )


def scatter(ax, d_choice, d_modality, kinds):
    """Every unit by its two selectivities."""
    for kind, (name, color) in enumerate(style.KINDS):
        own = kinds == kind
        ax.scatter(d_choice[own], d_modality[own], s=8, color=color, label=name, linewidth=0)
    for line in (ax.axhline, ax.axvline):
        line(0, color=style.GREY, linewidth=0.6, zorder=0)
    ax.set(xlabel="d', high − low choice", ylabel="d', auditory − visual")
    ax.legend(fontsize=6, handletextpad=0.1, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))


def unit_by_condition(ax, trials, made, unit):
    """Mean rate of a unit by choice (colour) and modality (line)."""
    start = trials.epoch("stimulus")[:, 0]
    t, rates = sorting.align(trials.t, trials.rates[:, :, unit : unit + 1], start, before, shown)
    sorted_trials = sorting.conditions(trials.column("modality"), made)
    means = sorting.condition_means(rates, sorted_trials)[:, :, 0]
    known = dict(zip(sorted_trials.values, means, strict=True))
    wanted = [pair for pair in product(MODALITIES, (0, 1)) if pair in known]
    panels.courses(
        ax, t, [known[pair] for pair in wanted],
        colors=[style.CHOICES[choice] for _, choice in wanted],
        styles=[MODALITIES[modality][3] for modality, _ in wanted],
        labels=[f"{MODALITIES[m][0]}, {('high', 'low')[choice]}" for m, choice in wanted],
        event=0,
    )  # fmt: skip
    ax.set(xlabel="Time from stimulus (ms)", ylabel=panels.RATE)


if __name__ == "__main__":
    main(draw, __file__)
