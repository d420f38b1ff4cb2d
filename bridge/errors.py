"""The errors that `bridge` raises. The command line prints them as one line, without traceback."""

import difflib
from collections.abc import Iterable

LONGEST_NAME = 60  # letters of a name in a message


class BridgeError(ValueError):
    """Base of every error that a user of `bridge` can mend."""


class DataError(BridgeError):
    """A data set is absent, truncated, foreign, or does not hold what was asked of it."""


class BatchError(BridgeError):
    """Images, targets or weights that break the contract of `bridge.data.examples.Examples`."""


class ArchiveError(BridgeError):
    """A file that is damaged, hostile, too large, or of another kind or version."""


class SettingError(BridgeError):
    """An unknown or impossible setting."""


class ResultsError(BridgeError):
    """A results folder that is malformed, in use, or belongs to another configuration."""


class InUseError(ResultsError):
    """Another process works on this folder, or on this job of it."""


class MissingBackendError(BridgeError):
    """A backend that was asked for is not installed."""


def unknown(kind: str, name: str, known: Iterable[str]) -> SettingError:
    """An error for an unknown `name`, naming the nearest of the `known` ones."""
    known = sorted(known)
    name = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return SettingError(f"unknown {kind} '{name}': {hint}known: {', '.join(known)}")
