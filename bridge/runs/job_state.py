"""The state of a job in one file, from which it goes on."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec
import numpy as np

from bridge.errors import ArchiveError
from bridge.files import archive
from bridge.networks import Network, State
from pycog_dgr.files import previous
from pycog_dgr.files.npz import shortened

STATE = "dgr job"
Count = Annotated[int, msgspec.Meta(ge=0)]


class Notes(TypedDict, total=False):
    """What a state file says beside its arrays."""

    rows: list[dict[str, Any]]
    finished: bool
    context: Annotated[int, msgspec.Meta(ge=1)]
    done: Count  # segments of the context
    best_score: float
    rng: dict[str, Any]
    seconds: float
    updates: Count
    guarded: Count  # updates that the guard against explosions replaced
    commit: str | None


class JobState:
    """A job's state file: rows and position in the metadata, states of networks as arrays.

    One atomic write keeps them together. The file before it is kept; where the newest is damaged
    that one is used, and the log says so. The notes count the seconds that the job has taken and
    the updates that a guard replaced, over all runs of it, up to the last save.

    Parameters
    ----------
    path
        The file; it need not exist yet.

    Raises
    ------
    ArchiveError
        The file is damaged, or holds notes that no job writes.
    """

    def __init__(self, path: Path):
        self.path = path
        self.arrays: dict[str, np.ndarray] = {}
        self.notes: dict[str, Any] = {"rows": [], "finished": False}
        if path.exists() or previous(path).exists():
            self.arrays, self.notes = archive.load_or_previous(path, STATE)
            check_notes(path, self.notes)
        self._monitor: Any = None
        self._since = time.monotonic()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of numbers so far, each with the name of its table."""
        return self.notes["rows"]

    @property
    def finished(self) -> bool:
        """Whether the job has nothing left to do."""
        return self.notes["finished"]

    def save(self, states: Mapping[str, State] | None = None, **notes: Any) -> None:
        """Keep the named networks' states and the notes, replacing what was there."""
        self.arrays = {
            f"{network}/{key}": value
            for network, state in (states or {}).items()
            for key, value in state.items()
        }
        now = time.monotonic()
        seconds = self.notes.get("seconds", 0.0) + now - self._since
        self.notes.update(notes, seconds=seconds)
        if self._monitor is not None:
            self.notes.update(updates=self._monitor.updates, guarded=self._monitor.skipped)
        self._since = now
        archive.save(self.path, STATE, self.arrays, keep=True, **self.notes)

    def count_skipped_updates(self, network: Network) -> None:
        """Go on counting how often a network's guard against explosions stepped in.

        Its first bad update is kept beside this file. Networks without a guard, torch's, stop with
        an error at their first loss that is not finite.
        """
        self._monitor = getattr(network, "monitor", None)
        if self._monitor is None:
            self.notes["guarded"] = 0
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._monitor.savefile = self.path.with_name("diverged.npz")
        self._monitor.updates = self.notes.get("updates", 0)
        self._monitor.skipped = self.notes.get("guarded", 0)

    def state(self, network: str) -> State:
        """The kept state of the network called `network`; empty where there is none."""
        prefix = f"{network}/"
        return {
            key.removeprefix(prefix): value
            for key, value in self.arrays.items()
            if key.startswith(prefix)
        }

    def rng(self, first: np.random.Generator) -> np.random.Generator:
        """`first`, in the kept state where there is one."""
        if "rng" in self.notes:
            try:
                first.bit_generator.state = self.notes["rng"]
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                raise _no_notes(self.path, f"no state of a generator: {error}") from None
        return first


def check_notes(path: Path, notes: Mapping[str, Any]) -> None:
    """ArchiveError unless a job can go on from these notes of its state file."""
    try:
        msgspec.convert(notes, Notes)
        if not {"rows", "finished"} <= set(notes):
            raise ValueError("'rows' or 'finished' is missing")
    except (msgspec.ValidationError, ValueError) as error:
        raise _no_notes(path, error) from None


def _no_notes(path: Path, why: object) -> ArchiveError:
    return ArchiveError(
        f"{path}: its notes are not those of a job ({shortened(why)}): restore the file from a "
        "copy, or remove it to start anew"
    )
