"""Solvers and generators: what replay needs of a network, whichever backend computes it."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from bridge import archive
from bridge.errors import ArchiveError, MissingBackendError, unknown

KIND = "dgr network"

OnIteration = Callable[[int, dict[str, float]], None]

SOLVERS = {
    "lstm": ("torch_dgr.lstm", "LSTMClassifier"),
    "biornn": ("pycog_dgr.classifier", "RateRNNClassifier"),
}
GENERATORS = {"gan": ("torch_dgr.gan", "GAN")}


class Solver(Protocol):
    """A classifier of image sequences. `state` holds all that training goes on from."""

    def fit(self, images: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None, *,
            iterations: int, rng: np.random.Generator, batch_size: int = 64,
            on_iteration: OnIteration | None = None) -> None:
        """Train on images (trial, 28, 28), targets (trial, class), weights (trial,)."""

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities (trial, class)."""

    def state(self) -> dict[str, np.ndarray]: ...

    def load_state(self, state: dict[str, np.ndarray]) -> None: ...


class Generator(Protocol):
    """A model of images. It never sees a label, so one serves every solver."""

    def fit(self, images: np.ndarray, *, iterations: int, rng: np.random.Generator,
            on_iteration: OnIteration | None = None) -> None:
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


def save_network(path: str | Path, network: Solver | Generator, name: str,
                 options: Mapping[str, Any]) -> None:
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
    if name not in expected:
        raise ArchiveError(f"{path}: holds the network '{name}', expected {' or '.join(expected)}")
    network = _make("network", expected, name, 0, options)
    network.load_state(state)
    return Stored(network, name, options)


def load_network(path: str | Path, expected: Mapping[str, Any]) -> Any:
    """The network alone of `read_network`."""
    return read_network(path, expected).network


def _make(kind: str, table: dict, name: str, seed: int, options: dict[str, Any]) -> Any:
    if name not in table:
        raise unknown(kind, name, table)
    module, factory = table[name]
    try:
        made = getattr(import_module(module), factory)
    except ModuleNotFoundError as error:
        raise MissingBackendError(
            f"{kind} '{name}' needs the package '{error.name}', which is not installed: "
            f"pip install {error.name}"
        ) from None
    return made(seed=seed, **options)
