"""Solvers and generators: what replay needs of a network, whichever backend computes it."""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from bridge.errors import ArchiveError, MissingBackendError, unknown
from bridge.files import archive

KIND = "dgr network"
NOT_SIZES = ("max_iter", "patience", "checkfreq")  # options that may be large in a small network
SMALL_NETWORK = 10**6  # weights: options of networks up to here are not compared with the file

OnIteration = Callable[[int, dict[str, float]], None]

SOLVERS = {
    "lstm": ("torch_dgr.lstm", "LSTMClassifier"),
    "biornn": ("pycog_dgr.training.classifier", "RateRNNClassifier"),
}
GENERATORS = {
    "gan": ("torch_dgr.generators", "GAN"),
    "conditional_gan": ("torch_dgr.generators", "ConditionalGAN"),
    "conditional_vae": ("torch_dgr.generators", "ConditionalVAE"),
    "conditional_vae_gan": ("torch_dgr.generators", "ConditionalVAEGAN"),
}


class Solver(Protocol):
    """A classifier of image sequences. `state` holds all that training goes on from."""

    def fit(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        iterations: int,
        rng: np.random.Generator,
        batch_size: int = 64,
        on_iteration: OnIteration | None = None,
    ) -> None:
        """Train on images (trial, 28, 28), targets (trial, class), weights (trial,)."""

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities (trial, class)."""

    def state(self) -> dict[str, np.ndarray]: ...

    def load_state(self, state: dict[str, np.ndarray]) -> None: ...


class Generator(Protocol):
    """A model of images. It never sees a label, so one serves every solver."""

    def fit(
        self,
        images: np.ndarray,
        *,
        iterations: int,
        rng: np.random.Generator,
        on_iteration: OnIteration | None = None,
    ) -> None:
        """Train on images (trial, 28, 28) in [0, 1]."""

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`n` images (n, 28, 28), float32 in [0, 1]."""

    def state(self) -> dict[str, np.ndarray]: ...

    def load_state(self, state: dict[str, np.ndarray]) -> None: ...


def make_solver(name: str, seed: int, **options: Any) -> Solver:
    """The solver called `name`, with initial weights drawn from `seed`."""
    return _make("solver", SOLVERS, name, seed, options)


def make_generator(name: str, seed: int, **options: Any) -> Generator:
    """The generator called `name`, with initial weights drawn from `seed`."""
    return _make("generator", GENERATORS, name, seed, options)


def save_network(
    path: str | Path, network: Solver | Generator, name: str, options: Mapping[str, Any]
) -> None:
    """Write a network to one file: its state, and the name and options that make it anew."""
    archive.save(path, KIND, network.state(), name=name, options=dict(options))


class Stored(NamedTuple):
    """A network from a file, with the name and options that make one like it."""

    network: Any
    name: str
    options: dict[str, Any]


def read_network(path: str | Path, expected: Mapping[str, Any]) -> Stored:
    """The solver or generator in a file of `save_network`.

    `expected`: the table, SOLVERS or GENERATORS, that the network must come from. Raises
    ArchiveError where it does not, or the file is damaged.
    """
    state, metadata = archive.load(path, KIND)
    name, options = metadata.get("name"), metadata.get("options", {})
    if not isinstance(name, str) or name not in expected:
        raise ArchiveError(f"{path}: holds the network {name!r}, expected {' or '.join(expected)}")
    if not isinstance(options, dict):
        raise ArchiveError(f"{path}: options are {options!r}, expected names and values")
    _check_sizes(path, options, sum(array.size for array in state.values()))
    try:
        network = _make("network", expected, name, 0, options)
        network.load_state(state)
    except MissingBackendError:
        raise
    except (ValueError, TypeError, LookupError) as error:
        raise ArchiveError(f"{path}: its {name} cannot be made: {error}") from error
    return Stored(network, name, options)


def _check_sizes(path: str | Path, options: Mapping[str, Any], held: int) -> None:
    """ArchiveError where an option asks for layers out of proportion to what the file holds.

    Weights go with the square of a layer's size: so no file has a network built that is much
    larger than itself.
    """
    for name, value in options.items():
        if name.endswith("seed") or name in NOT_SIZES:
            continue
        for size in np.ravel(np.asarray(value, dtype=object)):
            if isinstance(size, int) and size**2 > SMALL_NETWORK + 16 * held:
                raise ArchiveError(
                    f"{path}: the option {name} is {size}, but the file holds only "
                    f"{held} numbers; make it again or restore it from a copy"
                )


def load_network(path: str | Path, expected: Mapping[str, Any]) -> Any:
    """The network alone of `read_network`."""
    return read_network(path, expected).network


def _make(kind: str, table: dict, name: str, seed: int, options: dict[str, Any]) -> Any:
    if not isinstance(name, str) or name not in table:
        raise unknown(kind, str(name), table)
    module, factory = table[name]
    try:
        made = getattr(import_module(module), factory)
    except ModuleNotFoundError as error:
        raise MissingBackendError(
            f"{kind} '{name}' needs the package '{error.name}', which is not installed: "
            f"pip install {error.name}"
        ) from None
    known = inspect.signature(made).parameters.values()
    if all(one.kind is not one.VAR_KEYWORD for one in known):
        for option in options:
            if option not in {one.name for one in known}:
                raise unknown(f"option of {name}", option, [one.name for one in known])
    return made(seed=seed, **options)
