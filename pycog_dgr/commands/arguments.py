"""What command lines are parsed by: one-line errors, and the types of arguments."""

import argparse
import ast
import math
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from pycog_dgr.errors import PycogDgrError

FAILED, INTERRUPTED = 2, 130  # exit statuses
MOST_SEEDS = 10_000
LARGEST = 2**32 - 1  # whole number of an argument: that of a seed


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose options are written out.

    Parameters
    ----------
    **options
        Those of argparse.ArgumentParser; `allow_abbrev` is False by default.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """Exit with the status FAILED after one line."""
        self.exit(FAILED, f"{self.prog}: {message}; see {self.prog} --help\n")
        raise SystemExit(FAILED)


def whole(least: int, most: int = LARGEST) -> Callable[[str], int]:
    """The type of an argument: a whole number from `least` to `most`.

    Parameters
    ----------
    least, most
        The limits.

    Returns
    -------
    callable
        Text -> int, for argparse.
    """

    def parsed(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} is not a whole number from {least} to {most}"
            )
        return value

    return parsed


def seed_list(text: str) -> list[int]:
    """The type of an argument: seeds as in 100-109 or 1,2,5.

    Parameters
    ----------
    text
        What stands on the command line.

    Returns
    -------
    list of int
        Each seed once, in the order given.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        ends = [first, last] if dash else [first]
        if not all(end.strip().isdecimal() for end in ends):
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} is no list of seeds, such as 100-109 or 1,2,5"
            )
        begin, end = (whole(0)(one) for one in (ends[0], ends[-1]))
        if not 0 <= end - begin < MOST_SEEDS:
            raise argparse.ArgumentTypeError(
                f"{part[:40]!r} is not a range from a seed to a later one, of up to {MOST_SEEDS}"
            )
        seeds += range(begin, end + 1)
    return list(dict.fromkeys(seeds))


def milliseconds(text: str) -> float:
    """The type of an argument: a time in ms; a whole one stays a whole number.

    Parameters
    ----------
    text
        What stands on the command line.

    Returns
    -------
    int or float
        Milliseconds.
    """
    try:
        value = int(text) if text.isdecimal() else float(text)
    except ValueError:
        value = 0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a time in ms, above 0")
    return value


def changes(words: Iterable[str]) -> dict[str, Any]:
    """{setting: value} from words NAME=VALUE; what is not a Python literal is text."""
    values: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise PycogDgrError(f"--set {word[:40]}: expected NAME=VALUE, such as max_iter=20")
        try:
            values[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            values[name] = value
    return values
