"""One trial of a task: what generate_trial returns, checked, and trials that cannot change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

import numpy as np

from pycog_dgr.errors import TaskError

Trial = dict[str, Any]  # t, epochs, info, inputs, outputs, mask: see tasktools


class Task(Protocol):
    """Anything with pycog's generate_trial, a module for instance (see tasktools)."""

    def generate_trial(
        self, rng: np.random.RandomState, dt: float, params: dict[str, Any]
    ) -> Trial: ...


class FixedTrial(dict):
    """A trial that cannot be changed, and so need not be copied or checked twice.

    Its arrays are read-only, its dictionaries fixed like itself; `{**trial}` is a plain copy.

    Parameters
    ----------
    trial
        A trial, as generate_trial returns it.
    """

    def __init__(self, trial: Mapping[str, Any]) -> None:
        super().__init__({key: _fixed(value) for key, value in trial.items()})
        self.passed: set[tuple[int, int]] = set()  # (Nin, Nout) of the checks it has passed

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TaskError("this trial is built once and shown many times; change a copy, {**trial}")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type, tuple]:
        return dict, ({**self},)  # copy and pickle make a plain dictionary of it


def _fixed(value: Any) -> Any:
    """A copy that cannot be changed, of an array or a dictionary; anything else as it is."""
    if isinstance(value, dict):
        return FixedTrial(value)
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
    return value


def task_name(task: Any) -> str:
    """How messages call a task: its __name__, or its class.

    Parameters
    ----------
    task
        A task.

    Returns
    -------
    str
        For messages.
    """
    return getattr(task, "__name__", type(task).__name__)


def checked_trial(trial: Any, Nin: int, Nout: int, task: Any, params: Mapping[str, Any]) -> Trial:
    """`trial` if it has every key that a network of this size needs, in the right shapes.

    Parameters
    ----------
    trial
        What generate_trial returned.
    Nin, Nout
        Numbers of inputs and outputs; 0 where the network has none.
    task
        The task, for the error's message.
    params
        What generate_trial was given.

    Returns
    -------
    Trial
        The same trial.

    Raises
    ------
    TaskError
        Names the task, the key, the shape it has and the one it should have.
    """
    sizes = (Nin, Nout if params.get("target_output") else 0)
    if isinstance(trial, FixedTrial) and sizes in trial.passed:
        return trial
    where = f"task {task_name(task)!r}, trial for {params.get('name')!r}"
    if not isinstance(trial, dict):
        got = type(trial).__name__
        raise TaskError(f"{where}: generate_trial returned {got}, expected a dictionary")
    t: Any = trial.get("t")
    if np.ndim(t) != 1 or not len(t):
        raise TaskError(f"{where}: 't' must be a time axis (time,) of one step or more")
    steps = len(t)
    for key, size in zip(("inputs", "outputs"), sizes, strict=True):
        if size and key not in trial:
            raise TaskError(f"{where}: {key!r} is missing; expected shape ({steps}, {size})")
        _check_array(where, trial, key, (steps, size))
    if sizes[1]:
        _check_array(where, trial, "mask", (steps, Nout))
    if isinstance(trial, FixedTrial):
        trial.passed.add(sizes)
    return trial


def _check_array(where: str, trial: Trial, key: str, shape: tuple[int, int]) -> None:
    """Finite numbers of the given shape (length 1 stands for any); absent keys and sizes pass."""
    if key not in trial or not shape[1]:
        return
    value = np.asarray(trial[key])
    if value.dtype.kind not in "biuf":
        raise TaskError(f"{where}: {key!r} holds {value.dtype}, expected numbers")
    if value.ndim != 2 or any(n not in (1, m) for n, m in zip(value.shape, shape, strict=True)):
        raise TaskError(f"{where}: {key!r} has shape {value.shape}, expected {shape}")
    if not np.isfinite(value).all():
        step = int(np.argwhere(~np.isfinite(value))[0, 0])
        raise TaskError(f"{where}: {key!r} is not finite at time step {step}")
