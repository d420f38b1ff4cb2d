"""What the rate network minimises (Omega apart, see omega.py), and its gradients.

loss    = sum( l(z, target) mask ) / sum(mask)           over time, trial and output
l       = (z - target)^2                                          linear, rectify, rectify_power
        = -target log(z + e) - (1 - target) log((1 - z) + e)      sigmoid, e = 1e-10
        = -target log(z + e)                                      softmax
error   = sqrt( sum( (z - target)^2 mask ) / sum(mask) )
penalty = sum_W lambda1_W mean|W| + lambda2_W mean W^2  +  lambda2_r mean r^2       W raw
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from torch_dgr.errors import ExamplesError
from torch_dgr.rate_rnn.network import RateRNN, Trajectory
from torch_dgr.rate_rnn.omega import vanishing_gradient_penalty

__all__ = [
    "Batch",
    "Evaluation",
    "Gradients",
    "Objective",
    "TensorBatch",
    "as_tensors",
    "evaluate",
    "gradients",
    "masked_mean",
    "penalty",
    "pointwise_loss",
    "reported_loss",
]

EPSILON = 1e-10  # keeps logarithms finite


class Batch(Protocol):
    """Arrays or tensors (time, trial, ...): what pycog_dgr calls a Batch."""

    inputs: np.ndarray | Tensor  # (time, trial, Nin)
    targets: np.ndarray | Tensor  # (time, trial, Nout)
    mask: np.ndarray | Tensor  # (time, trial, Nout), real-valued weights allowed
    noise: np.ndarray | Tensor  # (time, trial, N)


class TensorBatch(NamedTuple):
    """A Batch as tensors of one network's dtype, on its device."""

    inputs: Tensor
    targets: Tensor
    mask: Tensor
    noise: Tensor


@dataclass(frozen=True)
class Objective:
    """Weights of the terms; pycog's names and defaults."""

    lambda_Omega: float = 2.0
    bound: float = 1e-20
    lambda1_in: float = 0.0
    lambda1_rec: float = 0.0
    lambda1_out: float = 0.0
    lambda2_in: float = 0.0
    lambda2_rec: float = 0.0
    lambda2_out: float = 0.0
    lambda2_r: float = 0.0


class Evaluation(NamedTuple):
    """loss: with penalties (not Omega); error: masked root mean square; and the trajectory."""

    loss: float
    error: float
    trajectory: Trajectory


class Gradients(NamedTuple):
    """Everything that one backward pass tells; tensors detached."""

    loss: float  # without penalties
    penalty: float
    error: float
    trajectory: Trajectory
    D: Tensor  # (time, trial, N), dloss/dx_t for t = 1..T
    parameters: dict[str, Tensor]  # of loss + penalty, without Omega, by name
    Omega: float
    nelems: float
    dOmega_dWrec: Tensor  # (N, N), immediate, with respect to the raw Wrec


def as_tensors(network: RateRNN, batch: Batch) -> TensorBatch:
    """Return a batch in the network's dtype and on its device; ExamplesError for bad shapes."""
    like = network.x0
    tensors = TensorBatch(
        *(
            torch.as_tensor(value if isinstance(value, Tensor) else np.ascontiguousarray(value)).to(
                dtype=like.dtype, device=like.device
            )
            for value in (batch.inputs, batch.targets, batch.mask, batch.noise)
        )
    )
    times_and_trials = tensors.targets.shape[:2]
    sizes = {
        "inputs": network.Nin,
        "targets": network.Nout,
        "mask": network.Nout,
        "noise": network.N,
    }
    for name, size in sizes.items():
        shape = tuple(getattr(tensors, name).shape)
        if shape != (*times_and_trials, size):
            raise ExamplesError(
                f"{name} of the batch have shape {shape}; beside targets of "
                f"{tuple(tensors.targets.shape)} it has to be "
                f"{(*times_and_trials, size)}"
            )
    return tensors


def pointwise_loss(z: Tensor, target: Tensor, output_activation: str) -> Tensor:
    """Return l(z, target), elementwise."""
    if output_activation == "softmax":
        return -target * torch.log(z + EPSILON)
    if output_activation == "sigmoid":
        return -target * torch.log(z + EPSILON) - (1 - target) * torch.log((1 - z) + EPSILON)
    return (z - target).square()


def reported_loss(network: RateRNN, r: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the loss as the original's compiled code reports it; its gradient is not used.

    Theano took 1 + e for 1 there, so that with sigmoid outputs z = s(a) the second logarithm is
    log(1 - s(a)) = -softplus(a), without e. The gradient, derived before, keeps it.
    """
    if network.output_activation != "sigmoid":
        z = network.outputs(r)
        return masked_mean(pointwise_loss(z, target, network.output_activation), mask)
    a = network.output_current(r)
    pointwise = -target * torch.log(torch.sigmoid(a) + EPSILON) - (1 - target) * logsigmoid(-a)
    return masked_mean(pointwise, mask)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return sum(values mask) / sum(mask); NaN where the mask is empty."""
    return (values * mask).sum() / mask.sum()


def penalty(network: RateRNN, r: Tensor, objective: Objective) -> Tensor:
    """Return the regularisers on raw matrices (masked entries included) and on rates."""
    total = r.new_zeros(())
    for name, short in (("Win", "in"), ("Wrec", "rec"), ("Wout", "out")):
        if name in network.names:
            W = network.raw(name)
            if weight := getattr(objective, f"lambda1_{short}"):
                total = total + weight * W.abs().mean()
            if weight := getattr(objective, f"lambda2_{short}"):
                total = total + weight * W.square().mean()
    if objective.lambda2_r:
        total = total + objective.lambda2_r * r.square().mean()
    return total


def evaluate(network: RateRNN, batch: Batch, objective: Objective) -> Evaluation:
    """Run a batch without gradients; ExamplesError where it does not fit the network.

    Parameters
    ----------
    network
        The network.
    batch
        inputs, targets, mask and noise, (time, trial, ...).
    objective
        What is minimised.

    Returns
    -------
    Evaluation
        Without gradients.
    """
    inputs, targets, mask, noise = as_tensors(network, batch)
    with torch.no_grad():
        trajectory = network(inputs, noise)
        loss = reported_loss(network, trajectory.r, targets, mask)
        loss = loss + penalty(network, trajectory.r, objective)
        error = masked_mean((trajectory.z - targets).square(), mask).sqrt()
    return Evaluation(loss.item(), error.item(), trajectory)


def gradients(network: RateRNN, batch: Batch, objective: Objective) -> Gradients:
    """Run a batch forwards and backwards; the network is left as it is.

    Parameters
    ----------
    network
        Its trained parameters' gradients are taken.
    batch
        Inputs, targets, mask and noise, (time, trial, ...).
    objective
        Weights of the terms.

    Returns
    -------
    Gradients

    Raises
    ------
    ExamplesError
        A batch that does not fit the network.
    """
    inputs, targets, mask, noise = as_tensors(network, batch)
    xs, rs = network.integrate(inputs, noise)
    x, r = torch.stack(xs), torch.stack(rs)
    z = network.outputs(r)
    loss = masked_mean(pointwise_loss(z, targets, network.output_activation), mask)
    penalties = penalty(network, r, objective)

    trained = network.trained()
    leaves = list(trained.values())
    derivatives = torch.autograd.grad(loss, [*xs, *leaves], retain_graph=True)
    D = torch.stack(derivatives[: len(xs)])
    parameter_gradients = dict(zip(trained, derivatives[len(xs) :], strict=True))
    if penalties.requires_grad:
        extra = torch.autograd.grad(penalties, leaves, allow_unused=True, materialize_grads=True)
        for name, gradient in zip(trained, extra, strict=True):
            parameter_gradients[name] = parameter_gradients[name] + gradient

    Omega, nelems = vanishing_gradient_penalty(network, x.detach(), D, objective.bound)
    dOmega = torch.zeros_like(network.raw("Wrec"))
    if nelems > 0 and Omega.requires_grad:
        (dOmega,) = torch.autograd.grad(Omega, [network.raw("Wrec")])
    with torch.no_grad():
        error = masked_mean((z - targets).square(), mask).sqrt()
        reported = reported_loss(network, r, targets, mask)
    return Gradients(
        reported.item(),
        penalties.item(),
        error.item(),
        Trajectory(x.detach(), r.detach(), z.detach()),
        D,
        parameter_gradients,
        Omega.item(),
        nelems.item(),
        dOmega,
    )
