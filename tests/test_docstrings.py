"""What is public says what it takes and gives: numpydoc sections, checked by numpydoc itself."""

import dataclasses
import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest
from numpydoc.validate import validate

PACKAGES = ("pycog_dgr", "torch_dgr", "bridge")
# No docstring, no summary; missing or unknown parameters; no Returns.
CHECKED = {"GL08", "SS01", "PR01", "PR02", "RT01"}
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
            value = getattr(module, name, None)  # None: a module that is imported by name
            home = getattr(value, "__module__", "")
            if home.split(".")[0] in PACKAGES and (
                inspect.isfunction(value) or isinstance(value, type)
            ):
                found.add(f"{home}.{value.__qualname__}")
    return sorted(found)


def takes_what_its_docstring_must_name(value: object) -> bool:
    """Whether a function, or a class with an __init__ of its own; records name their fields."""
    if not isinstance(value, type):
        return True
    is_record = hasattr(value, "_fields") or dataclasses.is_dataclass(value)
    is_record |= getattr(value, "_is_protocol", False)
    return "__init__" in vars(value) and not is_record and not issubclass(value, Exception)


@pytest.mark.parametrize("name", public_names())
def test_a_public_name_describes_its_parameters_and_what_it_returns(name):
    module, _, last = name.rpartition(".")
    value = getattr(import_module(module), last)
    assert value.__doc__, f"{name} has no docstring"
    if takes_what_its_docstring_must_name(value):
        errors = [f"{code} {text}" for code, text in validate(name)["errors"] if code in CHECKED]
        assert not errors


@pytest.mark.parametrize("name", public_names())
def test_the_methods_of_a_public_class_have_docstrings(name):
    module, _, last = name.rpartition(".")
    value = getattr(import_module(module), last)
    if isinstance(value, type) and not getattr(value, "_is_protocol", False):
        methods = {
            name: method
            for name, method in vars(value).items()
            if inspect.isfunction(method)
            and not name.startswith("_")
            and not method.__name__.startswith("_")
        }
        assert not [name for name, method in methods.items() if not inspect.getdoc(method)]


def test_every_folder_says_what_it_exports():
    for name in modules():
        module = import_module(name)
        assert module.__doc__, f"{name} has no docstring"
        assert getattr(module, "__all__", None), f"{name} has no __all__"
