"""Graphs as one Python function of numpy calls: every entry beside PyTensor's own values."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from pycog_dgr.symbolic.numpy_mode import numpy_mode

x, y = pt.dmatrices("x", "y")
v = pt.dvector("v")
GRAPHS = {
    "sum over short rows": pt.sum(x, axis=1),
    "sum over columns": pt.sum(x, axis=0),
    "sum of all": pt.sum(x),
    "sum of integers": pt.sum(pt.cast(x > 0, "int64"), axis=1),
    "maximum of rows": pt.max(x, axis=1),
    "maximum of columns": pt.max(x, axis=0),
    "maximum of all": pt.max(x),
    "transposed": x.T,
    "an axis more": x[:, None, :] * y[None],
    "an axis less": pt.sum(x, axis=1, keepdims=True)[:, 0] + v[:3],
    "reshaped": x.reshape((-1,)) + 0,
    "part": x[1:, ::2] * 2,
    "product": pt.dot(x, y.T),
    "three terms": x + y + v,
    "three factors": x * y * v,
    "logic": (x > 0) & (y > 0) & (x < y),
    "switch": pt.switch(x > y, x, v),
    "square": x**2,
    "power": abs(x) ** 1.5,
    "sigmoid": pt.sigmoid(x),
    "softplus": pt.softplus(x),
    "cast": pt.cast(x, "float32"),
    "filled": pt.second(x, v[0]),
    "an Op of its own": pt.cumsum(x, axis=0),
}
NUMBERS = np.random.default_rng(0).normal(size=(2, 3, 4))


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_has_pytensors_values(name):
    given = [*NUMBERS, NUMBERS[0, 0]]
    values = []
    for mode in (numpy_mode(), Mode("py", None)):
        compiled = pytensor.function([x, y, v], GRAPHS[name], mode=mode, on_unused_input="ignore")
        values.append(compiled(*given))
    got, expected = values
    assert isinstance(got, np.ndarray) and got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-15, atol=1e-15)


def test_arrays_handed_out_are_not_written_by_the_next_call():
    compiled = pytensor.function([x], pt.cumsum(x, axis=0), mode=numpy_mode())
    first = compiled(NUMBERS[0])
    kept = first.copy()
    compiled(NUMBERS[1])
    np.testing.assert_array_equal(first, kept)


def test_an_error_names_the_node():
    compiled = pytensor.function([x, y], pt.dot(x, y), mode=numpy_mode())
    with pytest.raises(ValueError, match="not aligned"):
        compiled(*NUMBERS)
