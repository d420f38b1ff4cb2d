"""Other weights than the trained ones: checked against shape, signs and absent connections.

    rnn.Wrec = 0.9 * rnn.Wrec
    rnn.lesion(units=[3, 4], connections=mask)
    rnn.restore()

Nothing of this touches the save file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.config import NetworkConfig
from pycog_dgr.errors import SettingError
from pycog_dgr.network import Weights

MASKS = {"Win": "Cin", "Wrec": "Crec", "Wout": "Cout"}


def checked_weights(
    name: str, value: ArrayLike, weights: Weights, network: NetworkConfig
) -> NDArray:
    """A copy of `value` as an effective weight matrix, bias or initial state of the network.

    Parameters
    ----------
    name
        'Win', 'Wrec', 'Wout', 'brec', 'bout' or 'x0'.
    value
        Of the shape and number type of the present one.

    Raises
    ------
    SettingError
        For another shape, numbers that are not finite, a sign that Dale's law forbids, or a weight
        where the network has no connection; it names the first such place.
    """
    present = getattr(weights, name)
    if present is None:
        raise SettingError(f"{name}: this network has none")
    array = np.array(value, dtype=present.dtype)
    if array.shape != present.shape:
        raise SettingError(f"{name}: expected shape {present.shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise SettingError(f"{name}: holds numbers that are not finite")
    if name in MASKS:
        _expect_signs(name, array, network)
        _expect_connections(name, array, getattr(network, MASKS[name]))
    return array


def _expect_signs(name: str, W: NDArray, network: NetworkConfig) -> None:
    if network.ei is None:
        return
    signs = np.ones(W.shape[1]) if name == "Win" else network.ei
    wrong = np.argwhere(W * signs < 0)
    if len(wrong):
        post, pre = wrong[0].tolist()
        kind = "an input" if name == "Win" else f"{'ex' if signs[pre] > 0 else 'in'}citatory"
        kind = kind.replace("incitatory", "inhibitory")
        raise SettingError(
            f"{name}[{post}, {pre}] is {W[post, pre]:g}, but column {pre} is {kind} under Dale's "
            f"law ({len(wrong)} such weights); give the other sign, or 0"
        )


def _expect_connections(name: str, W: NDArray, connectivity: Any) -> None:
    if connectivity is None:
        return
    there = (connectivity.mask_plastic != 0) | (connectivity.mask_fixed != 0)
    wrong = np.argwhere((W != 0) & ~there)
    if len(wrong):
        post, pre = wrong[0].tolist()
        raise SettingError(
            f"{name}[{post}, {pre}] is {W[post, pre]:g}, where the network has no connection "
            f"({len(wrong)} such weights); set them to 0"
        )


def lesioned(
    weights: Weights, units: Sequence[int] | NDArray = (), connections: ArrayLike | None = None
) -> Weights:
    """The weights without some units and some recurrent connections.

    Parameters
    ----------
    units
        Indices, or (N,) of bool. What reaches a lesioned unit and what it sends is cut, its bias
        and initial state are 0; its own rate then shows nothing but noise.
    connections
        (N, N) of bool, post x pre: recurrent weights that are cut.

    Raises
    ------
    SettingError
        For a unit that is not there, or a mask of another shape.
    """
    N = len(weights.Wrec)
    which = _which(units, N)
    cut = np.zeros((N, N), bool)
    if connections is not None:
        cut = np.asarray(connections)
        if cut.shape != (N, N) or cut.dtype.kind != "b":
            raise SettingError(
                f"lesion: connections must be ({N}, {N}) of bool, post x pre, not {cut.shape} of "
                f"{cut.dtype}"
            )
    cut = cut | which[:, np.newaxis] | which
    return weights._replace(
        Win=None if weights.Win is None else np.where(which[:, np.newaxis], 0, weights.Win),
        Wrec=np.where(cut, 0, weights.Wrec),
        Wout=None if weights.Wout is None else np.where(which, 0, weights.Wout),
        brec=np.where(which, 0, weights.brec),
        x0=np.where(which, 0, weights.x0),
    )


def _which(units: Sequence[int] | NDArray, N: int) -> NDArray:
    """(N,) of bool."""
    given = np.asarray(units)
    if given.dtype.kind == "b" and given.shape == (N,):
        return given
    if given.size and (given.dtype.kind not in "iu" or given.ndim != 1):
        raise SettingError(f"lesion: units must be indices, or ({N},) of bool, not {units!r}")
    outside = [int(unit) for unit in given if not 0 <= unit < N]
    if outside:
        raise SettingError(f"lesion: there is no unit {outside[0]}; the network has {N}")
    which = np.zeros(N, bool)
    which[given.astype(int)] = True
    return which
