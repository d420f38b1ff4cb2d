"""A PyTensor linker that writes the graph out as one Python function of numpy calls.

PyTensor's own Python implementations prepare every call of every node anew, which costs more than
the small arrays of a training step, and loop over single elements where numpy has no function of
the same signature. Here each node is looked up once, and what remains is the call. Nothing is
compiled, so there is no cold start. A node without an entry below runs its own `perform`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce, singledispatch
from typing import Any, cast

import numpy as np
import pytensor.scalar as ps
from numpy.typing import NDArray
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.link.basic import JITLinker
from pytensor.link.utils import fgraph_to_python
from pytensor.scalar.math import Sigmoid, Softplus
from pytensor.tensor.basic import MakeVector
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot, Max, Sum
from pytensor.tensor.shape import Reshape, Shape
from pytensor.tensor.type import TensorType

Function = Callable[..., Any]


class NumpyLinker(JITLinker):
    """Runs a FunctionGraph as one Python function of numpy calls.

    An array that only the graph itself sees is written again by the next call (an Op that asks for
    it finds the last one in its output storage); what the graph returns is never touched again.
    """

    required_rewrites = ()

    def fgraph_convert(self, fgraph: FunctionGraph, *_: Any, **options: Any) -> Function:
        returned = set(fgraph.outputs)

        def convert(op: Op, node: Apply, **_: Any) -> Function:
            return numpy_function(op, node, returned)

        wanted = {name: options[name] for name in ("order", "storage_map")}
        return fgraph_to_python(fgraph, convert, **wanted)

    def create_thunk_inputs(self, storage_map: dict) -> list:
        return [storage_map[variable] for variable in self._graph.inputs]

    def jit_compile(self, fn: Function) -> Function:
        dtypes = [type_of(output).dtype for output in self._graph.outputs]
        return lambda *inputs: [
            np.asarray(value, dtype) for value, dtype in zip(fn(*inputs), dtypes, strict=True)
        ]

    @property
    def _graph(self) -> FunctionGraph:
        assert self.fgraph is not None, "PyTensor calls `accept` before it asks for anything"
        return self.fgraph


def type_of(variable: Variable) -> TensorType:
    """Number type and dimensions of a tensor."""
    return cast(TensorType, variable.type)


# --- elementwise ----------------------------------------------------------------------------------


def softplus(x: NDArray) -> NDArray:
    return np.logaddexp(x.dtype.type(0), x)


def sigmoid(x: NDArray) -> NDArray:
    """1 / (1 + e^-x), through e^-|x| so that nothing overflows."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, x.dtype.type(1), small) / (x.dtype.type(1) + small)


def fill(shape_of: NDArray, value: NDArray) -> NDArray:
    return np.array(np.broadcast_to(value, np.broadcast_shapes(shape_of.shape, value.shape)))


def integer_power(base: NDArray, exponent: NDArray) -> NDArray:
    """Numpy squares by multiplication only where the exponent is a Python number."""
    return np.square(base) if exponent.size == 1 and exponent.item() == 2 else base**exponent


BY_NUMPY: dict[type, Function] = {
    ps.Second: fill, ps.Switch: np.where, ps.Pow: integer_power, Sigmoid: sigmoid,
    Softplus: softplus,
}  # fmt: skip
OF_MANY_TERMS = {ps.Add: np.add, ps.Mul: np.multiply, ps.AND: np.bitwise_and}


def elementwise(op: Elemwise, node: Apply) -> Function | None:
    """The numpy function of an elementwise node, or None where there is none."""
    kind = type(op.scalar_op)
    if kind is ps.Cast:
        dtype = type_of(node.outputs[0]).dtype
        return lambda x: x.astype(dtype, copy=False)
    if kind in OF_MANY_TERMS and len(node.inputs) > 2:
        two = OF_MANY_TERMS[kind]
        return lambda *terms: reduce(two, terms)
    if kind in BY_NUMPY:
        return BY_NUMPY[kind]
    name, n_inputs, n_outputs = op.nfunc_spec or ("", 0, 0)
    if n_inputs != len(node.inputs) or n_outputs != 1 or not hasattr(np, name):
        return None
    return getattr(np, name)


# --- one entry for each kind of Op ----------------------------------------------------------------


@singledispatch
def numpy_function(op: Op, node: Apply, returned: set) -> Function:
    """A function of arrays that does what the node does."""
    seen_outside = any(output in returned for output in node.outputs)
    kept: list[list] = [[None] for _ in node.outputs]

    def perform(*inputs: Any) -> Any:
        storage = [[None] for _ in node.outputs] if seen_outside else kept
        op.perform(node, list(inputs), storage)
        return storage[0][0] if len(storage) == 1 else [one[0] for one in storage]

    return perform


generic = numpy_function.dispatch(object)


@numpy_function.register
def _(op: Elemwise, node: Apply, returned: set) -> Function:
    return elementwise(op, node) or generic(op, node, returned)


@numpy_function.register
def _(op: DimShuffle, node: Apply, returned: set) -> Function:
    kept = [axis for axis in op.new_order if axis != "x"]
    n_dropped = len(op.drop)
    index = tuple(None if axis == "x" else slice(None) for axis in op.new_order)
    in_order = kept == sorted(kept)
    if not n_dropped and in_order:
        return lambda x: x[index]
    return lambda x: x.transpose(kept + list(op.drop))[(..., *(0,) * n_dropped)][index]


@numpy_function.register
def _(op: Dot, node: Apply, returned: set) -> Function:
    return np.dot


@numpy_function.register
def _(op: Reshape, node: Apply, returned: set) -> Function:
    return lambda x, shape: x.reshape(tuple(shape))


@numpy_function.register
def _(op: Shape, node: Apply, returned: set) -> Function:
    return lambda x: np.array(x.shape, np.int64)


@numpy_function.register
def _(op: MakeVector, node: Apply, returned: set) -> Function:
    dtype = op.dtype
    return lambda *values: np.array(values, dtype)


@numpy_function.register
def _(op: Max, node: Apply, returned: set) -> Function:
    axis = op.axis
    if axis == (type_of(node.inputs[0]).ndim - 1,):  # numpy goes through short rows slowly
        return lambda x: np.max(np.ascontiguousarray(np.moveaxis(x, -1, 0)), axis=0)
    return lambda x: np.max(x, axis=axis)


@numpy_function.register
def _(op: Sum, node: Apply, returned: set) -> Function:
    axis, accumulate, dtype = op.axis, op.acc_dtype, type_of(node.outputs[0]).dtype
    x = type_of(node.inputs[0])
    if axis == (x.ndim - 1,) and x.ndim > 1 and x.dtype == dtype and x.dtype.startswith("float"):
        return lambda x: x @ np.ones(x.shape[-1], x.dtype)  # numpy sums short rows slowly
    return lambda x: np.sum(x, axis=axis, dtype=accumulate).astype(dtype, copy=False)
