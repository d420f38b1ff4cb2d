"""Adam against its definition; the chain's order."""

import numpy as np
import pytest

from pycog_dgr.symbolic.optimisers import adam, chain, sgd
from tests.pycog_dgr import small


def test_adam_is_its_definition():
    rate, b1, b2, epsilon = 0.01, 0.9, 0.999, 1e-5
    step = small.step(
        optimiser=adam(rate, b1, b2, epsilon), max_gradient_norm=np.inf, lambda_Omega=0
    )
    theta, m, v = step.parameters.Wout, 0.0, 0.0
    for t in range(1, 5):
        batch = small.batch(step.network, seed=t)
        g = step.gradients(batch)["grad_Wout"]
        step.update(batch)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        theta = theta - rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + epsilon)
        np.testing.assert_allclose(step.parameters.Wout, theta, rtol=1e-12)


def test_adams_moments_are_part_of_the_state():
    step = small.step(optimiser=adam(0.01))
    step.update(small.batch(step.network))
    state = step.state()
    assert state["adam_count"] == 1
    assert state["adam_mean_Wrec"].shape == state["adam_square_Wrec"].shape == (6, 6)
    assert state["adam_square_Wrec"].any()


def test_transforms_chain_in_order():
    half_twice = chain(sgd(0.5), sgd(0.5))
    one, other = small.step(optimiser=half_twice), small.step(optimiser=sgd(0.25))
    batch = small.batch(one.network)
    one.update(batch)
    other.update(batch)
    np.testing.assert_allclose(one.parameters.Wrec, other.parameters.Wrec, rtol=1e-14)


def test_sgd_takes_the_learning_rate_of_the_settings():
    still = small.step(learning_rate=0.0)
    before = still.parameters.Wrec
    still.update(small.batch(still.network))
    np.testing.assert_array_equal(still.parameters.Wrec, before)
    assert still.training.learning_rate == pytest.approx(0)
