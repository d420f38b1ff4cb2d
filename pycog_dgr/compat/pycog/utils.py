"""pycog.utils: small helpers of scripts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["get_here", "get_parent", "mkdir_p", "print_settings", "println"]


def get_here(file: str) -> str:
    """The absolute path of the folder that a file is in, as get_here(__file__)."""
    return str(Path(file).absolute().parent)


def get_parent(folder: str) -> str:
    """The absolute path of the folder above a folder."""
    return str(Path(folder).absolute().parent)


def mkdir_p(path: str) -> None:
    """Make a folder and those above it, where they are not there yet."""
    Path(path).mkdir(parents=True, exist_ok=True)


def println(line: str) -> None:
    """Write text to standard output at once, without a line's end."""
    sys.stdout.write(line)
    sys.stdout.flush()


def print_settings(
    settings: Mapping[str, Any], indent: int = 3, title: str = "=> settings"
) -> None:
    """Print names and values in two columns under a title."""
    width = max((len(name) for name in settings), default=0)
    print(title)
    for name, value in settings.items():
        print(f"{' ' * indent}| {name + ':':{width + 1}} {value}")
    sys.stdout.flush()
