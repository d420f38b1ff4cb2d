"""The same step in torch: autograd, a backward pass by hand, and both through torch.compile.

    drive = u Win^T + noise + brec
    x_t   = x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t - x_{t-1}),  r_t = max(x_t, 0)
    D_t   = d loss / d x_t = (1 / alpha) d loss / d drive_t

`eager` is the twin torch_dgr as it stands, which reports every quantity of a step; the others are
leaner than a user would write them, so that what is measured is torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from benchmarks.peers import Peer, Report
from benchmarks.peers.compilers import need_compiler
from benchmarks.workloads import TRAINED, Workload
from pycog_dgr.data import Batch
from torch_dgr.rate_rnn.constraint import Masks
from torch_dgr.rate_rnn.network import RateRNN
from torch_dgr.rate_rnn.objective import Objective
from torch_dgr.rate_rnn.step import clipped_sgd, train_step

EPSILON = 1e-10  # inside the logarithms


class Raw(NamedTuple):
    """Trained parameters."""

    Win: Tensor
    Wrec: Tensor
    Wout: Tensor
    x0: Tensor


class Constants(NamedTuple):
    """What a step needs beside parameters and batch."""

    brec: Tensor
    bout: Tensor
    ei: Tensor
    plastic: Tensor
    alpha: float
    output_activation: str
    lambda_Omega: float
    bound: float
    max_gradient_norm: float
    learning_rate: float


class Update(NamedTuple):
    """New parameters, and what was seen before."""

    raw: Raw
    loss: Tensor
    gnorm: Tensor
    Omega: Tensor


Step = Callable[[Raw, Batch, Constants], Update]


def effective(raw: Raw, c: Constants) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.relu(raw.Win),
        torch.relu(c.plastic * raw.Wrec) * c.ei,
        torch.relu(raw.Wout) * c.ei,
    )


def loss_of(a: Tensor, batch: Batch, c: Constants) -> Tensor:
    target, mask = batch.targets, batch.mask
    if c.output_activation == "softmax":
        l = -target * torch.log(torch.softmax(a, dim=2) + EPSILON)
    elif c.output_activation == "sigmoid":
        l = -target * torch.log(torch.sigmoid(a) + EPSILON) + (1 - target) * softplus(a)
    else:
        l = (a - target).square()
    return (l * mask).sum() / mask.sum()


def vanishing_gradient(
    D: Tensor, back: Tensor, x: Tensor, c: Constants
) -> tuple[Tensor, Tensor, Tensor]:
    """Omega, d Omega / d q times the number of counting steps, that number; `back` = D Wrec."""
    leak = 1 - c.alpha
    d = leak * D[1:]
    slope = (x[:-1] > 0).to(x.dtype)
    q = leak * (d + c.alpha * back * slope)
    num, den = q.square().sum(2), d.square().sum(2)
    counts = den >= c.bound
    ratio = num / torch.where(counts, den, 1)
    n = counts.sum()
    Omega = torch.where(counts, (ratio - 1).square(), 0).sum() / n
    factor = torch.where(counts, 4 * (ratio - 1) / den, 0)
    return Omega, factor[..., None] * q * slope, n


def descend(raw: Raw, gradients: Raw, c: Constants) -> tuple[Raw, Tensor]:
    """Clip by the global norm, guard, and update."""
    gnorm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
    scale = torch.where(gnorm > c.max_gradient_norm, c.max_gradient_norm / gnorm, 1.0)
    sound = gnorm <= 1e10
    new = {}
    for name, theta, g in zip(TRAINED, raw, gradients, strict=True):
        instead = 0.02 * theta if name == "Wrec" else torch.zeros_like(theta)
        new[name] = theta - c.learning_rate * torch.where(sound, scale * g, instead)
    return Raw(**new), gnorm


# --- autograd -------------------------------------------------------------------------------------


def forward_loss(
    raw: Raw, batch: Batch, noise: Tensor, c: Constants
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss, x (time, trial, N) and the effective Wrec."""
    Win, Wrec, Wout = effective(raw, c)
    drive = batch.inputs @ Win.T + c.brec + noise
    x = raw.x0.expand(noise.shape[1:])
    xs = []
    for drive_t in drive.unbind():
        x = torch.lerp(x, torch.addmm(drive_t, torch.relu(x), Wrec.T), c.alpha)
        xs.append(x)
    x = torch.stack(xs)
    return loss_of(torch.relu(x) @ Wout.T + c.bout, batch, c), x, Wrec


def finish(
    raw: Raw, gradients: Raw, by_noise: Tensor, x: Tensor, Wrec: Tensor, c: Constants
) -> tuple[Raw, Tensor, Tensor]:
    """Omega's term and the update."""
    D = by_noise / c.alpha
    Omega, right, n = vanishing_gradient(D, D[1:] @ Wrec, x, c)
    N = len(Wrec)
    left = (1 - c.alpha) * D[1:].reshape(-1, N)
    gOmega = c.alpha * (left.T @ right.reshape(-1, N)) / n
    slope = c.plastic * c.ei * (c.plastic * raw.Wrec > 0)
    gradients = gradients._replace(Wrec=gradients.Wrec + c.lambda_Omega * gOmega * slope)
    raw, gnorm = descend(raw, gradients, c)
    return raw, gnorm, Omega


def autodiff_step(forward_loss: Callable, finish: Callable) -> Step:
    def step(raw: Raw, batch: Batch, c: Constants) -> Update:
        leaves = Raw(*(theta.detach().requires_grad_() for theta in raw))
        noise = batch.noise.detach().requires_grad_()
        loss, x, Wrec = forward_loss(leaves, batch, noise, c)
        *gradients, by_noise = torch.autograd.grad(loss, [*leaves, noise])
        with torch.no_grad():
            new, gnorm, Omega = finish(raw, Raw(*gradients), by_noise, x.detach(), Wrec.detach(), c)
        return Update(new, loss.detach(), gnorm, Omega)

    return step


# --- by hand --------------------------------------------------------------------------------------


def loss_and_gradient(a: Tensor, batch: Batch, c: Constants) -> tuple[Tensor, Tensor]:
    """The loss, and its gradient by the output current a."""
    target, mask = batch.targets, batch.mask
    share = mask / mask.sum()
    if c.output_activation == "softmax":
        z = torch.softmax(a, dim=2)
        l, g = -target * torch.log(z + EPSILON), -target / (z + EPSILON) * share
        g = z * (g - (g * z).sum(2, keepdim=True))
    elif c.output_activation == "sigmoid":
        z = torch.sigmoid(a)
        l = -target * torch.log(z + EPSILON) + (1 - target) * softplus(a)
        g = share * z * (1 - z) * ((1 - target) / (1 - z + EPSILON) - target / (z + EPSILON))
    else:
        l, g = (a - target).square(), 2 * share * (a - target)
    return (l * share).sum(), g


def by_hand_step(raw: Raw, batch: Batch, c: Constants) -> Update:
    """One product over all steps wherever the equations allow; D Wrec is computed once."""
    Win, Wrec, Wout = effective(raw, c)
    N, leak, WrecT = len(Wrec), 1 - c.alpha, Wrec.T.contiguous()
    drive = batch.inputs @ Win.T + c.brec + batch.noise
    x_t = raw.x0.expand(drive.shape[1:])
    xs, rs = [], [torch.relu(x_t)]
    for drive_t in drive.unbind():
        x_t = torch.lerp(x_t, torch.addmm(drive_t, rs[-1], WrecT), c.alpha)
        xs.append(x_t)
        rs.append(torch.relu(x_t))
    x, r = torch.stack(xs), torch.stack(rs)
    slope = (x > 0).to(x.dtype)

    loss, ga = loss_and_gradient(r[1:] @ Wout.T + c.bout, batch, c)
    gr = ga @ Wout
    D_t = gr[-1] * slope[-1]
    Ds, backs = [D_t], []
    for gr_t, slope_t in zip(
        reversed(gr[:-1].unbind()), reversed(slope[:-1].unbind()), strict=True
    ):
        back = D_t @ Wrec
        D_t = torch.addcmul(leak * D_t, torch.add(gr_t, back, alpha=c.alpha), slope_t)
        Ds.append(D_t)
        backs.append(back)
    D, back = torch.stack(Ds[::-1]), torch.stack(backs[::-1])

    Omega, right, n = vanishing_gradient(D, back, x, c)
    rows = c.alpha * D.reshape(-1, N)
    after = rows[len(D_t) :]
    gWrec = rows.T @ r[:-1].reshape(-1, N)
    gWrec = gWrec + (c.lambda_Omega * leak / n) * (after.T @ right.reshape(-1, N))
    D_first = D_t.sum(0)
    gradients = Raw(
        Win=(rows.T @ batch.inputs.flatten(0, 1)) * (raw.Win > 0),
        Wrec=gWrec * c.plastic * c.ei * (c.plastic * raw.Wrec > 0),
        Wout=(ga.flatten(0, 1).T @ r[1:].flatten(0, 1)) * c.ei * (raw.Wout > 0),
        x0=c.alpha * (D_first @ Wrec) * (raw.x0 > 0) + leak * D_first,
    )
    new, gnorm = descend(raw, gradients, c)
    return Update(new, loss, gnorm, Omega)


# --- peers ----------------------------------------------------------------------------------------


def peer(workload: Workload, step: Step) -> Peer:
    network, training = workload.network, workload.training
    as_tensor = torch.from_numpy
    values = workload.values
    constants = Constants(
        brec=as_tensor(values["brec"]), bout=as_tensor(values["bout"]),
        ei=torch.tensor(network.ei, dtype=torch.float32),
        plastic=torch.tensor(network.Crec.mask_plastic, dtype=torch.float32),
        alpha=network.alpha, output_activation=network.output_activation,
        lambda_Omega=training.lambda_Omega, bound=training.bound,
        max_gradient_norm=training.max_gradient_norm, learning_rate=training.learning_rate,
    )  # fmt: skip
    raw = Raw(*(torch.tensor(values[name]) for name in TRAINED))

    def update(batch: Batch) -> Report:
        nonlocal raw
        raw, loss, gnorm, Omega = step(raw, Batch(*map(as_tensor, batch)), constants)
        return Report(loss.item(), gnorm.item(), Omega.item())

    return Peer(
        update, lambda: {name: theta.numpy().copy() for name, theta in raw._asdict().items()}
    )


def eager(workload: Workload) -> Peer:
    """torch_dgr, the twin."""
    network, training = workload.network, workload.training
    plastic = network.Crec.mask_plastic
    twin = RateRNN(
        workload.values,
        tau=network.tau,
        dt=network.dt,
        masks={"Wrec": Masks(plastic, np.zeros_like(plastic))},
        ei=network.ei,
        output_activation=network.output_activation,
        dtype=torch.float32,
    )
    optimiser = clipped_sgd(twin, training.learning_rate, training.max_gradient_norm)
    objective = Objective(lambda_Omega=training.lambda_Omega, bound=training.bound)

    def update(batch: Batch) -> Report:
        report = train_step(twin, optimiser, batch, objective)
        return Report(report.loss, report.gnorm, report.Omega)

    def parameters() -> dict[str, np.ndarray]:
        values = twin.raw_values()
        return {name: values[name] for name in TRAINED}

    return Peer(update, parameters)


def autodiff(workload: Workload) -> Peer:
    return peer(workload, autodiff_step(forward_loss, finish))


def by_hand(workload: Workload) -> Peer:
    return peer(workload, torch.no_grad()(by_hand_step))


def autodiff_compiled(workload: Workload) -> Peer:
    need_compiler("torch.compile")
    return peer(workload, autodiff_step(torch.compile(forward_loss), torch.compile(finish)))


def by_hand_compiled(workload: Workload) -> Peer:
    need_compiler("torch.compile")
    return peer(workload, torch.no_grad()(torch.compile(by_hand_step)))
