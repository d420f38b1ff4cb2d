"""The recurrence as one PyTensor Op with a backward pass written by hand.

    drive_t = u_t Win^T + brec + noise_t
    x_t     = (1 - alpha) x_{t-1} + alpha (r_{t-1} Wrec^T + drive_t)
    r_t     = f(x_t)
    z_t     = g(r_t Wout^T + bout)                                          t = 1..T

Source: H. F. Song, G. R. Yang, X.-J. Wang (2016), PLoS Comput. Biol. 12, e1004792, eqs. 1-3,
discretised by Euler's method as in its eqs. 5-7.

The Op computes x and r, as scan.py does; the backward pass and the symbols stand in
kernels/interface.py, and the Ops run either of its two sets of kernels. D and S of the backward
pass are also what Omega (objective.py) is made of, so they are computed once.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import NetworkConfig
from pycog_dgr.kernels import (
    Cotangents,
    Kernels,
    Recurrence,
    Trajectory,
    get_kernels,
)
from pycog_dgr.network import Weights
from pycog_dgr.symbolic.objective import Omega
from pycog_dgr.symbolic.scan import States, alpha_of


class BackwardPass(NamedTuple):
    """Symbolic derivatives of a cost, named as in kernels.Cotangents."""

    D: TensorVariable
    S: TensorVariable
    Win: TensorVariable
    Wrec: TensorVariable
    brec: TensorVariable
    x0: TensorVariable


class KernelOp(Op):
    """An Op of the recurrence: which activation it integrates, and by which kernels.

    activation   a key of activations.HIDDEN
    kernels      'numba' or 'numpy'
    """

    __props__: tuple[str, ...] = ("activation", "kernels")

    def __init__(self, activation: str, kernels: str) -> None:
        self.activation = activation
        self.kernels = kernels

    @property
    def compute(self) -> Kernels:
        return get_kernels(self.kernels)

    def recurrence(self, arrays: list[NDArray]) -> Recurrence:
        """Of Win, Wrec, brec, x0 and alpha."""
        Win, Wrec, brec, x0, alpha = arrays
        return Recurrence(Win, Wrec, brec, x0, alpha, self.activation)


class LeakyRNN(KernelOp):
    """(u, noise, Win, Wrec, brec, x0, alpha) -> (x, r)."""

    def make_node(self, *inputs: Any) -> Apply:
        inputs = tuple(pt.as_tensor(value) for value in inputs)
        noise = inputs[1]
        return Apply(self, inputs, [noise.type(), noise.type()])

    def perform(self, node: Apply, inputs: Any, output_storage: list) -> None:
        u, noise, *rest = plain(inputs)
        out = Trajectory(*(reused(one, noise.shape, noise.dtype) for one in output_storage))
        store(output_storage, self.compute.forward(self.recurrence(rest), u, noise, out))

    def infer_shape(self, fgraph: Any, node: Apply, shapes: list) -> list:
        return [shapes[1], shapes[1]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list:
        u, _, Win, Wrec, brec, x0, alpha = inputs
        x, r = outputs
        gx, gr = cotangents
        if isinstance(gr.type, DisconnectedType):
            gr = pt.zeros_like(r)
        gx = [] if isinstance(gx.type, DisconnectedType) else [gx]
        back = backward_pass(self, u, x, r, gr, Win, Wrec, brec, x0, alpha, *gx)
        g_noise = alpha * back.D
        return [
            pt.dot(g_noise, Win), g_noise, back.Win, back.Wrec, back.brec, back.x0,
            AlphaCotangent(self.activation, self.kernels)(x, r, back.D, Win, Wrec, brec, x0, alpha),
        ]  # fmt: skip


class LeakyRNNPullback(KernelOp):
    """(u, x, r, gr, Win, Wrec, brec, x0, alpha[, gx]) -> Cotangents."""

    def make_node(self, *inputs: Any) -> Apply:
        inputs = tuple(pt.as_tensor(value) for value in inputs)
        _, x, _, _, Win, Wrec, brec, x0, *_ = inputs
        like = (x, x, Win, Wrec, brec, x0)  # in the order of Cotangents
        return Apply(self, inputs, [value.type() for value in like])

    def perform(self, node: Apply, inputs: Any, output_storage: list) -> None:
        u, x, r, gr, *rest = plain(inputs)
        recurrence = self.recurrence(rest[:5])
        gx = rest[5] if len(rest) > 5 else None
        out = cotangents_in(output_storage, recurrence, x)
        store(output_storage, self.compute.backward(recurrence, u, Trajectory(x, r), gr, gx, out))


class AlphaCotangent(KernelOp):
    """(x, r, D, Win, Wrec, brec, x0, alpha) -> the derivative with respect to alpha (N,)."""

    def make_node(self, *inputs: Any) -> Apply:
        inputs = tuple(pt.as_tensor(value) for value in inputs)
        return Apply(self, inputs, [inputs[-1].type()])

    def perform(self, node: Apply, inputs: Any, output_storage: list) -> None:
        x, r, D, *rest = plain(inputs)
        gradient = self.compute.alpha_cotangent(self.recurrence(rest), Trajectory(x, r), D)
        store(output_storage, [gradient])


def backward_pass(recurrence: LeakyRNN, *inputs: Any) -> BackwardPass:
    """The symbolic backward pass of a LeakyRNN, of the inputs of LeakyRNNPullback."""
    pullback = LeakyRNNPullback(recurrence.activation, recurrence.kernels)
    return BackwardPass(*applied(pullback, *inputs))


class VanishingGradient(KernelOp):
    """objective.vanishing_gradient by kernels: (D, S, x, r, Win, Wrec, brec, x0, alpha) -> Omega.

    bound   least |d_t|^2 that counts
    """

    __props__ = ("activation", "kernels", "bound")

    def __init__(self, activation: str, kernels: str, bound: float) -> None:
        super().__init__(activation, kernels)
        self.bound = bound

    def make_node(self, *inputs: Any) -> Apply:
        Wrec = inputs[5]
        scalar = pt.scalar(dtype=Wrec.dtype).type
        like = (scalar, Wrec.type, scalar)  # in the order of objective.Omega
        return Apply(self, inputs, [kind() for kind in like])

    def perform(self, node: Apply, inputs: Any, output_storage: list) -> None:
        D, S, x, r, *rest = plain(inputs)
        recurrence = self.recurrence(rest)
        omega = self.compute.omega(recurrence, Trajectory(x, r), D, S, self.bound)
        gradient = self.compute.omega_gradient(recurrence, D, omega.q_term)
        value, nelems = (np.asarray(number, D.dtype) for number in (omega.value, omega.nelems))
        store(output_storage, (value, gradient, nelems))


# --- arrays of PyTensor ---------------------------------------------------------------------------


def plain(arrays: Any) -> list[NDArray]:
    """Arrays in C order that may be written, the one kind that the kernels are compiled for."""
    return [np.require(array, requirements=["C", "W"]) for array in arrays]


def reused(storage: list, shape: tuple[int, ...], dtype: np.dtype) -> NDArray:
    """The array of the last call where it fits, or a new one."""
    array = storage[0]
    if isinstance(array, np.ndarray) and array.shape == shape and array.dtype == dtype:
        return array
    return np.empty(shape, dtype)


def cotangents_in(storage: list, recurrence: Recurrence, x: NDArray) -> Cotangents:
    """Arrays for the backward pass, those of the last call where they fit."""
    Win, Wrec, brec, x0, *_ = recurrence
    like = (x, x[1:], Win, Wrec, brec, x0)  # in the order of Cotangents
    pairs = zip(storage, like, strict=True)
    return Cotangents(*(reused(one, array.shape, x.dtype) for one, array in pairs))


def store(storage: list, arrays: Any) -> None:
    for one, array in zip(storage, arrays, strict=True):
        one[0] = array


# --- the recurrence in a network ------------------------------------------------------------------


def integrate(
    weights: Weights,
    inputs: TensorVariable,
    noise: TensorVariable,
    network: NetworkConfig,
    kernels: str = "numpy",
) -> States:
    """States and rates, like `scan.integrate_by_scan`."""
    alpha = alpha_per_unit(weights, network, noise.dtype)
    recurrence = LeakyRNN(network.hidden_activation, kernels)
    Win = input_weights(weights, network)
    arrays = inputs, noise, Win, weights.Wrec, weights.brec, weights.x0, alpha
    x, r = applied(recurrence, *arrays)
    return States(x, r)


def backpropagated(states: States, gr: TensorVariable) -> BackwardPass:
    """The backward pass of the cost whose gradient with respect to r is `gr`.

    Where the gradient of that same cost is taken as well, PyTensor merges the two backward passes.
    """
    node = states.r.owner
    u, _, *rest = node.inputs
    return backward_pass(node.op, u, states.x, states.r, gr, *rest)


def vanishing_gradient(D: TensorVariable, S: TensorVariable, states: States, bound: float) -> Omega:
    """Omega like `objective.vanishing_gradient`, by kernels."""
    op, (_, _, *rest) = states.r.owner.op, states.r.owner.inputs
    once = VanishingGradient(op.activation, op.kernels, bound)
    value, gradient, nelems = applied(once, D, S, states.x, states.r, *rest)
    return Omega(value, gradient, nelems)


def applied(op: Op, *inputs: Any) -> list[TensorVariable]:
    """The outputs of an Op that has several."""
    return cast("list[TensorVariable]", op(*inputs, return_list=True))


def alpha_per_unit(weights: Weights, network: NetworkConfig, dtype: Any) -> TensorVariable:
    """The ratio dt / tau (N,)."""
    alpha: Any = alpha_of(weights, network, dtype)
    if weights.tau is not None:
        return alpha
    return pt.constant(np.broadcast_to(alpha.data, network.N).copy())


def input_weights(weights: Weights, network: NetworkConfig) -> TensorVariable:
    """Win (N, Nin), also where a network has no inputs."""
    given: Any = weights.Win  # symbolic
    return pt.zeros((network.N, 0), weights.Wrec.dtype) if given is None else given
