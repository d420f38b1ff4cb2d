"""Time constants are trained between their bounds, one for each unit."""

import numpy as np
import pytest
import torch

from tests.torch_dgr.rate_rnn.test_network import EI, NOUT, N, batch, network, raw_parameters
from torch_dgr.errors import SettingError
from torch_dgr.rate_rnn.network import RateRNN
from torch_dgr.rate_rnn.objective import Objective, evaluate, gradients
from torch_dgr.rate_rnn.step import clipped_sgd, projected_adam, train_step

TAU = np.array([30.0, 50.0, 60.0, 80.0, 150.0])  # ms
TRAINED = ("Win", "Wrec", "Wout", "x0", "alpha_logit")
BOUNDS = (25.0, 400.0)


def trained_tau(**settings):
    return network(**{"tau": TAU, "tau_bounds": BOUNDS, "trained": TRAINED, **settings})


def test_it_starts_as_the_network_with_fixed_time_constants():
    free, fixed = trained_tau(), network(tau=TAU)
    assert "alpha_logit" in free.trained()
    np.testing.assert_allclose(free.effective_values()["tau"], TAU, rtol=1e-13)
    one, other = (evaluate(net, batch(), Objective()) for net in (free, fixed))
    assert one.loss == pytest.approx(other.loss, rel=1e-13)
    a, b = (gradients(net, batch(), Objective()) for net in (free, fixed))
    assert a.Omega == pytest.approx(b.Omega, rel=1e-12)
    torch.testing.assert_close(a.dOmega_dWrec, b.dOmega_dWrec, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("hidden_activation", ["rectify", "tanh"])
def test_the_gradient_of_the_logit_is_the_slope_of_the_loss(hidden_activation):
    net, objective = trained_tau(hidden_activation=hidden_activation), Objective()
    found = gradients(net, batch(), objective).parameters["alpha_logit"]
    start, h = net.raw_values(), 1e-5
    for unit in range(N):
        losses = []
        for sign in (1, -1):
            moved = start["alpha_logit"].copy()
            moved[unit] += sign * h
            net.load_raw({**start, "alpha_logit": moved})
            losses.append(evaluate(net, batch(), objective).loss)
        slope = (losses[0] - losses[1]) / (2 * h)
        assert found[unit].item() == pytest.approx(slope, rel=1e-5, abs=1e-10)


def test_updates_move_tau_and_the_equations_follow():
    net = trained_tau(hidden_activation="tanh")
    optimiser = clipped_sgd(net, 0.5)
    for _ in range(20):
        train_step(net, optimiser, batch(), Objective())
    tau = net.effective_values()["tau"]
    assert np.abs(tau - TAU).min() > 1e-4
    copy = RateRNN(
        {name: value for name, value in net.raw_values().items() if name != "alpha_logit"},
        tau=tau,
        dt=20,
        hidden_activation="tanh",
    )
    assert evaluate(copy, batch(), Objective()).loss == pytest.approx(
        evaluate(net, batch(), Objective()).loss, rel=1e-12
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("logit", [-1e30, -40.0, 0.0, 40.0, 1e30])
def test_tau_stays_within_its_bounds_wherever_training_goes(dtype, logit):
    net = trained_tau(dtype=dtype)
    net.load_raw({**net.raw_values(), "alpha_logit": np.full(N, logit)})
    tau = net.effective_values()["tau"]
    assert (tau >= 25).all()
    assert (tau <= 400 * (1 + 1e-6)).all()
    assert net.alpha.max() <= 1
    assert net.violations() == []


def test_the_certificate_names_a_time_constant_that_left_its_bounds():
    net = trained_tau()
    values = net.effective_values()
    values["tau"][1] = 20.0
    assert net.violations(values) == ["tau: 1 entries outside 25 to 400 ms, the first at [1]: 20"]


def test_a_logit_that_is_given_is_kept_to_the_bit():
    raw = {**raw_parameters(), "alpha_logit": np.linspace(-3, 3, N)}
    net = RateRNN(raw, tau=100, dt=20, tau_bounds=BOUNDS)
    np.testing.assert_array_equal(net.raw_values()["alpha_logit"], raw["alpha_logit"])
    assert "alpha_logit" not in net.trained()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tau_bounds": (10, 400)}, "dt = 20 ms <= low < high"),
        ({"tau_bounds": (400, 25)}, "dt = 20 ms <= low < high"),
        ({"tau_bounds": (25, 100)}, "tau starts from 30 to 150 ms"),
        ({"tau_bounds": 25}, "tau_bounds are 25"),
    ],
)
def test_bounds_that_cannot_hold_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        trained_tau(**settings)


def test_a_logit_without_bounds_is_refused():
    with pytest.raises(SettingError, match="alpha_logit is given without tau_bounds"):
        RateRNN({**raw_parameters(), "alpha_logit": np.zeros(N)}, tau=100, dt=20)


# -- Adam with projection ------------------------------------------------------------------------


def test_projected_adam_is_adam_where_nothing_is_clipped_or_negative():
    ours, plain = (network(seed=3, trained=("Win", "Wout")) for _ in range(2))
    mine = projected_adam(ours, 0.01, max_gradient_norm=1e9)
    torchs = torch.optim.Adam(list(plain.trained().values()), lr=0.01)
    for _ in range(5):
        for net, optimiser in ((ours, mine), (plain, torchs)):
            found = gradients(net, batch(), Objective())
            for name, parameter in net.trained().items():
                parameter.grad = found.parameters[name]
            optimiser.step()
    for name, value in plain.raw_values().items():
        np.testing.assert_allclose(ours.raw_values()[name], value, rtol=1e-13)


def test_raw_matrices_stay_at_the_floor_or_above_with_dale_alone():
    net = network(ei=EI)
    optimiser = projected_adam(net, 0.3)
    for _ in range(10):
        train_step(net, optimiser, batch(), Objective())
    raw = net.raw_values()
    assert all(raw[name].min() == 1e-6 for name in ("Wrec", "Wout"))
    assert raw["Win"].min() >= 1e-6
    free = network()
    train_step(free, projected_adam(free, 0.3), batch(), Objective())
    assert free.raw_values()["Wrec"].min() < 0


def test_its_learning_rate_follows_the_schedule_also_after_a_state_dict():
    def rates(restart):
        net = network(seed=3)
        optimiser = projected_adam(net, 0.01, schedule="one_cycle", steps=8)
        found = []
        for step in range(8):
            if step == restart:
                state = optimiser.state_dict()
                optimiser = projected_adam(net, 0.01, schedule="one_cycle", steps=8)
                optimiser.load_state_dict(state)
            train_step(net, optimiser, batch(), Objective())
            found.append(optimiser.param_groups[-1]["lr"])
        with pytest.raises(SettingError, match="8 steps"):
            train_step(net, optimiser, batch(), Objective())
        return found, net.raw_values()

    (whole, values), (parts, resumed) = rates(None), rates(3)
    assert whole == parts
    assert max(whole) <= 0.01
    assert whole[0] < 0.002
    for name, value in values.items():
        np.testing.assert_array_equal(value, resumed[name])


def test_an_explosion_is_counted_and_moves_nothing_but_by_its_moments():
    net = network()
    before = net.raw_values()
    empty = batch()
    empty.mask = 0 * empty.mask  # no loss at all: 0 / 0
    optimiser = projected_adam(net, 0.1)
    train_step(net, optimiser, empty, Objective())
    assert optimiser.skipped == 1
    for name in ("Win", "Wout", "x0"):
        np.testing.assert_array_equal(net.raw_values()[name], before[name])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": "cycle"}, "schedule is 'cycle'"),
        ({"schedule": "one_cycle"}, "steps is 0"),
        ({"floor": -1}, "floor is -1"),
        ({"max_gradient_norm": 0}, "max_gradient_norm is 0"),
    ],
)
def test_impossible_settings_of_adam_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        projected_adam(network(), 0.1, **settings)


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(SettingError, match="device is 'gpu'"):
        network(device="gpu")
    assert network(device="cpu").Wout.shape == (NOUT, N)
