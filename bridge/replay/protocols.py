"""What is trained on what, for how long, and how the network that goes on is chosen: as data.

Numbers are those of full MNIST; `Budget` shrinks the iterations for smaller data. Sources:
the thesis (A. Prasad, NYU 2020), its notebooks, Shin et al. 2017. An entry per context counts
contexts from the first; the last entry serves all later ones.

    Mix            what a context's training set is made of
    Plan           mixes and training of one kind of network
    Protocol       a plan for each solver and one for the generator
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bridge.errors import SettingError, unknown

REPLAYS = ("none", "noise", "generative", "exact", "joint")
SELECTIONS = ("last", "validation", "test")
GENERATOR_DATA = ("replay", "real")
LABELS = ("hard", "soft")


@dataclass(frozen=True)
class Mix:
    """Real images of the present context against replayed ones of the earlier contexts.

    `real_share`: share of the context's real training images that is used. `replayed`: replayed
    images as a multiple of those. `real_weight`: r in r L(real) + (1 - r) L(replayed); None
    weighs every image alike.
    """

    real_share: float = 1.0
    replayed: float = 0.0
    real_weight: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.real_share <= 1:
            raise SettingError(f"real_share is {self.real_share}; it must lie in (0, 1]")
        if not 0 <= self.replayed < math.inf:
            raise SettingError(f"replayed is {self.replayed}; it must be finite and not negative")
        if self.real_weight is not None and not 0 < self.real_weight < 1:
            raise SettingError(f"real_weight is {self.real_weight}; it must lie in (0, 1)")


@dataclass(frozen=True)
class Plan:
    """Training of one network over the contexts, and over all digits at once (`joint_epochs`)."""

    iterations: tuple[int, ...]
    mixes: tuple[Mix, ...]
    batch_size: int = 64
    joint_epochs: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.iterations or not self.mixes:
            raise SettingError("a plan needs iterations and a mix for the first context at least")
        counts = {
            "iterations": (min(self.iterations), 1),
            "batch_size": (self.batch_size, 1),
            "joint_epochs": (self.joint_epochs, 0),
        }
        for name, (value, least) in counts.items():
            if value < least:
                raise SettingError(f"{name} is {value}; it must be at least {least}")

    def iterations_of(self, k: int) -> int:
        """Iterations on context k (1-based)."""
        return self.iterations[min(k, len(self.iterations)) - 1]

    def mix_of(self, k: int) -> Mix:
        """The mix of context k (1-based)."""
        return self.mixes[min(k, len(self.mixes)) - 1]


@dataclass(frozen=True)
class Protocol:
    """A whole experiment.

    `selection`: which of a context's evaluations gives the network that goes on: the 'last', the
    best on 'validation' (real held-out images of the present context and held-out replayed ones,
    weighed as in training), or the best on a 'test' batch. `generator_data`: 'replay', real
    images of the present context and samples of the last generator; or 'real', the real images
    of all contexts so far. `leaks` names what in it flatters the numbers.
    """

    name: str
    summary: str
    contexts: tuple[tuple[int, ...], ...]
    solvers: Mapping[str, Plan]
    generator: Plan
    selection: Literal["last", "validation", "test"] = "validation"
    generator_data: Literal["replay", "real"] = "replay"
    labels: Literal["hard", "soft"] = "hard"
    evaluations: int = 20
    selection_images: int = 2000
    leaks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.selection not in SELECTIONS:
            raise unknown("selection", self.selection, SELECTIONS)
        if self.generator_data not in GENERATOR_DATA:
            raise unknown("generator_data", self.generator_data, GENERATOR_DATA)
        if self.labels not in LABELS:
            raise unknown("kind of labels", self.labels, LABELS)
        for name in ("evaluations", "selection_images"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name)}; it must be at least 1")

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain JSON-able containers."""
        return asdict(self)


CONTEXTS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))

# Images of all earlier contexts over images of the present one, contexts 2..5 of MNIST.
EARLIER = (1.05, 2.20, 2.95, 4.08)

# The biological solver's published mixes: 12,665 replayed to the first 1,408 real images, then
# 22,000 to 2,500. Contexts 4 and 5 were not run; they go on at nine to one with as many replayed
# images as the earlier contexts had real ones.
NINE_TO_ONE = (
    Mix(),
    Mix(1408 / 12089, 12665 / 1408),
    Mix(2500 / 11263, 22000 / 2500),
    Mix(EARLIER[2] / 9, 9.0),
    Mix(EARLIER[3] / 9, 9.0),
)

# The LSTM's published steps: 64 real and 64 replayed images, their losses weighed 0.5 / 0.5 on
# the second context and 0.1 / 0.9 afterwards.
PAIRED = (Mix(), Mix(1.0, 1.0, 0.5), Mix(1.0, 1.0, 0.1))

# One pass over the real images a batch of 64 at a time takes 198, 189, 176, 190 and 184 steps;
# the notebooks ran the LSTM for 5, 8, 10 and 10 epochs and never on the fifth context.
LSTM = Plan(iterations=(990, 1512, 1760, 1900, 1840), mixes=PAIRED, batch_size=128, joint_epochs=5)

# Ten passes over the mixes above. The published runs had no fixed length.
BIORNN = Plan(
    iterations=(1980, 2200, 3830, 5620, 7540),
    mixes=NINE_TO_ONE,
    joint_epochs=20,
    options={"optimiser": "sgd", "loss_steps": "last"},
)

# 30, 60, 80 and 100 epochs over the same mixes.
GAN = Plan(iterations=(5940, 13200, 30640, 56200), mixes=NINE_TO_ONE)

TEXT = Protocol(
    name="text",
    summary="The algorithm of the thesis' text: each scholar sees real images of its own context "
    "and its predecessor's dreams; the network that goes on is chosen on held-out "
    "training images and dreams.",
    contexts=CONTEXTS,
    solvers={"lstm": LSTM, "biornn": BIORNN},
    generator=GAN,
)

NOTEBOOKS = Protocol(
    name="notebooks",
    summary="The experiment as its notebooks ran it.",
    contexts=CONTEXTS,
    solvers={"lstm": LSTM, "biornn": BIORNN},
    # 30, 60, 80 and 100 epochs over the real images of all contexts so far.
    generator=Plan(iterations=(5940, 23220, 45040, 75500), mixes=(Mix(),)),
    selection="test",
    generator_data="real",
    leaks=(
        "generators from the second on are trained on real images of all contexts so far",
        "the network that goes on is chosen by its accuracy on a batch of test images",
    ),
)

# Every class equally often: as many images a class dreamt as real, losses weighed alike.
FAIR = (Mix(), *(Mix(1.0, ratio) for ratio in EARLIER))

IMPROVED = Protocol(
    name="improved",
    summary="As `text`, with every class equally often in each mix, soft labels, clipped LSTM "
    "gradients and Adam for the biological network.",
    contexts=CONTEXTS,
    solvers={
        "lstm": Plan(
            iterations=(990, 1940, 2800, 3900, 4800),
            mixes=FAIR,
            joint_epochs=5,
            options={"max_gradient_norm": 1.0, "learning_rate": 0.003},
        ),
        "biornn": Plan(
            iterations=(1980, 3870, 5630, 7500, 9350),
            mixes=FAIR,
            joint_epochs=20,
            options={"optimiser": "adam", "loss_steps": "last"},
        ),
    },
    generator=Plan(iterations=(5940, 23220, 45040, 75500), mixes=FAIR),
    labels="soft",
)

PROTOCOLS = {protocol.name: protocol for protocol in (TEXT, NOTEBOOKS, IMPROVED)}


def protocol_named(name: str) -> Protocol:
    """The protocol called `name`; SettingError names the nearest where there is none."""
    if name not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


LARGEST_SCALE = 1000  # times the published length, which takes hours


@dataclass(frozen=True)
class Budget:
    """How a protocol's iterations shrink for smaller data: times `scale`, at least `floor`.

    The generator has a floor of its own: this GAN shows a single mode for its first two thousand
    iterations and a short run of it says nothing.
    """

    solver_scale: float = 1.0
    generator_scale: float = 1.0
    generator_floor: int = 0

    def times(self, factor: float) -> "Budget":
        """This budget, `factor` times as long; SettingError unless the factor is positive."""
        if not 0 < factor <= LARGEST_SCALE:
            raise SettingError(
                f"scale is {factor}; it must be above 0, and at most {LARGEST_SCALE:,}"
            )
        return Budget(
            self.solver_scale * factor,
            self.generator_scale * factor,
            round(self.generator_floor * factor),
        )

    def solver(self, iterations: int) -> int:
        return max(1, round(iterations * self.solver_scale))

    def generator(self, iterations: int) -> int:
        return max(1, self.generator_floor, round(iterations * self.generator_scale))


BUDGETS = {
    "mnist": Budget(),
    "fashion": Budget(),
    "mnist5k": Budget(solver_scale=0.25, generator_scale=0.15, generator_floor=5000),
}
EPOCH = 860  # iterations: one pass over MNIST's 55,000 training images, 64 at a time
