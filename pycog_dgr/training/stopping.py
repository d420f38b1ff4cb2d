"""Why a training stops, in one place: for the loop that stops, and for who finds it stopped.

At a check, in this order: RMSE <= min_error; terminate(history of the last of the costs) is true.
At any iteration: max_iter is reached; the best is more than `patience` iterations old; a signal.
"""

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from pycog_dgr.config import TrainingConfig
from pycog_dgr.data import user_call
from pycog_dgr.files import Checkpoint

ENDS = MappingProxyType({
    "min_error": "the error is at most min_error",
    "terminate": "the task's terminate says so",
    "patience": "no better network within patience",
    "max_iter": "max_iter is reached",
    "interrupted": "interrupted",
})  # fmt: skip
CRITERIA = ("min_error", "terminate")  # reasons that a task states as its goal


def reason_to_stop(
    training: TrainingConfig,
    iteration: int,
    best_iteration: int,
    costs_history: Sequence,
    interrupted: bool,
) -> str | None:
    """One of ENDS, or None.

    Parameters
    ----------
    training
        Says when to stop.
    iteration
        The next one, 1-based.
    best_iteration
        At which the best network of the checks was found.
    costs_history
        [ntrials, [loss, RMSE, performance]] per check.
    interrupted
        Whether a signal asked for an end.
    """
    if iteration > training.max_iter:
        return "max_iter"
    if (iteration - 1) % training.checkfreq == 0:
        if costs_history[-1][1][1] <= training.min_error:
            return "min_error"
        terminate = training.terminate
        if terminate is not None:
            last = np.array([costs[-1] for _, costs in costs_history])
            if user_call("terminate", lambda: bool(terminate(last))):
                return "terminate"
    if iteration - best_iteration > training.patience:
        return "patience"
    return "interrupted" if interrupted else None


def is_finished(save: Checkpoint, training: TrainingConfig) -> bool:
    """Whether going on would change nothing.

    Parameters
    ----------
    save
        A training's save file.
    training
        Says when to stop now.

    Returns
    -------
    bool
        Whether it stopped for a reason that still holds.
    """
    if save.stopped == "max_iter":
        return save.iteration > training.max_iter
    if save.stopped == "min_error":
        return save.costs_history[-1][1][1] <= training.min_error
    if save.stopped == "patience":
        return save.iteration - save.best.iteration > training.patience
    return save.stopped == "terminate"
