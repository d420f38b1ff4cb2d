"""The numpy oracle against loops and closed forms; float64, tolerance 1e-12."""

import numpy as np
import pytest

from pycog_dgr import SettingError
from pycog_dgr.network import ACTIVATIONS, Weights, activation, simulate

RNG = np.random.RandomState(0)
N, NIN, NOUT, T, B = 4, 2, 3, 6, 5
W = Weights(*(RNG.normal(size=shape) for shape in ((N, NIN), (N, N), (NOUT, N), N, NOUT, N)))
U, NOISE = RNG.normal(size=(T, B, NIN)), RNG.normal(size=(T, B, N))
ALPHA = np.linspace(0.1, 0.4, N)


def unit_by_unit(trial):
    """The equation, one unit at a time."""
    x = W.x0.copy()
    xs = []
    for t in range(T):
        r = np.tanh(x)
        x = np.array(
            [
                (1 - ALPHA[i]) * x[i]
                + ALPHA[i]
                * (
                    sum(W.Wrec[i, j] * r[j] for j in range(N))
                    + W.brec[i]
                    + sum(W.Win[i, k] * U[t, trial, k] for k in range(NIN))
                    + NOISE[t, trial, i]
                )
                for i in range(N)
            ]
        )
        xs.append(x)
    return np.array(xs)


def test_all_trials_follow_the_equation():
    run = simulate(W, U, NOISE, ALPHA, hidden_activation="tanh", output_activation="sigmoid")
    for trial in range(B):
        np.testing.assert_allclose(run.x[:, trial], unit_by_unit(trial), rtol=1e-12)
    np.testing.assert_allclose(run.r, np.tanh(run.x), rtol=1e-12)
    z = 1 / (1 + np.exp(-(run.r @ W.Wout.T + W.bout)))
    np.testing.assert_allclose(run.z, z, rtol=1e-12)


def test_without_inputs_and_outputs_z_is_the_rates():
    run = simulate(W._replace(Win=None, Wout=None), None, NOISE, 0.2)
    assert run.z is run.r


def test_a_start_replaces_the_initial_state():
    start = RNG.normal(size=(B, N))
    run = simulate(W, U, NOISE, 1e-12, start=start)
    np.testing.assert_allclose(run.x[-1], start, atol=1e-9)


def test_the_dtype_of_the_noise_is_the_dtype_of_the_run():
    run = simulate(W, U.astype("f4"), NOISE.astype("f4"), ALPHA)
    assert {part.dtype for part in run} == {np.dtype("f4")}


def test_activations_do_not_overflow():
    x = np.array([-1e4, -1.0, 0.0, 1.0, 1e4])
    with np.errstate(over="raise", invalid="raise"):
        for name in set(ACTIVATIONS) - {"rectify_power"}:
            assert np.isfinite(activation(name)(x)).all()
    np.testing.assert_allclose(activation("softplus")(x[1:4]), np.log1p(np.exp(x[1:4])), rtol=1e-12)


def test_an_unknown_activation_names_the_known_ones():
    with pytest.raises(SettingError, match="rectify_power"):
        activation("relu")
