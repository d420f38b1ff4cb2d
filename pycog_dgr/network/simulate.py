"""The equations in plain numpy, for many trials at once: the oracle, and what RNN.run runs.

    x_t = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + brec + u_t Win^T + noise_t)
    r_t = f(x_t)
    z_t = g(r_t Wout^T + bout)                                             t = 1..T

Source: Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), eqs. 5-7, the Euler step of
tau dx/dt = -x + Wrec r + brec + Win u + noise. Weights are the effective ones: masks and Dale's
law are already in them.

    symbol   name      shape                unit
    alpha    alpha     () or (unit,)        dt / tau, dimensionless
    u        inputs    (time, trial, Nin)   dimensionless, noise and baseline included
    noise    noise     (time, trial, N)     dimensionless
    x, r     x, r      (time, trial, N)     dimensionless; x_0 is `start` or weights.x0
    z        z         (time, trial, Nout)  dimensionless
    f, g     names in ACTIVATIONS

The same equations stand in network.py for PyTensor and, in torch_dgr, for torch: written three
times on purpose, so that they can check each other.
"""

from typing import NamedTuple

import numpy as np

from pycog_dgr.errors import SettingError
from pycog_dgr.network.parameters import Weights

# -- activations ------------------------------------------------------------------------------


def linear(x):
    return x


def rectify(x):
    return np.maximum(x, 0)


def rectify_power(x, n=2):
    return rectify(x) ** n


def sigmoid(x):
    """1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def rtanh(x):
    return rectify(np.tanh(x))


def softplus(x):
    return np.logaddexp(0, x)


def softmax(x):
    """Over the last axis; the largest entry is subtracted first, so that nothing overflows."""
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


ACTIVATIONS = {
    f.__name__: f for f in (linear, rectify, rectify_power, sigmoid, rtanh, softplus, softmax)
} | {"tanh": np.tanh}


def activation(name):
    """The numpy function called `name`; SettingError lists the known ones."""
    try:
        return ACTIVATIONS[name]
    except KeyError:
        known = ", ".join(sorted(ACTIVATIONS))
        raise SettingError(f"unknown activation {name!r}; known are {known}") from None


# -- the network ------------------------------------------------------------------------------


class Simulation(NamedTuple):
    """Trajectories, t = 1..T: x and r (time, trial, N), z (time, trial, Nout)."""

    x: np.ndarray
    r: np.ndarray
    z: np.ndarray


def simulate(
    weights: Weights,
    inputs,
    noise,
    alpha,
    *,
    hidden_activation="rectify",
    output_activation="linear",
    start=None,
):
    """Integrate the network over all time steps of `noise`.

    weights  effective values; without Win the inputs are not used, without Wout z is r
    inputs   (time, trial, Nin) or None
    noise    (time, trial, N)
    alpha    dt / tau, a number or (N,)
    start    x_0, (N,) or (trial, N); weights.x0 where it is None

    Computes in the dtype of `noise`. Returns a Simulation.
    """
    f, g = activation(hidden_activation), activation(output_activation)
    dtype = noise.dtype
    n_time, n_trial, N = noise.shape
    alpha = np.asarray(alpha, dtype)
    Wrec_T = np.ascontiguousarray(weights.Wrec.T, dtype)

    drive = noise + weights.brec.astype(dtype)
    if weights.Win is not None:
        drive += inputs @ weights.Win.T.astype(dtype)

    x = np.empty((n_time, n_trial, N), dtype)
    r = np.empty_like(x)
    x_t = np.broadcast_to(weights.x0 if start is None else start, (n_trial, N)).astype(dtype)
    r_t = f(x_t)
    for t in range(n_time):
        x_t = step(x_t, r_t, Wrec_T, drive[t], alpha)
        r_t = f(x_t)
        x[t], r[t] = x_t, r_t
    return Simulation(x, r, outputs(r, weights, g))


def step(x, r, Wrec_T, drive, alpha):
    """One Euler step; x, r and drive (inputs, bias and noise together) are (trial, N)."""
    return (1 - alpha) * x + alpha * (r @ Wrec_T + drive)


def outputs(r, weights, g):
    """z = g(r Wout^T + bout); the rates themselves for a network without outputs."""
    if weights.Wout is None:
        return r
    rows = r.reshape(-1, r.shape[-1])  # one large product: numpy makes one a time step of many
    a = rows @ weights.Wout.T.astype(r.dtype) + weights.bout.astype(r.dtype)
    return g(a.reshape(*r.shape[:-1], -1))
