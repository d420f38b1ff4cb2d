"""The thesis' experiment as data: the algorithm of its text, and what its notebooks ran."""

from bridge import thesis
from bridge.replay.protocol import GeneratorPlan, Mix, Plan, Protocol

# Images of all earlier contexts over images of the present one, contexts 2..5 of MNIST.
EARLIER = (1.05, 2.20, 2.95, 4.08)


def _published_mix(k: int) -> Mix:
    """The biological solver's mix of a context that the thesis ran."""
    replayed, real = thesis.MIXED_IMAGES[k]
    return Mix(real / thesis.CONTEXT_IMAGES[k], replayed / real)


# Contexts 4 and 5 were not run; they go on at nine to one with as many replayed images as the
# earlier contexts had real ones.
NINE_TO_ONE = (
    Mix(),
    _published_mix(2),
    _published_mix(3),
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

# 30, 60, 80 and 100 epochs (thesis.GENERATOR_EPOCHS) over the same mixes.
GAN = GeneratorPlan(iterations=(5940, 13200, 30640, 56200), mixes=NINE_TO_ONE)

TEXT = Protocol(
    name="text",
    summary="The algorithm of the thesis' text: each generator and each solver sees real images "
    "of its own context and samples of the last generator, labelled by the last solver; the "
    "network that goes on is chosen on held-out training images and samples.",
    contexts=thesis.CONTEXTS,
    solvers={"lstm": LSTM, "biornn": BIORNN},
    generator=GAN,
)

NOTEBOOKS = Protocol(
    name="notebooks",
    summary="The experiment as its notebooks ran it.",
    contexts=thesis.CONTEXTS,
    solvers={"lstm": LSTM, "biornn": BIORNN},
    # As many epochs over the real images of all contexts so far.
    generator=GeneratorPlan(iterations=(5940, 23220, 45040, 75500), mixes=(Mix(),)),
    selection="test",
    generator_data="real",
    leaks=(
        "generators from the second on are trained on real images of all contexts so far",
        "the network that goes on is chosen by its accuracy on a batch of test images",
    ),
)
