"""Docstrings of this project are plain text; this makes reStructuredText of them.

Characters that reStructuredText would read as markup are escaped, `code` becomes a literal, and
paragraphs before the first section that are indented or set in columns (equations, tables) are
shown as they stand. Runs before numpydoc, which finds the sections.
"""

import re
from itertools import groupby

from sphinx.application import Sphinx

BEFORE_NUMPYDOC = 400  # priority; numpydoc's is 500
SECTION = re.compile(r"^-{3,}\s*$")
IN_COLUMNS = re.compile(r"\S {2,}\S|^\|")


def plain(lines: list[str]) -> list[str]:
    """The lines of one docstring as reStructuredText."""
    underlined = [i for i, line in enumerate(lines) if i and SECTION.match(line)]
    start = underlined[0] - 1 if underlined else len(lines)
    sections = [
        line if SECTION.match(line) or is_parameter(line) else escaped(line)
        for line in lines[start:]
    ]
    return [*free_text(lines[:start]), *sections]


def is_parameter(line: str) -> bool:
    """Whether numpydoc reads `line` as `name : type`, and escapes the name itself."""
    return bool(line) and not line[0].isspace()


def free_text(lines: list[str]) -> list[str]:
    """Text before the sections: what is indented or set in columns is shown as it stands."""
    result: list[str] = []
    for is_text, group in groupby(lines, key=lambda line: bool(line.strip())):
        paragraph = list(group)
        if not is_text:
            result.append("")
        elif any(line.startswith("    ") or IN_COLUMNS.search(line) for line in paragraph):
            result += ["::", "", *(f"    {line}" for line in paragraph)]
        else:
            result += map(escaped, paragraph)
    return result


def escaped(line: str) -> str:
    """`line` without markup but `code`."""
    parts = re.split(r"(`+[^`]+`+)", line)
    return "".join(
        f"``{part.strip('`')}``"
        if part.startswith("`")
        else re.sub(r"([*|\\]|_(?=\W|$))", r"\\\1", part)
        for part in parts
    )


def process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]):
    lines[:] = plain(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", process, priority=BEFORE_NUMPYDOC)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
