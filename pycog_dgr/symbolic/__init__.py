"""The mathematics in PyTensor: equations, objective, optimisers, and how their graphs are run.

- Penalty: (raw, states) -> scalar, a term of the objective
- sgd, adam, chain, clip_by_global_norm, one_cycle, keep_at_least, only, path_integral, Transform:
  optimisers, which are transforms of gradients to steps
- exponential, cosine, warm_up: learning-rate schedules
"""

from typing import TYPE_CHECKING

import lazy_loader

from pycog_dgr.symbolic.compiledir import import_pytensor_without_home

import_pytensor_without_home()

# What a module needs (PyTensor, torch) is loaded when one of its names is first used.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "objective": ["Penalty"],
        "optimisers": [
            "Transform",
            "adam",
            "chain",
            "clip_by_global_norm",
            "cosine",
            "exponential",
            "keep_at_least",
            "one_cycle",
            "only",
            "path_integral",
            "sgd",
            "warm_up",
        ],
    },
)

if TYPE_CHECKING:
    from pycog_dgr.symbolic.objective import Penalty
    from pycog_dgr.symbolic.optimisers import (
        Transform,
        adam,
        chain,
        clip_by_global_norm,
        cosine,
        exponential,
        keep_at_least,
        one_cycle,
        only,
        path_integral,
        sgd,
        warm_up,
    )

__all__ = [
    "Penalty",
    "Transform",
    "adam",
    "chain",
    "clip_by_global_norm",
    "cosine",
    "exponential",
    "keep_at_least",
    "one_cycle",
    "only",
    "path_integral",
    "sgd",
    "warm_up",
]
