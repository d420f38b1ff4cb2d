"""The thesis' biological network, made from options that JSON can hold."""

from typing import Any

import numpy as np

from bridge.errors import SettingError

N_UNITS = 64  # of the thesis' network


def biological_rnn(
    seed: int,
    *,
    dale: bool = True,
    excitatory: float | None = None,
    plastic: float | None = None,
    Nin: int = 28,
    Nout: int = 10,
    **options: Any,
) -> Any:
    """A RateRNNClassifier; `options` are its own.

    Parameters
    ----------
    seed
        Of its initial weights, and of which connections there are.
    dale
        Whether each unit is excitatory or inhibitory; without, weights have either sign.
    excitatory
        Share of excitatory units; None for the thesis' 51 of 64.
    plastic
        Share of the N x N recurrent weights that exist, all of them plastic; None for all but
        self-connections. Up to there, pairs are drawn at random; 1 has self-connections too.
    Nin, Nout
        Inputs (columns of an image) and outputs (classes).

    Raises
    ------
    SettingError
        A share beyond what a network can have.
    """
    from pycog_dgr.training import RateRNNClassifier

    N = options.get("N", N_UNITS)
    if not dale:
        options["ei"] = None
    elif excitatory is not None:
        options["ei"] = _signs(N, excitatory)
    if plastic is not None:
        options["Crec"] = _connections(N, plastic, seed)
    return RateRNNClassifier(seed, Nin=Nin, Nout=Nout, **options)


def _signs(N: int, excitatory: float) -> np.ndarray:
    n_excitatory = round(excitatory * N)
    if not 0 < n_excitatory < N:
        raise SettingError(
            f"excitatory is {excitatory}: of {N} units some must be excitatory and some inhibitory"
        )
    return np.repeat([1, -1], [n_excitatory, N - n_excitatory])


def _connections(N: int, plastic: float, seed: int) -> Any:
    from pycog_dgr.config import Connectivity

    if not 0 < plastic <= 1:
        raise SettingError(f"plastic is {plastic}; it is a share of all connections, in (0, 1]")
    pairs = N * (N - 1)
    if plastic * N * N > pairs:
        return Connectivity(np.ones((N, N)))
    return Connectivity(N, p=plastic * N * N / pairs, seed=seed)
