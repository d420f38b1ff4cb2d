"""NN4N (pip install nn4n), a package to train such networks, with its own step: not the same one.

It has Dale's law, sparse connections and a learnt initial state, and lacks Omega, the guard against
explosions and noise handed in from outside (it draws its own); Dale's law and the missing self
connections are enforced after each step by cutting weights off, not in the equations. So its
numbers differ, and less is computed than elsewhere in the table.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

from benchmarks.peers import Peer, Report, Unavailable
from benchmarks.workloads import Workload
from pycog_dgr.data import Batch


def loss_of(a: torch.Tensor, batch: Batch, output_activation: str) -> torch.Tensor:
    if output_activation == "softmax":
        l = -batch.targets * log_softmax(a, dim=2)
    elif output_activation == "sigmoid":
        l = binary_cross_entropy_with_logits(a, batch.targets, reduction="none")
    else:
        l = (a - batch.targets).square()
    return (l * batch.mask).sum() / batch.mask.sum()


def start(workload: Workload) -> Peer:
    try:
        from nn4n.model import CTRNN
    except ImportError as error:
        raise Unavailable(f"nn4n is not installed ({error}): pip install nn4n") from error
    network, training = workload.network, workload.training
    N = network.N
    signs = np.repeat(network.ei[:, np.newaxis], N, axis=1)  # rows are presynaptic
    model = CTRNN(
        dims=[network.Nin, N, network.Nout],
        tau=network.tau,
        dt=network.dt,
        init_state="learn",
        ei_masks=[None, signs, signs[:, : network.Nout]],
        sparsity_masks=[None, 1 - np.eye(N), None],
        preact_noise=float(np.sqrt(2 * network.tau / network.dt * training.var_rec)),
        suppress_warnings=True,
    )
    model.train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(parameters, lr=training.learning_rate)

    def update(batch: Batch) -> Report:
        batch = Batch(*map(torch.from_numpy, batch))
        optimiser.zero_grad()
        a, _ = model(batch.inputs)
        loss = loss_of(a, batch, network.output_activation)
        loss.backward()
        gnorm = torch.nn.utils.clip_grad_norm_(parameters, training.max_gradient_norm)
        optimiser.step()
        return Report(loss.item(), gnorm.item(), float("nan"))

    return Peer(update, dict)
