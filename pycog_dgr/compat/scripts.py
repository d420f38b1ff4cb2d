"""`import pycog` finds this package, and scripts written for pycog run.

`run_script` does what `python SCRIPT ARGS` would, with three differences: pycog is pycog_dgr, the
script and the files beside it may be Python 2 (tasks/python2.py), and `imp.load_source`, with
which the original's do.py loads models and analyses, works and translates likewise. Files under
other folders, installed packages among them, are imported as always.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import linecache
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path

from pycog_dgr.compat.names import LEFT_OUT_MODULES
from pycog_dgr.errors import TaskError
from pycog_dgr.tasks.source import Source, parse

MIRROR = "pycog_dgr.compat.pycog"  # the package that stands for pycog


class _LeftOut(MetaPathFinder):
    """Says what to use instead of a module of the original that has no counterpart."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        package, _, module = name.rpartition(".")
        if package in ("pycog", MIRROR) and module in LEFT_OUT_MODULES:
            raise ImportError(f"pycog.{module} has no counterpart here: {LEFT_OUT_MODULES[module]}")


def install_as_pycog() -> None:
    """Have `import pycog` find pycog_dgr, in this process, from now on.

    Raises
    ------
    ImportError
        Where another pycog is imported already.
    """
    mirror = importlib.import_module(MIRROR)
    present = sys.modules.setdefault("pycog", mirror)
    if present is not mirror:
        where = getattr(present, "__file__", "?")
        raise ImportError(f"another pycog is imported already, from {where}: import it later")
    if not any(isinstance(finder, _LeftOut) for finder in sys.meta_path):
        sys.meta_path.insert(0, _LeftOut())


# -- scripts --------------------------------------------------------------------------------------


def run_script(path: str | Path, arguments: Sequence[str] = ()) -> None:
    """Run a script written for pycog, as `python SCRIPT ARGUMENTS` would.

    Parameters
    ----------
    path
        The script, Python 2 or 3. The files beside it and under its folder that it imports may be
        Python 2 as well.
    arguments
        The words after its name, as strings.

    Raises
    ------
    TaskError
        Where the script cannot be read. What the script itself raises goes through.
    """
    path = Path(path)
    source = parse(path)
    install_as_pycog()
    script = types.ModuleType("__main__")
    with _as_main(script, path, arguments), _translating(path.resolve().parent, source.old):
        _execute(source, script, path)


@contextmanager
def load_script(path: str | Path) -> Iterator[types.ModuleType]:
    """The module in a script written for pycog, for as long as the block lasts.

    Parameters
    ----------
    path
        As for `run_script`, as are the errors.
    """
    path = Path(path)
    source = parse(path)
    install_as_pycog()
    module = types.ModuleType(path.stem)
    with _translating(path.resolve().parent, source.old), _importing_from(path):
        _execute(source, module, path)
        yield module


def translated(path: str | Path) -> str:
    """The file as it is read: Python 3 source, for who wants to keep it.

    Parameters
    ----------
    path
        A script written for pycog.

    Returns
    -------
    str
        Its text in Python 3.

    Raises
    ------
    TaskError
        Where the file cannot be read.
    """
    source = parse(path)
    used = {word for word in source.builtins if f"{word}(" in source.text}
    header = "from functools import reduce\n" if "reduce" in used else ""
    return header + source.text if used <= {"reduce"} else source.text


def _execute(source: Source, module: types.ModuleType, path: Path) -> None:
    """Run a file's source in a module; a traceback shows the lines as they are read."""
    for name, value in source.builtins.items():
        module.__dict__.setdefault(name, value)
    module.__file__ = str(path)
    lines = source.text.splitlines(keepends=True)
    linecache.cache[str(path)] = (len(source.text), None, lines, str(path))
    exec(compile(source.tree, str(path), "exec", dont_inherit=True), module.__dict__)


@contextmanager
def _as_main(script: types.ModuleType, path: Path, arguments: Sequence[str]) -> Iterator[None]:
    """The script as __main__, with its arguments, and its folder first on the path."""
    before = sys.modules["__main__"], sys.argv
    sys.modules["__main__"] = script
    sys.argv = [str(path), *arguments]
    try:
        with _importing_from(path):
            yield
    finally:
        sys.modules["__main__"], sys.argv = before


@contextmanager
def _importing_from(path: Path) -> Iterator[None]:
    """A file's folder first on the path."""
    before = list(sys.path)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield
    finally:
        sys.path[:] = before


class _Loader(SourceFileLoader):
    """Loads a file that may be Python 2, or surely is, where the script is."""

    old = False

    def exec_module(self, module: types.ModuleType) -> None:
        _execute(parse(self.path, self.old), module, Path(self.path))


class _OldLoader(_Loader):
    old = True


class _Neighbours(PathFinder):
    """Finds modules under one folder, and loads them as Python 2 where they are."""

    def __init__(self, folder: Path, loader: type[_Loader]) -> None:
        self.folder = folder
        self.loader = loader

    def find_spec(  # type: ignore[override]
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        origin = getattr(spec, "origin", None)
        if spec is None or not origin or not origin.endswith(".py"):
            return None
        if not Path(origin).resolve().is_relative_to(self.folder) or "site-packages" in origin:
            return None
        return importlib.util.spec_from_file_location(
            name, origin, loader=self.loader(name, origin),
            submodule_search_locations=spec.submodule_search_locations,
        )  # fmt: skip


@contextmanager
def _translating(folder: Path, old: bool) -> Iterator[None]:
    """Modules under a folder, and those that imp.load_source loads, may be Python 2."""
    loader = _OldLoader if old else _Loader
    finder = _Neighbours(folder, loader)
    imp = types.ModuleType("imp")
    imp.__dict__["load_source"] = functools.partial(load_source, loader=loader)
    before = sys.modules.get("imp")
    sys.meta_path.insert(0, finder)
    sys.modules["imp"] = imp
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        del sys.modules["imp"]
        if before is not None:
            sys.modules["imp"] = before


def load_source(
    name: str, path: str, file: object = None, *, loader: type[_Loader] = _Loader
) -> types.ModuleType:
    """Python 2's imp.load_source: run a file as a module called `name`.

    Raises
    ------
    OSError
        Where there is no such file, as then.
    TaskError
        Where it is no Python.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader(name, str(path)))
    if spec is None or spec.loader is None:
        raise TaskError(f"{path}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
