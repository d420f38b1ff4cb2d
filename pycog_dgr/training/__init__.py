"""Training: the loop with its save files, one step, what watches it, and what is added to it.

What needs PyTensor is imported when it is first asked for, so that reading why a training stopped,
or how it differs from another, loads none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pycog_dgr.training.callbacks import Callback, CsvLog, TensorBoard
from pycog_dgr.training.stopping import ENDS, is_finished

if TYPE_CHECKING:
    from pycog_dgr.training.classifier import RateRNNClassifier
    from pycog_dgr.training.divergence import Divergence
    from pycog_dgr.training.dropout import RecurrentDropout
    from pycog_dgr.training.loop import Result, train
    from pycog_dgr.training.step import StepReport, TrainingStep

_LATER = {
    "Divergence": "divergence",
    "RateRNNClassifier": "classifier",
    "RecurrentDropout": "dropout",
    "Result": "loop",
    "StepReport": "step",
    "TrainingStep": "step",
    "train": "loop",
}

__all__ = [
    "ENDS",
    "Callback",
    "CsvLog",
    "Divergence",
    "RateRNNClassifier",
    "RecurrentDropout",
    "Result",
    "StepReport",
    "TensorBoard",
    "TrainingStep",
    "is_finished",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import what loads PyTensor when it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
