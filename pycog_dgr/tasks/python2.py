"""Python 2 source, read as Python 3: what is changed, line by line.

The translation is fissix's, the kept-up copy of the standard library's 2to3: print statements,
exceptions, octal and long numbers, zip, map, filter, range, keys, values and items as lists,
iteritems, has_key, unicode, renamed modules (cPickle, StringIO, ...) and the like, and one fixer of
our own for pickles (fix_pickle.py). Lines keep their numbers. `reduce`, `cmp` and `file`, for which
2to3 adds lines or has no rule, are given to the file as built-in functions (BUILTINS).

What no translation can tell is warned of: `/` between whole numbers and `round`, which gave other
numbers in Python 2.
"""

from __future__ import annotations

import ast
import atexit
import difflib
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

FIXERS = (
    "apply", "basestring", "dict", "except", "exec", "execfile", "filter", "funcattrs", "getcwdu",
    "has_key", "imports", "imports2", "intern", "itertools", "itertools_imports", "long", "map",
    "metaclass", "methodattrs", "ne", "next", "nonzero", "numliterals", "operator", "paren",
    "print", "raise", "raw_input", "reload", "renames", "repr", "standarderror", "sys_exc",
    "throw", "tuple_params", "types", "unicode", "urllib", "xrange", "xreadlines", "zip",
)  # fmt: skip
OWN_FIXER = "pycog_dgr.tasks.fix_pickle"
STATEMENTS = ("print", "exec")  # statements then, functions now
NAMES = {"xrange", "unicode", "long", "basestring", "raw_input", "unichr", "execfile", "cmp",
         "reduce", "file"}  # fmt: skip
ATTRIBUTES = {"iteritems", "iterkeys", "itervalues", "has_key", "maxint", "getcwdu", "izip", "imap",
              "ifilter", "izip_longest"}  # fmt: skip
MODULES = {"cPickle", "cStringIO", "StringIO", "ConfigParser", "Queue", "urllib2", "__builtin__"}
TAB = 8  # columns, where a line mixes tabs and spaces


def compare(a: Any, b: Any) -> int:
    """Python 2's cmp: -1, 0 or 1."""
    return (a > b) - (a < b)


BUILTINS = {"reduce": functools.reduce, "cmp": compare, "file": open}


class Change(NamedTuple):
    """One changed line, counted from 1: as it stands in the file, and as it is read."""

    line: int
    old: str
    new: str


class Translation(NamedTuple):
    """Python 3 source with as many lines as the file has, and what differs from the file."""

    text: str
    changes: list[Change]


def translate(text: str, name: str) -> Translation:
    """Python 2 source as Python 3.

    Parameters
    ----------
    text
        The source; it may be Python 3 already, then only names and methods change.
    name
        What messages call it.

    Raises
    ------
    SyntaxError
        Where the text is neither Python 2 nor Python 3; it names the line.
    """
    _require_cache()
    from fissix.pgen2.parse import ParseError
    from fissix.pgen2.tokenize import TokenError

    statements = _has_statements(text)
    spaced = _without_mixed_tabs(text) if statements else text
    try:
        new = _tool(statements)(spaced if spaced.endswith("\n") else spaced + "\n", name)
    except ParseError as error:
        line = error.context[1][0]
        raise _not_python(text, line, "not Python 2 either") from error
    except (TokenError, RecursionError) as error:
        raise _not_python(text, None, f"not Python 2 either: {error}") from error
    return Translation(new, _changes(text, new))


def _has_statements(text: str) -> bool:
    """Whether the text needs Python 2's grammar: print and exec as statements, and the like."""
    try:
        return has_print_statement(ast.parse(text))
    except SyntaxError:
        return True


@functools.cache
def _require_cache() -> None:
    """Have fissix keep its tables in a temporary folder where it cannot in the user's cache."""
    import fissix

    try:
        if not fissix.CACHE_DIR.is_absolute():  # of a user without a home folder
            raise OSError
        fissix.CACHE_DIR.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = tempfile.mkdtemp(prefix="fissix-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        fissix.CACHE_DIR = Path(folder)


@functools.cache
def _tool(statements: bool) -> Any:
    """A function (text, name) -> text; with `statements`, print and exec are Python 2's."""
    from fissix.refactor import RefactoringTool

    names = [f for f in FIXERS if statements or f not in STATEMENTS]
    options = {"print_function": not statements, "exec_function": not statements}
    fixers = [*(f"fissix.fixes.fix_{name}" for name in names), OWN_FIXER]
    tool = RefactoringTool(fixers, options)
    tool.log_debug = lambda *_: None
    return lambda text, name: str(tool.refactor_string(text, name))


def _without_mixed_tabs(text: str) -> str:
    """`text`, with tabs at the beginnings of lines as the columns that Python 2 took them for."""
    lines = []
    for line in text.splitlines(keepends=True):
        rest = line.lstrip(" \t")
        indent = line[: len(line) - len(rest)]
        lines.append((indent.expandtabs(TAB) if "\t" in indent else indent) + rest)
    return "".join(lines)


def _not_python(text: str, line: int | None, why: str) -> SyntaxError:
    """What Python 3 says of the text, with the line of the Python 2 parser where it says none."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        return SyntaxError(f"{error.msg}; {why}", (None, error.lineno or line, None, None))
    return SyntaxError(why, (None, line, None, None))


def _changes(old: str, new: str) -> list[Change]:
    before, after = old.splitlines(), new.splitlines()
    changes = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, i, j, k, l in matcher.get_opcodes():
        if kind == "equal":
            continue
        if j - i == l - k:
            lines = zip(before[i:j], after[k:l], strict=True)
            changes += [Change(i + n + 1, *pair) for n, pair in enumerate(lines)]
        else:
            changes.append(Change(i + 1, "\n".join(before[i:j]), "\n".join(after[k:l])))
    return changes


# -- telling Python 2 from 3 ----------------------------------------------------------------------


def is_python_2(tree: ast.Module) -> bool:
    """Whether source that Python 3 can parse was written for Python 2, as far as names tell.

    It was where it imports pycog, or uses a module, method or built-in function that only Python 2
    has and the file does not define itself.
    """
    nodes = list(ast.walk(tree))
    if any(module in MODULES or module == "pycog" for module in imported(tree)):
        return True
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    attributes |= {
        alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    if attributes & ATTRIBUTES or has_print_statement(tree):
        return True
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    return bool((used & NAMES) - _defined(nodes))


def has_print_statement(tree: ast.Module) -> bool:
    """Whether a print statement hides in what Python 3 takes for an expression.

    `print`, `print >>file, x` and `print (x), y` are expressions too.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Expr):
            continue
        value = node.value
        first = value.elts[0] if isinstance(value, ast.Tuple) and value.elts else value
        if isinstance(first, ast.BinOp) and isinstance(first.op, ast.RShift):
            first = first.left
        elif isinstance(first, ast.Call) and first is not value:
            first = first.func
        if isinstance(first, ast.Name) and first.id == "print":
            return True
    return False


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of the modules that a file imports anywhere."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _defined(nodes: list[ast.AST]) -> set[str]:
    """Names that are assigned, imported, defined or parameters anywhere."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
    return found


def other_numbers(tree: ast.Module) -> list[str]:
    """What in the file gave other numbers in Python 2, each as text for a warning."""
    nodes = list(ast.walk(tree))
    found = []
    future = {
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    }
    divisions = [n.lineno for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    if divisions and "division" not in future:
        found.append(
            f"/ is true division here, it was not in Python 2 (line {min(divisions)}): write // "
            "where whole numbers were divided"
        )
    rounded = [
        n.lineno
        for n in nodes
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "round"
    ]
    if rounded:
        found.append(
            f"round takes halves to the even number here, away from zero in Python 2 (line "
            f"{min(rounded)}): write np.floor(x + 0.5) where that matters"
        )
    return found
