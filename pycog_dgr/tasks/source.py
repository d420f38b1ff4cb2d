"""Source of model files and scripts, read as Python reads it, Python 2 included.

A byte order mark and an encoding named in the first two lines (PEP 263) are honoured. Python 2 is
translated (python2.py) in memory; the file itself is never changed, and the log says which lines
are read otherwise.
"""

from __future__ import annotations

import ast
import importlib.util
import logging
from pathlib import Path
from typing import NamedTuple

from pycog_dgr.errors import TaskError
from pycog_dgr.tasks import python2
from pycog_dgr.tasks.python2 import Change

logger = logging.getLogger(__name__)

MAX_BYTES = 2**20  # of a model file or script
SHOWN = 8  # line numbers in a message


class Source(NamedTuple):
    """A file's source: as a tree and as text, with what was translated from Python 2."""

    text: str
    tree: ast.Module
    changes: list[Change]
    old: bool  # whether it is Python 2

    @property
    def builtins(self) -> dict:
        """Built-in functions of Python 2 that the file may use beside Python 3's."""
        return python2.BUILTINS if self.old else {}


def parse(path: str | Path, old: bool = False) -> Source:
    """The source of a file.

    Parameters
    ----------
    path
        A Python file, of Python 3 or Python 2.
    old
        Whether it belongs to a script of Python 2; otherwise the file itself tells.

    Raises
    ------
    TaskError
        Where the file cannot be read, is too large, or is Python of neither kind; it names the
        line and what to do.
    """
    path = Path(path)
    text = _decoded(path)
    try:
        tree = ast.parse(text, str(path))
        old = old or python2.is_python_2(tree)
        changes: list[Change] = []
        if old:
            text, changes = python2.translate(text, str(path))
            tree = ast.parse(text, str(path))
    except SyntaxError:
        old = True
        text, changes, tree = _translated(path, text)
    except (RecursionError, MemoryError) as error:  # the parser's, of brackets in brackets
        raise TaskError(f"{path}: nested too deeply for Python's parser") from error
    except ValueError as error:  # a null byte, before Python 3.12
        raise TaskError(f"{path}: not Python 3 ({error})") from error
    _tell(path, changes, python2.other_numbers(tree) if old else [])
    return Source(text, tree, changes, old)


def _decoded(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TaskError(f"{path}: larger than {MAX_BYTES} bytes, too large for a model file")
        return importlib.util.decode_source(path.read_bytes())
    except OSError as error:
        raise TaskError(f"{path}: cannot read the model file: {error}") from error
    except (UnicodeDecodeError, SyntaxError, LookupError) as error:
        raise TaskError(
            f"{path}: cannot read the model file: {error}; name its encoding in the first line, "
            "such as # -*- coding: latin-1 -*-"
        ) from error


def _translated(path: Path, text: str) -> tuple[str, list[Change], ast.Module]:
    """Text that is not Python 3, as Python 3."""
    try:
        new, changes = python2.translate(text, str(path))
        return new, changes, ast.parse(new, str(path))
    except SyntaxError as error:
        where = f"{path}, line {error.lineno}" if error.lineno else str(path)
        raise TaskError(f"{where}: not Python 3 ({error.msg})") from error
    except (RecursionError, MemoryError) as error:
        raise TaskError(f"{path}: nested too deeply for Python's parser") from error
    except ValueError as error:
        raise TaskError(f"{path}: not Python 3 ({error})") from error


def _tell(path: Path, changes: list[Change], warnings: list[str]) -> None:
    """Log what was translated, and what no translation can tell."""
    if changes:
        lines = ", ".join(str(change.line) for change in changes[:SHOWN])
        more = ", ..." if len(changes) > SHOWN else ""
        logger.warning(
            "%s: Python 2, read as Python 3 with changes in line %s%s; `dgr translate --diff %s` "
            "prints them", path, lines, more, path,
        )  # fmt: skip
    for change in changes:
        logger.debug("%s, line %d: %s -> %s", path, change.line, change.old, change.new)
    for warning in warnings:
        logger.warning("%s: %s", path, warning)
