"""The project's own experiment: as honest as `text`, with the ingredients that make replay work."""

from bridge import thesis
from bridge.replay.protocol import GeneratorPlan, Mix, Plan, Protocol
from bridge.replay.published import EARLIER

# Every class equally often: as many images a class replayed as real, losses weighed alike.
BALANCED = (Mix(), *(Mix(1.0, ratio) for ratio in EARLIER))

IMPROVED = Protocol(
    name="improved",
    summary="As `text`, with every class equally often in each mix, soft labels, clipped LSTM "
    "gradients and Adam for the biological network.",
    contexts=thesis.CONTEXTS,
    solvers={
        "lstm": Plan(
            iterations=(990, 1940, 2800, 3900, 4800),
            mixes=BALANCED,
            joint_epochs=5,
            options={"max_gradient_norm": 1.0, "learning_rate": 0.003},
        ),
        "biornn": Plan(
            iterations=(1980, 3870, 5630, 7500, 9350),
            mixes=BALANCED,
            joint_epochs=20,
            options={"optimiser": "adam", "loss_steps": "last"},
        ),
    },
    generator=GeneratorPlan(iterations=(5940, 23220, 45040, 75500), mixes=BALANCED),
    labels="soft",
)
