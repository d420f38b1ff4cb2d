"""What a run is asked for, checked: a duration or a task, and a random stream."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import LARGEST_SEED
from pycog_dgr.data import FixedTrial, Trial, checked_trial, own_copy, task_name, user_error
from pycog_dgr.errors import PycogDgrError, TaskError

MOST_NUMBERS = 2**32  # of one trial's noise: 16 GB in float32
ASKED = "give the duration T in ms, or inputs=(generate_trial, params)"


def checked_seed(seed: Any) -> int:
    """`seed`; TaskError where it is not a whole number that a stream may begin with."""
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or not 0 <= seed <= LARGEST_SEED:
        raise TaskError(f"run: seed must be a whole number, 0 to {LARGEST_SEED}, not {seed!r}")
    return int(seed)


def time_axis(T: Any, dt: float, units: int, dtype: Any) -> NDArray:
    """0 to T in steps of dt (time,), ms; TaskError where T is no duration."""
    number = isinstance(T, (int, float, np.integer, np.floating)) and not isinstance(T, bool)
    if not number or not math.isfinite(T) or T < 0:
        raise TaskError(f"run: T must be a time in ms, 0 or more, not {str(T)[:40]!r}; {ASKED}")
    if T / dt * units > MOST_NUMBERS:
        raise TaskError(
            f"run: T = {T:g} ms are {T / dt:.3g} steps of {units} units, more than fit in memory; "
            "run in pieces, mode='continuous', or with a larger dt"
        )
    return np.linspace(0, T, int(T / dt) + 1, dtype=dtype)


class TrialSource:
    """Where trials come from: inputs=(generate_trial, params).

    Parameters
    ----------
    inputs
        Both, as `run` is given them.
    Nin, dtype
        The network's inputs, and the number type that they must be finite in.

    Raises
    ------
    TaskError
        Where they are something else.
    """

    def __init__(self, inputs: Any, Nin: int, dtype: str = "float64") -> None:
        if not isinstance(inputs, (tuple, list)) or len(inputs) != 2:
            raise TaskError(f"run: inputs must be (generate_trial, params), not a {_kind(inputs)}")
        self.function, self.params = inputs
        self.Nin, self.dtype = Nin, dtype
        if not callable(self.function):
            raise self._refusal(self.params)
        self._what = f"task {task_name(self.function)!r}, trial to run"

    def trials(
        self, params: Iterable[Any], rng: np.random.RandomState, dt: float
    ) -> Iterator[Trial]:
        """A trial for each of `params`, checked, with arrays of its own; TaskError where there is
        none.

        A few of Python's calls take a good part of the time of a short trial. So the task is called
        here directly, and a trial that was built once and has passed the checks is neither checked
        nor copied again.
        """
        check = (self.Nin, 0, self.dtype, False)
        for one in params:
            if not isinstance(one, (dict, Mapping)):  # asking for Mapping alone is slow
                raise self._refusal(one)
            try:
                trial = self.function(rng, dt, one)
            except PycogDgrError:
                raise
            except (Exception, SystemExit) as error:
                raise user_error(self._what, error) from error
            if not (isinstance(trial, FixedTrial) and check in trial.passed):
                trial = own_copy(checked_trial(trial, *check[:2], self.function, one, self.dtype))
            yield trial

    def _refusal(self, params: Any) -> TaskError:
        return TaskError(
            "run: inputs must be a function and a dictionary, as (task.generate_trial, "
            f"{{'name': 'test'}}), not a {_kind(self.function)} and a {_kind(params)}"
        )


def _kind(value: Any) -> str:
    return type(value).__name__
