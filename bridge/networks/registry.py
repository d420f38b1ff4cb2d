"""Which solvers and generators there are, and how one is made; backends are imported when asked."""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from bridge.errors import MissingBackendError, unknown
from bridge.networks.interface import Generator, Solver

Table = Mapping[str, tuple[str, str]]
"""Module and class of every network, by the name that protocols and files use."""

SOLVERS: Table = {
    "lstm": ("torch_dgr.lstm", "LSTMClassifier"),
    "mlp": ("torch_dgr.mlp", "MLPClassifier"),
    "biornn": ("bridge.networks.biornn", "biological_rnn"),
}
CONSTRAINED = ("biornn",)  # solvers of effective weights with signs (Dale's law) and masks
GENERATORS: Table = {
    "gan": ("torch_dgr.generators", "GAN"),
    "conditional_gan": ("torch_dgr.generators", "ConditionalGAN"),
    "conditional_vae": ("torch_dgr.generators", "ConditionalVAE"),
    "conditional_vae_gan": ("torch_dgr.generators", "ConditionalVAEGAN"),
}


def make_solver(name: str, seed: int, **options: Any) -> Solver:
    """A new solver.

    Parameters
    ----------
    name
        A name in SOLVERS.
    seed
        Of its initial weights.
    **options
        Of its class.

    Returns
    -------
    Solver
        Untrained.

    Raises
    ------
    SettingError
        A name or an option that does not exist.
    MissingBackendError
        The package that computes it is not installed.
    """
    return make("solver", SOLVERS, name, seed, options)


def make_generator(name: str, seed: int, **options: Any) -> Generator:
    """A new generator; parameters and errors as of `make_solver`, names in GENERATORS.

    Parameters
    ----------
    name
        A name in GENERATORS.
    seed
        Of its initial weights.
    **options
        Of its class.

    Returns
    -------
    Generator
        Untrained.
    """
    return make("generator", GENERATORS, name, seed, options)


def make(kind: str, table: Table, name: str, seed: int, options: Mapping[str, Any]) -> Any:
    """The network `name` of a table; `kind` is what messages call it."""
    if not isinstance(name, str) or name not in table:
        raise unknown(kind, str(name), table)
    module, class_name = table[name]
    try:
        factory = getattr(import_module(module), class_name)
        _check_options(name, factory, options)
        return factory(seed=seed, **options)
    except ModuleNotFoundError as error:
        raise MissingBackendError(
            f"{kind} '{name}' needs the package '{error.name}', which is not installed: "
            f"pip install {error.name}"
        ) from None


def _check_options(name: str, factory: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """SettingError for an option that the factory does not know."""
    parameters = inspect.signature(factory).parameters.values()
    if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
        names = [parameter.name for parameter in parameters]
        for option in options:
            if option not in names:
                raise unknown(f"option of {name}", option, names)
