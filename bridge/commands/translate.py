"""`dgr translate FILE`: a Python 2 file as Python 3."""

import argparse
import difflib
import importlib.util
from pathlib import Path

EXAMPLES = """
  dgr translate --diff my_task.py      what is changed
  dgr translate my_task.py > new.py    Python 3, to keep
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("file", type=Path, help="a Python file")
    parser.add_argument("--diff", action="store_true", help="print only what is changed")


def run(arguments: argparse.Namespace) -> int:
    """Print the translation. Errors: TaskError, where the file cannot be read."""
    from pycog_dgr.compat import translated

    new = translated(arguments.file)
    print(difference(arguments.file, new) if arguments.diff else new, end="")
    return 0


def difference(path: Path, new: str) -> str:
    """Unified diff from the file to its translation."""
    old = importlib.util.decode_source(path.read_bytes()).splitlines(keepends=True)
    lines = new.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, lines, str(path), f"{path} (Python 3)"))
