"""pycog_dgr: excitatory-inhibitory rate networks trained on cognitive tasks, on PyTensor.

A port of pycog (Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792, 2016) that computes what the
original computed, under the names its users know:

    Model, RNN, Connectivity, Dataset        tasktools, figtools, fittools, datatools
    Trials, simulate_trials                  many trials at once, and their file; see analysis

Importing this package imports neither PyTensor nor matplotlib; the first training does. Optimisers
and schedules are in `pycog_dgr.symbolic`.
"""

from typing import TYPE_CHECKING

import lazy_loader

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
    TrainingInterrupted,
)
from pycog_dgr.running import RNN, Trials, simulate_trials
from pycog_dgr.tasks.model import Model

if TYPE_CHECKING:
    from pycog_dgr import analysis, datatools, figtools, fittools

# Loaded when they are first used: they need matplotlib or scipy.
__getattr__, _, _ = lazy_loader.attach(
    __name__, submodules={"analysis", "datatools", "figtools", "fittools"}
)

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
    "TrainingInterrupted",
    "Trials",
    "analysis",
    "datatools",
    "figtools",
    "fittools",
    "install_as_pycog",
    "simulate_trials",
    "tasktools",
]
