"""The network's equations in PyTensor: raw weights -> effective weights -> states -> outputs.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)
    z_t     = g(r_t Wout^T + bout)                                          t = 1..T

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 1-3,
discretised by Euler's method as in its eqs. 5-7.

| symbol | name              | shape                | unit |
|--------|-------------------|----------------------|------|
| u      | inputs            | (time, trial, Nin)   | 1    |
| noise  | recurrent noise   | (time, trial, N)     | 1    |
| x, r   | states, rates     | (time, trial, N)     | 1    |
| z      | outputs           | (time, trial, Nout)  | 1    |
| alpha  | dt / tau          | () or (N,)           | 1    |
| Wrec   | effective weights | (post, pre) = (N, N) | 1    |
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import Connectivity, NetworkConfig
from pycog_dgr.network import Parameters, Weights
from pycog_dgr.symbolic.activations import HIDDEN, OUTPUT, Function, rectify
from pycog_dgr.symbolic.numpy_mode import numpy_mode


class States(NamedTuple):
    """States and rates at t = 1..T, both (time, trial, N)."""

    x: TensorVariable
    r: TensorVariable


# --- weights -------------------------------------------------------------------------------------


def effective_weights(
    raw: Parameters[TensorVariable], network: NetworkConfig
) -> Weights[TensorVariable]:
    """Masks first, then Dale's law, as in network/parameters.py."""
    Win = None if raw.Win is None else masked(raw.Win, network.Cin)
    Wrec = masked(raw.Wrec, network.Crec)
    Wout = None if raw.Wout is None else masked(raw.Wout, network.Cout)
    if network.ei is not None:
        positive = abs if network.ei_positive_func == "abs" else rectify
        ei = pt.constant(network.ei.astype(raw.Wrec.dtype), name="ei")
        Win = None if Win is None else positive(Win)
        Wrec = positive(Wrec) * ei
        Wout = None if Wout is None else positive(Wout) * ei
    tau = trained_tau(raw.alpha_logit, network) if network.train_tau else None
    return Weights(Win, Wrec, Wout, raw.brec, raw.bout, raw.x0, tau)


def masked(W: TensorVariable, connectivity: Connectivity | None) -> TensorVariable:
    """mask_plastic * W + mask_fixed, in W's type."""
    if connectivity is None:
        return W
    plastic = pt.constant(connectivity.mask_plastic.astype(W.dtype))
    return plastic * W + connectivity.mask_fixed.astype(W.dtype)


def trained_tau(alpha_logit: Any, network: NetworkConfig) -> TensorVariable:
    """Effective time constants (N,), ms, as in network/parameters.py."""
    constants = (*network.alpha_bounds, network.dt, network.tau_bounds[0])
    alpha_min, alpha_max, dt, low = (np.asarray(c, alpha_logit.dtype) for c in constants)
    alpha = alpha_min + (alpha_max - alpha_min) * pt.sigmoid(alpha_logit)
    return pt.maximum(dt / alpha, low)


def alpha_of(
    weights: Weights[TensorVariable], network: NetworkConfig, dtype: str
) -> TensorVariable:
    """The ratio dt / tau: (N,) where tau is trained, else a constant, () or (N,).

    As in the original a constant vector is divided in `dtype` and a scalar in double precision.
    """
    if weights.tau is not None:
        return np.asarray(network.dt, dtype) / weights.tau
    if np.ndim(network.tau):
        alpha = np.asarray(network.dt, dtype) / np.asarray(network.tau, dtype)
    else:
        alpha = np.asarray(network.alpha, dtype)
    return pt.constant(alpha, name="alpha")


# --- the equations -------------------------------------------------------------------------------


def integrate_by_scan(
    weights: Weights[TensorVariable],
    inputs: TensorVariable,
    noise: TensorVariable,
    network: NetworkConfig,
) -> States:
    """The recurrence as PyTensor's scan: the reference that reads like the paper.

    Parameters
    ----------
    weights : Weights
        Effective, symbolic.
    inputs, noise : TensorVariable
        (time, trial, Nin) and (time, trial, N).
    network : NetworkConfig
        Gives f and alpha.

    Returns
    -------
    States
    """
    f = HIDDEN[network.hidden_activation].f
    alpha = alpha_of(weights, network, noise.dtype)
    x_start: Any = pt.alloc(weights.x0, noise.shape[1], network.N)
    states: Any = pytensor.scan(
        lambda drive_t, x_prev, r_prev: step(x_prev, r_prev, drive_t, weights.Wrec, alpha, f),
        sequences=[drive(inputs, noise, weights)],
        outputs_info=[x_start, f(x_start)],
        mode=numpy_mode(loops=True),
        return_updates=False,
    )
    return States(*states)


def drive(
    inputs: TensorVariable, noise: TensorVariable, weights: Weights[TensorVariable]
) -> TensorVariable:
    """What reaches the units from outside (time, trial, N)."""
    if weights.Win is None:
        return weights.brec + noise
    return pt.dot(inputs, weights.Win.T) + weights.brec + noise


def step(
    x_prev: TensorVariable,
    r_prev: TensorVariable,
    drive_t: TensorVariable,
    Wrec: TensorVariable,
    alpha: TensorVariable,
    f: Function,
) -> tuple[TensorVariable, TensorVariable]:
    """States and rates (trial, N) one time step on."""
    x_t = (1 - alpha) * x_prev + alpha * (pt.dot(r_prev, Wrec.T) + drive_t)
    r_t = f(x_t)
    return x_t, r_t


def output_current(r: TensorVariable, weights: Weights[TensorVariable]) -> TensorVariable:
    """a = r Wout^T + bout (time, trial, Nout), from rates r; the rates themselves if Nout = 0."""
    return r if weights.Wout is None else pt.dot(r, weights.Wout.T) + weights.bout


def outputs(a: TensorVariable, network: NetworkConfig) -> TensorVariable:
    """z = g(a) (time, trial, Nout); a itself if Nout = 0."""
    return OUTPUT[network.output_activation](a) if network.Nout else a
