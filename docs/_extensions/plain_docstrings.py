"""Docstrings of this project are plain text; this makes reStructuredText of them.

Characters that reStructuredText would read as markup are escaped, `code` becomes a literal, and
what is indented in the text before the first section (equations, tables) is shown as it stands.
Runs before numpydoc, which finds the sections.
"""

import re

from sphinx.application import Sphinx

BEFORE_NUMPYDOC = 400  # priority; numpydoc's is 500
SECTION = re.compile(r"^-{3,}\s*$")


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
    """Text before the sections: blocks that are indented or drawn as tables stay as they are."""
    result: list[str] = []
    literal = False
    for line in lines:
        standing = line.startswith(("    ", "| ", "|-")) or (literal and line.startswith(" "))
        if standing and not literal:
            result += ["", "::", ""]
        if line.strip():
            if literal and not standing:
                result.append("")
            literal = standing
        result.append(f"    {line}" if standing else escaped(line) if line.strip() else "")
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
