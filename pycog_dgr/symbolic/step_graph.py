"""The graph of one training step: batch -> loss, gradients, Omega; and the update made from it.

    g     = d (loss + penalties) / d theta,   Wrec's plus lambda_Omega d Omega / d Wrec
    gnorm = one norm of g over all trained parameters, before clipping
    theta <- theta - learning_rate clipped(g)

Source: Song, Yang and Wang (2016), "Training"; Pascanu, Mikolov and Bengio (2013).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.gradient import grad
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data import Batch
from pycog_dgr.network import Parameters
from pycog_dgr.symbolic import objective, optimisers, recurrence_op, scan
from pycog_dgr.symbolic.numpy_mode import numpy_mode
from pycog_dgr.symbolic.objective import Omega
from pycog_dgr.symbolic.scan import States

KERNELS = {"fast": "numba", "numpy": "numpy"}  # of the backends that use recurrence_op.py


class Graph(NamedTuple):
    """The symbolic step: inputs, and everything that a function may return."""

    batch: list[TensorVariable]  # inputs, targets, mask, noise
    states: States
    z: TensorVariable
    loss: TensorVariable
    penalty: TensorVariable
    error: TensorVariable
    D: TensorVariable
    Omega: Omega
    omega_gradient: TensorVariable  # with respect to the raw Wrec
    # of loss + penalties, with respect to the raw trained parameters
    gradients: dict[str, TensorVariable]


class Update(NamedTuple):
    """A compiled update, and the shared variables beside the parameters that it changes."""

    function: Callable[..., Any]  # batch -> loss + penalties, gnorm, Omega, nelems
    moments: dict[str, SharedVariable]


def batch_widths(network: NetworkConfig) -> tuple[int, int, int, int]:
    """Last dimension of inputs, targets, mask and noise."""
    n_outputs = network.Nout or network.N
    return network.Nin, n_outputs, n_outputs, network.N


def build_graph(
    network: NetworkConfig,
    training: TrainingConfig,
    raw: Parameters,
    backend: str,
    penalties: Sequence[objective.Penalty],
    dropout_mask: TensorVariable | None = None,
) -> Graph:
    """The graph of one step on symbolic raw parameters.

    dropout_mask   (N,), multiplies what the recurrent units receive from each unit
    """
    dtype = str(raw.Wrec.dtype)
    inputs, targets, mask, noise = (
        pt.tensor(name, dtype=dtype, shape=(None, None, width))
        for name, width in zip(Batch._fields, batch_widths(network), strict=True)
    )
    weights: Any = scan.effective_weights(raw, network)  # symbolic
    if dropout_mask is not None:
        weights = weights._replace(Wrec=weights.Wrec * dropout_mask)
    kernels = KERNELS.get(backend)
    if kernels:
        states = recurrence_op.integrate(weights, inputs, noise, network, kernels)
    else:
        states = scan.integrate_by_scan(weights, inputs, noise, network)
    a = scan.output_current(states.r, weights)
    z = scan.outputs(a, network)

    loss = objective.loss(z, targets, mask, network, training.loss)
    penalty = sum((term(raw, states) for term in penalties), pt.zeros((), dtype))
    cost = loss + penalty if penalties else loss  # so that D's backward pass is the same one
    trained = {name: getattr(raw, name) for name in network.trained}
    gradients = derivatives(cost, list(trained.values()))

    if kernels:
        back = recurrence_op.backpropagated(states, derivatives(loss, [states.r])[0])
        D = back.D
        omega = recurrence_op.vanishing_gradient(D, back.S, states, training.bound)
    else:
        D = derivatives(loss, [noise])[0] / scan.alpha_of(weights, network, dtype)
        omega = objective.vanishing_gradient(D, states.x, weights, network, training.bound)
    [omega_gradient] = derivatives(None, [raw.Wrec], {weights.Wrec: omega.gradient})
    return Graph(
        batch=[inputs, targets, mask, noise],
        states=states,
        z=z,
        loss=objective.reported_loss(a, z, targets, mask, network, training.loss),
        penalty=penalty,
        error=objective.error(z, targets, mask),
        D=D,
        Omega=omega,
        omega_gradient=omega_gradient,
        gradients=dict(zip(trained, gradients, strict=True)),
    )


def derivatives(cost: TensorVariable | None, wrt: list[Any], known: Any = None) -> list[Any]:
    """The derivatives of a cost, or of whatever has `known` ones; 0 where it does not depend."""
    return cast("list[Any]", grad(cost, wrt, disconnected_inputs="ignore", known_grads=known))


def compile_graph(
    graph: Graph,
    results: list[TensorVariable],
    backend: str,
    updates: optimisers.Updates | None = None,
) -> Callable[..., list[NDArray]]:
    """A function of the four arrays of a batch."""
    return pytensor.function(
        graph.batch,
        results,
        updates=updates,
        mode=numpy_mode(loops=backend == "scan"),
        on_unused_input="ignore",
    )


def compile_update(
    graph: Graph,
    trained: dict[str, SharedVariable],
    training: TrainingConfig,
    optimiser: optimisers.Transform,
    backend: str,
) -> Update:
    """The whole update of a graph."""
    gradients = dict(graph.gradients)
    if training.lambda_Omega:
        gradients["Wrec"] += training.lambda_Omega * graph.omega_gradient
    gnorm, moments, updates = descent(gradients, trained, training, optimiser)
    report = [graph.loss + graph.penalty, gnorm, graph.Omega.value, graph.Omega.nelems]
    return Update(compile_graph(graph, report, backend, updates), moments)


def compile_descent(
    trained: dict[str, SharedVariable],
    training: TrainingConfig,
    optimiser: optimisers.Transform,
) -> Update:
    """What an update does with gradients that come from elsewhere, in the order of `trained`."""
    gradients = {name: theta.type(f"gradient_{name}") for name, theta in trained.items()}
    gnorm, moments, updates = descent(gradients, trained, training, optimiser)
    function = pytensor.function(
        list(gradients.values()),
        gnorm,
        updates=updates,
        mode=numpy_mode(),
        on_unused_input="ignore",
    )
    return Update(function, moments)


def descent(
    gradients: dict[str, TensorVariable],
    trained: dict[str, SharedVariable],
    training: TrainingConfig,
    optimiser: optimisers.Transform,
) -> tuple[TensorVariable, dict[str, SharedVariable], optimisers.Updates]:
    """Clip, guard, and take the optimiser's step: gnorm, the moments, and all that changes."""
    context = optimisers.Context(trained, optimisers.global_norm(gradients))
    transform = optimisers.chain(
        optimisers.clip_by_global_norm(training.max_gradient_norm),
        optimisers.finite_guard(),
        optimiser,
    )
    steps, updates = transform(gradients, context)
    moments = {str(shared.name): shared for shared, _ in updates}
    updates += [(theta, theta - steps[name]) for name, theta in trained.items()]
    return context.norm, moments, updates
