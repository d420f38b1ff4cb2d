"""PyTensor modes that run graphs through numpy: nothing to compile, so no cold start."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import pytensor.scalar as ps
from numpy.typing import NDArray
from pytensor.compile.mode import Mode, optdb
from pytensor.graph.features import ReplaceValidate
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import GraphRewriter, SequentialGraphRewriter
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.link.vm import VMLinker
from pytensor.scalar.math import Softplus
from pytensor.tensor.elemwise import Elemwise

from pycog_dgr.symbolic import numpy_linker
from pycog_dgr.symbolic.compiledir import require_compiledir

# The rest of PyTensor's rewrites costs seconds and gains nothing without a compiler. The one that
# is left out makes (1 - z) + 1e-10 into (1 + 1e-10) - z, which in float32 is 0 for z = 1.
REWRITES = RewriteDatabaseQuery(include=("merge", "canonicalize"), exclude=("local_add_canonizer",))


def add(*terms: NDArray) -> NDArray:
    return reduce(np.add, terms)


def multiply(*factors: NDArray) -> NDArray:
    return reduce(np.multiply, factors)


BY_NUMPY: dict[type, str] = {
    ps.Add: f"{__name__}.add",
    ps.Mul: f"{__name__}.multiply",
    ps.Second: f"{numpy_linker.__name__}.fill",
    ps.Switch: "numpy.where",
    Softplus: f"{numpy_linker.__name__}.softplus",
    ps.Cast: "numpy.array",  # Elemwise then converts to the type of its output
}


class UseNumpy(GraphRewriter):
    """For a loop over time, which the NumpyLinker cannot run: the same functions, node by node.

    PyTensor's own implementations run single elements in Python where numpy has no function of
    the same signature.
    """

    def add_requirements(self, fgraph: FunctionGraph) -> None:
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph: FunctionGraph) -> None:
        for node in fgraph.toposort():
            if not isinstance(node.op, Elemwise):
                continue
            kind: type = type(node.op.scalar_op)
            name = BY_NUMPY.get(kind)
            spec = node.op.nfunc_spec
            if name is None or (spec is not None and spec[1] == len(node.inputs)):
                continue
            by_numpy = Elemwise(node.op.scalar_op, nfunc_spec=(name, len(node.inputs), 1))
            fgraph.replace_validate(
                node.outputs[0], by_numpy(*node.inputs), reason="run by numpy as a whole"
            )


def numpy_mode(loops: bool = False) -> Mode:
    """Few rewrites, numpy for every node.

    `loops`: the graph holds a scan, which asks for PyTensor's virtual machine. That one compiles
    a small C file of its own the first time, where there is a C compiler.
    """
    rewrites = optdb.query(REWRITES)
    if not loops:
        return Mode(numpy_linker.NumpyLinker(), rewrites)
    require_compiledir()
    linker = VMLinker(allow_gc=False, use_cloop=False, c_thunks=False)
    rewriter: Any = SequentialGraphRewriter(rewrites, UseNumpy())  # Mode's annotation lacks it
    return Mode(linker, rewriter)
