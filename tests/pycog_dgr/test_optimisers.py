"""Adam against its definition; the chain's order; schedules; parts that are held."""

import numpy as np
import pytest

from pycog_dgr import SettingError
from pycog_dgr.symbolic import adam, chain, cosine, exponential, only, sgd, warm_up
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


# -- schedules ------------------------------------------------------------------------------------

FREE = {"max_gradient_norm": np.inf, "lambda_Omega": 0}


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (exponential(0.4, halving=1), [0.4, 0.2, 0.1]),
        (cosine(0.4, updates=2, end=0.2), [0.4, 0.3, 0.2, 0.2]),
        (warm_up(0.3, updates=3), [0.1, 0.2, 0.3, 0.3]),
        (warm_up(exponential(0.4, halving=1), updates=2), [0.2, 0.2, 0.1]),
        (lambda n: 0.1 * (n + 1), [0.1, 0.2, 0.3]),
    ],
)
def test_a_schedule_sets_the_step_of_every_update(schedule, rates):
    step = small.step(optimiser=sgd(schedule), **FREE)
    for n, rate in enumerate(rates):
        batch, before = small.batch(step.network, seed=n), step.parameters.Wout
        g = step.gradients(batch)["grad_Wout"]
        step.update(batch)
        np.testing.assert_allclose(before - step.parameters.Wout, rate * g, rtol=1e-10)
    assert step.state()["sgd_count"] == len(rates)


def test_a_scheduled_training_goes_on_where_it_was():
    batches = [small.batch(small.step().network, seed=n) for n in range(4)]
    for optimiser in (sgd(exponential(0.5, 1)), adam(cosine(0.1, 3))):
        whole, first, second = (small.step(optimiser=optimiser) for _ in range(3))
        for batch in batches:
            whole.update(batch)
        for batch in batches[:2]:
            first.update(batch)
        second.load_state(first.state())
        for batch in batches[2:]:
            second.update(batch)
        np.testing.assert_array_equal(whole.parameters.Wrec, second.parameters.Wrec)


def test_a_constant_schedule_of_adam_is_its_number():
    one, other = (
        small.step(optimiser=adam(0.01)),
        small.step(optimiser=adam(lambda n: 0.01 + 0 * n)),
    )
    for n in range(3):
        for step in (one, other):
            step.update(small.batch(step.network, seed=n))
    np.testing.assert_allclose(one.parameters.Wrec, other.parameters.Wrec, rtol=1e-12)


@pytest.mark.parametrize("floatX", ["float32", "float64"])
def test_a_schedule_keeps_the_number_type(floatX):
    step = small.step(floatX=floatX, optimiser=sgd(cosine(0.1, 10)))
    step.update(small.batch(step.network))
    assert {value.dtype for value in step.state().values()} == {np.dtype(floatX)}


# -- parts that are held --------------------------------------------------------------------------


@pytest.mark.parametrize("optimiser", [sgd(0.1), adam(0.1)])
def test_only_what_is_named_moves(optimiser):
    mask = np.zeros((6, 6))
    mask[2, :3] = 1
    step = small.step(optimiser=chain(optimiser, only(Wrec=mask, Wout=True)))
    before = step.parameters
    for n in range(3):
        step.update(small.batch(step.network, seed=n))
    moved = {
        name: getattr(step.parameters, name) != getattr(before, name) for name in before._fields
    }
    assert not moved["Win"].any() and not moved["x0"].any()
    assert moved["Wout"].all() and moved["Wrec"].any()
    assert not moved["Wrec"][mask == 0].any()


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ({"brec": True}, "'brec' is not trained; trained are Win, Wrec, Wout, x0"),
        ({"Wrec": np.ones((5, 6))}, r"mask of Wrec has shape \(5, 6\), expected \(6, 6\)"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(masks, message):
    step = small.step(optimiser=chain(sgd(0.1), only(**masks)))
    with pytest.raises(SettingError, match=message):
        step.update(small.batch(step.network))
