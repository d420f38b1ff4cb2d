"""Minibatches of the two datasets, and where each stands: what a save file says of them.

A dataset that draws more trials at once than a minibatch has keeps a stored batch. When training is
taken up, that is drawn again from the state of its stream before it, with what the task was given.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from pycog_dgr.data import Batch, Dataset

Place = tuple[tuple, dict[str, Any] | None]  # of a stream, and of a stored batch


class Draws:
    """Draws minibatches, and notes where each dataset stands.

    Attributes
    ----------
    stored
        Name of a dataset -> {"rng": state of its stream before its stored batch, "given": what the
        task was given, "trial_idx": where in the batch the present minibatch begins}.
    """

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}

    def draw(self, data: Dataset, *given: Any) -> Batch:
        """A dataset's next minibatch; `given` is handed on to the task."""
        before = state_of(data)
        with self.undone_on_failure(data):
            batch = data(*given)
        if data.batch_size != data.minibatch_size:
            if data.trial_idx == 0:
                self.stored[data.name] = {"rng": before, "given": given}
            self.stored[data.name]["trial_idx"] = data.trial_idx
        return batch

    def redraw(self, data: Dataset, stored: dict[str, Any]) -> None:
        """Have a dataset stand in its batch where it stood."""
        data.rng.set_state(tuple(stored["rng"]))
        self.draw(data, *stored["given"])
        data.trial_idx = self.stored[data.name]["trial_idx"] = stored["trial_idx"]

    @contextlib.contextmanager
    def undone(self, data: Dataset) -> Iterator[None]:
        """Have a dataset's place as it was before the block; no more is drawn from it then."""
        place = self._place_of(data)
        try:
            yield
        finally:
            self._put_back(data, place)

    @contextlib.contextmanager
    def undone_on_failure(self, data: Dataset) -> Iterator[None]:
        """The same where the block fails."""
        place = self._place_of(data)
        try:
            yield
        except BaseException:
            self._put_back(data, place)
            raise

    def _place_of(self, data: Dataset) -> Place:
        stored = self.stored.get(data.name)
        return state_of(data), None if stored is None else dict(stored)

    def _put_back(self, data: Dataset, place: Place) -> None:
        state, stored = place
        data.rng.set_state(state)
        self.stored.pop(data.name, None)
        if stored is not None:
            self.stored[data.name] = stored


def state_of(data: Dataset) -> tuple:
    """The state of a dataset's random stream."""
    state = data.rng.get_state(legacy=True)
    assert isinstance(state, tuple)
    return state
