"""Outputs, their loss and its gradient in plain numpy: the reference for readout_numba.

z_t = g(a_t),  a_t = r_t Wout^T + bout                              g: linear, ..., softmax
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numpy import Function, rectify, sigmoid, softplus
from pycog_dgr.kernels.arrays import rows, times
from pycog_dgr.kernels.interface import EPSILON
from pycog_dgr.kernels.tuples import LossGradient, Outputs, Readout


def outputs(activation: str, a: NDArray, targets: NDArray, mask: NDArray) -> Outputs:
    z = G[activation](a)
    loss = np.sum(pointwise_loss(activation, a, z, targets) * mask, dtype=np.float64)
    squared_error = np.sum((z - targets) ** 2 * mask, dtype=np.float64)
    a[:] = z
    return Outputs(a, float(loss), float(squared_error))


def loss_gradient(
    readout: Readout, r: NDArray, targets: NDArray, mask: NDArray, out: NDArray | None = None
) -> LossGradient:
    a = output_current(readout, r)
    z = G[readout.activation](a)
    total = np.sum(mask, dtype=np.float64)
    loss = np.sum(pointwise_loss(readout.activation, a, z, targets) * mask, dtype=np.float64)
    share = mask / a.dtype.type(total)
    ga = gradient_by_current(readout.activation, a, z, targets, share)
    gr = np.empty_like(r) if out is None else out
    gr[:] = times(ga, readout.Wout)
    gWout, gbout = rows(ga).T @ rows(r), np.sum(ga, axis=(0, 1))
    return LossGradient(float(loss / total), gr, gWout, gbout)


def output_current(readout: Readout, r: NDArray) -> NDArray:
    """a (time, trial, Nout)."""
    return times(r, readout.Wout.T) + readout.bout


def softmax(a: NDArray) -> NDArray:
    e = np.exp(a - np.max(a, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


G: dict[str, Function] = {
    "linear": np.copy,
    "rectify": rectify,
    "rectify_power": lambda a: rectify(a) ** 2,
    "sigmoid": sigmoid,
    "softmax": softmax,
}


def pointwise_loss(activation: str, a: NDArray, z: NDArray, target: NDArray) -> NDArray:
    """l of each output, as objective.reported_loss has it."""
    if activation == "softmax":
        return -target * np.log(z + EPSILON)
    if activation == "sigmoid":
        return -target * np.log(z + EPSILON) + (1 - target) * softplus(a)
    return (z - target) ** 2


def gradient_by_current(
    activation: str, a: NDArray, z: NDArray, target: NDArray, share: NDArray
) -> NDArray:
    """d loss / d a, where `share` is mask / sum(mask)."""
    if activation == "softmax":
        gz = -share * target / (z + EPSILON)
        return z * (gz - np.sum(gz * z, axis=-1, keepdims=True))
    if activation == "sigmoid":
        gz = share * ((1 - target) / ((1 - z) + EPSILON) - target / (z + EPSILON))
        return gz * z * (1 - z)
    gz = 2 * share * (z - target)
    if activation == "rectify":
        return gz * np.heaviside(a, np.asarray(0.5, a.dtype))
    if activation == "rectify_power":
        return gz * 2 * rectify(a)
    return gz
