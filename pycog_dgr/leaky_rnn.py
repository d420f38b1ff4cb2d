"""The fast path: the whole recurrence as one PyTensor Op, differentiated by hand.

    forward, t = 1..T     x_t = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
                          r_t = f(x_t)                   drive_t = brec + u_t Win^T + noise_t
    backward, t = T..1    S_t = (alpha D_{t+1}) Wrec,  S_T = 0
                          D_t = gx_t + (gr_t + S_t) * f'(x_t) + (1 - alpha) D_{t+1},  D_{T+1} = 0
    cotangents            drive_t: alpha D_t      Wrec: sum_t (alpha D_t)^T r_{t-1}
                          x_0: sum_trials (alpha D_1) Wrec * f'(x_0) + (1 - alpha) D_1

The equations are those of network.py; D and S are also what Omega needs (objective.py), so S is
computed once. Both Ops run as numpy calling BLAS: nothing to compile, hence no cold start.

| symbol | name                                      | shape            | unit |
|--------|-------------------------------------------|------------------|------|
| drive  | all of the current that is not recurrent  | (time, trial, N) | 1    |
| x, r   | states, rates                             | (time, trial, N) | 1    |
| gx, gr | cotangents of x and r                     | (time, trial, N) | 1    |
| D, S   | total derivative by x_t; its way back     | (time[-1], trial, N) | 1 |
| f'     | the gradient of f (rectification: 0.5 at 0) |                | 1    |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import NetworkConfig
from pycog_dgr.connectivity import Weights
from pycog_dgr.network import States, alpha_of

# --- activations on arrays: the value into `out`, and the gradient from x and r = f(x) ------------


class Rate(NamedTuple):
    """f and its gradient on arrays of any shape."""

    value: Callable[[NDArray, NDArray], Any]  # (x, out): out <- f(x)
    slope: Callable[[NDArray, NDArray], NDArray]  # (x, r) -> f'(x)


def copy_into(x: NDArray, out: NDArray) -> None:
    np.copyto(out, x)


def rectify(x: NDArray, out: NDArray) -> None:
    np.abs(x, out=out)
    out += x
    out *= 0.5


def step_half_at_zero(x: NDArray, _: NDArray) -> NDArray:
    slope = (x > 0).astype(x.dtype)
    at_zero = x == 0
    if at_zero.any():
        slope[at_zero] = 0.5
    return slope


def rectify_power(x: NDArray, out: NDArray) -> None:
    rectify(x, out)
    out *= out


def rectify_power_slope(x: NDArray, _: NDArray) -> NDArray:
    slope = np.empty_like(x)
    rectify(x, slope)
    slope *= 2
    return slope


def sigmoid(x: NDArray, out: NDArray) -> None:
    """1 / (1 + e^-x), through e^-|x| so that nothing overflows."""
    small = np.exp(-np.abs(x))
    np.divide(np.where(x >= 0, 1, small), 1 + small, out=out)


def sigmoid_of(x: NDArray) -> NDArray:
    out = np.empty_like(x)
    sigmoid(x, out)
    return out


def rtanh(x: NDArray, out: NDArray) -> None:
    rectify(np.tanh(x), out)


def softplus(x: NDArray, out: NDArray) -> None:
    np.logaddexp(0, x, out=out)


RATES = {
    "linear": Rate(copy_into, lambda x, _: np.ones_like(x)),
    "rectify": Rate(rectify, step_half_at_zero),
    "rectify_power": Rate(rectify_power, rectify_power_slope),
    "sigmoid": Rate(sigmoid, lambda _, r: r * (1 - r)),
    "tanh": Rate(lambda x, out: np.tanh(x, out=out), lambda _, r: 1 - r**2),
    "rtanh": Rate(rtanh, lambda x, r: step_half_at_zero(x, r) * (1 - np.tanh(x) ** 2)),
    "softplus": Rate(softplus, lambda x, _: sigmoid_of(x)),
}

# --- the recurrence on arrays ---------------------------------------------------------------------


def forward(
    drive: NDArray, x0: NDArray, Wrec: NDArray, alpha: NDArray, rate: Rate
) -> tuple[NDArray, NDArray]:
    """States and rates at t = 1..T, both (time, trial, N)."""
    x, r = np.empty_like(drive), np.empty_like(drive)
    leak, WrecT = 1 - alpha, Wrec.T
    x_before = np.broadcast_to(x0, drive.shape[1:])
    r_before = np.empty(drive.shape[1:], drive.dtype)
    rate.value(x_before, r_before)
    current = np.empty_like(r_before)
    for x_t, r_t, drive_t in zip(x, r, drive, strict=True):
        np.dot(r_before, WrecT, out=current)
        current += drive_t
        current *= alpha
        np.multiply(x_before, leak, out=x_t)
        x_t += current
        rate.value(x_t, r_t)
        x_before, r_before = x_t, r_t
    return x, r


class Cotangents(NamedTuple):
    """What the backward pass returns; D (time, trial, N), S (time - 1, trial, N), t = 1..T-1."""

    D: NDArray
    S: NDArray
    Wrec: NDArray  # (N, N)
    x0: NDArray  # (N,)


def backward(
    x: NDArray,
    r: NDArray,
    gx: NDArray | None,
    gr: NDArray,
    x0: NDArray,
    Wrec: NDArray,
    alpha: NDArray,
    rate: Rate,
) -> Cotangents:
    """From the cotangents of x (None: zero) and r to those of everything that made them."""
    n_time, n_trial, N = x.shape
    leak, alpha_Wrec = 1 - alpha, alpha[..., np.newaxis] * Wrec
    slope = rate.slope(x, r)
    D = np.empty_like(x)
    S = np.empty((n_time - 1, n_trial, N), x.dtype)
    leaked = np.empty((n_trial, N), x.dtype)

    np.multiply(gr[-1], slope[-1], out=D[-1])
    if gx is not None:
        D += gx
    for t in range(n_time - 2, -1, -1):
        np.dot(D[t + 1], alpha_Wrec, out=S[t])
        D_t = D[t]
        if gx is None:
            np.add(gr[t], S[t], out=D_t)
            D_t *= slope[t]
        else:
            np.add(gr[t], S[t], out=leaked)
            np.multiply(leaked, slope[t], out=D_t)
            D_t += gx[t]
        np.multiply(D[t + 1], leak, out=leaked)
        D_t += leaked

    D_first = D[0].sum(axis=0)
    r0 = np.empty_like(x0)
    rate.value(x0, r0)
    gWrec = np.dot(D[1:].reshape(-1, N).T, r[:-1].reshape(-1, N))
    gWrec += np.outer(D_first, r0)
    gWrec *= alpha[..., np.newaxis]
    gx0 = np.dot(D_first, alpha_Wrec) * rate.slope(x0, r0) + leak * D_first
    return Cotangents(D, S, gWrec, gx0)


# --- the Ops --------------------------------------------------------------------------------------


class LeakyRNN(Op):
    """(drive, x0, Wrec, alpha) -> (x, r)."""

    __props__ = ("activation",)

    def __init__(self, activation: str) -> None:
        self.activation = activation

    def make_node(self, drive, x0, Wrec, alpha) -> Apply:
        inputs = [pt.as_tensor(v) for v in (drive, x0, Wrec, alpha)]
        return Apply(self, inputs, [inputs[0].type(), inputs[0].type()])

    def perform(self, node, inputs, output_storage) -> None:
        x, r = forward(*inputs, RATES[self.activation])
        output_storage[0][0], output_storage[1][0] = x, r

    def infer_shape(self, fgraph, node, shapes):
        return [shapes[0], shapes[0]]

    def pullback(self, inputs, outputs, cotangents):
        _, x0, Wrec, alpha = inputs
        x, r = outputs
        gx, gr = cotangents
        if isinstance(gr.type, DisconnectedType):
            gr = pt.zeros_like(r)
        gx = [] if isinstance(gx.type, DisconnectedType) else [gx]
        D, _, gWrec, gx0 = LeakyRNNPullback(self.activation)(x, r, gr, x0, Wrec, alpha, *gx)
        return [alpha * D, gx0, gWrec, disconnected_type()]

    def connection_pattern(self, node):
        return [[True, True]] * 3 + [[False, False]]


class LeakyRNNPullback(Op):
    """(x, r, gr, x0, Wrec, alpha[, gx]) -> (D, S, cotangent of Wrec, cotangent of x0)."""

    __props__ = ("activation",)

    def __init__(self, activation: str) -> None:
        self.activation = activation

    def make_node(self, x, r, gr, x0, Wrec, alpha, *gx) -> Apply:
        inputs = [pt.as_tensor(v) for v in (x, r, gr, x0, Wrec, alpha, *gx)]
        x, _, _, x0, Wrec = inputs[:5]
        return Apply(self, inputs, [x.type(), x.type(), Wrec.type(), x0.type()])

    def perform(self, node, inputs, output_storage) -> None:
        x, r, gr, x0, Wrec, alpha, *gx = inputs
        rate = RATES[self.activation]
        results = backward(x, r, gx[0] if gx else None, gr, x0, Wrec, alpha, rate)
        for storage, result in zip(output_storage, results, strict=True):
            storage[0] = result


# --- the recurrence in a network ------------------------------------------------------------------


def integrate(
    weights: Weights, inputs: TensorVariable, noise: TensorVariable, network: NetworkConfig
) -> States:
    """States and rates, like `network.integrate_by_scan`; u Win^T is one product for all t."""
    drive = noise + weights.brec
    if weights.Win is not None:
        drive = drive + pt.dot(inputs, weights.Win.T)
    alpha = alpha_of(network, noise.dtype)
    recurrence = LeakyRNN(network.hidden_activation)
    return States(*recurrence(drive, weights.x0, weights.Wrec, alpha))


def backpropagated(
    states: States, gr: TensorVariable, weights: Weights, network: NetworkConfig
) -> tuple[TensorVariable, TensorVariable]:
    """D and S of the loss whose gradient by r is `gr`.

    Where the gradient of that same loss is taken as well, PyTensor merges the two backward passes.
    """
    alpha = alpha_of(network, gr.dtype)
    pass_back = LeakyRNNPullback(network.hidden_activation)
    D, S, _, _ = pass_back(states.x, states.r, gr, weights.x0, weights.Wrec, alpha)
    return D, S
