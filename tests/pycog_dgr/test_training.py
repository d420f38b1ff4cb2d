"""The training loop: checks, stopping, saving, going on. Golden trainings: test_golden_tasks.py."""

import dataclasses
import logging
import os
import shutil
import signal
import threading
import types
from pathlib import Path

import numpy as np
import pytest

from pycog_dgr import CheckpointError, SettingError
from pycog_dgr.config import settings
from pycog_dgr.files import checkpoint, lock, previous
from pycog_dgr.training import train
from pycog_dgr.training.interrupt import interruptible
from tests.pycog_dgr import tiny

SAVES = Path(__file__).parents[1] / "golden" / "saves"
TASK = types.SimpleNamespace(generate_trial=tiny.generate_trial, __name__="tiny")


def go(savefile, task=TASK, **changes):
    options = {k: changes.pop(k) for k in ("recover", "floatX") if k in changes}
    network, training = settings(**{**tiny.SETTINGS, **changes})
    return train(task, network, training, savefile, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training of 5 iterations in float64, with checks before 1, 3 and 5."""
    savefile = tmp_path_factory.mktemp("trained") / "save.npz"
    return savefile, go(savefile, floatX="float64")


def copied(trained, tmp_path):
    return shutil.copy(trained[0], tmp_path / "save.npz")


def test_checks_come_before_the_first_update_and_every_checkfreq(trained):
    _, result = trained
    assert (result.reason, result.iterations) == ("max_iter", 5)
    assert [trials for trials, _ in result.checkpoint.costs_history] == [0, 6, 12]
    assert [trials for trials, _ in result.checkpoint.Omega_history] == [6, 12]


def test_the_initial_network_is_saved_too(trained):
    initial = checkpoint.load(trained[0].with_name("save_init.npz"))
    assert initial.iteration == 1 and initial.best.cost == np.inf
    assert initial.costs_history == []


def test_the_best_network_is_a_snapshot(trained):
    """The original kept live memory: its best biases and states moved on with training."""
    saved = checkpoint.load(trained[0])
    assert saved.best.iteration <= 5
    best, present = saved.best.parameters, trained[1].checkpoint.parameters
    assert not np.array_equal(best.x0, present.x0)
    assert not np.array_equal(best.Wrec, present.Wrec)
    np.testing.assert_array_equal(saved.best.weights.x0, best.x0)


@pytest.mark.parametrize("pieces", [[9], [1, 5, 9], range(1, 10), [4, 7, 9]])
def test_going_on_equals_never_having_stopped(tmp_path, pieces):
    """To the last bit, wherever it stopped: weights, random streams, best network, history."""
    whole = go(tmp_path / "whole.npz", floatX="float64", max_iter=9).checkpoint
    for last in pieces:
        resumed = go(tmp_path / "parts.npz", floatX="float64", max_iter=last).checkpoint
    assert resumed.seconds > 0
    for saved in (resumed.settings, whole.settings):
        saved["Crec"] = vars(saved["Crec"])
    same = dataclasses.replace(resumed, seconds=whole.seconds)
    np.testing.assert_equal(vars(same), vars(whole))


def test_a_new_start_replaces_the_file_only_when_it_saves(trained, tmp_path):
    path = copied(trained, tmp_path)
    fresh = go(path, recover=False, terminate=lambda history: True)
    assert fresh.checkpoint.stopped == "terminate"
    assert [n for n, _ in fresh.checkpoint.costs_history] == [0]
    assert checkpoint.load(previous(path)).iteration == 6


def test_training_goes_on_from_an_original_file_which_is_kept(tmp_path):
    from tests.golden_kinds.tasks_common import task

    path = tmp_path / "old.pkl"
    shutil.copy(SAVES / "tiny_vectau_softmax_cb_seed1234.pkl", path)
    before = path.read_bytes()
    from pycog_dgr.files import legacy

    old = legacy.load(path)
    given = {**old.settings, "max_iter": 16}
    network, training = settings(**given)
    result = train(task("rdm_fixed"), network, training, path)
    assert len(result.checkpoint.costs_history) == len(old.costs_history) + 1
    assert checkpoint.load(path).iteration == 17
    assert path.with_name("old.pkl.original").read_bytes() == before


def test_a_check_every_iteration_is_possible(tmp_path):
    """The original never checked with checkfreq = 1."""
    history = go(tmp_path / "s.npz", checkfreq=1, max_iter=2).checkpoint.costs_history
    assert [n for n, _ in history] == [0, 3]


def test_training_stops_when_the_rmse_not_the_loss_reaches_min_error(trained, tmp_path):
    _, (loss, rmse) = trained[1].checkpoint.costs_history[0]
    assert loss < rmse
    between = {"min_error": (loss + rmse) / 2, "max_iter": 1, "floatX": "float64"}
    assert go(tmp_path / "goes_on.npz", **between).reason == "max_iter"
    enough = {**between, "min_error": rmse * 1.001}
    assert go(tmp_path / "stops.npz", **enough).reason == "min_error"


def test_terminate_sees_the_history_of_the_performance(tmp_path):
    seen = []

    def terminate(history):
        seen.append(history.tolist())
        return len(history) == 2

    performance = iter([10.0, 20.0])
    result = go(
        tmp_path / "s.npz", terminate=terminate, performance=lambda trials, z: next(performance)
    )
    assert result.reason == "terminate" and seen == [[10.0], [10.0, 20.0]]
    assert result.checkpoint.best.other_costs[1] in (10.0, 20.0)


def test_patience_runs_out_at_any_iteration(tmp_path):
    result = go(tmp_path / "s.npz", learning_rate=0.0, patience=2, checkfreq=100, max_iter=50)
    assert (result.reason, result.iterations) == ("patience", 3)


def test_the_callbacks_result_reaches_the_task_and_the_save_file(tmp_path):
    seen = []

    def generate_trial(rng, dt, params):
        seen.append((params["name"], params.get("callback_results")))
        return tiny.generate_trial(rng, dt, params)

    task = types.SimpleNamespace(generate_trial=generate_trial)
    go(tmp_path / "s.npz", task=task, callback=lambda trials, z: [len(trials)], max_iter=1)
    assert ("gradient", [4]) in seen and ("validation", [4]) not in seen
    assert checkpoint.load(tmp_path / "s.npz").callback_results == [4]


def test_a_second_ctrl_c_stops_at_once():
    with pytest.raises(KeyboardInterrupt), interruptible() as interrupted:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted.is_set()
        os.kill(os.getpid(), signal.SIGINT)


def test_other_threads_train_without_catching_ctrl_c():
    entered = []

    def enter():
        with interruptible() as interrupted:
            entered.append(interrupted.is_set())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [False]


def test_a_loss_that_is_not_finite_is_logged(tmp_path, caplog):
    def generate_trial(rng, dt, params):
        trial = tiny.generate_trial(rng, dt, params)
        return {**trial, "inputs": 1e200 * trial["inputs"]}

    task = types.SimpleNamespace(generate_trial=generate_trial)
    with caplog.at_level(logging.WARNING):
        go(tmp_path / "s.npz", task=task, floatX="float64", max_iter=1)
    assert "validation loss is inf" in caplog.text


def test_what_cannot_be_trained_or_saved_is_refused_at_once(tmp_path):
    with pytest.raises(SettingError, match="Nout"):
        go(tmp_path / "s.npz", Nout=0)
    with pytest.raises(CheckpointError, match="folder does not exist"):
        go(tmp_path / "no" / "s.npz")


def test_training_goes_on_from_the_file_before_a_damaged_one(tmp_path, caplog):
    whole = go(tmp_path / "whole.npz", floatX="float64", max_iter=9).checkpoint
    path = tmp_path / "save.npz"
    go(path, floatX="float64", max_iter=6)
    path.write_bytes(path.read_bytes()[:-100])
    on = go(path, floatX="float64", max_iter=9).checkpoint
    assert "save.npz.previous" in caplog.text and "damaged" in caplog.text
    for saved in (on.settings, whole.settings):
        saved["Crec"] = vars(saved["Crec"])
    np.testing.assert_equal(vars(dataclasses.replace(on, seconds=whole.seconds)), vars(whole))
    path.unlink()
    with pytest.raises(CheckpointError, match="rename that to go on from it"):
        go(path)


def test_a_stored_batch_is_gone_on_with_where_it_was_left(tmp_path):
    """Minibatches of 3 and 4 trials are cut from batches of 10 and 9."""
    sizes = {"gradient_batch_size": 10, "validation_batch_size": 9, "floatX": "float64"}
    whole = go(tmp_path / "whole.npz", max_iter=9, **sizes).checkpoint
    for last in (2, 4, 5, 9):
        parts = go(tmp_path / "parts.npz", max_iter=last, **sizes).checkpoint
    assert parts.costs_history == whole.costs_history
    for name in ("rng_gradient", "rng_validation", "stored", "parameters"):
        np.testing.assert_equal(getattr(parts, name), getattr(whole, name))


def test_a_second_process_on_a_save_file_is_refused_and_a_dead_ones_lock_is_taken_over(tmp_path):
    path = tmp_path / "save.npz"
    (tmp_path / ".save.npz.lock").touch()  # left by a process that was killed
    with (
        lock(path),
        pytest.raises(CheckpointError, match=r"save\.npz: another process is training"),
    ):
        go(path, max_iter=1)
    assert not path.exists()
    go(path, max_iter=1)
    assert not list(tmp_path.glob(".*"))
