"""What is public says what it takes and gives: numpydoc sections, checked by numpydoc itself."""

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest
from numpydoc.validate import validate

PACKAGES = ("pycog_dgr", "torch_dgr", "bridge")
# Missing, unknown or misordered parameters; no Returns; no docstring, no summary.
CHECKED = {"GL08", "SS01", "PR01", "PR02", "PR03", "RT01", "YD01"}
NEEDS_AN_EXTRA = {"pycog_dgr.tasks.gym_env"}


def modules() -> Iterator[str]:
    """The packages and the folders in them: where public names are exported."""
    for package in PACKAGES:
        yield package
        path = import_module(package).__path__
        yield from (info.name for info in pkgutil.walk_packages(path, f"{package}.") if info.ispkg)


def public_names() -> list[str]:
    """Functions and classes that a package or a folder exports, by the place they are defined."""
    found = set()
    for module in map(import_module, modules()):
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            home = getattr(value, "__module__", "")
            if home.split(".")[0] in PACKAGES and (
                inspect.isfunction(value) or isinstance(value, type)
            ):
                found.add(f"{home}.{value.__qualname__}")
    return sorted(found)


@pytest.mark.parametrize("name", public_names())
def test_a_public_name_describes_its_parameters_and_what_it_returns(name):
    errors = [f"{code} {text}" for code, text in validate(name)["errors"] if code in CHECKED]
    assert not errors


def test_every_folder_says_what_it_exports():
    for name in modules():
        module = import_module(name)
        assert module.__doc__, f"{name} has no docstring"
        assert getattr(module, "__all__", None), f"{name} has no __all__"
