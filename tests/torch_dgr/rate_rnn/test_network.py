"""The torch twin is an nn.Module with a constraint; its claims, float64, exact unless stated."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from torch_dgr.errors import ExamplesError, SettingError, StateError
from torch_dgr.rate_rnn.activations import HIDDEN
from torch_dgr.rate_rnn.constraint import Masks
from torch_dgr.rate_rnn.network import RateRNN
from torch_dgr.rate_rnn.objective import Objective, evaluate, gradients
from torch_dgr.rate_rnn.optimiser import GNORM_LIMIT, ClippedSGD
from torch_dgr.rate_rnn.step import WREC_SHRINK, clipped_sgd, train_step

N, NIN, NOUT = 5, 2, 3
EI = np.array([1, 1, 1, -1, -1])


def raw_parameters(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "Win": rng.normal(size=(N, NIN)),
        "Wrec": rng.normal(size=(N, N)),
        "Wout": rng.normal(size=(NOUT, N)),
        "brec": rng.normal(size=N),
        "bout": rng.normal(size=NOUT),
        "x0": rng.uniform(0.1, 1, N),
    }


def network(seed=0, **settings):
    return RateRNN(raw_parameters(seed), **{"tau": 100, "dt": 20, **settings})


def ring():
    fixed = 0.3 * np.roll(np.eye(N), 1, axis=1)
    return Masks((1 - np.eye(N)) * (fixed == 0), fixed)


def batch(times=6, trials=4, seed=1):
    rng = np.random.default_rng(seed)
    return SimpleNamespace(
        inputs=rng.uniform(size=(times, trials, NIN)),
        noise=rng.normal(size=(times, trials, N)),
        targets=rng.uniform(size=(times, trials, NOUT)),
        mask=rng.uniform(size=(times, trials, NOUT)),
    )


# -- equations -----------------------------------------------------------------------------------


def test_one_unit_by_hand():
    values = {
        "Win": [[2.0]],
        "Wrec": [[0.5]],
        "Wout": [[3.0]],
        "brec": [0.1],
        "bout": [-1.0],
        "x0": [1.0],
    }
    net = RateRNN({name: np.array(value) for name, value in values.items()}, tau=10, dt=5)
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    x, r, z = net(one, 0.2 * one)
    expected = 0.5 * 1.0 + 0.5 * (0.5 * 1.0 + 0.1 + 2.0 + 0.2)
    assert x.item() == r.item() == pytest.approx(expected, rel=1e-15)
    assert z.item() == pytest.approx(3 * expected - 1, rel=1e-15)


@pytest.mark.parametrize("name", HIDDEN)
def test_derivatives_by_hand_are_those_of_autograd_away_from_zero(name):
    x = torch.tensor([-3.0, -0.7, 0.4, 2.5], dtype=torch.float64, requires_grad=True)
    y = HIDDEN[name].f(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(HIDDEN[name].df(x), slope, rtol=1e-13, atol=1e-15)


def test_at_zero_rectification_is_half_open_for_the_gradient_and_shut_for_omega():
    zero = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(HIDDEN["rectify"].f(zero), zero)
    assert slope.item() == 0.5
    assert HIDDEN["rectify"].df(zero).item() == 0


@pytest.mark.parametrize("tau", [100, np.linspace(40, 200, N)])
@pytest.mark.parametrize("activation", HIDDEN)
def test_gradients_are_those_of_finite_differences(tau, activation):
    net = network(
        tau=tau,
        ei=EI,
        masks={"Wrec": ring()},
        hidden_activation=activation,
        output_activation="sigmoid",
        trained=("Wrec", "x0", "brec"),
    )
    objective = Objective(lambda2_r=0.3, lambda1_rec=0.2)
    found = gradients(net, batch(), objective)
    for name, place in [("Wrec", (2, 0)), ("Wrec", (1, 4)), ("x0", (1,)), ("brec", (3,))]:
        losses, step = [], 1e-6
        for sign in (1, -1):
            with torch.no_grad():
                net.raw(name)[place] += sign * step
                losses.append(evaluate(net, batch(), objective).loss)
                net.raw(name)[place] -= sign * step
        slope = (losses[0] - losses[1]) / (2 * step)
        assert found.parameters[name][place].item() == pytest.approx(slope, rel=1e-5, abs=1e-8)


def test_noise_left_out_is_no_noise():
    net, inputs = network(), torch.rand(4, 2, NIN, dtype=torch.float64)
    for mine, own in zip(
        net(inputs), net(inputs, torch.zeros(4, 2, N, dtype=torch.float64)), strict=True
    ):
        assert torch.equal(mine, own)


# -- constraint ----------------------------------------------------------------------------------


def test_effective_matrices_are_masked_and_signed_and_raw_ones_stay_raw():
    raw, masks = raw_parameters(), ring()
    net = network(ei=EI, masks={"Wrec": masks})
    expected = np.maximum(masks.plastic * raw["Wrec"] + masks.fixed, 0) * EI
    np.testing.assert_array_equal(net.Wrec.detach(), expected)
    np.testing.assert_array_equal(net.Win.detach(), np.maximum(raw["Win"], 0))
    for name, value in raw.items():
        np.testing.assert_array_equal(net.raw_values()[name], value)


def test_assigning_an_effective_matrix_is_understood():
    net = network(ei=EI, masks={"Wrec": ring()})
    wanted = network(seed=3, ei=EI, masks={"Wrec": ring()}).Wrec.detach()
    net.Wrec = wanted
    assert torch.equal(net.Wrec, wanted)
    assert (net.raw_values()["Wrec"][ring().plastic == 0] == 0).all()  # penalties see raw values


def test_masked_entries_never_move_but_penalties_reach_their_raw_values():
    net = network(masks={"Wrec": ring()})
    before = net.effective_values()["Wrec"]
    stepper = clipped_sgd(net, 0.1)
    for _ in range(5):
        train_step(net, stepper, batch(), Objective(lambda2_rec=1.0))
    after, plastic = net.effective_values()["Wrec"], ring().plastic == 1
    np.testing.assert_array_equal(before[~plastic], after[~plastic])
    assert (before[plastic] != after[plastic]).all()
    assert (np.diag(net.raw_values()["Wrec"]) != np.diag(raw_parameters()["Wrec"])).all()


def test_state_dict_and_to_are_torchs_own():
    net = network(ei=EI, masks={"Wrec": ring()})
    assert "parametrizations.Wrec.original" in net.state_dict()
    other = network(seed=4, ei=EI, masks={"Wrec": ring()})
    other.load_state_dict(net.state_dict())
    single = network(seed=4, ei=EI, masks={"Wrec": ring()}).to(torch.float32)
    single.load_state_dict(net.state_dict())
    assert {one.dtype for one in single.state_dict().values()} == {torch.float32}
    loss = evaluate(net, batch(), Objective()).loss
    assert evaluate(other, batch(), Objective()).loss == loss
    assert evaluate(single, batch(), Objective()).loss == pytest.approx(loss, rel=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_the_network_moves_to_an_accelerator():
    net = network(ei=EI, masks={"Wrec": ring()})
    loss = gradients(net, batch(), Objective()).loss
    net.to("cuda")
    assert gradients(net, batch(), Objective()).loss == pytest.approx(loss, rel=1e-12)


def test_only_trained_parameters_move():
    net = network(trained=("Wrec",))
    before = net.raw_values()
    assert set(net.trained()) == {"Wrec"}
    train_step(net, clipped_sgd(net), batch(), Objective())
    moved = {name for name, value in net.raw_values().items() if (value != before[name]).any()}
    assert moved == {"Wrec"}


# -- clipped descent -----------------------------------------------------------------------------


def parameter_with(gradient, value=1.0):
    parameter = torch.nn.Parameter(torch.full((len(gradient),), value, dtype=torch.float64))
    parameter.grad = torch.tensor(gradient, dtype=torch.float64)
    return parameter


def test_a_gradient_within_the_norm_is_followed_and_a_longer_one_scaled():
    one, other = parameter_with([3.0, 0.0]), parameter_with([0.0, 4.0])
    assert ClippedSGD([one, other], lr=0.1, max_gradient_norm=5.0).step() == 5.0
    np.testing.assert_allclose(one.detach(), [0.7, 1.0], rtol=1e-15)
    one, other = parameter_with([3.0, 0.0]), parameter_with([0.0, 4.0])
    assert ClippedSGD([one, other], lr=0.1, max_gradient_norm=1.0).step() == 5.0
    np.testing.assert_allclose(one.detach(), [1 - 0.1 * 3 / 5, 1.0], rtol=1e-15)
    np.testing.assert_allclose(other.detach(), [1.0, 1 - 0.1 * 4 / 5], rtol=1e-15)


@pytest.mark.parametrize("wild", [np.nan, np.inf, 2 * GNORM_LIMIT])
def test_an_explosion_moves_nothing_but_shrinks_what_is_to_shrink(wild):
    still, shrinking = parameter_with([wild, 1.0]), parameter_with([1.0, 1.0])
    ClippedSGD([{"params": [still]}, {"params": [shrinking], "shrink": 0.5}], lr=0.1).step()
    np.testing.assert_array_equal(still.detach(), [1.0, 1.0])
    np.testing.assert_allclose(shrinking.detach(), [0.95, 0.95], rtol=1e-15)


def test_the_guard_of_the_network_shrinks_wrec_alone():
    net = network()
    before = net.raw_values()
    empty = batch()
    empty.mask = 0 * empty.mask  # no loss at all: 0 / 0
    report = train_step(net, clipped_sgd(net, 0.1), empty, Objective())
    assert np.isnan(report.loss)
    for name, value in net.raw_values().items():
        factor = 1 - 0.1 * WREC_SHRINK if name == "Wrec" else 1
        np.testing.assert_allclose(value, factor * before[name], rtol=1e-15)


def test_a_closure_is_called_with_gradients_enabled():
    parameter = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    optimiser = ClippedSGD([parameter], lr=0.5, max_gradient_norm=100)

    def closure():
        optimiser.zero_grad()
        loss = parameter.square().sum()
        loss.backward()
        return loss

    assert optimiser.step(closure) == pytest.approx(8**0.5)
    np.testing.assert_array_equal(parameter.detach(), [0, 0])


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_activation": "relu"}, "hidden_activation is 'relu'; give one of linear, rectify"),
        ({"output_activation": "tanh"}, "output_activation is 'tanh'"),
        ({"ei_positive_func": "square"}, "ei_positive_func is 'square'"),
        ({"ei": np.array([1, 1, 1, -1, 0])}, "5 signs"),
        ({"ei": np.array([1, -1])}, "5 signs"),
        ({"tau": np.ones(3)}, r"tau has shape \(3,\)"),
        ({"dt": 200}, "0 < dt <= tau"),
        ({"trained": ("W",)}, "trained names 'W'"),
        ({"masks": {"Wrecc": ring()}}, "masks name 'Wrecc'"),
        ({"masks": {"Wrec": Masks(np.ones((2, 2)), np.zeros((2, 2)))}}, "give two of"),
        ({"masks": {"Wrec": Masks(np.ones((N, N)), np.ones((N, N)))}}, "plastic and fixed"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(SettingError, match=message):
        network(**change)


def test_parameters_that_do_not_fit_are_refused():
    raw = raw_parameters()
    with pytest.raises(SettingError, match="unknown parameter 'Wrek'"):
        RateRNN({**raw, "Wrek": raw["Wrec"]}, tau=100, dt=20)
    with pytest.raises(SettingError, match="brec is missing"):
        RateRNN({**raw, "brec": None}, tau=100, dt=20)
    with pytest.raises(SettingError, match=r"Wout has shape \(3, 4\)"):
        RateRNN({**raw, "Wout": np.zeros((3, 4))}, tau=100, dt=20)
    with pytest.raises(StateError, match="this network has"):
        network().load_raw({"Wrec": raw["Wrec"]})


def test_batches_that_do_not_fit_are_refused():
    wrong = batch()
    wrong.inputs = wrong.inputs[:, :, :1]
    with pytest.raises(ExamplesError, match="inputs of the batch have shape"):
        gradients(network(), wrong, Objective())
    with pytest.raises(SettingError, match="give inputs"):
        network()(None)
    with pytest.raises(SettingError, match="times and trials"):
        network()(
            torch.zeros(4, 2, NIN, dtype=torch.float64), torch.zeros(5, 2, N, dtype=torch.float64)
        )
    with pytest.raises(SettingError, match="max_gradient_norm"):
        ClippedSGD([torch.zeros(1)], max_gradient_norm=0)


class Drawn:
    """What is an array for whoever asks, as noise that is drawn when it is read."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


def test_whatever_numpy_reads_as_an_array_is_one():
    plain = batch()
    arrays = {name: Drawn(np.asarray(value)) for name, value in vars(plain).items()}
    one, other = (
        evaluate(network(), given, Objective()) for given in (plain, SimpleNamespace(**arrays))
    )
    assert one[:2] == other[:2]
