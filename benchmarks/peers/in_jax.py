"""The same step in JAX, compiled as a whole: automatic differentiation, and by hand.

drive = u Win^T + noise + brec
x_t   = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t),  r_t = max(x_t, 0)
D_t   = d loss / d x_t = (1 / alpha) d loss / d drive_t
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.peers import Peer, Report, Unavailable
from benchmarks.workloads import TRAINED, Workload
from pycog_dgr.data import Batch

try:
    import jax
    import jax.numpy as jnp
    from jax import lax
except ImportError:
    jax = None

EPSILON = 1e-10  # inside the logarithms
Array = Any


class Raw(NamedTuple):
    """Trained parameters."""

    Win: Array
    Wrec: Array
    Wout: Array
    x0: Array


class Constants(NamedTuple):
    """What a step needs beside parameters and batch: part of the compiled program."""

    brec: np.ndarray
    bout: np.ndarray
    ei: np.ndarray
    plastic: np.ndarray
    alpha: float
    output_activation: str
    lambda_Omega: float
    bound: float
    max_gradient_norm: float
    learning_rate: float


def effective(raw: Raw, c: Constants) -> tuple[Array, Array, Array]:
    return (
        jnp.maximum(raw.Win, 0),
        jnp.maximum(c.plastic * raw.Wrec, 0) * c.ei,
        jnp.maximum(raw.Wout, 0) * c.ei,
    )


def loss_of(a: Array, batch: Batch, c: Constants) -> Array:
    target, mask = batch.targets, batch.mask
    if c.output_activation == "softmax":
        l = -target * jnp.log(jax.nn.softmax(a) + EPSILON)
    elif c.output_activation == "sigmoid":
        l = -target * jnp.log(jax.nn.sigmoid(a) + EPSILON) + (1 - target) * jax.nn.softplus(a)
    else:
        l = (a - target) ** 2
    return jnp.sum(l * mask) / jnp.sum(mask)


def integrate(raw: Raw, Wrec: Array, drive: Array, c: Constants) -> Array:
    """x (time, trial, N)."""

    def step(x: Array, drive_t: Array) -> tuple[Array, Array]:
        x = (1 - c.alpha) * x + c.alpha * (jnp.maximum(x, 0) @ Wrec.T + drive_t)
        return x, x

    return lax.scan(step, jnp.broadcast_to(raw.x0, drive.shape[1:]), drive)[1]


def vanishing_gradient(D: Array, back: Array, x: Array, c: Constants) -> tuple[Array, Array]:
    """Omega, and d Omega / d q times f'(x); `back` = D Wrec."""
    leak = 1 - c.alpha
    d = leak * D[1:]
    slope = (x[:-1] > 0).astype(x.dtype)
    q = leak * (d + c.alpha * back * slope)
    num, den = jnp.sum(q**2, axis=2), jnp.sum(d**2, axis=2)
    counts = den >= c.bound
    ratio = jnp.where(counts, num / jnp.where(counts, den, 1), 1)
    n = jnp.sum(counts)
    factor = jnp.where(counts, 4 * (ratio - 1) / jnp.where(counts, den, 1), 0) / n
    return jnp.sum((ratio - 1) ** 2) / n, factor[..., None] * q * slope


def descend(raw: Raw, gradients: Raw, c: Constants) -> tuple[Raw, Array]:
    """Clip by the global norm, guard, and update."""
    gnorm = jnp.sqrt(sum(jnp.sum(g**2) for g in gradients))
    scale = jnp.where(gnorm > c.max_gradient_norm, c.max_gradient_norm / gnorm, 1)
    instead = Raw(0.0, 0.02 * raw.Wrec, 0.0, 0.0)
    return Raw(
        *(
            theta - c.learning_rate * jnp.where(gnorm <= 1e10, scale * g, otherwise)
            for theta, g, otherwise in zip(raw, gradients, instead, strict=True)
        )
    ), gnorm


def autodiff_step(raw: Raw, batch: Batch, c: Constants) -> tuple[Raw, Array]:
    def objective(raw: Raw, noise: Array) -> tuple[Array, Array]:
        Win, Wrec, Wout = effective(raw, c)
        x = integrate(raw, Wrec, batch.inputs @ Win.T + c.brec + noise, c)
        return loss_of(jnp.maximum(x, 0) @ Wout.T + c.bout, batch, c), x

    differentiated = jax.value_and_grad(objective, argnums=(0, 1), has_aux=True)
    (loss, x), (gradients, by_noise) = differentiated(raw, batch.noise)
    D = by_noise / c.alpha

    def regulariser(raw_Wrec: Array) -> Array:
        Wrec = effective(raw._replace(Wrec=raw_Wrec), c)[1]
        return vanishing_gradient(D, D[1:] @ Wrec, x, c)[0]

    Omega, gOmega = jax.value_and_grad(regulariser)(raw.Wrec)
    gradients = gradients._replace(Wrec=gradients.Wrec + c.lambda_Omega * gOmega)
    raw, gnorm = descend(raw, gradients, c)
    return raw, jnp.stack([loss, gnorm, Omega])


def loss_and_gradient(a: Array, batch: Batch, c: Constants) -> tuple[Array, Array]:
    """The loss, and its gradient by the output current a."""
    target = batch.targets
    share = batch.mask / jnp.sum(batch.mask)
    if c.output_activation == "softmax":
        z = jax.nn.softmax(a)
        l, g = -target * jnp.log(z + EPSILON), -target / (z + EPSILON) * share
        g = z * (g - jnp.sum(g * z, axis=2, keepdims=True))
    elif c.output_activation == "sigmoid":
        z = jax.nn.sigmoid(a)
        l = -target * jnp.log(z + EPSILON) + (1 - target) * jax.nn.softplus(a)
        g = share * z * (1 - z) * ((1 - target) / (1 - z + EPSILON) - target / (z + EPSILON))
    else:
        l, g = (a - target) ** 2, 2 * share * (a - target)
    return jnp.sum(l * share), g


def by_hand_step(raw: Raw, batch: Batch, c: Constants) -> tuple[Raw, Array]:
    Win, Wrec, Wout = effective(raw, c)
    N, leak = len(Wrec), 1 - c.alpha
    x = integrate(raw, Wrec, batch.inputs @ Win.T + c.brec + batch.noise, c)
    r = jnp.maximum(x, 0)
    slope = (x > 0).astype(x.dtype)
    loss, ga = loss_and_gradient(r @ Wout.T + c.bout, batch, c)
    gr = ga @ Wout

    def step_back(D_after: Array, at_t: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        gr_t, slope_t = at_t
        back = D_after @ Wrec
        D_t = (gr_t + c.alpha * back) * slope_t + leak * D_after
        return D_t, (D_t, back)

    D_last = gr[-1] * slope[-1]
    D_first, (D, back) = lax.scan(step_back, D_last, (gr[:-1], slope[:-1]), reverse=True)
    D = jnp.concatenate([D, D_last[None]])

    Omega, right = vanishing_gradient(D, back, x, c)
    rows = c.alpha * D[1:].reshape(-1, N)
    gWrec = rows.T @ r[:-1].reshape(-1, N)
    gWrec += c.lambda_Omega * leak * (rows.T @ right.reshape(-1, N))
    D_first = D_first.sum(axis=0)
    gWrec += c.alpha * jnp.outer(D_first, jnp.maximum(raw.x0, 0))
    gWin = c.alpha * (D.reshape(-1, N).T @ batch.inputs.reshape(-1, batch.inputs.shape[2]))
    gWout = ga.reshape(-1, ga.shape[2]).T @ r.reshape(-1, N)
    gradients = Raw(
        Win=gWin * (raw.Win > 0),
        Wrec=gWrec * c.plastic * c.ei * (c.plastic * raw.Wrec > 0),
        Wout=gWout * c.ei * (raw.Wout > 0),
        x0=c.alpha * (D_first @ Wrec) * (raw.x0 > 0) + leak * D_first,
    )
    raw, gnorm = descend(raw, gradients, c)
    return raw, jnp.stack([loss, gnorm, Omega])


def peer(workload: Workload, step: Callable) -> Peer:
    if jax is None:
        raise Unavailable("jax is not installed: pip install jax")
    network, training = workload.network, workload.training
    values = workload.values
    constants = Constants(
        brec=values["brec"], bout=values["bout"],
        ei=network.ei.astype(np.float32),
        plastic=network.Crec.mask_plastic.astype(np.float32),
        alpha=network.alpha, output_activation=network.output_activation,
        lambda_Omega=training.lambda_Omega, bound=training.bound,
        max_gradient_norm=training.max_gradient_norm, learning_rate=training.learning_rate,
    )  # fmt: skip
    compiled = jax.jit(functools.partial(step, c=constants), donate_argnums=0)
    raw = Raw(*(jnp.array(values[name]) for name in TRAINED))

    def update(batch: Batch) -> Report:
        nonlocal raw
        raw, report = compiled(raw, batch)
        jax.block_until_ready(raw)
        return Report(*np.asarray(report).tolist())

    return Peer(update, lambda: {name: np.array(theta) for name, theta in raw._asdict().items()})


def autodiff(workload: Workload) -> Peer:
    return peer(workload, autodiff_step)


def by_hand(workload: Workload) -> Peer:
    return peer(workload, by_hand_step)
