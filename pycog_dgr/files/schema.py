"""What a file must hold, said once: checks of plain values, which are put together to a schema.

    SCHEMA = record({"iteration": whole(1), "costs": many(number())}, optional={"note": text})
    tree = SCHEMA("", tree)         SchemaError: "costs/3: expected a number, got 'x'"

A check takes the place of a value in the file, as 'costs/3', and the value, and returns the value;
SchemaError names the place and says what was expected. Values are those of JSON, and arrays.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pycog_dgr.files.npz import shortened

Check = Callable[[str, Any], Any]
MOST = 2**63 - 1  # of a whole number


class SchemaError(ValueError):
    """A value that a file of this kind does not hold; the message names its place."""


def refuse(where: str, expected: str, value: Any) -> SchemaError:
    """The error of a value at `where` that is not what was expected."""
    if isinstance(value, np.ndarray):
        shown = f"an array of {value.dtype} of shape {shortened(value.shape, 40)}"
    elif isinstance(value, (dict, list, tuple)):
        shown = f"a {type(value).__name__} of {len(value)}"
    elif isinstance(value, int) and abs(value) > MOST:
        shown = "a larger one"
    else:
        shown = shortened(repr(value), 40)
    return SchemaError(f"{shortened(where) or 'the whole'}: expected {expected}, got {shown}")


def anything(where: str, value: Any) -> Any:
    """Any value at all."""
    return value


def text(where: str, value: Any) -> str:
    """Text."""
    if not isinstance(value, str):
        raise refuse(where, "text", value)
    return value


def flag(where: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise refuse(where, "true or false", value)
    return value


def whole(least: int | None = None, most: int | None = None) -> Check:
    """A whole number from `least` to `most`."""
    limits = "" if least is None else f" from {least}" if most is None else f", {least} to {most}"

    def check(where: str, value: Any) -> int:
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or (least is not None and value < least)
            or value > (MOST if most is None else most)
        ):
            raise refuse(where, f"a whole number{limits}", value)
        return value

    return check


def number(where: str, value: Any) -> float:
    """A number; NaN and infinities are numbers too."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refuse(where, "a number", value)
    try:
        float(value)
    except OverflowError:
        raise refuse(where, "a number", value) from None
    return value


def comparable(where: str, value: Any) -> float:
    """A number that is not NaN."""
    if math.isnan(number(where, value)):
        raise refuse(where, "a number", value)
    return value


def numbers(where: str, value: Any) -> Any:
    """A number, or an array of numbers or booleans."""
    return array("biuf")(where, value) if isinstance(value, np.ndarray) else number(where, value)


def one_of(*choices: Any) -> Check:
    """One of a few values."""

    def check(where: str, value: Any) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise refuse(where, f"one of {', '.join(map(str, choices))}", value)
        return value

    return check


def optional(check: Check) -> Check:
    """null, or what `check` asks for."""
    return lambda where, value: None if value is None else check(where, value)


def array(
    kinds: str,
    ndim: int | None = None,
    shape: tuple[int | None, ...] | None = None,
    finite: bool = False,
) -> Check:
    """An array of one of the `kinds` of dtype, of `ndim` dimensions or of `shape` (None: any)."""
    names = {"f": "floats", "i": "integers", "u": "integers", "b": "booleans", "U": "text"}
    expected = "an array of " + " or ".join(dict.fromkeys(names[kind] for kind in kinds))
    if shape is not None:
        ndim = len(shape)
        expected += f" of shape {tuple('any' if n is None else n for n in shape)}"
    elif ndim is not None:
        expected += f" of {ndim} dimensions"

    def check(where: str, value: Any) -> np.ndarray:
        if (
            not isinstance(value, np.ndarray)
            or value.dtype.kind not in kinds
            or (ndim is not None and value.ndim != ndim)
            or (
                shape is not None
                and any(n not in (None, m) for n, m in zip(shape, value.shape, strict=True))
            )
        ):
            raise refuse(where, expected, value)
        if finite and not np.isfinite(value).all():
            raise SchemaError(f"{shortened(where)}: is not finite everywhere")
        return value

    return check


def many(check: Check) -> Check:
    """A list, each item of which `check` accepts."""

    def check_list(where: str, value: Any) -> list:
        if not isinstance(value, (list, tuple)):
            raise refuse(where, "a list", value)
        return [check(f"{where}/{i}", item) for i, item in enumerate(value)]

    return check_list


def row(*checks: Check, rest: Check | None = None) -> Check:
    """A list of one item for each check and, with `rest`, any number of further ones."""
    expected = f"a list of {len(checks)}" + (" or more" if rest else "")

    def check_row(where: str, value: Any) -> list:
        if not isinstance(value, (list, tuple)) or len(value) < len(checks):
            raise refuse(where, expected, value)
        if rest is None and len(value) != len(checks):
            raise refuse(where, expected, value)
        further = [rest] * (len(value) - len(checks)) if rest else []
        return [
            check(f"{where}/{i}", item)
            for i, (check, item) in enumerate(zip([*checks, *further], value, strict=True))
        ]

    return check_row


def mapping(check: Check) -> Check:
    """A dictionary with text keys, each value of which `check` accepts."""

    def check_mapping(where: str, value: Any) -> dict:
        if not isinstance(value, dict):
            raise refuse(where, "a dictionary", value)
        return {
            text(where, key): check(f"{where}/{key}".lstrip("/"), item)
            for key, item in value.items()
        }

    return check_mapping


def record(entries: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """A dictionary with these entries, perhaps with those that are optional, and no others."""
    optional = optional or {}
    known = {**entries, **optional}

    def check_record(where: str, value: Any) -> dict:
        if not isinstance(value, dict):
            raise refuse(where, "a dictionary", value)
        if missing := [name for name in entries if name not in value]:
            raise SchemaError(f"{shortened(where) or 'the whole'}: {missing[0]!r} is missing")
        if unknown := [name for name in value if name not in known]:
            name = shortened(unknown[0], 40)
            raise SchemaError(f"{shortened(where) or 'the whole'}: {name!r} is not known here")
        return {
            name: known[name](f"{where}/{name}".lstrip("/"), item) for name, item in value.items()
        }

    return check_record
