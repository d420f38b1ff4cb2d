"""Checks of one setting's value: a check takes (name, value) and returns the value, normalised.

The annotation of a field carries its check, `Annotated[type, check, meaning]` or
`Annotated[type, check, meaning, unit]`; `check_fields` runs
them. A wrong value is a SettingError that names the setting, what was expected and what came.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config.connectivity import Connectivity
from pycog_dgr.errors import SettingError

LARGEST_EXACT = 2**53  # whole number up to which a float holds every one
LARGEST_SEED = 2**32 - 1  # that numpy's RandomState takes
MOST_LETTERS = 80  # of a value in a message

Check = Callable[[str, Any], Any]

AUTO: Any = None  # default of a setting that is completed from others


def check_fields(config: Any) -> None:
    """Run the check of every field of a dataclass, and store what it returns."""
    for name, annotation in get_type_hints(type(config), include_extras=True).items():
        check = get_args(annotation)[1]
        object.__setattr__(config, name, check(name, getattr(config, name)))


def cut(value: Any) -> str:
    """What a message shows of a value: no more than a line needs."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= MOST_LETTERS else f"{shown[:MOST_LETTERS]}..."


def wrong(name: str, expected: str, value: Any) -> SettingError:
    """The error for a value that is not what was expected."""
    shown = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else cut(value)
    return SettingError(f"setting {name}: expected {expected}, got {shown}")


# --- numbers -------------------------------------------------------------------------------------


def integer(at_least: int, at_most: int | None = None) -> Check:
    """A whole number within limits; whole floats pass, booleans do not."""
    limits = f"{at_least} or more" if at_most is None else f"{at_least} to {at_most}"

    def check(name: str, value: Any) -> int:
        is_whole = isinstance(value, (int, np.integer)) or (
            isinstance(value, (float, np.floating)) and float(value).is_integer()
        )
        is_whole = is_whole and not isinstance(value, (bool, np.bool_))
        if not is_whole or value < at_least or (at_most is not None and value > at_most):
            raise wrong(name, f"a whole number, {limits}", value)
        return int(value)

    return check


seed = integer(0, LARGEST_SEED)


def number(at_least: float = -np.inf, above: float = -np.inf, finite: bool = True) -> Check:
    """A number within limits; booleans and text do not pass."""

    def check(name: str, value: Any) -> float:
        is_number = isinstance(value, (int, float, np.integer, np.floating)) or (
            isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf"
        )
        if is_number and not isinstance(value, (bool, np.bool_)):
            value = plain_number(value)
            if value >= at_least and value > above and (np.isfinite(value) or not finite):
                return value
        limits = [("at least", at_least), ("above", above)]
        bounds = [f"{word} {limit:g}" for word, limit in limits if np.isfinite(limit)]
        bounds += ["finite"] if finite else []
        raise wrong(name, " ".join(["a number", ", ".join(bounds)]).strip(), value)

    return check


def plain_number(value: Any) -> int | float:
    """`value` as a number of Python's own: a whole one stays whole.

    A task that indexes with `100 // dt` needs that; larger ones than a float holds exactly are
    floats, too large ones infinite.
    """
    if np.asarray(value).dtype.kind in "iu" and abs(int(value)) <= LARGEST_EXACT:
        return int(value)
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def number_or_array(at_least: float = -np.inf, above: float = -np.inf, ndim: int = 1) -> Check:
    """A number, or an array of one to `ndim` dimensions, copied; shapes are checked later.

    Of a matrix the limits hold for the diagonal.
    """
    scalar = number(at_least, above)

    def check(name: str, value: Any) -> float | NDArray:
        if np.ndim(as_array(name, value)) == 0:
            return scalar(name, value)
        array = finite_array(name, value)
        diagonal = array if array.ndim == 1 else np.diagonal(array)
        if array.ndim > ndim or not ((diagonal >= at_least) & (diagonal > above)).all():
            limit = f"{name} above {above:g}" if np.isfinite(above) else f"at least {at_least:g}"
            raise wrong(name, f"a number or an array of 1 to {ndim} dimensions, {limit}", value)
        return array

    return check


def as_array(name: str, value: Any) -> NDArray:
    """A copy of `value`; SettingError where it is nested lists of unequal lengths."""
    try:
        return np.array(value)
    except ValueError:
        raise wrong(name, "a number, or an array whose rows are equally long", value) from None


def finite_array(name: str, value: Any) -> NDArray:
    """A read-only copy in float64; SettingError unless all of it is finite numbers."""
    array = as_array(name, value)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise wrong(name, "finite numbers", value)
    array = array.astype(np.float64)
    array.flags.writeable = False
    return array


def signs(name: str, value: Any) -> NDArray:
    """A read-only vector of +1 and -1, one per unit."""
    array = as_array(name, value)
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not np.isin(array, (1, -1)).all():
        raise wrong(name, "one +1 (excitatory) or -1 (inhibitory) per unit", value)
    array = array.astype(np.int64)
    array.flags.writeable = False
    return array


def interval(name: str, value: Any) -> tuple[float, float]:
    """Two finite numbers above 0, the second larger than the first."""
    array = finite_array(name, value)
    if array.shape != (2,) or not 0 < array[0] < array[1]:
        raise wrong(name, "two numbers above 0, the second larger", value)
    return float(array[0]), float(array[1])


# --- anything else -------------------------------------------------------------------------------


def boolean(name: str, value: Any) -> bool:
    """True or False; 0 and 1 pass."""
    scalar = np.ndim(as_array(name, value)) == 0
    if not scalar or (not isinstance(value, (bool, np.bool_)) and value not in (0, 1)):
        raise wrong(name, "True or False", value)
    return bool(value)


def choice(*choices: str) -> Check:
    """One of several words."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise wrong(name, f"one of {', '.join(choices)}{suggestion(value, choices)}", value)
        return str(value)

    return check


def connectivity(name: str, value: Any) -> Connectivity:
    """A Connectivity, or a matrix that makes one."""
    if isinstance(value, Connectivity):
        return value
    if np.ndim(as_array(name, value)) != 2:
        raise wrong(name, "a Connectivity or a (post, pre) matrix", value)
    return Connectivity(value)


def function(name: str, value: Any) -> Callable:
    """Anything that can be called."""
    if not callable(value):
        raise wrong(name, "a function", value)
    return value


def dictionary(name: str, value: Any) -> dict:
    """A mapping, copied."""
    if not isinstance(value, Mapping):
        raise wrong(name, "a dictionary", value)
    return dict(value)


def optional(check: Check) -> Check:
    """None passes; anything else goes through `check`."""

    def check_unless_none(name: str, value: Any) -> Any:
        return None if value is None else check(name, value)

    return check_unless_none


# --- what involves more than one value -----------------------------------------------------------


def check_shape(name: str, value: Any, shape: tuple[int, ...]) -> None:
    """SettingError unless `value` is a number, None, or has `shape`."""
    given = getattr(value, "shape", ())
    if given not in ((), shape):
        raise SettingError(f"setting {name}: expected shape {shape}, got {given}")


def suggestion(name: Any, known: Iterable[str]) -> str:
    """'; did you mean ...?', or nothing where no known name is near.

    Parameters
    ----------
    name
        What was given.
    known
        The names there are.

    Returns
    -------
    str
        To be added to an error's message.
    """
    lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lower, n=1)
    return f"; did you mean {lower[near[0]]!r}?" if near else ""
