"""One module a command: add_arguments(parser), run(arguments) -> exit status."""

import os
from pathlib import Path

from bridge.errors import SettingError
from pycog_dgr.commands import whole

__all__ = ["check_folder", "check_output", "whole"]


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
