"""The biological network in torch: the twin of pycog_dgr's, written on its own from the equations.

RateRNN, Trajectory, Masks          the network, a run of it, which weights are plastic or fixed
Objective, Batch, evaluate, gradients   what is minimised, and its gradients
train_step, StepReport              one update
ClippedSGD, clipped_sgd, ProjectedAdam, projected_adam   optimisers
"""

from typing import TYPE_CHECKING

import lazy_loader

# Each module, and what it needs, is loaded when one of its names is first used.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "network": ["RateRNN", "Trajectory"],
        "constraint": ["Masks"],
        "objective": ["Batch", "Evaluation", "Gradients", "Objective", "evaluate", "gradients"],
        "step": ["StepReport", "clipped_sgd", "projected_adam", "train_step"],
        "optimiser": ["ClippedSGD", "ProjectedAdam"],
    },
)

if TYPE_CHECKING:
    from torch_dgr.rate_rnn.constraint import Masks
    from torch_dgr.rate_rnn.network import RateRNN, Trajectory
    from torch_dgr.rate_rnn.objective import (
        Batch,
        Evaluation,
        Gradients,
        Objective,
        evaluate,
        gradients,
    )
    from torch_dgr.rate_rnn.optimiser import ClippedSGD, ProjectedAdam
    from torch_dgr.rate_rnn.step import StepReport, clipped_sgd, projected_adam, train_step

__all__ = [
    "Batch",
    "ClippedSGD",
    "Evaluation",
    "Gradients",
    "Masks",
    "Objective",
    "ProjectedAdam",
    "RateRNN",
    "StepReport",
    "Trajectory",
    "clipped_sgd",
    "evaluate",
    "gradients",
    "projected_adam",
    "train_step",
]
