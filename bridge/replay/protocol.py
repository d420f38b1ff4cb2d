"""What a protocol consists of: mixes, plans and rules, as data that JSON can hold.

Numbers are those of full MNIST; a `Budget` shortens the training for smaller data. An entry per
context counts contexts from the first; the last entry serves all later ones.

    Mix            what a context's training data are made of
    Plan           mixes and training of one kind of network
    GeneratorPlan  the same for a generator, and which kind it is
    Protocol       a plan for each solver, one for the generator, and the rules of replay
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from bridge.data import Augmentation
from bridge.errors import SettingError, unknown
from bridge.replay.baselines import Baselines
from bridge.replay.budgets import EPOCH, THESIS_BUDGETS, Budget
from bridge.replay.labels import LABELS

REPLAYS = ("none", "noise", "generative", "exact", "joint")
SELECTIONS = ("last", "validation", "test")
GENERATOR_DATA = ("replay", "real")


@dataclass(frozen=True)
class Mix:
    """Real images of the present context against replayed ones of the earlier contexts."""

    real_share: Annotated[float, "share of the context's real training images that is used"] = 1.0
    replayed: Annotated[float, "replayed images, as a multiple of the real ones"] = 0.0
    real_weight: Annotated[
        float | None, "r in r L(real) + (1 - r) L(replayed); None weighs every image alike"
    ] = None

    def __post_init__(self) -> None:
        if not 0 < self.real_share <= 1:
            raise SettingError(f"real_share is {self.real_share}; it must lie in (0, 1]")
        if not 0 <= self.replayed < math.inf:
            raise SettingError(f"replayed is {self.replayed}; it must be finite and not negative")
        if self.real_weight is not None and not 0 < self.real_weight < 1:
            raise SettingError(f"real_weight is {self.real_weight}; it must lie in (0, 1)")


@dataclass(frozen=True)
class Plan:
    """Training of one network over the contexts, and over all classes at once (`joint_epochs`)."""

    iterations: Annotated[tuple[int, ...], "updates on each context"]
    mixes: Annotated[tuple[Mix, ...], "what each context's training data are made of"]
    batch_size: int = 64
    joint_epochs: int = 0
    joint_iterations: Annotated[int, "updates in each epoch of joint training"] = EPOCH
    joint_batch_size: int = 64
    options: Annotated[Mapping[str, Any], "of the network's class"] = field(default_factory=dict)
    restart_optimiser: Annotated[
        bool, "moments and learning-rate schedule begin anew with each context"
    ] = False

    def __post_init__(self) -> None:
        if not self.iterations or not self.mixes:
            raise SettingError("a plan needs iterations and a mix for the first context at least")
        counts = {
            "iterations": (min(self.iterations), 1),
            "batch_size": (self.batch_size, 1),
            "joint_batch_size": (self.joint_batch_size, 1),
            "joint_iterations": (self.joint_iterations, 1),
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
class GeneratorPlan(Plan):
    """A plan of generators; `kind` is a name in `bridge.networks.GENERATORS`."""

    kind: str = "gan"
    keeps_weights: Annotated[bool, "one generator goes on from context to context"] = False


@dataclass(frozen=True)
class Protocol:
    """A whole experiment.

    `selection`: which of a context's evaluations gives the network that goes on: the 'last', the
    best on 'validation' (real held-out images of the present context and held-out replayed ones,
    weighed as in training), or the best on a 'test' batch. `generator_data`: 'replay', real
    images of the present context and samples of the last generator; or 'real', the real images
    of all contexts so far. `leaks` names what in it raises the numbers unduly.
    """

    name: str
    summary: str
    contexts: tuple[tuple[int, ...], ...]
    solvers: Mapping[str, Plan]
    generator: GeneratorPlan
    selection: Literal["last", "validation", "test"] = "validation"
    generator_data: Literal["replay", "real"] = "replay"
    labels: Annotated[str, "of replayed images: a name in bridge.replay.LABELS"] = "hard"
    fresh_samples: Annotated[bool, "replay is drawn anew for every segment of training"] = False
    augmentation: Annotated[Augmentation | None, "of all images that a solver learns"] = None
    budgets: Annotated[
        Mapping[str, Budget], "lengths of training on data sets other than full MNIST"
    ] = field(default_factory=lambda: dict(THESIS_BUDGETS))
    audits: Annotated[tuple[str, ...], "further runs that belong to it"] = ("joint", "warmstart")
    evaluations: Annotated[int, "segments into which the training of a context is cut"] = 20
    selection_images: int = 2000
    leaks: tuple[str, ...] = ()
    baselines: Annotated[Baselines, "of the kinds of replay that are baselines"] = field(
        default_factory=Baselines
    )
    variation: Annotated[str, "a name in bridge.replay.VARIATIONS"] = ""

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

    def budget(self, data: str) -> Budget:
        """How long it trains on a data set."""
        return self.budgets.get(data, Budget())

    def as_dict(self) -> dict[str, Any]:
        """All fields as plain JSON-able containers."""
        return asdict(self)
