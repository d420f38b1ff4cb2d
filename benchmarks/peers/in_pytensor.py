"""The same step as PyTensor would have it without us: one scan, differentiated and compiled by it.

    x_t = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + brec + u_t Win^T + noise_t),  r_t = f(x_t)

So the original pycog was on Theano. The graph is pycog_dgr's reference; PyTensor's own linkers, C
or Numba, compile all of it, which takes minutes the first time.
"""

from __future__ import annotations

import pytensor
import pytensor.tensor as pt
from pytensor.gradient import grad

from benchmarks.peers import Peer, Report
from benchmarks.peers.compilers import need_compiler
from benchmarks.workloads import FLOATX, TRAINED, Workload
from pycog_dgr.config import NetworkConfig
from pycog_dgr.data import Batch
from pycog_dgr.network import Parameters, Weights
from pycog_dgr.symbolic import objective, optimisers
from pycog_dgr.symbolic import scan as equations
from pycog_dgr.symbolic.activations import HIDDEN


def integrate(weights: Weights, inputs, noise, network: NetworkConfig):
    """x and r (time, trial, N)."""
    f = HIDDEN[network.hidden_activation].f
    alpha = equations.alpha_of(weights, network, FLOATX)
    Win, Wrec, _, brec, _, x0, _ = weights

    def step(u_t, noise_t, x, r):
        x_t = (1 - alpha) * x + alpha * (pt.dot(r, Wrec.T) + brec + pt.dot(u_t, Win.T) + noise_t)
        return x_t, f(x_t)

    x_start = pt.alloc(x0, noise.shape[1], network.N)
    return pytensor.scan(
        step,
        sequences=[inputs, noise],
        outputs_info=[x_start, f(x_start)],
        return_updates=False,
    )


def start(workload: Workload, mode: str) -> Peer:
    network, training = workload.network, workload.training
    shared = {
        name: pytensor.shared(value.copy(), name=name) for name, value in workload.values.items()
    }
    with pytensor.config.change_flags(floatX=FLOATX, mode=mode):
        batch = [pt.tensor(name, dtype=FLOATX, shape=(None, None, None)) for name in Batch._fields]
        inputs, targets, mask, noise = batch
        weights = equations.effective_weights(Parameters(**shared), network)
        x, r = integrate(weights, inputs, noise, network)
        a = equations.output_current(r, weights)
        z = equations.outputs(a, network)
        loss = objective.loss(z, targets, mask, network)

        trained = {name: shared[name] for name in TRAINED}
        *gradients, by_noise = grad(loss, [*trained.values(), noise])
        gradients = dict(zip(trained, gradients, strict=True))
        D = by_noise / equations.alpha_of(weights, network, FLOATX)
        omega = objective.vanishing_gradient(D, x, weights, network, training.bound)
        by_Wrec = grad(None, shared["Wrec"], known_grads={weights.Wrec: omega.gradient})
        gradients["Wrec"] += training.lambda_Omega * by_Wrec
        context = optimisers.Context(trained, optimisers.global_norm(gradients))
        transform = optimisers.chain(
            optimisers.clip_by_global_norm(training.max_gradient_norm),
            optimisers.finite_guard(),
            optimisers.sgd(training.learning_rate),
        )
        steps, _ = transform(gradients, context)
        compiled = pytensor.function(
            batch,
            [loss, context.norm, omega.value],
            updates=[(theta, theta - steps[name]) for name, theta in trained.items()],
        )

    def update(batch: Batch) -> Report:
        return Report(*(float(value) for value in compiled(*batch)))

    return Peer(update, lambda: {name: theta.get_value() for name, theta in trained.items()})


def by_c(workload: Workload) -> Peer:
    need_compiler("PyTensor's C linker")
    return start(workload, "CVM")


def by_numba(workload: Workload) -> Peer:
    return start(workload, "NUMBA")
