"""RNN.run and run_trials beyond what the golden runs pin (tests/golden_kinds/run.py)."""

from pathlib import Path

import numpy as np
import pytest

from pycog_dgr import RNN, CheckpointError, SettingError, TaskError
from pycog_dgr.running import drawing, integrate
from tests.golden_kinds.tasks_common import task

SAVES = Path(__file__).parents[1] / "golden" / "saves"
VARSTIM = SAVES / "tiny_varstim_ei_seed1234.pkl"
SINE = SAVES / "tiny_sinewave_continuous_seed1234.pkl"
GENERATE = task("rdm_varstim").generate_trial
PARAMS = [{"name": "test"}] * 3 + [{"name": "test", "catch": True}]


def test_trials_run_together_equal_trials_run_one_by_one():
    one, many = RNN(VARSTIM), RNN(VARSTIM)
    rng = np.random.RandomState(7)
    runs = many.run_trials(GENERATE, PARAMS, seed=7, noise_stream="original", chunk=3)
    assert len({len(run.t) for run in runs}) > 1  # durations differ, so there was padding
    for params, run in zip(PARAMS, runs, strict=True):
        info = one.run(inputs=(GENERATE, params), rng=rng)
        assert info == run.info
        np.testing.assert_array_equal(one.t, run.t)
        np.testing.assert_array_equal(one.u, run.u)
        np.testing.assert_allclose(one.r, run.r, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(one.z, run.z, rtol=1e-5, atol=1e-6)
    assert many.x_last is None


def test_thousands_of_trials_run_at_once():
    runs = RNN(VARSTIM).run_trials(GENERATE, [{"name": "test"}] * 2000)
    assert len(runs) == 2000 and all(np.isfinite(run.z).all() for run in runs)


@pytest.mark.parametrize("noise_stream", ["fast", "original"])
def test_a_trial_does_not_depend_on_those_run_with_it(noise_stream):
    rnn = RNN(VARSTIM)
    few = rnn.run_trials(GENERATE, PARAMS, noise_stream=noise_stream, chunk=2)
    many = rnn.run_trials(GENERATE, PARAMS * 3, noise_stream=noise_stream)
    assert len({len(run.t) for run in few}) > 1
    for one, other in zip(few, many, strict=False):
        assert one.info == other.info
        np.testing.assert_array_equal(one.u, other.u)
        np.testing.assert_allclose(one.z, other.z, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("noise_stream", ["fast", "original"])
def test_a_task_may_use_its_arrays_again(noise_stream):
    shown = {"t": np.arange(1, 11) * 20.0, "inputs": np.zeros((10, 3)), "info": {}, "epochs": {}}

    def with_own_arrays(rng, dt, params):
        shown["inputs"][:] = shown["info"]["shown"] = params["shown"]
        shown["epochs"]["stimulus"] = (0, params["shown"])
        return shown

    rnn = RNN(VARSTIM, {"var_in": 0, "dt": 20})
    params = [{"shown": number} for number in (1, 2, 3)]
    for number, run in enumerate(
        rnn.run_trials(with_own_arrays, params, noise_stream=noise_stream), start=1
    ):
        np.testing.assert_allclose(run.u[:, 1:], number + rnn.p["baseline_in"], rtol=1e-6)
        assert run.info == {"shown": number, "epochs": {"stimulus": (0, number)}}


@pytest.mark.parametrize("noise_stream", ["fast", "original"])
def test_long_trials_are_drawn_a_few_at_once(noise_stream, monkeypatch):
    def outcomes():
        runs = RNN(VARSTIM).run_trials(GENERATE, PARAMS * 2, noise_stream=noise_stream)
        return [run.r for run in runs]

    together = outcomes()
    monkeypatch.setattr(drawing, "AT_ONCE", 1000)  # fewer numbers than a trial's
    for one, other in zip(together, outcomes(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("noise_stream", ["fast", "original"])
def test_trials_of_independent_units_have_the_stationary_variance(noise_stream):
    def nothing(rng, dt, params):
        return {"t": np.arange(1, 1001) * dt}

    rnn = RNN(None, {"N": 3, "dt": 1, "tau": 10, "var_rec": 0.2})
    runs = rnn.run_trials(nothing, [{}] * 20, noise_stream=noise_stream)
    settled = np.concatenate([run.r[:, 100:] for run in runs], axis=1)
    np.testing.assert_allclose(settled.var(axis=1), 0.2, rtol=0.15)


def test_a_continuous_run_starts_where_the_last_one_ended():
    rnn = RNN(SINE, {"var_rec": 0})
    rnn.run(T=100)
    end = rnn.r[:, -1]
    rnn.run(T=40)
    np.testing.assert_array_equal(rnn.r[:, 0], end)
    batch = RNN(SINE, {"var_rec": 0, "mode": "batch"})
    for _ in range(2):
        batch.run(T=40)
        np.testing.assert_array_equal(batch.r[:, 0], np.maximum(batch.x0, 0))


def test_a_task_that_runs_the_network_itself_changes_no_draw():
    """The stream that a network keeps is lent to one call at a time."""
    rnn, plain = RNN(VARSTIM), RNN(VARSTIM)

    def with_another_run(rng, dt, params):
        rnn.run(T=10, seed=3)
        return GENERATE(rng, dt, params)

    rnn.run(inputs=(with_another_run, PARAMS[0]), seed=5)
    plain.run(inputs=(GENERATE, PARAMS[0]), seed=5)
    np.testing.assert_array_equal(rnn.r, plain.r)
    [fixed] = rnn.run_trials(GENERATE, [PARAMS[0]], seed=5, noise_stream="original")
    np.testing.assert_array_equal(fixed.u, plain.u)


@pytest.mark.parametrize("name", ["Win", "Wrec", "Wout", "brec", "bout", "x0"])
def test_a_weight_changed_in_place_counts_at_the_next_run(name):
    """What is prepared from weights is kept from run to run."""

    def outcome(rnn):
        rnn.run(inputs=(GENERATE, {"name": "test"}), seed=5)
        return np.concatenate([rnn.r.ravel(), rnn.z.ravel()])

    changed, other = RNN(VARSTIM), RNN(VARSTIM)
    before = outcome(changed)
    values = getattr(changed, name)
    values[:] = 1.5 * values if values.ndim == 2 else values + 0.1
    after = outcome(changed)
    setattr(other, name, getattr(changed, name).copy())
    assert (after != before).any()
    np.testing.assert_array_equal(outcome(other), after)
    np.testing.assert_array_equal(outcome(RNN(VARSTIM)), before)


def test_small_weights_are_set_to_zero_in_a_copy():
    whole, cut = RNN(VARSTIM, {"threshold": 0}), RNN(VARSTIM, {"threshold": 0.1})
    small = np.abs(whole.Wrec) < 0.1
    assert small.any() and not cut.Wrec[small].any()
    np.testing.assert_array_equal(cut.Wrec[~small], whole.Wrec[~small])
    assert cut.Win.shape == (20, 3) and cut.Wout.shape == (2, 20)
    assert cut.brec.shape == cut.x0.shape == (20,) and cut.bout.shape == (2,)


def test_initial_noise_moves_the_first_sample():
    still, moved = RNN(VARSTIM), RNN(VARSTIM, {"sigma0": 0.5})
    for rnn in (still, moved):
        rnn.run(inputs=(GENERATE, PARAMS[3]))
    assert np.ptp(still.r[:, 0] - np.maximum(still.x0, 0)) == 0
    assert np.ptp(moved.r[:, 0]) > 0.1


def test_independent_units_have_the_stationary_variance():
    rnn = RNN(None, {"N": 3, "dt": 1, "tau": 10, "var_rec": 0.2})
    assert rnn.costs_history is None
    rnn.run(T=20000, seed=1)
    np.testing.assert_allclose(rnn.r[:, 500:].var(axis=1), 0.2, rtol=0.15)
    np.testing.assert_array_equal(rnn.z, rnn.r)


def test_a_run_needs_a_duration_or_a_task():
    with pytest.raises(TaskError, match="duration T"):
        RNN().run()


def test_a_run_of_no_duration_is_the_initial_state():
    rnn = RNN(None, {"N": 3})
    rnn.run(T=0)
    np.testing.assert_array_equal(rnn.r, np.full((3, 1), np.float32(0.1)))


def test_a_task_of_another_size_is_refused():
    with pytest.raises(TaskError, match=r"'inputs' has shape .*, expected"):
        RNN(VARSTIM).run(inputs=(task("rdm_fixed").generate_trial, {"name": "test"}))


def test_unknown_and_unfit_overrides_are_refused_with_the_near_miss():
    with pytest.raises(SettingError, match="did you mean 'threshold'"):
        RNN(VARSTIM, {"treshold": 0.1})
    with pytest.raises(SettingError, match="sigma0"):
        RNN(VARSTIM, {"sigma0": -1})
    with pytest.raises(SettingError, match="dt"):
        RNN(VARSTIM, {"dt": 0})
    with pytest.raises(CheckpointError, match="no such file"):
        RNN("nowhere.npz")


def test_the_log_says_what_was_loaded_and_that_dt_is_large(caplog):
    with caplog.at_level("INFO"):
        RNN(VARSTIM)
        RNN(None)
    assert "15 updates" in caplog.text and "large for tau" in caplog.text
    caplog.clear()
    with caplog.at_level("INFO"):
        RNN(VARSTIM, verbose=False)
    assert not caplog.text


def test_numpy_runs_a_network_as_numba_does(monkeypatch):
    fast, slow = RNN(VARSTIM), RNN(VARSTIM)
    fast.run(inputs=(GENERATE, PARAMS[0]))
    monkeypatch.setattr(integrate, "fastest_kernels", lambda: "numpy")
    slow.run(inputs=(GENERATE, PARAMS[0]))
    np.testing.assert_allclose(slow.r, fast.r, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(slow.z, fast.z, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"T": 100, "seed": -1}, "seed must be a whole number"),
        ({"T": 100, "seed": 1.5}, "seed must be a whole number"),
        ({"T": -5}, "T must be a time in ms"),
        ({"T": "x"}, "T must be a time in ms"),
        ({"T": np.nan}, "T must be a time in ms"),
        ({"T": 1e15}, "more than fit in memory"),
        ({"inputs": print}, "inputs must be .generate_trial, params., not a builtin"),
        ({"inputs": (1, {})}, "must be a function and a dictionary"),
        ({"inputs": (print, None)}, "must be a function and a dictionary"),
        ({"inputs": (lambda rng, dt, params: 1 / 0, {})}, "trial to run fails: ZeroDivisionError"),
        ({"inputs": (lambda rng, dt, params: exit(0), {})}, "trial to run fails: SystemExit"),
    ],
)
def test_what_cannot_be_run_is_one_error(asked, named):
    with pytest.raises(TaskError, match=named):
        RNN(VARSTIM, verbose=False).run(**asked)
