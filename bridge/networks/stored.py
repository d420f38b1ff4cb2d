"""Networks in files: the state of one, with the name and the options that make it anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridge.errors import ArchiveError, MissingBackendError
from bridge.files import archive
from bridge.networks.interface import Network
from bridge.networks.registry import Table, make
from pycog_dgr.files.npz import shortened

KIND = "dgr network"
NOT_SIZES = ("max_iter", "patience", "checkfreq")  # options that may be large in a small network
SMALL_NETWORK = 10**6  # weights: options of networks up to here are not compared with the file


class Stored(NamedTuple):
    """A network from a file, with the name and options that make one like it."""

    network: Any
    name: str
    options: dict[str, Any]


def save_network(path: str | Path, network: Network, name: str, options: Mapping[str, Any]) -> None:
    """Write a network to one file, whole or not at all.

    Parameters
    ----------
    path
        The file to write or to replace.
    network
        A solver or a generator.
    name, options
        What made it, as of `make_solver` or `make_generator`.
    """
    archive.save(path, KIND, network.state(), name=name, options=dict(options))


def read_network(path: str | Path, table: Table) -> Stored:
    """The solver or generator in a file of `save_network`.

    Parameters
    ----------
    path
        The file.
    table
        SOLVERS or GENERATORS: where the network must come from.

    Returns
    -------
    Stored
        The network, its name and its options.

    Raises
    ------
    ArchiveError
        The file is damaged, or holds another kind of network.
    MissingBackendError
        The package that computes it is not installed.
    """
    state, metadata = archive.load(path, KIND)
    name, options = metadata.get("name"), metadata.get("options", {})
    if not isinstance(name, str) or name not in table:
        raise ArchiveError(
            f"{path}: holds the network {shortened(name, 40)!r}, expected {' or '.join(table)}"
        )
    if not isinstance(options, dict):
        raise ArchiveError(f"{path}: options are {shortened(options)}, expected names and values")
    _check_sizes(path, options, sum(array.size for array in state.values()))
    try:
        network = make("network", table, name, 0, options)
        network.load_state(state)
    except MissingBackendError:
        raise
    except (ValueError, TypeError, LookupError) as error:
        raise ArchiveError(f"{path}: its {name} cannot be made: {error}") from error
    return Stored(network, name, options)


def load_network(path: str | Path, table: Table) -> Any:
    """The network alone of `read_network`.

    Parameters
    ----------
    path
        A file of `save_network`.
    table
        SOLVERS or GENERATORS: where the network must come from.

    Returns
    -------
    Solver or Generator
        As it was saved.
    """
    return read_network(path, table).network


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
                    f"{path}: the option {shortened(name, 40)} is {shortened(size, 40)}, but the "
                    f"file holds only {held} numbers; make it again or restore it from a copy"
                )
