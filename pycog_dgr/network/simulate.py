"""The network's equations in plain numpy, for many trials at once: what every backend is held to.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)
    z_t     = g(r_t Wout^T + bout)                                          t = 1..T

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 1-3,
discretised by Euler's method as in its eqs. 5-7. Weights are the effective ones: masks and Dale's
law are already in them.

| symbol | name              | shape                | unit |
|--------|-------------------|----------------------|------|
| u      | inputs            | (time, trial, Nin)   | 1    |
| noise  | recurrent noise   | (time, trial, N)     | 1    |
| x, r   | states, rates     | (time, trial, N)     | 1    |
| z      | outputs           | (time, trial, Nout)  | 1    |
| alpha  | dt / tau          | () or (N,)           | 1    |
| Wrec   | effective weights | (post, pre) = (N, N) | 1    |

The same equations stand in symbolic/scan.py for PyTensor and in torch_dgr for torch, written anew
on purpose, so that they can check each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.network.activations import Function, activation
from pycog_dgr.network.parameters import Weights


class Simulation(NamedTuple):
    """Trajectories at t = 1..T."""

    x: NDArray  # (time, trial, N)
    r: NDArray  # (time, trial, N)
    z: NDArray  # (time, trial, Nout)


def simulate(
    weights: Weights,
    inputs: NDArray | None,
    noise: NDArray,
    alpha: ArrayLike,
    *,
    hidden_activation: str = "rectify",
    output_activation: str = "linear",
    start: NDArray | None = None,
) -> Simulation:
    """Integrate the network over all time steps of `noise`, in its number type.

    Parameters
    ----------
    weights : Weights
        Effective values; without Win the inputs are not used, without Wout z is r.
    inputs : ndarray of shape (time, trial, Nin), or None
        Baseline and noise included.
    noise : ndarray of shape (time, trial, N)
        Recurrent noise.
    alpha : float or ndarray of shape (N,)
        dt / tau, dimensionless.
    hidden_activation, output_activation : str
        Names of f and g.
    start : ndarray of shape (N,) or (trial, N), optional
        x_0; weights.x0 where it is None.

    Returns
    -------
    Simulation

    Raises
    ------
    SettingError
        For the name of an activation that does not exist.
    """
    f, g = activation(hidden_activation), activation(output_activation)
    dtype = noise.dtype
    n_trial, N = noise.shape[1:]
    weights = Weights(*(W if W is None else W.astype(dtype) for W in weights))
    alpha = np.asarray(alpha, dtype)

    x, r = np.empty_like(noise), np.empty_like(noise)
    x_t = np.broadcast_to(weights.x0 if start is None else start, (n_trial, N)).astype(dtype)
    r_t = f(x_t)
    for t, drive_t in enumerate(drive(inputs, noise, weights)):
        x_t, r_t = step(x_t, r_t, drive_t, weights.Wrec, alpha, f)
        x[t], r[t] = x_t, r_t
    return Simulation(x, r, outputs(r, weights, g))


def drive(inputs: NDArray | None, noise: NDArray, weights: Weights) -> NDArray:
    """What reaches the units from outside (time, trial, N)."""
    if weights.Win is None:
        return weights.brec + noise
    return inputs @ weights.Win.T + weights.brec + noise


def step(
    x_prev: NDArray, r_prev: NDArray, drive_t: NDArray, Wrec: NDArray, alpha: NDArray, f: Function
) -> tuple[NDArray, NDArray]:
    """States and rates (trial, N) one time step on.

    Parameters
    ----------
    x_prev, r_prev
        States and rates (trial, N) one time step before.
    drive_t
        u_t Win^T + brec + noise_t (trial, N).
    Wrec
        Effective recurrent weights (N, N).
    alpha
        dt / tau, () or (N,).
    f
        The hidden activation.

    Returns
    -------
    ndarray, ndarray
        x_t and r_t (trial, N).
    """
    x_t = (1 - alpha) * x_prev + alpha * (r_prev @ Wrec.T + drive_t)
    r_t = f(x_t)
    return x_t, r_t


def outputs(r: NDArray, weights: Weights, g: Function) -> NDArray:
    """Outputs z (time, trial, Nout); the rates themselves for a network without outputs.

    Parameters
    ----------
    r
        Rates (time, trial, N).
    weights
        Effective weights.
    g
        The output activation.

    Returns
    -------
    ndarray
        (time, trial, Nout).
    """
    if weights.Wout is None:
        return r
    rows = r.reshape(-1, r.shape[-1])  # one large product: numpy makes one a time step of many
    a = rows @ weights.Wout.T.astype(r.dtype) + weights.bout.astype(r.dtype)
    return g(a.reshape(*r.shape[:-1], -1))
