"""pycog_dgr: excitatory-inhibitory rate networks trained on cognitive tasks, on PyTensor.

A port of pycog (Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792, 2016) that computes what the
original computed, under the names its users know:

    Model, RNN, Connectivity, Dataset        tasktools, figtools, fittools, datatools
    Trials, simulate_trials                  many trials at once, and their file; see analysis

    optimisers                               sgd, adam, schedules, what may learn

Importing this package imports neither PyTensor nor matplotlib; the first training does, and so does
`from pycog_dgr import optimisers`.
"""

import importlib
from typing import Any

from pycog_dgr import tasktools
from pycog_dgr.compat.scripts import install_as_pycog
from pycog_dgr.config import Connectivity
from pycog_dgr.data import Batch, Dataset
from pycog_dgr.errors import (
    BackendError,
    BatchError,
    CheckpointError,
    PycogDgrError,
    SettingError,
    TaskError,
)
from pycog_dgr.running import RNN, Trials, simulate_trials
from pycog_dgr.tasks.model import Model

__all__ = [
    "RNN",
    "BackendError",
    "Batch",
    "BatchError",
    "CheckpointError",
    "Connectivity",
    "Dataset",
    "Model",
    "PycogDgrError",
    "SettingError",
    "TaskError",
    "Trials",
    "install_as_pycog",
    "simulate_trials",
    "tasktools",
]


def __getattr__(name: str) -> Any:
    """`optimisers`, which loads PyTensor, only when it is asked for."""
    if name == "optimisers":
        return importlib.import_module("pycog_dgr.symbolic.optimisers")
    raise AttributeError(f"module 'pycog_dgr' has no attribute {name!r}", name=name)
