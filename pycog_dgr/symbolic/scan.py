"""The network's equations in PyTensor: raw weights -> effective weights -> states -> outputs.

    x_t = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + brec + u_t Win^T + noise_t)
    r_t = f(x_t)
    z_t = g(r_t Wout^T + bout)

Source: Song, Yang and Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 5-7.

| symbol | name              | shape                | unit |
|--------|-------------------|----------------------|------|
| u      | inputs            | (time, trial, Nin)   | 1    |
| noise  | recurrent noise   | (time, trial, N)     | 1    |
| x, r   | states, rates     | (time, trial, N)     | 1    |
| z      | outputs           | (time, trial, Nout)  | 1    |
| alpha  | dt / tau          | scalar or (N,)       | 1    |
| Wrec   | effective weights | (post, pre) = (N, N) | 1    |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import Connectivity, NetworkConfig
from pycog_dgr.network import Parameters, Weights
from pycog_dgr.symbolic.activations import HIDDEN, OUTPUT, rectify
from pycog_dgr.symbolic.numpy_mode import numpy_mode

Variables = dict[str, TensorVariable]


class States(NamedTuple):
    """States and rates at t = 1..T, both (time, trial, N)."""

    x: TensorVariable
    r: TensorVariable


Recurrence = Callable[[Weights, TensorVariable, TensorVariable, NetworkConfig], States]


def effective_weights(raw: Parameters, network: NetworkConfig) -> Weights:
    """Masks first, then Dale's law, on symbolic raw parameters."""
    Win = masked(raw.Win, network.Cin)
    Wrec = masked(raw.Wrec, network.Crec)
    Wout = masked(raw.Wout, network.Cout)
    if network.ei is not None:
        positive = abs if network.ei_positive_func == "abs" else rectify
        ei = pt.constant(network.ei.astype(raw.Wrec.dtype), name="ei")
        Win = None if Win is None else positive(Win)
        Wrec = positive(Wrec) * ei
        Wout = None if Wout is None else positive(Wout) * ei
    return Weights(Win, Wrec, Wout, raw.brec, raw.bout, raw.x0)


def masked(W: TensorVariable | None, connectivity: Connectivity | None) -> TensorVariable | None:
    if W is None or connectivity is None:
        return W
    plastic = pt.constant(connectivity.mask_plastic.astype(W.dtype))
    return plastic * W + connectivity.mask_fixed.astype(W.dtype)


def alpha_of(network: NetworkConfig, dtype: str) -> TensorVariable:
    """dt / tau as a constant: scalar, or (N,) where tau is one per unit.

    As in the original a vector is divided in `dtype` and a scalar in double precision.
    """
    if np.ndim(network.tau):
        alpha = np.asarray(network.dt, dtype) / network.tau.astype(dtype)
    else:
        alpha = np.asarray(network.alpha, dtype)
    return pt.constant(alpha, name="alpha")


def integrate_by_scan(
    weights: Weights, inputs: TensorVariable, noise: TensorVariable, network: NetworkConfig
) -> States:
    """The recurrence as PyTensor's scan: the reference that reads like the paper."""
    f = HIDDEN[network.hidden_activation].value
    alpha = alpha_of(network, noise.dtype)
    Win, Wrec, _, brec, _, x0 = weights

    def step(u_t, noise_t, x, r):
        current = pt.dot(r, Wrec.T) + brec + noise_t
        if Win is not None:
            current += pt.dot(u_t, Win.T)
        x_t = (1 - alpha) * x + alpha * current
        return x_t, f(x_t)

    x_start = pt.alloc(x0, noise.shape[1], network.N)
    x, r = pytensor.scan(
        step,
        sequences=[inputs, noise],
        outputs_info=[x_start, f(x_start)],
        mode=numpy_mode(loops=True),
        return_updates=False,
    )
    return States(x, r)


def output_current(r: TensorVariable, weights: Weights) -> TensorVariable:
    """a = r Wout^T + bout (time, trial, Nout), from rates r; the rates themselves if Nout = 0."""
    return r if weights.Wout is None else pt.dot(r, weights.Wout.T) + weights.bout


def outputs(a: TensorVariable, network: NetworkConfig) -> TensorVariable:
    """z = g(a) (time, trial, Nout); a itself if Nout = 0."""
    return OUTPUT[network.output_activation](a) if network.Nout else a
