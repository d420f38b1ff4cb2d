"""What is minimised: loss, penalties, and the vanishing-gradient regulariser Omega.

    loss    = sum(l(z, target) mask) / sum(mask)
    error   = sqrt(sum((z - target)^2 mask) / sum(mask))
    d_t     = (1 - alpha) D_{t+1} for t = 1..T-1, d_T = 0,     D_t = d loss / d x_t (total)
    q_t     = (1 - alpha) d_t + (alpha d_t) Wrec * f'(x_t)
    Omega_t = (|q_t|^2 / |d_t|^2 - 1)^2 where |d_t|^2 >= bound, else 0
    Omega   = sum_t mean_trials(Omega_t) / sum_t mean_trials[|d_t|^2 >= bound]

Sources: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, "Training"; R.
Pascanu, T. Mikolov, Y. Bengio (2013), On the difficulty of training recurrent neural networks. The
leak in d_t is the original's: its
gradient with respect to scan's buffer of x saw the leak alone. Omega is differentiated with
respect to Wrec with d and x held constant, and is not part of the reported cost.

| symbol     | name                        | shape                    | unit |
|------------|-----------------------------|--------------------------|------|
| l          | loss of one output          | (time, trial, Nout)      | 1    |
| mask       | weight of one output, >= 0  | (time, trial, Nout)      | 1    |
| D, d, q, x | backpropagated, states      | (time, trial, N)         | 1    |
| bound      | least |d_t|^2 that counts   |                          | 1    |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.network import Parameters, Weights
from pycog_dgr.symbolic.activations import HIDDEN
from pycog_dgr.symbolic.scan import States, alpha_of

EPSILON = 1e-10  # inside the logarithms of the cross-entropies

Loss = Callable[[TensorVariable, TensorVariable], TensorVariable]  # z, target: of each output
Penalty = Callable[[Parameters, States], TensorVariable]  # a term added to the loss


class Omega(NamedTuple):
    """The regulariser, its derivative with respect to the effective Wrec, and what it counted."""

    value: TensorVariable  # scalar; NaN where no step counts
    gradient: TensorVariable | None  # (N, N), d and x held constant; 0 where no step counts
    nelems: TensorVariable  # scalar: share of steps and trials that count


def squared_error(z: TensorVariable, target: TensorVariable) -> TensorVariable:
    return (z - target) ** 2


def binary_crossentropy(z: TensorVariable, target: TensorVariable) -> TensorVariable:
    return -target * pt.log(z + EPSILON) - (1 - target) * pt.log((1 - z) + EPSILON)


def categorical_crossentropy(z: TensorVariable, target: TensorVariable) -> TensorVariable:
    return -target * pt.log(z + EPSILON)


LOSSES = {"sigmoid": binary_crossentropy, "softmax": categorical_crossentropy}


def loss(
    z: TensorVariable,
    target: TensorVariable,
    mask: TensorVariable,
    network: NetworkConfig,
    own: Loss | None = None,
) -> TensorVariable:
    """Masked mean of `own` loss, or that of the output activation; NaN for an empty mask."""
    l = (own or LOSSES.get(network.output_activation, squared_error))(z, target)
    return pt.sum(l * mask) / pt.sum(mask)


def reported_loss(
    a: TensorVariable,
    z: TensorVariable,
    target: TensorVariable,
    mask: TensorVariable,
    network: NetworkConfig,
    own: Loss | None = None,
) -> TensorVariable:
    """The loss as the original's compiled functions returned it; a is the output current.

    Theano took 1 + 1e-10 for 1, so that in the *value* of the binary cross-entropy, not in its
    gradient, log(1 - sigmoid(a) + 1e-10) had become -softplus(a): a difference of 1e-10.
    """
    if own is not None or network.output_activation != "sigmoid":
        return loss(z, target, mask, network, own)
    l = -target * pt.log(z + EPSILON) + (1 - target) * pt.softplus(a)
    return pt.sum(l * mask) / pt.sum(mask)


def error(z: TensorVariable, target: TensorVariable, mask: TensorVariable) -> TensorVariable:
    """Masked root-mean-square error, for every output activation."""
    return pt.sqrt(pt.sum(squared_error(z, target) * mask) / pt.sum(mask))


def penalties(training: TrainingConfig, network: NetworkConfig) -> list[Penalty]:
    """The L1, L2 and rate terms whose weight is not zero. A new term (EWC) is one more entry.

    They act on raw weights, entries that are masked out included, and on the rates of padding.
    """
    terms: list[Penalty] = []
    for name in network.shapes:
        suffix = {"Win": "in", "Wrec": "rec", "Wout": "out"}.get(name)
        if suffix is None:
            continue
        if lambda1 := getattr(training, f"lambda1_{suffix}"):
            terms.append(mean_of(name, abs, lambda1))
        if lambda2 := getattr(training, f"lambda2_{suffix}"):
            terms.append(mean_of(name, square, lambda2))
    if lambda2_r := training.lambda2_r:
        terms.append(lambda _, states: lambda2_r * pt.mean(states.r**2))
    return terms


def mean_of(name: str, function: Callable, weight: float) -> Penalty:
    """Weight mean(function(W)) of the raw matrix called `name`."""
    return lambda raw, _: weight * pt.mean(function(getattr(raw, name)))


def square(x: TensorVariable) -> TensorVariable:
    return x**2


def vanishing_gradient(
    D: TensorVariable,
    x: TensorVariable,
    weights: Weights[TensorVariable],
    network: NetworkConfig,
    bound: float,
) -> Omega:
    """The regulariser of a loss whose derivative with respect to x_t is D_t.

    Parameters
    ----------
    D, x : TensorVariable
        (time, trial, N), t = 1..T.
    weights : Weights
        Effective; Wrec and alpha are used.
    network : NetworkConfig
        Gives f.
    bound : float
        Least |d_t|^2 that counts.

    Returns
    -------
    Omega
        Step T never counts (d_T = 0), so only the first T - 1 are computed.
    """
    alpha = alpha_of(weights, network, D.dtype)
    slope = HIDDEN[network.hidden_activation].df(x[:-1])
    d = (1 - alpha) * D[1:]
    q = (1 - alpha) * d + pt.dot(alpha * d, weights.Wrec) * slope

    num, den = pt.sum(q**2, axis=2), pt.sum(d**2, axis=2)
    counts = pt.ge(den, bound)
    ratio = pt.switch(counts, num / pt.switch(counts, den, 1), 1)
    n_time, n_trial = D.shape[0], D.shape[1]
    n_counting = pt.sum(pt.cast(counts, D.dtype))

    # d Omega / d q_t, one factor a step and trial times q_t
    per_step = pt.switch(counts, 4 * (ratio - 1) / pt.switch(counts, den, 1), 0)
    factor = per_step / pt.switch(n_counting > 0, n_counting, 1)
    N = network.N
    left = (alpha * d).reshape((-1, N))
    right = (factor[:, :, None] * q * slope).reshape((-1, N))
    return Omega(
        value=pt.sum((ratio - 1) ** 2) / n_counting,
        gradient=pt.dot(left.T, right),
        nelems=n_counting / pt.cast(n_time * n_trial, D.dtype),
    )
