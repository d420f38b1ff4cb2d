"""States, starts, perturbations and lesions of a network that runs."""

import numpy as np
import pytest

from pycog_dgr import RNN, SettingError, TaskError, simulate_trials
from pycog_dgr.network import simulate
from pycog_dgr.running import CurrentPulse, InputPulse, Kick
from tests.pycog_dgr.test_rnn import GENERATE, VARSTIM

QUIET = {"dt": 5, "var_rec": 0, "var_in": 0}
TRIAL = {"name": "test", "catch": False}
T = 300


def rnn(**changes):
    return RNN(VARSTIM, {**QUIET, **changes}, verbose=False)


def ran(network, **how):
    network.run(inputs=(GENERATE, TRIAL), seed=3, **how)
    return network


# -- states ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("var_rec", [0, 0.15**2])
def test_states_are_those_of_the_plain_equations(var_rec):
    network = ran(rnn(var_rec=var_rec))
    np.testing.assert_allclose(network.r, np.maximum(network.x, 0), rtol=1e-4, atol=1e-6)
    if var_rec == 0:
        plain = simulate(
            network.weights, network.u.T[1:, None], np.zeros((len(network.t) - 1, 1, 20), "f"),
            0.05,
        )  # fmt: skip
        np.testing.assert_allclose(network.x[:, 1:], plain.x[:, 0].T, rtol=2e-4, atol=2e-6)
    np.testing.assert_array_equal(network.x[:, 0], network.x0)


def test_many_trials_have_states_when_asked():
    network, params = rnn(), [TRIAL] * 5
    plain = network.run_trials(GENERATE, params, seed=1)
    asked = network.run_trials(GENERATE, params, seed=1, states=True, chunk=2)
    for one, other in zip(plain, asked, strict=True):
        assert one.x is None and other.x.shape == other.r.shape
        np.testing.assert_allclose(other.r, one.r, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(np.maximum(other.x, 0), other.r, rtol=1e-4, atol=1e-6)


# -- starts ---------------------------------------------------------------------------------------


def test_a_run_from_a_state_goes_on_as_it_would():
    whole, rest = rnn(), rnn()
    whole.run(T=T)
    half = np.flatnonzero(whole.t == 150)[0]
    rest.run(T=150, start=whole.x[:, half])
    np.testing.assert_allclose(rest.x, whole.x[:, half:], rtol=1e-4, atol=1e-6)


def test_a_start_is_taken_exactly_and_changes_no_other_draw():
    own = rnn(sigma0=0.5, var_rec=0.01)
    own.run(T=T, start=np.full(20, 0.3))
    np.testing.assert_array_equal(own.x[:, 0], np.float32(0.3))
    runs = own.run_trials(GENERATE, [TRIAL] * 2, start=np.zeros(20), states=True)
    assert not any(run.x[:, 0].any() for run in runs)


@pytest.mark.parametrize("start", [np.zeros(3), np.full(20, np.nan), 0.5])
def test_a_start_that_does_not_fit_is_refused(start):
    with pytest.raises(TaskError, match="expected 20 finite numbers"):
        rnn().run(T=T, start=start)


# -- perturbations --------------------------------------------------------------------------------


def test_a_kick_moves_the_state_by_what_was_said():
    plain, kicked, change = rnn(), rnn(), np.linspace(-0.5, 0.5, 20)
    plain.run(T=T)
    kicked.run(T=T, perturbations=[Kick(100, change)])
    at = np.flatnonzero(plain.t == 100)[0]
    np.testing.assert_allclose(kicked.x[:, :at], plain.x[:, :at])
    np.testing.assert_allclose(kicked.x[:, at] - plain.x[:, at], change, rtol=1e-4, atol=1e-6)
    assert not np.allclose(kicked.x[:, at + 1], plain.x[:, at + 1])


@pytest.mark.parametrize("tau", [100, np.linspace(50, 150, 20)])
def test_a_current_is_a_term_of_the_drive(tau):
    plain, driven = rnn(tau=tau), rnn(tau=tau)
    plain.run(T=T)
    driven.run(T=T, perturbations=[CurrentPulse(100, 105, 2.0)])
    at = np.flatnonzero(plain.t == 105)[0]
    np.testing.assert_allclose(
        (driven.x - plain.x)[:, at], 2 * 5 / np.broadcast_to(tau, 20), rtol=1e-4
    )
    np.testing.assert_allclose(driven.x[:, :at], plain.x[:, :at])


def test_an_input_pulse_is_shown_and_rectified():
    plain, pulsed = ran(rnn()), ran(rnn(), perturbations=[InputPulse(200, 300, [0.5, -9, 0])])
    inside = (plain.t > 200) & (plain.t <= 300)
    np.testing.assert_allclose(pulsed.u[:, ~inside], plain.u[:, ~inside])
    np.testing.assert_allclose(pulsed.u[0, inside], plain.u[0, inside] + 0.5, rtol=1e-6)
    assert not pulsed.u[1, inside].any() and plain.u[1, inside].any()


def test_every_trial_of_many_is_perturbed():
    network = rnn()
    kick = [Kick(50, 1.0)]
    plain, kicked = (
        network.run_trials(GENERATE, [TRIAL] * 3, seed=1, perturbations=p) for p in ([], kick)
    )
    for one, other in zip(plain, kicked, strict=True):
        assert np.abs(other.r[:, 10] - one.r[:, 10]).max() > 0.5
        np.testing.assert_array_equal(one.t, other.t)


@pytest.mark.parametrize(
    ("perturbation", "message"),
    [
        (Kick(1000, 1), "the trial ends at 300 ms, before 1000 ms"),
        (Kick(100, np.ones(3)), r"one finite number per unit, \(20,\), got shape \(3,\)"),
        (CurrentPulse(400, 500, 1), "no sample lies in 400 < t <= 500 ms of a trial of 300 ms"),
        (CurrentPulse(0, 100, np.nan), "finite"),
        (InputPulse(0, 100, np.ones(5)), r"one finite number per input, \(3,\)"),
    ],
)
def test_a_perturbation_that_does_not_fit_is_refused(perturbation, message):
    with pytest.raises(TaskError, match=message):
        rnn().run(T=T, perturbations=[perturbation])
    with pytest.raises(TaskError, match="has no inputs"):
        RNN().run(T=T, perturbations=[InputPulse(0, 100, 1)])


# -- other weights --------------------------------------------------------------------------------


def test_weights_can_be_assigned_and_restored_and_the_file_stays(tmp_path):
    path = tmp_path / "copy.pkl"
    path.write_bytes(VARSTIM.read_bytes())
    network = RNN(path, QUIET)
    before = ran(network).z.copy()
    network.Wrec = 0.5 * network.Wrec
    network.x0 = np.zeros(20)
    assert not np.allclose(ran(network).z, before)
    assert network.Wrec.dtype == network.dtype
    network.restore()
    np.testing.assert_array_equal(ran(network).z, before)
    assert path.read_bytes() == VARSTIM.read_bytes()


def change(W, place, value):
    W = W.copy()
    W[place] = value
    return W


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Wrec", lambda n: n.Wrec[:3], r"Wrec: expected shape \(20, 20\), got \(3, 20\)"),
        ("Wrec", lambda n: change(n.Wrec, (1, 2), np.nan), "not finite"),
        (
            "Wrec",
            lambda n: change(n.Wrec, (1, 2), -1),
            r"Wrec\[1, 2\] is -1, but column 2 is exc",
        ),
        ("Wrec", lambda n: change(n.Wrec, (1, 19), 1), r"column 19 is inhibitory under Dale"),
        (
            "Wrec",
            lambda n: change(n.Wrec, (4, 4), 1),
            r"Wrec\[4, 4\] is 1, where the network",
        ),
        ("Win", lambda n: -n.Win, "is an input under Dale's law"),
        ("brec", lambda n: np.zeros(3), "brec: expected shape"),
    ],
)
def test_weights_that_do_not_fit_are_refused(name, value, message):
    network = rnn()
    with pytest.raises(SettingError, match=message):
        setattr(network, name, value(network))
    np.testing.assert_array_equal(network.Wrec, rnn().Wrec)
    with pytest.raises(SettingError, match="Win: this network has none"):
        RNN().Win = np.zeros((100, 2))


def test_a_lesioned_unit_reaches_nobody():
    network = rnn()
    network.lesion(units=[0, 5])
    for W in (network.Wrec[:, [0, 5]], network.Wrec[[0, 5]], network.Wout[:, [0, 5]]):
        assert not W.any()
    ran(network)
    assert not network.x[[0, 5]].any()
    other = rnn()
    other.lesion(units=np.isin(np.arange(20), [0, 5]))
    kick = np.where(np.isin(np.arange(20), [0, 5]), 3.0, 0)
    np.testing.assert_allclose(ran(other, perturbations=[Kick(100, kick)]).z, network.z, atol=1e-6)


def test_lesions_of_connections_add_up_and_hold_for_trials_in_batches():
    network, cut = rnn(), np.zeros((20, 20), bool)
    cut[3] = True
    network.lesion(connections=cut)
    network.lesion(units=[7])
    assert not network.Wrec[3].any() and not network.Wrec[:, 7].any() and network.Wrec[4].any()
    (one,) = network.run_trials(GENERATE, [TRIAL], seed=3, noise_stream="original")
    np.testing.assert_allclose(one.z, ran(network).z, rtol=1e-4, atol=1e-6)

    class Task:
        generate_trial = staticmethod(GENERATE)

    hurt, whole = simulate_trials(network, Task, 3, seed=1), simulate_trials(rnn(), Task, 3, seed=1)
    assert not np.allclose(hurt.outputs, whole.outputs)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"units": [20]}, "no unit 20; the network has 20"),
        ({"units": [-1]}, "no unit -1"),
        ({"units": [0.5]}, "must be indices"),
        ({"connections": np.zeros((3, 3), bool)}, r"must be \(20, 20\) of bool"),
        ({"connections": np.zeros((20, 20))}, "of bool"),
    ],
)
def test_a_lesion_that_does_not_fit_is_refused(how, message):
    with pytest.raises(SettingError, match=message):
        rnn().lesion(**how)
