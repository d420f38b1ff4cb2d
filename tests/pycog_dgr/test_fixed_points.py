"""Fixed points of networks whose fixed points are known."""

import numpy as np
import pytest

from pycog_dgr import RNN
from pycog_dgr.analysis.figures.fixed_points import draw_fixed_points
from pycog_dgr.analysis.fixed_points import FIXED, Dynamics, find_fixed_points
from pycog_dgr.errors import PycogDgrError
from tests.pycog_dgr.test_rnn import VARSTIM

TAU = 100.0


def dynamics(Wrec, drive, activation="rectify", tau=TAU):
    N = len(Wrec)
    return Dynamics(
        np.array(Wrec, float), np.array(drive, float), np.broadcast_to(tau, N).astype(float),
        activation,
    )  # fmt: skip


def around(N, n=40, width=3.0, seed=0):
    return np.random.RandomState(seed).uniform(-width, width, (n, N))


def test_two_rectified_units_that_inhibit_each_other_have_three_fixed_points():
    """x1 = 1 - 2 [x2]+ and the other way round: either one wins, or both are at 1/3."""
    points = find_fixed_points(dynamics([[0, -2], [-2, 0]], [1, 1]), around(2), slow=0)
    found = {tuple(np.round(x, 6)): s for x, s in zip(points.x, points.stability, strict=True)}
    assert found == {(1.0, -1.0): "stable", (-1.0, 1.0): "stable",
                     (0.333333, 0.333333): "unstable"}  # fmt: skip
    assert points.fixed.all() and points.found.sum() == 40
    saddle = points.select(points.stability == "unstable")
    np.testing.assert_allclose(saddle.eigenvalues[0], np.array([1, -3]) / TAU, atol=1e-9)
    winner = points.select(points.stability == "stable")
    np.testing.assert_allclose(winner.eigenvalues[0], -1 / TAU, atol=1e-9)
    np.testing.assert_allclose(winner.r.max(axis=1), 1)


def test_a_fixed_point_on_a_kink_is_undetermined_and_both_sides_are_given():
    """x1 = 0 + [x1]+ / 2 has its fixed point at 0: stable from both sides, yet on the border."""
    points = find_fixed_points(dynamics([[0.5]], [0.0]), [[0.7], [-0.4]], slow=0)
    assert len(points) == 1 and points.kinks.all()
    assert points.stability[0] == "undetermined"
    assert points.eigenvalues[0, 0] == pytest.approx(-1 / TAU)  # silent
    assert points.eigenvalues_active[0, 0] == pytest.approx(-0.5 / TAU)  # active


def test_a_tanh_unit_with_strong_self_excitation_is_bistable():
    points = find_fixed_points(dynamics([[2.0]], [0.0], "tanh"), around(1), slow=0)
    x = np.sort(points.x[:, 0])
    np.testing.assert_allclose(x, [-1.9150080481545, 0, 1.9150080481545], atol=1e-6)
    assert sorted(points.stability) == ["stable", "stable", "unstable"]
    assert not points.kinks.any()


def test_a_slow_point_is_kept_when_asked_and_called_slow():
    """x = [x]+ - 0.01 has no fixed point above 0, but everything there is slow."""
    slow = dynamics([[1.0]], [-0.01])  # but one at -0.01, too far away to be where the start led
    points = find_fixed_points(slow, [[1.0]], slow=1e-3)
    assert len(points) == 1 and not points.fixed[0]
    assert points.q[0] == pytest.approx(0.01**2 / 2, rel=1e-6)
    assert points.speed[0] == pytest.approx(0.01 / TAU, rel=1e-6)
    assert points.stability[0] == "undetermined"  # the eigenvalue is 0
    assert len(find_fixed_points(slow, [[1.0]], slow=0)) == 0


@pytest.mark.parametrize("activation", ["linear", "tanh", "sigmoid", "softplus", "rectify_power"])
def test_the_jacobian_is_the_derivative_of_the_dynamics(activation):
    rng = np.random.RandomState(1)
    tau = rng.uniform(50, 150, 4)
    own = dynamics(rng.normal(size=(4, 4)), rng.normal(size=4), activation, tau)
    x, small = rng.normal(size=4), 1e-6
    numeric = np.stack([
        (own.F(x + small * e) - own.F(x - small * e)) / (2 * small) / tau for e in np.eye(4)
    ], axis=1)  # fmt: skip
    np.testing.assert_allclose(own.jacobian(x), numeric, rtol=1e-6, atol=1e-9)


def test_an_rnn_is_at_rest_at_its_fixed_points():
    """What is found is a fixed point of the program that runs networks, and attracts if stable."""
    rnn = RNN(VARSTIM, {"dt": 5, "var_rec": 0, "var_in": 0}, verbose=False)
    rnn.Wrec = 0.5 * rnn.Wrec  # as it is, this barely trained network runs away
    rnn.run(T=500)
    points = find_fixed_points(rnn, rnn.x.T[::10])
    stable = points.select(points.fixed & (points.stability == "stable"))
    assert len(stable)
    for x in stable.x:
        rnn.run(T=200, start=x)
        np.testing.assert_allclose(rnn.x[:, -1], x, atol=1e-4)
        rnn.run(T=20_000, start=x + 1e-3)
        np.testing.assert_allclose(rnn.x[:, -1], x, atol=1e-4)
    assert (np.diff(points.q) >= 0).all()


def test_inputs_and_lesions_count():
    rnn = RNN(VARSTIM, {"var_rec": 0, "var_in": 0}, verbose=False)
    baseline, shown = Dynamics.of(rnn), Dynamics.of(rnn, [0.5, 0, -9])
    u = np.maximum(np.array([0.5, 0, -9]) + rnn.p["baseline_in"], 0)
    np.testing.assert_allclose(shown.drive, rnn.brec + rnn.Win @ u, rtol=1e-6)
    assert not np.allclose(baseline.drive, shown.drive)
    rnn.lesion(units=[0])
    assert not Dynamics.of(rnn).Wrec[:, 0].any()


@pytest.mark.parametrize(
    ("starts", "inputs", "message"),
    [
        (np.zeros((2, 3)), None, r"finite states \(start, 20\), got \(2, 3\)"),
        (np.full((2, 20), np.nan), None, "finite states"),
        (np.zeros((2, 20)), [1.0], "expected 3 finite numbers, one per input"),
    ],
)
def test_what_does_not_fit_is_refused(starts, inputs, message):
    with pytest.raises(PycogDgrError, match=message):
        find_fixed_points(RNN(VARSTIM, verbose=False), starts, inputs)


def test_fixed_is_far_below_what_training_noise_could_tell():
    assert FIXED < 1e-10


def test_the_figure_marks_every_kind_of_point():
    states = around(2)
    points = find_fixed_points(dynamics([[0, -2], [-2, 0]], [1, 1]), states, slow=0)
    fig = draw_fixed_points([states], points)
    labels = fig.axes[0].get_legend_handles_labels()[1]
    assert labels == ["fixed, stable", "fixed, unstable"]
    empty = draw_fixed_points([states], points.select(np.zeros(len(points), bool)))
    assert "no fixed or slow point" in empty.axes[0].texts[-1].get_text().replace("\n", " ")
    with pytest.raises(PycogDgrError, match="at least one trajectory"):
        draw_fixed_points([], points)
