"""Trained time constants: gradients, bounds, equality of backends, files, resuming, running."""

import numpy as np
import pytest

from pycog_dgr import RNN, SettingError
from pycog_dgr.config import settings
from pycog_dgr.files import checkpoint
from pycog_dgr.network import (
    alpha_logit_of,
    alpha_of,
    effective_weights,
    initial_parameters,
    simulate,
)
from pycog_dgr.symbolic import adam
from pycog_dgr.training import BACKENDS, train
from tests.pycog_dgr import small, tiny

TAU = np.array([30.0, 40.0, 50.0, 60.0, 80.0, 120.0])  # ms
TRAINED = {"train_tau": True, "tau": TAU, "tau_bounds": (25, 400)}
FINITE_DIFFERENCE = 1e-7  # relative to the largest entry; central, steps of 1e-5
ROUNDING = 1e-11  # between backends, relative to the largest entry, float64


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("hidden_activation", ["rectify", "tanh"])
def test_the_gradient_of_tau_is_the_slope_of_the_loss(backend, hidden_activation):
    step = small.step(backend=backend, hidden_activation=hidden_activation, **TRAINED)
    batch = small.batch(step.network)
    got, start, h = step.gradients(batch)["grad_alpha_logit"], step.parameters, 1e-5
    slopes = np.empty(6)
    for i in range(6):
        losses = []
        for sign in (1, -1):
            moved = start.alpha_logit.copy()
            moved[i] += sign * h
            step.parameters = start._replace(alpha_logit=moved)
            losses.append(step.evaluate(batch).loss)
        slopes[i] = (losses[0] - losses[1]) / (2 * h)
    assert np.abs(slopes).min() > 0
    np.testing.assert_allclose(got, slopes, rtol=0, atol=FINITE_DIFFERENCE * np.abs(slopes).max())


def test_all_backends_agree_on_every_gradient_and_on_Omega():
    steps = {backend: small.step(backend=backend, **TRAINED) for backend in BACKENDS}
    batch = small.batch(steps["scan"].network)
    expected = steps["scan"].gradients(batch)
    assert np.isfinite(expected["Omega"]) and expected["omega_gradient"].any()
    for backend in ("numpy", "fast"):
        got = steps[backend].gradients(batch)
        assert got.keys() == expected.keys()
        for name, value in expected.items():
            scale = np.abs(value).max()
            np.testing.assert_allclose(
                got[name], value, rtol=0, atol=ROUNDING * scale, err_msg=name
            )


@pytest.mark.parametrize("backend", BACKENDS)
def test_updates_move_tau_and_the_network_follows_the_equations_with_it(backend):
    step = small.step(backend=backend, optimiser=adam(0.05), **TRAINED)
    batch = small.batch(step.network)
    for _ in range(20):
        step.update(batch)
    weights = step.weights
    assert np.abs(weights.tau - TAU).min() > 0.1
    expected = simulate(
        weights, batch.inputs, batch.noise, step.network.dt / weights.tau,
        hidden_activation="rectify", output_activation="linear",
    )  # fmt: skip
    z = step.evaluate(batch).z
    np.testing.assert_allclose(z, expected.z, rtol=0, atol=1e-12 * np.abs(z).max())


@pytest.mark.parametrize("floatX", ["float32", "float64"])
def test_tau_stays_between_its_bounds_wherever_training_goes(floatX):
    step = small.step(floatX, **TRAINED)
    raw = step.parameters
    for logit in (-1e30, -50.0, 0.0, 50.0, 1e30):
        step.parameters = raw._replace(alpha_logit=np.full(6, logit))
        tau, alpha = step.weights.tau, alpha_of(step.weights, step.network)
        assert (tau >= 25).all() and (tau <= 400 * (1 + 1e-6)).all()
        assert (alpha <= 1).all() and tau.dtype == floatX
        assert np.isfinite(step.evaluate(small.batch(step.network)).loss)


def test_without_bounds_tau_lies_between_dt_and_ten_times_the_largest():
    network, _ = settings(N=2, tau=[30.0, 50.0], dt=5, train_tau=True)
    assert network.tau_bounds == (5, 500)
    raw, _ = initial_parameters(network, 1)
    np.testing.assert_allclose(effective_weights(raw, network).tau, [30, 50], rtol=1e-13)


def test_raw_and_effective_time_constants_are_inverse():
    network, _ = settings(**(small.SETTINGS | TRAINED))
    raw, network = initial_parameters(network, 1)
    tau = np.linspace(26, 390, 6)
    raw = raw._replace(alpha_logit=alpha_logit_of(tau, network))
    np.testing.assert_allclose(effective_weights(raw, network).tau, tau, rtol=1e-12)


def test_off_by_default_nothing_is_added():
    step = small.step()
    assert "alpha_logit" not in step.state() and step.weights.tau is None
    assert step.network.tau_bounds is None and "alpha_logit" not in step.network.shapes


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tau_bounds": (20, 100)}, "give train_tau=True"),
        ({"train_tau": True, "tau_bounds": (10, 100)}, "shorter than dt"),
        ({"train_tau": True, "tau_bounds": (60, 100)}, "must start between tau_bounds"),
        ({"train_tau": True, "tau_bounds": (20, 50)}, "must start between tau_bounds"),
        ({"train_tau": True, "tau": 20}, "must start between tau_bounds"),
        ({"train_tau": True, "tau_bounds": (100, 20)}, "the second larger"),
        ({"train_tau": True, "tau_bounds": 5}, "two numbers"),
    ],
)
def test_bounds_that_cannot_hold_are_one_clear_error(changes, told):
    with pytest.raises(SettingError, match=told):
        settings(**(small.SETTINGS | changes))


def test_a_training_with_tau_resumes_to_the_last_bit_and_runs_with_it(tmp_path):
    def go(path, last):
        network, training = settings(
            **{**tiny.SETTINGS, "train_tau": True, "max_iter": last, "checkfreq": 2}
        )
        return train(tiny, network, training, path, optimiser=adam(0.01))

    whole = go(tmp_path / "whole.npz", 8).checkpoint
    go(tmp_path / "parts.npz", 4)
    parts = go(tmp_path / "parts.npz", 8).checkpoint
    for name, value in whole.parameters._asdict().items():
        np.testing.assert_array_equal(getattr(parts.parameters, name), value)
    assert "alpha_logit" in whole.trained

    file = checkpoint.load(tmp_path / "parts.npz")
    rnn = RNN(tmp_path / "parts.npz", {"var_rec": 0, "var_in": 0})
    saved = rnn.weights.tau
    assert any(np.array_equal(saved, one.weights.tau) for one in (file.best, file.ending))
    assert np.abs(saved - 40).min() > 0.01
    rnn.run(T=100)
    expected = simulate(
        rnn.weights, rnn.u.T[1:, None], np.zeros((len(rnn.t) - 1, 1, rnn.p["N"]), np.float32),
        rnn.p["dt"] / saved, hidden_activation=rnn.p["hidden_activation"],
        output_activation=rnn.p["output_activation"],
    )  # fmt: skip
    np.testing.assert_allclose(rnn.z.T[1:], expected.z[:, 0], rtol=1e-4, atol=1e-6)
