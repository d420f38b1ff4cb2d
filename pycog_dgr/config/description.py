"""Every setting in words: what `dgr settings` and the documentation's page of settings print.

Nothing is written here twice: names, defaults and meanings are those of NetworkConfig and
TrainingConfig, and what a setting accepts is what its own check asks for.
"""

import dataclasses
import difflib
from collections.abc import Callable
from typing import Any, NamedTuple, get_args, get_type_hints

from pycog_dgr.config.network import NetworkConfig
from pycog_dgr.config.training import TrainingConfig
from pycog_dgr.errors import SettingError

KINDS = {"network": "The network", "training": "Its training"}
CONFIGS = {"network": NetworkConfig, "training": TrainingConfig}


class Setting(NamedTuple):
    """One setting: whether it is the network's or its training's, and all there is to say of it."""

    name: str
    kind: str
    unit: str
    default: str
    meaning: str
    accepts: str


class _Nothing:
    """A value that every check refuses."""


def described() -> tuple[Setting, ...]:
    """All settings, in the order in which the code declares them.

    Returns
    -------
    tuple of Setting
    """
    return tuple(
        _described(field, kind, *get_args(hints[field.name])[1:])
        for kind, config in CONFIGS.items()
        for hints in [get_type_hints(config, include_extras=True)]
        for field in dataclasses.fields(config)
    )


def described_setting(name: str) -> Setting:
    """The setting called `name`.

    Parameters
    ----------
    name : str

    Returns
    -------
    Setting

    Raises
    ------
    SettingError
        Where there is no such setting; the nearest names are suggested.
    """
    known = {one.name: one for one in described()}
    if name not in known:
        near = difflib.get_close_matches(name, known)
        raise SettingError(
            f"unknown setting {name!r}: "
            + (f"did you mean {' or '.join(near)}?" if near else "`dgr settings` lists all")
        )
    return known[name]


def _described(
    field: dataclasses.Field, kind: str, check: Callable[[str, Any], Any], meaning: str, *unit: str
) -> Setting:
    default = {} if field.default is dataclasses.MISSING else field.default
    accepts = _accepts(check) + (" or None" if field.default is None else "")
    return Setting(field.name, kind, unit[0] if unit else "", str(default), meaning, accepts)


def _accepts(check: Callable[[str, Any], Any]) -> str:
    """What a check asks for, in the words of its error."""
    try:
        check("", _Nothing())
    except SettingError as error:
        return str(error).partition("expected ")[2].rpartition(", got ")[0]
    raise AssertionError("a check that refuses nothing")
