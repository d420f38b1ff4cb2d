"""Outputs, their loss and its gradient, compiled by Numba: readout_numpy in one pass over the rows.

Where the mask is 0, as at all but the last step of a classifier, no exponential is computed.
"""
# mypy: allow-untyped-defs
# Numba infers the types of what it compiles, one version for each number type.

import math

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.kernels.activations_numba import rectify, sigmoid, softplus, step
from pycog_dgr.kernels.arrays import rows
from pycog_dgr.kernels.compilation import compiled, inner, merged
from pycog_dgr.kernels.interface import EPSILON
from pycog_dgr.kernels.tuples import LossGradient, Outputs, Readout

LINEAR, RECTIFY, RECTIFY_POWER, SIGMOID, SOFTMAX = range(5)
OUTPUT_KINDS = {
    "linear": LINEAR, "rectify": RECTIFY, "rectify_power": RECTIFY_POWER, "sigmoid": SIGMOID,
    "softmax": SOFTMAX,
}  # fmt: skip

LARGE = 1e9  # what is smaller has a finite fourth power in float32


def outputs(activation: str, a: NDArray, targets: NDArray, mask: NDArray) -> Outputs:
    loss, squared_error = output_rows(OUTPUT_KINDS[activation], rows(a), rows(targets), rows(mask))
    return Outputs(a, loss, squared_error)


def loss_gradient(
    readout: Readout, r: NDArray, targets: NDArray, mask: NDArray, out: NDArray | None = None
) -> LossGradient:
    Wout, bout, activation = readout
    gr = np.empty_like(r) if out is None else out
    gWout, gbout = np.empty_like(Wout), np.empty_like(bout)
    loss = loss_rows(
        OUTPUT_KINDS[activation], rows(r), Wout, bout, rows(targets), rows(mask), rows(gr),
        gWout, gbout,
    )  # fmt: skip
    return LossGradient(loss, gr, gWout, gbout)


@merged
def total_of(mask):
    """The sum of a mask (row, Nout), in double precision."""
    total = 0.0
    for i in range(mask.shape[0]):
        for k in range(mask.shape[1]):
            total += mask[i, k]
    return total


@inner
def g_row(kind, a, z):
    """z <- g(a), both (Nout,)."""
    if kind == SOFTMAX:
        largest, total = a[0], a.dtype.type(0)
        for k in range(1, len(a)):
            largest = max(largest, a[k])
        for k in range(len(a)):
            z[k] = math.exp(a[k] - largest)
            total += z[k]
        for k in range(len(a)):
            z[k] /= total
    elif kind == SIGMOID:
        for k in range(len(a)):
            z[k] = sigmoid(a[k])
    else:
        for k in range(len(a)):
            z[k] = a[k] if kind == LINEAR else rectify(a[k])
            if kind == RECTIFY_POWER:
                z[k] *= z[k]


@inner
def pointwise_loss(kind, a, z, target):
    """l of one output, as objective.reported_loss has it."""
    one, epsilon = type(z)(1), type(z)(EPSILON)
    if kind == SOFTMAX:
        return -target * math.log(z + epsilon)
    if kind == SIGMOID:
        return -target * math.log(z + epsilon) + (one - target) * softplus(a)
    return (z - target) * (z - target)


@inner
def weighted(value, mask):
    """value * mask, so that an infinite value gives NaN where the mask is 0, as in the original.

    Written out, since a compiler that may regroup products multiplies (d d) 0 as d (d 0) = 0.
    """
    if mask != 0:
        return value * mask
    return mask if math.isfinite(value) else mask + np.nan


@inner
def may_overflow(value):
    """Whether the loss of such a number may be infinite in float32; true for NaN too."""
    return not abs(value) < LARGE


@merged
def current_row(r, Wout, bout, a):
    """a <- r Wout^T + bout, of one row."""
    for k in range(len(a)):
        total = bout[k]
        for i in range(len(r)):
            total += Wout[k, i] * r[i]
        a[k] = total


@compiled
def output_rows(kind, z, targets, mask):
    """z <- g(a) of what comes in as a, all (row, Nout); the sums of l mask and of
    (z - target)^2 mask.
    """
    loss, squared_error = 0.0, 0.0
    a = np.empty(z.shape[1], z.dtype)
    for row in range(z.shape[0]):
        for k in range(len(a)):
            a[k] = z[row, k]
        g_row(kind, a, z[row])
        for k in range(len(a)):
            missed = z[row, k] - targets[row, k]
            squared_error += weighted(missed * missed, mask[row, k])
            if mask[row, k] != 0 or may_overflow(a[k]):
                loss_k = pointwise_loss(kind, a[k], z[row, k], targets[row, k])
                loss += weighted(loss_k, mask[row, k])
    return loss, squared_error


@compiled
def loss_rows(kind, r, Wout, bout, targets, mask, gr, gWout, gbout):
    """The loss, sum(l mask) / sum(mask), and its derivatives into the last three arrays.

    r, gr (row, N); targets, mask (row, Nout)
    """
    n_outputs, N = Wout.shape
    zero, loss, total_mask = r.dtype.type(0), 0.0, total_of(mask)
    total = r.dtype.type(total_mask)
    for k in range(n_outputs):
        gbout[k] = zero
        for i in range(N):
            gWout[k, i] = zero
    a, z, gz = (
        np.empty(n_outputs, r.dtype),
        np.empty(n_outputs, r.dtype),
        np.empty(n_outputs, r.dtype),
    )
    for row in range(r.shape[0]):
        if total != 0 and not counts(r[row], mask[row]):  # an empty mask makes everything NaN
            for i in range(N):
                gr[row, i] = zero
            continue
        current_row(r[row], Wout, bout, a)
        g_row(kind, a, z)
        for k in range(n_outputs):
            loss += weighted(pointwise_loss(kind, a[k], z[k], targets[row, k]), mask[row, k])
            gz[k] = mask[row, k] / total * pointwise_slope(kind, z[k], targets[row, k])
        through_g(kind, a, z, gz)
        for k in range(n_outputs):
            gbout[k] += a[k]
            for i in range(N):
                before = gr[row, i] if k else zero
                gr[row, i] = before + a[k] * Wout[k, i]
                gWout[k, i] += a[k] * r[row, i]
    return loss / total_mask


@inner
def counts(r, mask):
    """Whether a row has a weight, or rates so large that the loss may overflow."""
    for k in range(len(mask)):
        if mask[k] != 0:
            return True
    total = r.dtype.type(0)
    for i in range(len(r)):
        total += abs(r[i])
    return may_overflow(total)


@inner
def pointwise_slope(kind, z, target):
    """d l / d z of one output."""
    one, epsilon = type(z)(1), type(z)(EPSILON)
    if kind == SOFTMAX:
        return -target / (z + epsilon)
    if kind == SIGMOID:
        # max: (1 - z) + 1e-10 must not be regrouped to (1 + 1e-10) - z, which is 0 in float32 at 1
        rest = max(one - z, type(z)(0))
        return (one - target) / (rest + epsilon) - target / (z + epsilon)
    return type(z)(2) * (z - target)


@merged
def through_g(kind, a, z, gz):
    """The derivative with respect to a takes its place, all (Nout,)."""
    one, half = a.dtype.type(1), a.dtype.type(0.5)
    if kind == SOFTMAX:
        common = a.dtype.type(0)
        for k in range(len(a)):
            common += gz[k] * z[k]
        for k in range(len(a)):
            a[k] = z[k] * (gz[k] - common)
        return
    for k in range(len(a)):
        if kind == SIGMOID:
            a[k] = gz[k] * z[k] * (one - z[k])
        elif kind == RECTIFY:
            a[k] = gz[k] * step(a[k], half)
        elif kind == RECTIFY_POWER:
            a[k] = gz[k] * (a[k] + abs(a[k]))
        else:
            a[k] = gz[k]
