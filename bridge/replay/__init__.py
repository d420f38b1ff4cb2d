"""Deep generative replay: protocols as data, where replay comes from, and how a context is learnt.

Diagnostics of replay, which load scikit-learn, are in `bridge.replay.diagnostics`.
"""

from bridge.replay.baselines import BASELINES, PENALTIES, Baselines
from bridge.replay.budgets import EPOCH, THESIS_BUDGETS, Budget
from bridge.replay.improved import IMPROVED
from bridge.replay.labels import LABELS, check_labels
from bridge.replay.learning import (
    Segment,
    SolverState,
    learn_context,
    score_of,
    segments,
)
from bridge.replay.matrices import (
    average_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
)
from bridge.replay.metrics import (
    SCENARIOS,
    Accuracies,
    accuracies,
    accuracy,
    accuracy_by_context,
    accuracy_by_scenario,
    agreement,
    confusion,
)
from bridge.replay.penalties import Held, Penalty, holding
from bridge.replay.protocol import REPLAYS, GeneratorPlan, Mix, Plan, Protocol
from bridge.replay.protocols import PROTOCOLS, protocol_named
from bridge.replay.published import NOTEBOOKS, TEXT
from bridge.replay.sources import (
    SOURCES,
    Earlier,
    Source,
    bounded_replay,
    draw_samples,
    exact_replay,
    generative_replay,
    label,
    noise_replay,
    own_images,
)
from bridge.replay.time_courses import TimeCourses
from bridge.replay.training_data import GeneratorData, TrainingData, generator_data, training_data
from bridge.replay.variations import VARIATIONS, Variation, changed, varied

__all__ = [
    "BASELINES",
    "EPOCH",
    "IMPROVED",
    "LABELS",
    "NOTEBOOKS",
    "PENALTIES",
    "PROTOCOLS",
    "REPLAYS",
    "SCENARIOS",
    "SOURCES",
    "TEXT",
    "THESIS_BUDGETS",
    "VARIATIONS",
    "Accuracies",
    "Baselines",
    "Budget",
    "Earlier",
    "GeneratorData",
    "GeneratorPlan",
    "Held",
    "Mix",
    "Penalty",
    "Plan",
    "Protocol",
    "Segment",
    "SolverState",
    "Source",
    "TimeCourses",
    "TrainingData",
    "Variation",
    "accuracies",
    "accuracy",
    "accuracy_by_context",
    "accuracy_by_scenario",
    "agreement",
    "average_accuracy",
    "backward_transfer",
    "bounded_replay",
    "changed",
    "check_labels",
    "confusion",
    "draw_samples",
    "exact_replay",
    "forgetting",
    "forward_transfer",
    "generative_replay",
    "generator_data",
    "holding",
    "label",
    "learn_context",
    "noise_replay",
    "own_images",
    "protocol_named",
    "score_of",
    "segments",
    "training_data",
    "varied",
]
