"""A generator of input time courses: several tasks, inputs of any range, trials of any length."""

import numpy as np
import pytest

from bridge.errors import BatchError, SettingError
from bridge.replay import TimeCourses

SMALL = {"hidden": (32,), "n_latent": 2, "components": 2, "texture_rank": 0, "averaging": 0.9}


def steps(rng, n, low, high, length):
    """Time courses (length, 2): one input from low to high at a random step, one always `high`."""
    shown = []
    for onset in rng.integers(2, length - 2, n):
        inputs = np.full((length, 2), high, float)
        inputs[:onset, 0] = low
        shown.append(inputs)
    return shown


@pytest.fixture(scope="module")
def learnt():
    """A generator of two tasks: of 6 steps from -1 to 3, and of 10 steps from 0 to 20."""
    rng = np.random.default_rng(1)
    generator = TimeCourses(2, 10, 2, seed=1, **SMALL)
    generator.learn(0, steps(rng, 300, -1, 3, 6), iterations=300)
    generator.learn(1, steps(rng, 300, 0, 20, 10), iterations=300)
    return generator


@pytest.mark.parametrize(("task", "length", "low", "high"), [(0, 6, -1, 3), (1, 10, 0, 20)])
def test_time_courses_are_drawn_as_they_were_learnt(learnt, task, length, low, high):
    """Also those of the first task, after the second was learnt without a trial of the first."""
    drawn = learnt.sample(50, np.random.default_rng(2), task)
    assert {inputs.shape for inputs in drawn} == {(length, 2)}
    first, second = np.stack(drawn).transpose(2, 0, 1)
    np.testing.assert_allclose(second, high, atol=1e-6)
    edge = 0.15 * (high - low)
    assert low <= first.min() and first.max() <= high
    assert np.mean(first[:, 0] < low + edge) > 0.9 and np.mean(first[:, -1] > high - edge) > 0.9


def test_the_same_seed_draws_the_same(learnt):
    one, other = (learnt.sample(3, np.random.default_rng(5), 1) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("shown", "message"),
    [
        ([np.zeros((11, 2))], r"\(11, 2\); expected \(time, 2\), at most 10 time steps"),
        ([np.zeros((5, 3))], r"inputs 0 of task 1 have shape \(5, 3\)"),
        ([np.full((5, 2), np.inf)], "inputs 0 of task 1 are not finite"),
        ([], "task 1: no time courses"),
    ],
)
def test_time_courses_of_another_kind_are_refused(shown, message):
    with pytest.raises(BatchError, match=message):
        TimeCourses(2, 10, 2, seed=1, **SMALL).learn(1, shown, iterations=1)


def test_a_task_that_was_not_learnt_is_refused():
    with pytest.raises(SettingError, match="task 1 was not learnt"):
        TimeCourses(2, 10, 2, seed=1, **SMALL).sample(1, np.random.default_rng(1), 1)
