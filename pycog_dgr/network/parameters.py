"""Raw parameters, and the effective weights that the equations use: masks first, then Dale's law.

    W_masked = mask_plastic * W + mask_fixed
    Win_eff  = pos(Win_masked)
    Wrec_eff = pos(Wrec_masked) * ei
    Wout_eff = pos(Wout_masked) * ei

without an excitatory/inhibitory signature `ei` the effective weights are the masked ones. Time
constants, where they are trained, stay between their bounds:

    tau = dt / (alpha_min + (alpha_max - alpha_min) sigmoid(alpha_logit))

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 12-16.

| symbol       | name                    | shape             | unit |
|--------------|-------------------------|-------------------|------|
| W            | raw weights, trained    | (post, pre)       | 1    |
| mask_plastic | 1 where W is trained    | (post, pre)       | 1    |
| mask_fixed   | weights that never move | (post, pre)       | 1    |
| ei           | +1 or -1 a unit         | (N,), presynaptic | 1    |
| pos          | rectification or |.|    |                   |      |
| alpha_logit  | raw time constants      | (N,)              | 1    |
| tau          | effective ones          | (N,)              | ms   |
| alpha_min    | dt / the upper bound    | ()                | 1    |
| alpha_max    | dt / the lower bound    | ()                | 1    |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import Connectivity, NetworkConfig
from pycog_dgr.kernels import sigmoid

Array = TypeVar("Array")  # a numpy array, or a PyTensor variable
POSITIVE: dict[str, Callable[[NDArray], NDArray]] = {  # of setting ei_positive_func
    "rectify": lambda W: np.maximum(W, 0),
    "abs": np.abs,
}


class Parameters(NamedTuple, Generic[Array]):
    """Raw values, the ones that are trained; None where the network has no such matrix.

    Shapes: Win (N, Nin), Wrec (N, N), Wout (Nout, N), brec (N,), bout (Nout,), x0 (N,),
    alpha_logit (N,). numpy arrays, or PyTensor variables in symbolic/.
    """

    Win: Array | None
    Wrec: Array
    Wout: Array | None
    brec: Array
    bout: Array
    x0: Array
    alpha_logit: Array | None = None  # where tau is trained


class Weights(NamedTuple, Generic[Array]):
    """Effective values, the ones in the equations; shapes as in `Parameters`, tau (N,) in ms."""

    Win: Array | None
    Wrec: Array
    Wout: Array | None
    brec: Array
    bout: Array
    x0: Array
    tau: Array | None = None  # where it is trained; else that of the settings holds


def effective_weights(raw: Parameters[NDArray], network: NetworkConfig) -> Weights[NDArray]:
    """Masks first, then Dale's law, on numpy arrays.

    Parameters
    ----------
    raw : Parameters
        Raw values, of any floating-point type.
    network : NetworkConfig
        Its connectivities, `ei` and `ei_positive_func` decide.

    Returns
    -------
    Weights
        Effective values in the types of `raw`, copied: later training changes nothing in them.
    """
    Win = None if raw.Win is None else masked(raw.Win, network.Cin)
    Wrec = masked(raw.Wrec, network.Crec)
    Wout = None if raw.Wout is None else masked(raw.Wout, network.Cout)
    if network.ei is not None:
        positive = POSITIVE[network.ei_positive_func]
        Win = None if Win is None else positive(Win)
        Wrec = positive(Wrec) * network.ei.astype(Wrec.dtype)
        Wout = None if Wout is None else positive(Wout) * network.ei.astype(Wout.dtype)
    tau = trained_tau(raw.alpha_logit, network) if network.train_tau else None
    return Weights(Win, Wrec, Wout, raw.brec.copy(), raw.bout.copy(), raw.x0.copy(), tau)


def trained_tau(alpha_logit: Any, network: NetworkConfig) -> NDArray:
    """Effective time constants.

    Parameters
    ----------
    alpha_logit : ndarray of shape (N,)
        Raw ones.
    network : NetworkConfig
        Gives dt and the bounds.

    Returns
    -------
    ndarray of shape (N,)
        In ms, between network.tau_bounds; in alpha_logit's type.
    """
    dtype = alpha_logit.dtype
    alpha_min, alpha_max = network.alpha_bounds
    alpha = alpha_min + (alpha_max - alpha_min) * sigmoid(alpha_logit)
    return np.maximum(network.dt / alpha, network.tau_bounds[0]).astype(dtype)


def alpha_logit_of(tau: NDArray, network: NetworkConfig) -> NDArray:
    """The raw values of time constants.

    Parameters
    ----------
    tau : ndarray of shape (N,)
        In ms, inside network.tau_bounds.
    network : NetworkConfig
        Gives dt and the bounds.

    Returns
    -------
    ndarray of shape (N,)
        alpha_logit, of which `effective_weights` makes tau again.
    """
    alpha_min, alpha_max = network.alpha_bounds
    share = (network.dt / tau - alpha_min) / (alpha_max - alpha_min)
    return np.log(share / (1 - share))


def alpha_of(weights: Weights[NDArray], network: NetworkConfig) -> float | NDArray:
    """The ratio dt / tau.

    Parameters
    ----------
    weights : Weights
        Effective; their tau holds where it is trained.
    network : NetworkConfig
        Gives dt, and tau where it is not.

    Returns
    -------
    float or ndarray of shape (N,)
        Dimensionless.
    """
    return network.alpha if weights.tau is None else network.dt / weights.tau


def masked(W: NDArray, connectivity: Connectivity | None) -> NDArray:
    """mask_plastic * W + mask_fixed, in W's type; W copied where every connection is plastic."""
    if connectivity is None:
        return W.copy()
    return connectivity.mask_plastic.astype(W.dtype) * W + connectivity.mask_fixed.astype(W.dtype)
