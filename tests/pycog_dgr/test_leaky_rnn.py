"""The Op of the fast path as a building block: gradients by x alone, shapes, and its mode."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.gradient import grad

from pycog_dgr.symbolic.numpy_mode import numpy_mode
from pycog_dgr.symbolic.recurrence_op import LeakyRNN

NAMES = ("inputs", "noise", "Win", "Wrec", "brec", "x0")
SHAPES = ((5, 3, 4), (5, 3, 2), (2, 4), (2, 2), (2,), (2,))


@pytest.fixture(params=["numba", "numpy"])
def recurrence(request):
    """Symbolic inputs of the Op; their states x; and numbers for the inputs."""
    inputs = [pt.TensorType("float64", (None,) * len(shape))() for shape in SHAPES]
    x, _ = LeakyRNN("tanh", request.param)(*inputs, pt.constant(np.array([0.3, 0.6])))
    rng = np.random.default_rng(0)
    return inputs, x, [rng.normal(size=shape) for shape in SHAPES]


def test_a_cost_of_the_states_alone_has_the_right_gradient(recurrence):
    inputs, x, numbers = recurrence
    cost = pt.sum(x**3)
    compiled = pytensor.function(inputs, [cost, *grad(cost, inputs)], mode=numpy_mode())
    _, *gradients = compiled(*numbers)
    rng, h = np.random.default_rng(1), 1e-6
    for i, gradient in enumerate(gradients):
        direction = rng.normal(size=gradient.shape)
        costs = []
        for sign in (1, -1):
            moved = list(numbers)
            moved[i] = numbers[i] + sign * h * direction
            costs.append(compiled(*moved)[0])
        slope = (costs[0] - costs[1]) / (2 * h)
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-6)


def test_shapes_are_known_without_running_the_network(recurrence):
    inputs, x, numbers = recurrence
    mode = Mode("py", "fast_compile")
    shape = pytensor.function(inputs, x.shape, mode=mode, on_unused_input="ignore")
    assert not any(isinstance(node.op, LeakyRNN) for node in shape.maker.fgraph.toposort())
    np.testing.assert_array_equal(shape(*numbers), (5, 3, 2))


def test_sums_and_products_of_many_terms_run_as_numpy():
    a, b, c = pt.dvectors("a", "b", "c")
    compiled = pytensor.function([a, b, c], [pt.add(a, b, c), pt.mul(a, b, c)], mode=numpy_mode())
    terms = np.arange(9.0).reshape(3, 3)
    total, product = compiled(*terms)
    np.testing.assert_array_equal(total, terms.sum(axis=0))
    np.testing.assert_array_equal(product, terms.prod(axis=0))
