"""The fast path: the whole recurrence as one PyTensor Op, differentiated by hand.

    forward, t = 1..T     x_t = (1 - alpha) x_{t-1} + alpha I_t
                          I_t = r_{t-1} Wrec^T + brec + u_t Win^T + n_t
                          r_t = f(x_t)
    backward, t = T..1    S_t = (alpha D_{t+1}) Wrec,  S_T = 0
                          D_t = gx_t + (gr_t + S_t) * f'(x_t) + (1 - alpha) D_{t+1},  D_{T+1} = 0
    cotangents            n_t: alpha D_t      u_t: (alpha D_t) Win     brec: sum_t,trials alpha D_t
                          Wrec: sum_t (alpha D_t)^T r_{t-1}      Win: sum_t (alpha D_t)^T u_t
                          x_0: sum_trials (alpha D_1) Wrec * f'(x_0) + (1 - alpha) D_1

The equations are those of scan.py. u Win^T is one product for all t; D and S are also what
Omega needs (objective.py), so S is computed once. The Ops run kernels/recurrence_numba.py, compiled
without a C compiler and kept on disk, or kernels/recurrence_numpy.py.

| symbol   | name                                      | shape                | unit |
|----------|-------------------------------------------|----------------------|------|
| u, n     | inputs, recurrent noise                   | (time, trial, Nin | N) | 1  |
| x, r     | states, rates                             | (time, trial, N)     | 1    |
| gx, gr   | cotangents of x and r                     | (time, trial, N)     | 1    |
| D, S     | total derivative by x_t; its way back     | (time[-1], trial, N) | 1    |
| f'       | the gradient of f (rectification: 0.5 at 0) |                    | 1    |
| alpha    | dt / tau                                  | (N,)                 | 1    |
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.config import NetworkConfig
from pycog_dgr.network import Weights
from pycog_dgr.symbolic.objective import Omega
from pycog_dgr.symbolic.scan import States, alpha_of


class Cotangents(NamedTuple):
    """What the backward pass returns; t = 1..T for D (time, trial, N), 1..T-1 for S."""

    D: NDArray
    S: NDArray
    Win: NDArray  # (N, Nin)
    Wrec: NDArray  # (N, N)
    brec: NDArray  # (N,)
    x0: NDArray  # (N,)


class Regulariser(NamedTuple):
    """lambda_Omega, and the least |d_t|^2 that counts."""

    lambda_Omega: float
    bound: float


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
    def module(self) -> ModuleType:
        return importlib.import_module(f"pycog_dgr.kernels.recurrence_{self.kernels}")


class LeakyRNN(KernelOp):
    """(u, n, x0, Win, Wrec, brec, alpha) -> (x, r).

    With a `regulariser`, gradients by Wrec are those of cost + lambda_Omega Omega.
    """

    __props__ = (*KernelOp.__props__, "regulariser")

    def __init__(self, activation: str, kernels: str, regulariser: Regulariser | None = None):
        super().__init__(activation, kernels)
        self.regulariser = regulariser

    def make_node(self, *inputs) -> Apply:
        inputs = [pt.as_tensor(v) for v in inputs]
        noise = inputs[1]
        return Apply(self, inputs, [noise.type(), noise.type()])

    def perform(self, node, inputs, output_storage) -> None:
        inputs = plain(inputs)
        noise = inputs[1]
        x, r = (scratch(storage, noise.shape, noise.dtype) for storage in output_storage)
        self.module.forward(*inputs, self.activation, x, r)

    def infer_shape(self, fgraph, node, shapes):
        return [shapes[1], shapes[1]]

    def pullback(self, inputs, outputs, cotangents):
        u, _, x0, Win, Wrec, _, alpha = inputs
        x, r = outputs
        gx, gr = cotangents
        if isinstance(gr.type, DisconnectedType):
            gr = pt.zeros_like(r)
        gx = [] if isinstance(gx.type, DisconnectedType) else [gx]
        back = pullback_of(self)
        D, _, gWin, gWrec, gbrec, gx0, *_ = back(u, x, r, gr, x0, Win, Wrec, alpha, *gx)
        gn = alpha * D
        return [pt.dot(gn, Win), gn, gx0, gWin, gWrec, gbrec, disconnected_type()]

    def connection_pattern(self, node):
        return [[True, True]] * 6 + [[False, False]]


class LeakyRNNPullback(KernelOp):
    """(u, x, r, gr, x0, Win, Wrec, alpha[, gx]) -> Cotangents."""

    def make_node(self, u, x, r, gr, x0, Win, Wrec, alpha, *gx) -> Apply:
        inputs = [pt.as_tensor(v) for v in (u, x, r, gr, x0, Win, Wrec, alpha, *gx)]
        like = Cotangents(D=x, S=x, Win=Win, Wrec=Wrec, brec=x0, x0=x0)
        return Apply(self, inputs, [pt.as_tensor(v).type() for v in like])

    def perform(self, node, inputs, output_storage) -> None:
        self.backward(inputs, output_storage)

    def backward(self, inputs: list, output_storage: list, **options) -> object:
        u, x, r, gr, x0, Win, Wrec, alpha, *gx = plain(inputs)
        n_time, n_trial, N = x.shape
        shapes = Cotangents(x.shape, (n_time - 1, n_trial, N), Win.shape, Wrec.shape, (N,), (N,))
        out = Cotangents(*map(scratch, output_storage, shapes, [x.dtype] * len(shapes)))
        gx = gx[0] if gx else None
        return self.module.backward(
            u, x, r, gr, gx, x0, Win, Wrec, alpha, self.activation, out, **options
        )


class RegularisedPullback(LeakyRNNPullback):
    """LeakyRNNPullback with Omega's derivative in Wrec's -> (*Cotangents, Omega, nelems)."""

    __props__ = (*KernelOp.__props__, "regulariser")

    def __init__(self, activation: str, kernels: str, regulariser: Regulariser) -> None:
        super().__init__(activation, kernels)
        self.regulariser = regulariser

    def make_node(self, *inputs) -> Apply:
        node = super().make_node(*inputs)
        kinds = [output.type for output in node.outputs]
        scalar, buffer = pt.scalar(dtype=kinds[0].dtype).type, kinds[1]
        return Apply(self, node.inputs, [kind() for kind in (*kinds, scalar, scalar, buffer)])

    def perform(self, node, inputs, output_storage) -> None:
        n_time, n_trial, N = inputs[1].shape
        *storage, value, nelems, buffer = output_storage
        by_q = scratch(buffer, (n_time - 1, n_trial, N), inputs[1].dtype)
        omega, n_counting = self.backward(
            inputs, storage, regulariser=self.regulariser, scratch=by_q
        )
        value[0] = np.asarray(omega, by_q.dtype)
        nelems[0] = np.asarray(n_counting / (n_time * n_trial), by_q.dtype)


def pullback_of(recurrence: LeakyRNN) -> LeakyRNNPullback:
    """The Op that passes the cotangents of a LeakyRNN back."""
    activation, kernels, regulariser = recurrence._props()
    if regulariser is None:
        return LeakyRNNPullback(activation, kernels)
    return RegularisedPullback(activation, kernels, regulariser)


class VanishingGradient(KernelOp):
    """objective.vanishing_gradient in one pass: (D, S, x, r, Wrec, alpha) -> Omega.

    bound   least |d_t|^2 that counts
    """

    __props__ = (*KernelOp.__props__, "bound")

    def __init__(self, activation: str, kernels: str, bound: float) -> None:
        super().__init__(activation, kernels)
        self.bound = bound

    def make_node(self, D, S, x, r, Wrec, alpha) -> Apply:
        scalar = pt.scalar(dtype=D.dtype).type
        like = Omega(value=scalar, gradient=Wrec.type, nelems=scalar)
        hidden = D.type()  # the buffer for q
        return Apply(self, [D, S, x, r, Wrec, alpha], [*(kind() for kind in like), hidden])

    def perform(self, node, inputs, output_storage) -> None:
        D, S, x, r, Wrec, alpha = plain(inputs)
        value, gradient, nelems, buffer = output_storage
        dWrec, q = scratch(gradient, Wrec.shape, D.dtype), scratch(buffer, S.shape, D.dtype)
        total, n_counting = self.module.omega(
            D, S, x, r, Wrec, alpha, self.activation, self.bound, q, dWrec
        )
        value[0] = np.asarray(total, D.dtype)
        nelems[0] = np.asarray(n_counting / (D.shape[0] * D.shape[1]), D.dtype)


def plain(arrays: list[NDArray]) -> list[NDArray]:
    """Arrays in C order that may be written, the one kind that the kernels are compiled for."""
    return [np.require(array, requirements="CW") for array in arrays]


def scratch(storage: list, shape: tuple[int, ...], dtype: np.dtype) -> NDArray:
    """The array of the last call, where it fits, or a new one; it stands in `storage`."""
    array = storage[0]
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
        storage[0] = array = np.empty(shape, dtype)
    return array


# --- the recurrence in a network ------------------------------------------------------------------


def integrate(
    weights: Weights, inputs: TensorVariable, noise: TensorVariable, network: NetworkConfig,
    kernels: str = "numpy", regulariser: Regulariser | None = None,
) -> States:  # fmt: skip
    """States and rates, like `network.integrate_by_scan`."""
    alpha = alpha_per_unit(network, noise.dtype)
    recurrence = LeakyRNN(network.hidden_activation, kernels, regulariser)
    Win = input_weights(weights, network)
    return States(*recurrence(inputs, noise, weights.x0, Win, weights.Wrec, weights.brec, alpha))


def backpropagated(states: States, gr: TensorVariable) -> list[TensorVariable]:
    """What the backward pass returns, Cotangents and more, of the cost whose gradient by r is `gr`.

    Where the gradient of that same cost is taken as well, PyTensor merges the two backward passes.
    """
    node = states.r.owner
    u, _, x0, Win, Wrec, _, alpha = node.inputs
    return pullback_of(node.op)(u, states.x, states.r, gr, x0, Win, Wrec, alpha)


def vanishing_gradient(D: TensorVariable, S: TensorVariable, states: States, bound: float) -> Omega:
    """Omega like `objective.vanishing_gradient`, by compiled kernels."""
    op, (*_, Wrec, _, alpha) = states.r.owner.op, states.r.owner.inputs
    once = VanishingGradient(op.activation, op.kernels, bound)
    *omega, _ = once(D, S, states.x, states.r, Wrec, alpha)
    return Omega(*omega)


def alpha_per_unit(network: NetworkConfig, dtype: str) -> TensorVariable:
    """dt / tau (N,)."""
    return pt.constant(np.broadcast_to(alpha_of(network, dtype).data, network.N).copy())


def input_weights(weights: Weights, network: NetworkConfig) -> TensorVariable:
    """Win (N, Nin), also where a network has no inputs."""
    return pt.zeros((network.N, 0), weights.Wrec.dtype) if weights.Win is None else weights.Win
