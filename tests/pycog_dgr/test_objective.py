"""Omega against a plain numpy transcription of its definition; penalties; further terms."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from pycog_dgr.config import settings
from pycog_dgr.network import Weights
from pycog_dgr.symbolic.numpy_mode import numpy_mode
from pycog_dgr.symbolic.objective import vanishing_gradient
from tests.pycog_dgr import small

RTOL = 1e-12  # float64


def omega_by_definition(D, x, Wrec, alpha, bound, slope):
    """(Omega, its slope by Wrec, nelems), one trial and one step at a time."""
    n_time, n_trial, N = x.shape
    omegas, counts = np.zeros((n_time, n_trial)), np.zeros((n_time, n_trial))
    by_Wrec = np.zeros((N, N))
    for t in range(n_time - 1):
        for b in range(n_trial):
            d = (1 - alpha) * D[t + 1, b]
            q = (1 - alpha) * d + ((alpha * d) @ Wrec) * slope(x[t, b])
            num, den = q @ q, d @ d
            if den >= bound:
                omegas[t, b] = (num / den - 1) ** 2
                counts[t, b] = 1
                by_Wrec += 4 * (num / den - 1) / den * np.outer(alpha * d, q * slope(x[t, b]))
    total = counts.mean(axis=1).sum()
    return omegas.mean(axis=1).sum() / total, by_Wrec / n_trial / total, counts.mean()


@pytest.mark.parametrize("backend", ["fast", "numpy", "scan"])
@pytest.mark.parametrize("tau", [50.0, np.linspace(30, 90, 6)], ids=["scalar", "vector"])
@pytest.mark.parametrize("bound", [1e-20, 1e-5])
def test_Omega_is_its_definition(backend, tau, bound):
    step = small.step(backend=backend, tau=tau, bound=bound, ei=None, Crec=np.ones((6, 6)))
    got = step.gradients(small.batch(step.network))
    omega, by_Wrec, nelems = omega_by_definition(
        got["D"], got["x"], step.weights.Wrec, step.network.alpha, bound, lambda x: x > 0
    )
    if bound > 1e-20:
        assert 0 < nelems < 6 / 7
    assert got["Omega"] == pytest.approx(omega, rel=RTOL)
    assert got["nelems"] == pytest.approx(nelems, rel=RTOL)
    scale = np.abs(by_Wrec).max()
    np.testing.assert_allclose(got["omega_gradient"], by_Wrec, rtol=0, atol=RTOL * scale)


def test_Omegas_gradient_points_up_with_d_and_x_held_constant():
    network, _ = settings(**small.SETTINGS)
    rng = np.random.default_rng(4)
    D, x = rng.normal(size=(2, 7, 4, 6))
    Wrec = pt.dmatrix("Wrec")
    weights = Weights(None, Wrec, None, None, None, None)
    omega = vanishing_gradient(pt.constant(D), pt.constant(x), weights, network, bound=1e-20)
    numbers = pytensor.function([Wrec], [omega.value, omega.gradient], mode=numpy_mode())
    W, direction, h = *rng.normal(size=(2, 6, 6)), 1e-6
    _, gradient = numbers(W)
    slope = (numbers(W + h * direction)[0] - numbers(W - h * direction)[0]) / (2 * h)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-6)
    assert numbers(W - 1e-4 * gradient)[0] < numbers(W)[0]


def test_Omega_is_not_in_the_reported_loss_but_in_the_norm():
    plain, with_omega = (small.step(lambda_Omega=value) for value in (0, 2))
    batch = small.batch(plain.network)
    first, second = plain.update(batch), with_omega.update(batch)
    assert first.loss == second.loss and first.Omega == second.Omega
    assert first.gnorm != second.gnorm


def test_penalties_are_the_means_over_raw_weights_and_rates():
    weights = {"lambda1_in": 0.1, "lambda1_rec": 0.2, "lambda1_out": 0.3}
    weights |= {"lambda2_in": 0.4, "lambda2_rec": 0.5, "lambda2_out": 0.6, "lambda2_r": 0.7}
    step = small.step(**weights)
    raw = step.parameters
    got = step.gradients(small.batch(step.network))
    expected = 0.7 * np.mean(np.maximum(got["x"], 0) ** 2)
    for name, l1, l2 in (("Win", 0.1, 0.4), ("Wrec", 0.2, 0.5), ("Wout", 0.3, 0.6)):
        W = getattr(raw, name)
        expected += l1 * np.mean(np.abs(W)) + l2 * np.mean(W**2)
    assert got["penalty"] == pytest.approx(expected, rel=RTOL)


def test_the_rate_penalty_does_not_enter_Omega():
    plain, penalised = small.step(), small.step(lambda2_r=0.7)
    batch = small.batch(plain.network)
    first, second = plain.gradients(batch), penalised.gradients(batch)
    np.testing.assert_allclose(first["D"], second["D"], rtol=1e-13)
    assert first["Omega"] == pytest.approx(second["Omega"], rel=RTOL)
    assert not np.allclose(first["grad_Wrec"], second["grad_Wrec"])


def test_a_further_term_is_one_function():
    """Elastic weight consolidation: a quadratic pull towards old weights."""
    old = small.step().parameters

    def pull(raw, states):
        return 5.0 * pt.sum((raw.Wrec - old.Wrec) ** 2)

    step = small.step(penalties=(pull,))
    step.parameters = old._replace(Wrec=old.Wrec + 0.01)
    got = step.gradients(small.batch(step.network))
    assert got["penalty"] == pytest.approx(5 * 36 * 0.01**2, rel=1e-9)


def test_saturated_sigmoid_outputs_keep_a_finite_loss_in_float32():
    step = small.step("float32", output_activation="sigmoid", bout=200.0)
    batch = small.batch(step.network)
    batch = batch._replace(targets=np.ones_like(batch.targets))
    report = step.update(batch)
    assert np.isfinite(report.loss) and report.loss < 1e-6
    assert np.isfinite(report.gnorm)


# -- a loss of one's own --------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["fast", "numpy", "scan"])
@pytest.mark.parametrize("output_activation", ["linear", "sigmoid", "softmax"])
def test_any_loss_is_a_function_of_outputs_and_targets(backend, output_activation):
    """|z - target|^3, its masked mean and its derivative, by finite differences."""
    step = small.step(
        backend=backend, output_activation=output_activation, lambda_Omega=0,
        loss=lambda z, target: abs(z - target) ** 3,
    )  # fmt: skip
    batch = small.batch(step.network)

    def mean():
        z = step.evaluate(batch).z
        return np.sum(np.abs(z - batch.targets) ** 3 * batch.mask) / np.sum(batch.mask)

    assert step.evaluate(batch).loss == pytest.approx(mean(), rel=1e-12)
    gradient = step.gradients(batch)["grad_Wout"]
    raw, small_change = step.parameters, 1e-6
    for place in ((0, 0), (2, 4)):
        ends = []
        for sign in (1, -1):
            Wout = raw.Wout.copy()
            Wout[place] += sign * small_change
            step.parameters = raw._replace(Wout=Wout)
            ends.append(mean())
        step.parameters = raw
        assert gradient[place] == pytest.approx(-np.diff(ends)[0] / (2 * small_change), rel=1e-5)


def test_a_models_own_loss_and_optimiser_are_settings(tmp_path):
    from pycog_dgr import Model
    from pycog_dgr.symbolic.optimisers import adam
    from tests.pycog_dgr import tiny

    own = {"loss": lambda z, target: abs(z - target), "optimiser": adam(0.01)}
    model = Model(**tiny.SETTINGS, **own, generate_trial=tiny.generate_trial)
    saved = model.train(tmp_path / "s.npz").checkpoint
    assert "adam_mean_Wrec" in saved.optimiser and not {"loss", "optimiser"} & set(saved.settings)
    plain = Model(**tiny.SETTINGS, generate_trial=tiny.generate_trial).train(tmp_path / "p.npz")
    assert saved.costs_history[0][1][0] != plain.checkpoint.costs_history[0][1][0]
