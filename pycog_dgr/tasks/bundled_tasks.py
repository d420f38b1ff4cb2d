"""The tasks that come with the package: one model file each in bundled/tasks, and its figure."""

from __future__ import annotations

import ast
from pathlib import Path

BUNDLED = Path(__file__).parent / "bundled" / "tasks"  # the folder of the model files


def bundled_tasks() -> dict[str, Path]:
    """The tasks that come with the package.

    Returns
    -------
    dict
        Name -> model file, by name.
    """
    return {path.stem: path for path in sorted(BUNDLED.glob("*.py"))}


def first_line(path: Path) -> str:
    """What a model file says of itself.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        The first line of its docstring, without the name before it.
    """
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    line = text.partition("\n")[0]
    name, colon, rest = line.partition(": ")
    return rest if colon and name == path.stem else line
