"""A setting keeps its type: a whole dt reaches the task as a whole number, whoever hands it on."""

import numpy as np
import pytest

from pycog_dgr import RNN, Dataset, Model, simulate_trials
from pycog_dgr.config import settings
from tests.pycog_dgr import tiny


def generate_trial(rng, dt, params):
    """As many public model files do: dt is a divisor of an index."""
    steps = np.zeros(100 // dt)  # fails for a float
    return {
        "t": dt * np.arange(1, len(steps) + 1),
        "epochs": {"T": 100},
        "info": {"choice": 0},
        "inputs": np.ones((len(steps), 1)),
        "outputs": np.ones((len(steps), 2)),
    }


@pytest.mark.parametrize(
    ("given", "kind"),
    [(10, int), (np.int64(10), int), (np.array(10), int), (10.0, float), (np.float32(10), float)],
)
def test_a_number_keeps_its_type(given, kind):
    network, training = settings(dt=given, tau=100, learning_rate=given, tau_in=given)
    for value in (network.dt, training.learning_rate, training.tau_in):
        assert type(value) is kind and value == 10


def test_a_whole_number_too_large_for_a_float_is_a_float():
    assert settings(max_gradient_norm=10**400)[1].max_gradient_norm == np.inf
    assert isinstance(settings(min_error=2**60)[1].min_error, float)


def test_a_task_that_divides_by_dt_trains_goes_on_and_runs(tmp_path):
    file = tmp_path / "s.npz"
    model = Model(**{**tiny.SETTINGS, "dt": 20, "max_iter": 2}, generate_trial=generate_trial)
    model.train(file)
    model = Model(**{**tiny.SETTINGS, "dt": 20, "max_iter": 4}, generate_trial=generate_trial)
    assert model.train(file).iterations == 4
    for overrides in ({}, {"dt": 2}):
        rnn = RNN(file, overrides)
        rnn.run(inputs=(generate_trial, {"name": "test"}))
        simulate_trials(rnn, model.task, 3, seed=1)
    data = Dataset(2, model.task, "float32", model.network, model.training)
    assert data([]).inputs.shape == (5, 2, 1)


def test_a_whole_number_trains_like_the_same_float(tmp_path):
    numbers = {"tau": 40, "dt": 20, "tau_in": 100, "lambda_Omega": 2, "learning_rate": 1}
    numbers |= {"max_gradient_norm": 1, "lambda2_r": 1, "baseline_in": 0}
    ends = []
    for kind in (int, float):
        given = {name: kind(value) for name, value in numbers.items()}
        model = Model(**{**tiny.SETTINGS, **given}, generate_trial=tiny.generate_trial)
        ends.append(model.train(tmp_path / f"{kind.__name__}.npz").checkpoint.parameters)
    for whole, real in zip(*ends, strict=True):
        np.testing.assert_array_equal(whole, real)
