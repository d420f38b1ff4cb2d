"""Simulated trials and their file: what rnn.run_trials gave, to float32, NaN beyond it."""

import types

import numpy as np
import pytest

from pycog_dgr import RNN, CheckpointError, TaskError
from pycog_dgr.files import npz
from pycog_dgr.running import trials
from pycog_dgr.running.trials import Trials, simulate_trials
from tests.golden_kinds.tasks_common import task
from tests.pycog_dgr.test_rnn import SINE, VARSTIM
from tests.sealed import npy, resealed, with_header

CATCH = 0.5  # probability, enough for both kinds among a few trials


@pytest.fixture(scope="module")
def varstim():
    return simulate_trials(RNN(VARSTIM), task("rdm_varstim"), 12, seed=3)


def test_trials_hold_what_the_network_did(varstim):
    rnn = RNN(VARSTIM)
    params = [{"name": "test", "catch": False}] * 12
    runs = rnn.run_trials(task("rdm_varstim").generate_trial, params, seed=3)
    assert len({len(run.t) for run in runs}) > 1  # so there is padding
    for i, run in enumerate(runs):
        n = varstim.lengths[i]
        np.testing.assert_array_equal(varstim.t[:n], run.t)
        for name, array in (("inputs", run.u), ("rates", run.r), ("outputs", run.z)):
            got = getattr(varstim, name)[i]
            np.testing.assert_allclose(got[:n], array.T, rtol=1e-5, atol=1e-6)
            assert np.isnan(got[n:]).all()
        assert varstim.info["coh"][i] == run.info["coh"]
        assert tuple(varstim.epochs["stimulus"][i]) == run.info["epochs"]["stimulus"]


def test_targets_are_there_where_the_task_asks_for_something(varstim):
    asked = np.isfinite(varstim.targets[:, :, 0])
    assert (asked == (varstim.during("fixation") | varstim.during("decision"))).all()
    final = varstim.targets[np.arange(12), varstim.lengths - 1]
    assert (final.argmax(axis=1) == varstim.info["choice"]).all()


def test_epochs_are_half_open(varstim):
    start, end = varstim.epoch("stimulus")[0]
    own = varstim.t[varstim.during("stimulus")[0]]
    assert own[0] > start and own[-1] == end
    assert "T" not in varstim.epochs


def test_more_trials_than_are_simulated_at_once_are_all_there(monkeypatch):
    monkeypatch.setattr(trials, "TRIALS_AT_ONCE", 4)
    made = simulate_trials(RNN(VARSTIM), task("rdm_varstim"), 10, seed=3)
    assert len(made) == len(made.rates) == 10
    assert all(np.isfinite(made.rates[i, : made.lengths[i]]).all() for i in range(10))


def test_catch_trials_have_no_condition_and_no_epoch():
    made = simulate_trials(RNN(VARSTIM), task("rdm_varstim"), 3, seed=1, catch=True)
    assert made.info == {} and made.epochs == {}
    with pytest.raises(TaskError, match="no condition 'coh'; known are none"):
        made.column("coh")
    with pytest.raises(TaskError, match="no epoch 'stimulus'"):
        made.epoch("stimulus")

    def sometimes(rng, dt, params):
        caught = rng.rand() < CATCH
        return task("rdm_varstim").generate_trial(rng, dt, {**params, "catch": caught})

    mixed = simulate_trials(RNN(VARSTIM), types.SimpleNamespace(generate_trial=sometimes), 20, 2)
    caught = np.isnan(mixed.column("coh"))
    assert 0 < caught.sum() < 20
    assert (caught == np.isnan(mixed.epoch("stimulus")[:, 0])).all()
    assert not mixed.during("stimulus")[caught].any()


def test_a_given_condition_is_shown_and_dt_save_thins_the_samples():
    whole = simulate_trials(RNN(VARSTIM), task("rdm_varstim"), 4, seed=5, coh=8)
    assert set(whole.column("coh")) == {8}
    dt = whole.t[1] - whole.t[0]
    thin = simulate_trials(RNN(VARSTIM), task("rdm_varstim"), 4, seed=5, dt_save=2 * dt, coh=8)
    np.testing.assert_array_equal(thin.t, whole.t[::2])
    np.testing.assert_array_equal(thin.rates, whole.rates[:, ::2])
    for steps in (0, 0.3, 1.5):
        with pytest.raises(TaskError, match="not a multiple"):
            simulate_trials(RNN(VARSTIM), task("rdm_varstim"), 1, seed=1, dt_save=steps * dt)
    with pytest.raises(TaskError, match="n_trials"):
        simulate_trials(RNN(VARSTIM), task("rdm_varstim"), 0, seed=1)


def test_a_network_without_inputs_has_inputs_of_no_width():
    made = simulate_trials(RNN(SINE), task("sinewave"), 2, seed=1)
    assert made.inputs.shape == (2, len(made.t), 0)
    period = task("sinewave").generate_trial(np.random, 20, {})["outputs"]
    np.testing.assert_allclose(made.targets[0, 1:], period, atol=1e-6)


def _with_info(values):
    """A task that shows nothing and gives its trials the values of info in turn."""
    shown = iter(values)

    def generate_trial(rng, dt, params):
        return {"t": np.arange(1, 4) * dt, "info": {"x": next(shown)}, "inputs": np.zeros((3, 3))}

    return types.SimpleNamespace(generate_trial=generate_trial)


def test_conditions_are_numbers_or_text():
    texts = simulate_trials(RNN(VARSTIM), _with_info(["v", None, "va"]), 3, seed=1)
    assert texts.info["x"].tolist() == ["v", "", "va"]
    numbers = simulate_trials(RNN(VARSTIM), _with_info([1, None]), 2, seed=1)
    np.testing.assert_array_equal(numbers.info["x"], [1, np.nan])
    with pytest.raises(TaskError, match=r"info\['x'\] must be a number"):
        simulate_trials(RNN(VARSTIM), _with_info(["v", 1]), 2, seed=1)


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ([(1, 2), (3, 4)], [[1, 2], [3, 4]]),
        ([{7, 2}, {5}, None], [[2, 7], [5, np.nan], [np.nan, np.nan]]),
        ([["a"], ["b", "cd"]], [["a", ""], ["b", "cd"]]),
        ([np.eye(2), np.ones((1, 2))], [[[1, 0], [0, 1]], [[1, 1], [np.nan, np.nan]]]),
        ([[], [1]], [[np.nan], [1]]),
        ([{"b": 1, "a": np.arange(2)}, None], ['{"a": [0, 1], "b": 1}', ""]),
        ([(1, 2), 3], ["[1, 2]", "3"]),
        ([np.float32(1), np.array(2)], [1, 2]),
    ],
)
def test_info_that_is_no_scalar_is_kept_and_saved(tmp_path, values, column):
    made = simulate_trials(RNN(VARSTIM), _with_info(values), len(values), seed=1)
    made.save(tmp_path / "t.npz")
    for kept in (made, Trials.load(tmp_path / "t.npz")):
        np.testing.assert_array_equal(kept.column("x"), np.array(column))
    some = made.select([0])
    np.testing.assert_array_equal(some.column("x"), np.array(column)[:1])


def test_states_are_kept_when_asked(tmp_path):
    plain = simulate_trials(RNN(VARSTIM), task("rdm_varstim"), 3, seed=1, dt_save=40)
    asked = simulate_trials(RNN(VARSTIM), task("rdm_varstim"), 3, seed=1, dt_save=40, states=True)
    assert plain.states is None and asked.states.shape == asked.rates.shape
    asked.save(tmp_path / "t.npz")
    loaded = Trials.load(tmp_path / "t.npz").select([2, 0])
    np.testing.assert_array_equal(loaded.states, asked.states[[2, 0]])
    here = asked.present()
    np.testing.assert_allclose(
        np.maximum(asked.states[here], 0), asked.rates[here], rtol=1e-4, atol=1e-6
    )


def test_some_trials_are_selected_by_index_or_by_mask(varstim):
    some = varstim.select([4, 2])
    assert len(some) == 2
    np.testing.assert_array_equal(some.rates, varstim.rates[[4, 2]])
    assert some.info["coh"].tolist() == varstim.info["coh"][[4, 2]].tolist()
    assert (varstim.select(varstim.info["coh"] == 8).column("coh") == 8).all()


# -- files ----------------------------------------------------------------------------------------


def test_a_file_gives_back_the_trials_that_were_saved(varstim, tmp_path):
    path = tmp_path / "trials.npz"
    varstim.save(path)
    again = Trials.load(path)
    for name in ("t", "inputs", "rates", "outputs", "targets", "lengths"):
        np.testing.assert_array_equal(getattr(again, name), getattr(varstim, name))
        assert getattr(again, name).dtype == getattr(varstim, name).dtype
    for part in ("info", "epochs"):
        assert getattr(again, part).keys() == getattr(varstim, part).keys()
        for name, column in getattr(again, part).items():
            np.testing.assert_array_equal(column, getattr(varstim, part)[name])
    assert [file.name for file in tmp_path.iterdir()] == ["trials.npz"]


def test_damaged_files_are_refused(varstim, tmp_path):
    path = tmp_path / "trials.npz"
    with pytest.raises(CheckpointError, match="simulate the trials first"):
        Trials.load(path)
    varstim.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        Trials.load(path)
    path.write_bytes(whole)
    resealed(path, lambda members: members.update({"t.npy": npy(varstim.t[1:])}))
    with pytest.raises(CheckpointError, match=r"inputs: expected .* simulate the trials again"):
        Trials.load(path)
    path.write_bytes(whole[:-99] + bytes(99))
    with pytest.raises(CheckpointError, match="damaged"):
        Trials.load(path)
    path.write_bytes(whole)
    resealed(path, lambda members: members.pop("header.npy"))
    with pytest.raises(CheckpointError, match="holds no pycog_dgr trials"):
        Trials.load(path)
    path.write_bytes(whole)
    with pytest.raises(CheckpointError, match="more than"):
        Trials.load(path, max_bytes=100)


def test_files_of_a_newer_version_are_refused(varstim, tmp_path):
    path = tmp_path / "trials.npz"
    varstim.save(path)
    resealed(path, lambda members: with_header(members, format=99))
    with pytest.raises(CheckpointError, match="version 99, this program reads 2"):
        Trials.load(path)


def test_what_cannot_be_saved_leaves_the_old_file(varstim, tmp_path, monkeypatch):
    path = tmp_path / "trials.npz"
    varstim.save(path)
    before = path.read_bytes()
    monkeypatch.setattr(npz, "MAX_BYTES", 1000)
    with pytest.raises(CheckpointError, match="larger dt_save"):
        varstim.save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    with pytest.raises(CheckpointError, match=r"folder .* does not exist"):
        varstim.save(tmp_path / "nowhere" / "trials.npz")
