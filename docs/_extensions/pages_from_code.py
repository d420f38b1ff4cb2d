"""Pages that are written from the code, so that they cannot differ from it.

    settings.md            every setting: unit, default, meaning, what it accepts
    command-line.md        the help of every command of `dgr`
    api/PACKAGE[.FOLDER]   what each package and each folder in it exports

They are written into docs/generated before Sphinx reads anything.
"""

import inspect
import os
import pkgutil
import shutil
from collections.abc import Sized
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

PACKAGES = ("pycog_dgr", "torch_dgr", "bridge")
GENERATED = Path(__file__).parents[1] / "generated"
NEEDS_AN_EXTRA = ("pycog_dgr.tasks.gym_env",)


# --- settings and commands -----------------------------------------------------------------------


def settings_page() -> str:
    from pycog_dgr.config import described
    from pycog_dgr.config.description import KINDS

    lines = [
        "# Settings",
        "",
        "Every setting of a task file, of `Model(...)` and of `--set NAME=VALUE`, under the name "
        "it has in pycog. This page is written from the code; `dgr settings` prints the same "
        "table, `dgr settings NAME` one setting of it.",
        "",
    ]
    for kind, title in KINDS.items():
        lines += [f"## {title}", "", "| name | unit | default | meaning | accepts |"]
        lines += ["|---|---|---|---|---|"]
        for one in described():
            if one.kind == kind:
                cells = (f"`{one.name}`", one.unit, f"`{one.default}`", one.meaning, one.accepts)
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def command_page() -> str:
    from bridge.cli import parser

    os.environ["COLUMNS"] = "96"  # of the help texts
    top = parser()
    lines = [
        "# The command `dgr`",
        "",
        "Every command's `--help`, as it prints it. Exit status 0 means done; 1 means that a "
        "comparison found a difference; 2 means an error that the message says how to mend; 130 "
        "means stopped by Ctrl-C, and the same command goes on.",
        "",
        "```text",
        top.format_help().rstrip(),
        "```",
        "",
    ]
    for name, command in subcommands(top).items():
        lines += [f"## dgr {name}", "", "```text", command.format_help().rstrip(), "```", ""]
    return "\n".join(lines)


def subcommands(parser) -> dict:
    """Name -> parser of every command of an argparse parser."""
    return next(a.choices for a in parser._actions if isinstance(a.choices, dict))


# --- API -----------------------------------------------------------------------------------------


def public_modules() -> dict[str, ModuleType]:
    """Name -> module: the packages, the folders in them, and the modules that these export."""
    found: dict[str, ModuleType] = {}
    for package in map(import_module, PACKAGES):
        folders = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        names = [package.__name__, *(info.name for info in folders if info.ispkg)]
        for module in map(import_module, names):
            exports = exported(module).values()
            found |= {one.__name__: one for one in exports if inspect.ismodule(one)}
            found |= {module.__name__: module} if exports else {}
    return {name: found[name] for name in sorted(found, key=lambda name: (name.count("."), name))}


def exported(module: ModuleType) -> dict[str, object]:
    """Name -> object of all that `module` exports; without `__all__`, what it defines."""
    if not hasattr(module, "__path__") and not hasattr(module, "__all__"):
        return {
            name: value
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
        }
    return {name: attribute(module, name) for name in getattr(module, "__all__", ())}


def attribute(module: ModuleType, name: str) -> object:
    """What `from module import name` gives."""
    if hasattr(module, name):
        return getattr(module, name)
    return import_module(f"{module.__name__}.{name}")


def api_pages() -> dict[str, str]:
    """File name -> text of every page of the API, and of its index."""
    homes: dict[int, str] = {}  # of every object, the shortest path that exports it
    pages = {name: api_page(module, homes) for name, module in public_modules().items()}
    listed = sorted(pages)
    index = ["API", "===", "", "What each package, and each folder in it, exports. Anything else"]
    index += ["may change without notice.", "", ".. toctree::", "   :maxdepth: 1", ""]
    pages["index"] = "\n".join([*index, *(f"   {name}" for name in listed), ""])
    return {f"api/{name}.rst": text for name, text in pages.items()}


def api_page(module: ModuleType, homes: dict[int, str]) -> str:
    name = module.__name__
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:", ""]
    documented, elsewhere = [], []
    for entry, value in exported(module).items():
        is_code = inspect.isclass(value) or inspect.isfunction(value)
        home = homes.setdefault(id(value), name) if is_code else name
        if home == name:
            documented += api_entry(f"{name}.{entry}", value)
        else:
            elsewhere.append(f"* ``{entry}``: see :py:obj:`{home}.{entry}`")
    return "\n".join([*lines, *elsewhere, "", *documented])


def api_entry(path: str, value: object) -> list[str]:
    """The directive that describes one exported object."""
    if inspect.ismodule(value):
        return [f"* :doc:`{value.__name__}`", ""]
    if inspect.isclass(value):
        fields = [
            *getattr(value, "_fields", ()),
            *(("count", "index") if issubclass(value, tuple) else ()),
        ]
        lines = [f".. autoclass:: {path}", "   :members:"]
        return [*lines, *([f"   :exclude-members: {', '.join(fields)}"] if fields else []), ""]
    if inspect.isfunction(value):
        return [f".. autofunction:: {path}", ""]
    kind = type(value).__name__
    short = repr(value) if len(repr(value)) < 120 else f"of type {kind}"
    shown = f"{kind} of {len(value)}" if isinstance(value, Sized) and len(value) > 8 else short
    return [f".. py:data:: {path}", "", f"   ``{shown}``", ""]


# --- writing -------------------------------------------------------------------------------------


def write(app: Sphinx, config: object) -> None:
    shutil.rmtree(GENERATED, ignore_errors=True)
    pages = {"settings.md": settings_page(), "command-line.md": command_page(), **api_pages()}
    for name, text in pages.items():
        path = GENERATED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
