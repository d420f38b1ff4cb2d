"""Errors of pycog_dgr: each names the setting, task, file or array at fault and the remedy."""

from __future__ import annotations

from typing import Any


class PycogDgrError(ValueError):
    """Base of every error that pycog_dgr raises on purpose."""


class SettingError(PycogDgrError):
    """A setting is unknown, of the wrong type or shape, or contradicts another one."""


class TaskError(PycogDgrError):
    """A task (pycog's generate_trial) returned something that is not a trial."""


class BatchError(PycogDgrError):
    """Arrays given to a network have the wrong shape or hold values it cannot use."""


class BackendError(PycogDgrError):
    """A compiled backend cannot be built, or disagrees with the plain numpy equations."""


class CheckpointError(PycogDgrError):
    """A save file is missing, damaged, of another kind, or does not fit the network."""


class InUseError(CheckpointError):
    """Another process works on this file or folder."""


class TrainingInterrupted(KeyboardInterrupt):
    """A signal (Ctrl-C, TERM, HUP) stopped a training, which is saved; the message names the file.

    A script that does not catch it ends there, with an exit status that is not 0.

    Parameters
    ----------
    message : str
        The save file, and how to go on.
    result : training.Result
        Why it stopped, after how many updates, and what the save file holds; an attribute.
    """

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result


class MissingExtraError(PycogDgrError, ImportError):
    """A package of the extra [neurogym] is not installed."""
