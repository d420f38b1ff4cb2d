"""Every way a training ends: what it learnt is kept, and a resumed one gives the same numbers."""

import dataclasses
import logging
import os
import signal
import sys
import types

import numpy as np
import pytest

from pycog_dgr import RNN, TaskError
from pycog_dgr.config import settings
from pycog_dgr.files import checkpoint
from pycog_dgr.training import train
from pycog_dgr.training.interrupt import interruptible
from tests.pycog_dgr import tiny

RARELY = {"checkfreq": 100, "max_iter": 5}
EARLY = 9  # call of generate_trial for a gradient: two look for masks, three make a batch


def go(savefile, generate_trial=tiny.generate_trial, on_update=None, **changes):
    network, training = settings(**{**tiny.SETTINGS, **changes})
    task = types.SimpleNamespace(generate_trial=generate_trial, __name__="tiny")
    return train(task, network, training, savefile, floatX="float64", on_update=on_update)


def interrupting(act, at=EARLY):
    """tiny.generate_trial, which calls act() in the given call for a gradient."""
    calls = []

    def generate_trial(rng, dt, params):
        calls.append(params["name"])
        if params["name"] == "gradient" and calls.count("gradient") == at:
            act()
        return tiny.generate_trial(rng, dt, params)

    return generate_trial


def require_equal(resumed, whole):
    for save in (resumed, whole):
        save.settings["Crec"] = vars(save.settings["Crec"])
    same = dataclasses.replace(
        resumed, seconds=whole.seconds, origin=whole.origin, changes=whole.changes
    )
    np.testing.assert_equal(vars(same), vars(whole))


def test_training_shorter_than_checkfreq_is_not_in_vain(tmp_path):
    """RNN('a.npz') was bit for bit the untrained network."""
    result = go(tmp_path / "a.npz", **RARELY)
    save = checkpoint.load(tmp_path / "a.npz")
    assert result.reason == "max_iter" and save.selected.iteration == 6
    assert save.selected.cost < save.best.cost
    assert len(save.costs_history) == 1  # of the checks alone
    untrained = RNN(tmp_path / "a_init.npz", verbose=False)
    assert not np.array_equal(RNN(tmp_path / "a.npz", verbose=False).Wrec, untrained.Wrec)


def test_the_validation_at_an_ending_changes_no_number_of_a_resumed_training(tmp_path):
    performance = {"performance": lambda trials, z: float(z.mean())}
    whole = go(tmp_path / "whole.npz", **{**RARELY, "checkfreq": 4, "max_iter": 11}, **performance)
    for last in (2, 6, 11):
        changes = {**RARELY, "checkfreq": 4, "max_iter": last, **performance}
        parts = go(tmp_path / "parts.npz", **changes)
        assert parts.checkpoint.ending.iteration == last + 1
    require_equal(parts.checkpoint, whole.checkpoint)


@pytest.mark.parametrize("end", ["", "_init", "_diverged"])
def test_a_training_removes_what_a_killed_one_left_half_written(tmp_path, end):
    """Half of a NAME_init.npz, written when a process was killed, stayed for ever."""
    go(tmp_path / "a.npz", **RARELY)
    (tmp_path / f".a{end}.npz.4bda5b6d.part").touch()
    go(tmp_path / "a.npz", **RARELY)
    assert not list(tmp_path.glob(".*.part"))


def test_rnn_warns_where_the_best_network_is_the_initial_one(tmp_path, caplog):
    save = go(tmp_path / "a.npz", **RARELY).checkpoint
    RNN(tmp_path / "a.npz")
    assert "is the initial one" not in caplog.text
    checkpoint.save(tmp_path / "a.npz", dataclasses.replace(save, ending=None))
    RNN(tmp_path / "a.npz")
    assert "is the initial one" in caplog.text


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_saves_and_training_goes_on_from_there(tmp_path, name):
    number = getattr(signal, name)
    act = interrupting(lambda: os.kill(os.getpid(), number))
    before = signal.getsignal(number)
    result = go(tmp_path / "s.npz", act, **{**RARELY, "max_iter": 50})
    assert (result.reason, result.iterations) == ("interrupted", 3)
    assert signal.getsignal(number) is before
    assert checkpoint.load(tmp_path / "s.npz").iteration == 4
    on = go(tmp_path / "s.npz", **RARELY).checkpoint
    require_equal(on, go(tmp_path / "w.npz", **RARELY).checkpoint)


def test_a_signal_that_the_process_was_told_to_ignore_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with interruptible() as interrupted:
            os.kill(os.getpid(), signal.SIGHUP)
        assert not interrupted.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


def fail():
    raise ZeroDivisionError("by me")


@pytest.mark.parametrize("act", [fail, lambda: sys.exit(0)])
def test_a_task_that_fails_or_exits_loses_nothing_and_is_named(tmp_path, act):
    """In trial 101 of an evening; sys.exit(0) looked like success."""
    with pytest.raises(TaskError, match=r"task 'tiny', trial 0 for 'gradient' fails.*iteration 3"):
        go(tmp_path / "s.npz", interrupting(act), **RARELY)
    assert checkpoint.load(tmp_path / "s.npz").iteration == 3
    on = go(tmp_path / "s.npz", **RARELY).checkpoint
    require_equal(on, go(tmp_path / "w.npz", **RARELY).checkpoint)


def test_a_task_that_fails_while_a_stored_batch_is_drawn_loses_nothing(tmp_path):
    sizes = {"gradient_batch_size": 7, "validation_batch_size": 9, "checkfreq": 3, "max_iter": 9}
    with pytest.raises(TaskError, match="trial 3 for 'gradient' fails"):
        go(tmp_path / "s.npz", interrupting(fail, at=2 + 7 + 4), **sizes)
    on = go(tmp_path / "s.npz", **sizes).checkpoint
    require_equal(on, go(tmp_path / "w.npz", **sizes).checkpoint)


@pytest.mark.parametrize("sizes", [{}, {"validation_batch_size": 9}])
@pytest.mark.parametrize("name", ["performance", "callback", "terminate"])
def test_a_function_that_fails_loses_nothing_and_is_named(tmp_path, name, sizes):
    """In the third check, before the fifth update."""
    sound = {"performance": lambda trials, z: 1.0, "callback": lambda trials, z: [1]}
    sound["terminate"] = lambda history: False
    calls = []

    def failing(*arguments):
        calls.append(arguments)
        return fail() if len(calls) == 3 else sound[name](*arguments)

    steps = {"checkfreq": 2, "max_iter": 7, **sizes}
    with pytest.raises(TaskError, match=rf"{name} fails: ZeroDivisionError: by me \(iteration 5"):
        go(tmp_path / "s.npz", **{**steps, **sound, name: failing})
    on = go(tmp_path / "s.npz", **steps, **sound).checkpoint
    require_equal(on, go(tmp_path / "w.npz", **steps, **sound).checkpoint)


def test_a_failing_listener_loses_nothing(tmp_path):
    def listen(updates, report):
        if updates == 2:
            fail()

    with pytest.raises(TaskError, match="on_update fails"):
        go(tmp_path / "s.npz", on_update=listen, **RARELY)
    assert checkpoint.load(tmp_path / "s.npz").iteration == 3


@pytest.mark.parametrize("value", [None, [1.0], np.nan, "good", {}])
def test_a_performance_that_is_no_number_is_named(tmp_path, value):
    with pytest.raises(TaskError, match=r"performance returned .* expected one finite number"):
        go(tmp_path / "s.npz", performance=lambda trials, z: value, **RARELY)


def test_a_disk_that_is_full_while_a_task_fails_is_told_too(tmp_path, monkeypatch):
    def full():
        monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "full")))
        fail()

    with pytest.raises(TaskError, match=r"ZeroDivisionError: by me .*not saved: .*full"):
        go(tmp_path / "s.npz", interrupting(full), **RARELY)


def test_a_loss_that_is_not_finite_at_the_ending_selects_nothing(tmp_path, caplog):
    def exploding(rng, dt, params):
        trial = tiny.generate_trial(rng, dt, params)
        return {**trial, "inputs": trial["inputs"] * 1e300}

    with caplog.at_level(logging.WARNING):
        save = go(tmp_path / "s.npz", exploding, **RARELY).checkpoint
    assert save.ending is None and save.selected is save.best
