"""The project's own experiments: like `text` without earlier data, with what makes replay work.

Settings were chosen on validation images of the training set, with another seed than those that
are reported. Updates are four passes over each context's training data, eight over the last one's,
128 images at a time: full MNIST's training split holds 11,609, 11,082, 10,324, 11,168 and 10,817
images of the five contexts, and the replayed ones are as many as the earlier contexts had.
"""

from dataclasses import replace

from bridge import thesis
from bridge.data import Augmentation
from bridge.replay.budgets import Budget
from bridge.replay.protocol import GeneratorPlan, Mix, Plan, Protocol
from bridge.replay.published import EARLIER

# Every class equally often: as many images a class replayed as real, losses weighed alike.
BALANCED = (Mix(), *(Mix(1.0, ratio) for ratio in EARLIER))

SOLVER = Plan(
    iterations=(363, 710, 1032, 1379, 3434),
    mixes=BALANCED,
    batch_size=128,
    joint_epochs=16,
    joint_iterations=430,  # one pass; as many updates in all as the five contexts have
    joint_batch_size=128,
    restart_optimiser=True,
)

IMPROVED = Protocol(
    name="improved",
    summary="One conditional variational autoencoder goes on from context to context and learns "
    "to decode old latents and classes as its predecessor did. Solvers learn real images of the "
    "present context and freshly drawn samples of the old classes, every class equally often, "
    "labelled half by the class that was asked for and half by the last solver, all of them "
    "augmented; the last network goes on.",
    contexts=thesis.CONTEXTS,
    solvers={
        "lstm": replace(
            SOLVER,
            options={
                "learning_rate": 6e-3,
                "schedule": "one_cycle",
                "max_gradient_norm": 1.0,
                "forget_bias": 1.0,
            },
        ),
        "mlp": replace(
            SOLVER,
            options={"learning_rate": 1e-3, "schedule": "one_cycle", "max_gradient_norm": 1.0},
        ),
        "biornn": replace(
            SOLVER,
            options={
                "optimiser": "projected_adam",
                "learning_rate": 4e-3,
                "schedule": "one_cycle",
                "max_gradient_norm": 1.0,
                "lambda_Omega": 0.0,
                "initialisation": "spectrum_matched",
                "rho0": 1.0,
                "tau": 50.0,  # ms; each unit's own from there on
                "dt": 15.0,  # ms: alpha starts at 0.3
                "train_tau": True,
                "train_brec": True,
                "train_bout": True,
                "input_gain": 30.0,
                "baseline_in": 0.0,
                "var_in": 0.0,
                "var_rec": 0.01**2,
            },
        ),
    },
    generator=GeneratorPlan(
        iterations=(2000,), mixes=(Mix(),), kind="conditional_vae", keeps_weights=True
    ),
    selection="last",
    labels="mixed",
    fresh_samples=True,
    augmentation=Augmentation(blur=0.3, contrast=2.0, shift=1),
    budgets={"mnist5k": Budget(solver_scale=0.15, generator_scale=0.35)},
    audits=(),
    evaluations=4,
)

WITH_GAN = replace(
    IMPROVED,
    name="improved-gan",
    summary="As `improved`, with a conditional generative adversarial network, which has no "
    "encoder, in place of the autoencoder.",
    generator=GeneratorPlan(
        iterations=(2300,), mixes=(Mix(),), kind="conditional_gan", keeps_weights=True
    ),
)
