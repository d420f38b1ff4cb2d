"""The numbers that the thesis reports, as data, each with the figure or table it stands in.

Source: A. Prasad, *Mitigating Catastrophic Forgetting in LSTM-RNNs and Biologically Constrained
RNNs*, New York University, 2020, and its public repository. All accuracies are in per cent.

    symbol    name       meaning
    solver    "lstm", "biornn"
    quantity  "overall"  accuracy on every class seen so far, by number of contexts learnt
              "new"      accuracy on the classes of the latest context
              "old"      accuracy on the classes of all earlier contexts
              "joint"    accuracy on all ten classes, trained together, by epoch
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

CITATION = (
    "A. Prasad, Mitigating Catastrophic Forgetting in LSTM-RNNs and Biologically Constrained "
    "RNNs, New York University, 2020"
)
CONTEXTS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))
DATA = ("mnist", "mnist5k")  # data sets whose digits are those of the thesis

# Training images of a context, and what the biological solver's training data were mixed of.
CONTEXT_IMAGES = {2: 12089, 3: 11263}
MIXED_IMAGES = {2: (12665, 1408), 3: (22000, 2500)}  # replayed, real


@dataclass(frozen=True)
class Curve:
    """One published curve: `values` maps contexts learnt (or epochs) to accuracy in per cent."""

    solver: str
    quantity: str
    values: Mapping[int, float]
    source: str
    remarks: Mapping[int, str] = field(default_factory=dict)


CURVES = (
    Curve(
        "lstm",
        "overall",
        {1: 100, 2: 93, 3: 84, 4: 80, 5: 77},
        "Fig. 3.3, 3.5, 3.7",
        {5: "76 in one table"},
    ),
    Curve("lstm", "new", {1: 99.9, 2: 95, 3: 89, 4: 85, 5: 84.3}, "Fig. 3.7"),
    Curve("lstm", "old", {2: 89, 3: 82.6, 4: 78, 5: 73}, "Fig. 3.7"),
    Curve("biornn", "overall", {1: 99, 2: 81, 3: 48.2}, "Fig. 3.4, 3.5", {2: "82 in the text"}),
    Curve("lstm", "joint", {1: 88, 2: 99.9, 3: 99.9, 4: 99.9, 5: 99.9}, "Fig. 3.2"),
    Curve("biornn", "joint", {1: 48, 2: 67, 3: 82, 4: 99, 5: 99}, "Fig. 3.2"),
)

GENERATOR_EPOCHS = {1: 30, 2: 60, 3: 80, 4: 100}  # by contexts learnt, Figure 3.8
GENERATOR_EPOCHS_SOURCE = "Fig. 3.8"

OPEN_QUESTIONS = (
    "The optimiser and the loss behind the published curves of the biological network are not "
    "certain: the appendix and the running code say SGD with clipping, a disabled block holds "
    "Adam and the last-step loss.",
    "The training step as committed to the thesis' repository cannot run.",
    "As committed, a warm start passes through the initialisation, which rescales the recurrent "
    "weights to spectral radius 1.5 at every context.",
    "The published notebooks train the later generators on real images of all classes so far and "
    "pick checkpoints by test accuracy; the algorithm of the text does neither.",
    "The text draws the generator's latent vector from a standard normal distribution, the code "
    "from a uniform one on [-1, 1].",
)


def curve(solver: str, quantity: str) -> Curve | None:
    """The published curve of `quantity` for `solver`, or None where the thesis has none."""
    return next((c for c in CURVES if (c.solver, c.quantity) == (solver, quantity)), None)
