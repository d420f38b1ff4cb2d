"""One module a command: add_arguments(parser), run(arguments) -> exit status."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from bridge.errors import SettingError

__all__ = ["check_folder", "check_output", "whole"]

LARGEST = 2**31 - 1  # of a count or a seed on the command line


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
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {least} to {most}"
            )
        return value

    return parsed


def check_output(path: Path) -> None:
    """SettingError, before any work is done, where `path` cannot become a file.

    Parameters
    ----------
    path
        What a command will write.
    """
    if path.is_dir():
        raise SettingError(f"{path}: is a folder; give the name of a file to write")
    check_folder(path.absolute().parent)


def check_folder(folder: Path) -> None:
    """SettingError where `folder` is not and cannot become one that can be written to.

    Parameters
    ----------
    folder
        Where a command will write.
    """
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        raise SettingError(f"{folder}: {there} is a file, not a folder; give another place")
    if not os.access(there, os.W_OK):
        raise SettingError(f"{folder}: {there} cannot be written to; give another place")
