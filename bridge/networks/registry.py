"""Which solvers and generators there are, and how one is made; backends are imported when asked.

Other packages add theirs by entry points of the groups `dgr.solvers` and `dgr.generators`, as in
their pyproject.toml:

    [project.entry-points."dgr.solvers"]
    nearest_mean = "my_package.solvers:NearestMean"
"""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module, metadata
from typing import Any

from bridge.errors import MissingBackendError, unknown
from bridge.networks.interface import Generator, Solver

Table = Mapping[str, tuple[str, str]]
"""Module and class of every network, by the name that protocols and files use."""


def with_entry_points(own: Table, group: str) -> Table:
    """Our own networks, and those of other packages under names that are not ours.

    Parameters
    ----------
    own
        Module and class by name.
    group
        Of the entry points.

    Returns
    -------
    dict
        Module and class by name; nothing is imported.
    """
    others = metadata.entry_points(group=group)
    return {**{other.name: (other.module, other.attr) for other in others}, **own}


SOLVERS: Table = with_entry_points(
    {
        "lstm": ("torch_dgr.lstm", "LSTMClassifier"),
        "mlp": ("torch_dgr.mlp", "MLPClassifier"),
        "biornn": ("bridge.networks.biornn", "biological_rnn"),
    },
    "dgr.solvers",
)
CONSTRAINED = ("biornn",)  # solvers of effective weights with signs (Dale's law) and masks
GENERATORS: Table = with_entry_points(
    {
        "gan": ("torch_dgr.generators", "GAN"),
        "conditional_gan": ("torch_dgr.generators", "ConditionalGAN"),
        "conditional_vae": ("torch_dgr.generators", "ConditionalVAE"),
        "conditional_vae_gan": ("torch_dgr.generators", "ConditionalVAEGAN"),
    },
    "dgr.generators",
)


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


def sizes(table: Table, name: str, image_shape: tuple[int, int], n_classes: int) -> dict[str, Any]:
    """The options with which a network fits images of other sizes than those that it assumes.

    Parameters
    ----------
    table
        SOLVERS or GENERATORS.
    name
        A name in it.
    image_shape
        (row, column).
    n_classes
        Number of classes.

    Returns
    -------
    dict
        Those of `image_shape`, `n_inputs`, `Nin` (columns), `n_classes` and `Nout` that the network
        takes and whose default differs.
    """
    wanted = {
        "image_shape": tuple(image_shape),
        **dict.fromkeys(("n_inputs", "Nin"), image_shape[1]),
        **dict.fromkeys(("n_classes", "Nout"), n_classes),
    }
    parameters = inspect.signature(factory_of(table, name)).parameters
    return {
        option: value
        for option, value in wanted.items()
        if option in parameters and parameters[option].default != value
    }


def factory_of(table: Table, name: str) -> Callable[..., Any]:
    """What makes the network `name` of a table; its module is imported."""
    if name not in table:
        raise unknown("network", name, table)
    module, attributes = table[name]
    made: Any = import_module(module)
    for attribute in attributes.split("."):
        made = getattr(made, attribute)
    return made


def make(kind: str, table: Table, name: str, seed: int, options: Mapping[str, Any]) -> Any:
    """The network `name` of a table; `kind` is what messages call it."""
    if not isinstance(name, str) or name not in table:
        raise unknown(kind, str(name), table)
    try:
        factory = factory_of(table, name)
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
