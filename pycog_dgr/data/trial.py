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
        # (Nin, Nout, dtype, probabilities) of the checks that it has passed, of checked_trial
        self.passed: set[tuple] = set()

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


def checked_trial(
    trial: Any,
    Nin: int,
    Nout: int,
    task: Any,
    params: Mapping[str, Any],
    dtype: str = "float64",
    probabilities: bool = False,
) -> Trial:
    """`trial` if it has every key that a network of this size needs, in the right shapes.

    Parameters
    ----------
    trial
        What generate_trial returned.
    Nin, Nout : int
        Of the network; outputs and mask are checked where `params` asks for targets.
    task
        Named in messages.
    params
        What the trial was made for.
    dtype : str
        Number type that the arrays are used in: their values must be finite in it.
    probabilities : bool
        Whether targets are compared by a cross-entropy, and so must lie in [0, 1] where the mask
        is above 0.

    Returns
    -------
    dict
        The trial itself.

    Raises
    ------
    TaskError
        Names the task, the key, what it holds and what it should hold.
    """
    check = (Nin, Nout if params.get("target_output") else 0, dtype, probabilities)
    if isinstance(trial, FixedTrial) and check in trial.passed:
        return trial
    sizes = check[:2]
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
        _check_array(where, trial, key, (steps, size), dtype)
    if sizes[1]:
        _check_array(where, trial, "mask", (steps, Nout), dtype)
        _check_targets(where, trial, (steps, Nout), probabilities)
    if isinstance(trial, FixedTrial):
        trial.passed.add(check)
    return trial


def _check_array(where: str, trial: Trial, key: str, shape: tuple[int, int], dtype: str) -> None:
    """Finite numbers of the given shape (length 1 stands for any); absent keys and sizes pass."""
    if key not in trial or not shape[1]:
        return
    try:
        value = np.asarray(trial[key])
    except ValueError:
        raise TaskError(
            f"{where}: the rows of {key!r} are not equally long, expected shape {shape}"
        ) from None
    if value.dtype.kind not in "biuf":
        raise TaskError(f"{where}: {key!r} holds {value.dtype}, expected numbers")
    if value.ndim != 2 or any(n not in (1, m) for n, m in zip(value.shape, shape, strict=True)):
        raise TaskError(f"{where}: {key!r} has shape {value.shape}, expected {shape}")
    largest = np.finfo(dtype).max
    usable = np.abs(value) <= largest  # False for NaN
    if not usable.all():
        step, column = np.argwhere(~usable)[0].tolist()
        raise TaskError(
            f"{where}: {key!r} is not finite at time step {step}: {value[step, column]:g} "
            f"in column {column}, where {dtype} reaches {largest:.3g}"
        )


def _check_targets(where: str, trial: Trial, shape: tuple[int, int], probabilities: bool) -> None:
    """No weight below 0; probabilities within [0, 1] where they count."""
    mask = np.asarray(trial.get("mask", 1))
    if (mask < 0).any():
        raise TaskError(f"{where}: 'mask' holds {mask.min():g}; weights of targets are 0 or more")
    if not probabilities:
        return
    targets = np.broadcast_to(np.asarray(trial["outputs"]), shape)
    wrong = ((targets < 0) | (targets > 1)) & (mask > 0)
    if wrong.any():
        step, column = np.argwhere(wrong)[0].tolist()
        raise TaskError(
            f"{where}: 'outputs' is {targets[step, column]:g} at time step {step}, output {column};"
            " the cross-entropy of a sigmoid or softmax needs targets in [0, 1]"
        )


def own_copy(trial: Trial) -> Trial:
    """The trial with arrays and dictionaries of its own, which no later call of a task changes.

    Parameters
    ----------
    trial
        As generate_trial returned it.

    Returns
    -------
    dict
        A copy; the trial itself where it is a FixedTrial.
    """
    return trial if isinstance(trial, FixedTrial) else _copied(trial)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(entry) for key, entry in value.items()}
    return value.copy() if isinstance(value, (np.ndarray, list)) else value


def empty_epochs(trial: Trial) -> list[str]:
    """The epochs of a trial, (start, end] in ms, in which no time step lies, in words."""
    t = np.asarray(trial["t"])
    epochs = trial.get("epochs") or {}
    spans = {name: span for name, span in epochs.items() if np.shape(span) == (2,)}
    return [
        f"{name!r} ({start:g} to {end:g} ms)"
        for name, (start, end) in spans.items()
        if not ((t > start) & (t <= end)).any()
    ]


def same_trial(one: Trial, other: Trial) -> bool:
    """Whether two trials show and ask for the same."""
    keys = ("t", "inputs", "outputs", "mask")
    return all(np.array_equal(np.asarray(one.get(k)), np.asarray(other.get(k))) for k in keys)
