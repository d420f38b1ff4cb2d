"""Copy the equation's lines from the six files that hold it into docs/architecture.md.

    python docs/equations.py

Five files have a function `step` whose body is the equation; the Op runs the kernels' loop over
it. The page shows these functions as they stand in the source. tests/test_architecture.py fails
where the page and the source differ.
"""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE / "architecture.md"
START, END = "<!-- equations: start -->", "<!-- equations: end -->"
SOURCES = {  # heading -> (file, function)
    "numpy": ("pycog_dgr/network/simulate.py", "step"),
    "PyTensor, scan": ("pycog_dgr/symbolic/scan.py", "step"),
    "PyTensor, Op, which runs either kernel": (
        "pycog_dgr/symbolic/recurrence_op.py",
        "LeakyRNN.perform",
    ),
    "numpy kernel": ("pycog_dgr/kernels/recurrence_numpy.py", "step"),
    "Numba kernel": ("pycog_dgr/kernels/integrate_numba.py", "step"),
    "torch": ("torch_dgr/rate_rnn/network.py", "step"),
}


def function_source(path: Path, name: str) -> str:
    """The lines of a function or CLASS.METHOD of a file, without its decorators and docstring."""
    text = path.read_text(encoding="utf-8")
    node: ast.AST = ast.parse(text)
    for part in name.split("."):
        inside = [n for n in ast.iter_child_nodes(node) if getattr(n, "name", None) == part]
        if not inside:
            raise LookupError(f"{path}: no {name}; each file of the equation has one")
        (node,) = inside
    assert isinstance(node, ast.FunctionDef)
    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    if ast.get_docstring(node) is not None:
        first = node.body[0]
        end = first.end_lineno or first.lineno
        del lines[first.lineno - node.lineno : end - node.lineno + 1]
    return textwrap.dedent("\n".join(lines))


def blocks() -> str:
    """All functions as Markdown, each under the name of its file."""
    shown = []
    for heading, (file, name) in SOURCES.items():
        source = function_source(HERE.parent / file, name)
        shown.append(f"**{heading}** (`{file}`)\n\n```python\n{source}\n```")
    return "\n\n".join(shown)


def shown_on_page() -> str:
    """What stands between the two marks of the page."""
    found = re.search(f"{START}\n(.*?)\n{END}", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise LookupError(f"{PAGE}: the marks {START} and {END} are missing; put them back")
    return found[1]


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.replace(shown_on_page(), blocks()), encoding="utf-8")
    print(PAGE)
