"""One entry of every trial's info as an array with one row a trial.

    a number, or text, in every trial      (trial,); NaN or "" where a trial has none
    arrays, lists or sets of numbers       (trial, ...), shorter ones filled up with NaN
    the same of texts                      (trial, ...), filled up with ""
    anything else, as a dictionary         (trial,) of JSON text

An entry that is a number in some trials and text in others is refused: it is a mistake.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import TaskError


def info_column(key: str, values: list[Any]) -> NDArray:
    """The column of one key.

    Parameters
    ----------
    key
        For the error's message.
    values
        One per trial; None where a trial has no such entry.

    Returns
    -------
    (trial,) or (trial, ...)

    Raises
    ------
    TaskError
        Where numbers and texts are mixed.
    """
    present = [_plain(value) for value in values if value is not None]
    if not present or all(isinstance(value, str) for value in present):
        return np.array(["" if value is None else value for value in values])
    scalars = [isinstance(value, (str, bool, int, float)) for value in present]
    if all(scalars):
        if any(isinstance(value, str) for value in present):
            kinds = sorted({type(value).__name__ for value in present})
            raise TaskError(
                f"info[{key!r}] must be a number in every trial, or text in every trial, to be a "
                f"condition; found {', '.join(kinds)}"
            )
        return np.array([np.nan if value is None else value for value in values])
    arrays = None if any(scalars) else _arrays(present)
    if arrays is None:
        return np.array(["" if value is None else _text(value) for value in values])
    return _filled(arrays, [value is not None for value in values])


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's own, sets as sorted lists."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=lambda one: (str(type(one)), one))
    if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0:
        return value.item()
    return value


def _arrays(values: list[Any]) -> list[NDArray] | None:
    """Values as arrays of numbers, or of texts, of one dimensionality; None where they are none."""
    try:
        arrays = [np.asarray(value) for value in values]
    except ValueError:  # rows of unequal length
        return None
    filled = [array for array in arrays if array.size]
    kinds = {"U" if array.dtype.kind == "U" else array.dtype.kind in "biuf" for array in filled}
    one_kind = kinds <= {True} or kinds == {"U"}
    return arrays if one_kind and len({array.ndim for array in arrays}) == 1 else None


def _filled(arrays: list[NDArray], there: list[bool]) -> NDArray:
    """Arrays in the corners of equally large ones."""
    shape = np.max([array.shape for array in arrays], axis=0)
    texts = any(array.dtype.kind == "U" for array in arrays)
    whole = len({array.shape for array in arrays}) == 1 and all(there)
    if whole:
        return np.stack(arrays)
    length = max((array.dtype.itemsize // 4 for array in arrays if texts), default=1)
    empty: Any = np.full(
        (len(there), *shape), "" if texts else np.nan, f"U{length}" if texts else float
    )
    rows = iter(arrays)
    for trial, is_there in enumerate(there):
        if is_there:
            array = next(rows)
            empty[(trial, *(slice(n) for n in array.shape))] = array
    return empty


def _text(value: Any) -> str:
    """JSON of a value that is no array; what JSON has no word for as text."""
    return json.dumps(_plain(value), default=lambda other: _json(other), sort_keys=True)


def _json(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    plain = _plain(value)
    return plain if plain is not value else str(value)
