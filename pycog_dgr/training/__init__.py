"""Training: one step, the loop and its files, resuming, divergence, dropout, EWC, the classifier.

- train, Result: a task's whole training, saved and resumable
- TrainingStep, StepReport, Evaluation: one update of a network, compiled
- RateRNNClassifier: the network as a classifier of image sequences
- RecurrentDropout: other recurrent units dropped at every update
- EWCState, fisher_information, consolidate, elastic_weight_consolidation: a penalty that holds on
  to what earlier tasks depend on
- Divergence, DivergenceMonitor: the first update that went wrong
- train_in_turn, Stage, Curriculum, performance_on: several tasks, one after the other
- Callback, CsvLog, TensorBoard, ProgressBar: what is told or written while a training runs
- ENDS, is_finished: reasons to stop
- heeded_signals: those that ask for an end, unless the process was told to ignore them
"""

from typing import TYPE_CHECKING

import lazy_loader

import pycog_dgr.symbolic  # noqa: F401 - goes before PyTensor, whose import needs a home folder

# What a module needs (PyTensor, torch) is loaded when one of its names is first used.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "loop": ["Result", "train"],
        "step": ["BACKENDS", "Evaluation", "StepReport", "TrainingStep"],
        "classifier": ["RateRNNClassifier", "THESIS"],
        "dropout": ["RecurrentDropout"],
        "ewc": ["EWCState", "consolidate", "elastic_weight_consolidation", "fisher_information"],
        "divergence": ["Divergence", "DivergenceMonitor"],
        "curriculum": ["Curriculum", "Stage", "performance_on", "train_in_turn"],
        "callbacks": ["Callback", "CsvLog", "ProgressBar", "TensorBoard"],
        "stopping": ["ENDS", "is_finished"],
        "interrupt": ["heeded_signals"],
    },
)

if TYPE_CHECKING:
    from pycog_dgr.training.callbacks import Callback, CsvLog, ProgressBar, TensorBoard
    from pycog_dgr.training.classifier import THESIS, RateRNNClassifier
    from pycog_dgr.training.curriculum import Curriculum, Stage, performance_on, train_in_turn
    from pycog_dgr.training.divergence import Divergence, DivergenceMonitor
    from pycog_dgr.training.dropout import RecurrentDropout
    from pycog_dgr.training.ewc import (
        EWCState,
        consolidate,
        elastic_weight_consolidation,
        fisher_information,
    )
    from pycog_dgr.training.interrupt import heeded_signals
    from pycog_dgr.training.loop import Result, train
    from pycog_dgr.training.step import BACKENDS, Evaluation, StepReport, TrainingStep
    from pycog_dgr.training.stopping import ENDS, is_finished

__all__ = [
    "BACKENDS",
    "ENDS",
    "THESIS",
    "Callback",
    "CsvLog",
    "Curriculum",
    "Divergence",
    "DivergenceMonitor",
    "EWCState",
    "Evaluation",
    "ProgressBar",
    "RateRNNClassifier",
    "RecurrentDropout",
    "Result",
    "Stage",
    "StepReport",
    "TensorBoard",
    "TrainingStep",
    "consolidate",
    "elastic_weight_consolidation",
    "fisher_information",
    "heeded_signals",
    "is_finished",
    "performance_on",
    "train",
    "train_in_turn",
]
