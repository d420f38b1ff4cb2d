"""The first bad update is named, saved and computed again; the guard's steps are counted."""

import dataclasses
import logging
import types

import numpy as np
import pytest

from pycog_dgr import CheckpointError
from pycog_dgr.config import settings
from pycog_dgr.files import checkpoint
from pycog_dgr.symbolic import adam
from pycog_dgr.training import DivergenceMonitor, divergence, train
from tests.pycog_dgr import small, tiny


def spoilt(batch, **arrays):
    """The batch with a value put at (1, 2, 0) of the named arrays."""
    changed = {name: getattr(batch, name).copy() for name in arrays}
    for name, value in arrays.items():
        changed[name][1, 2, 0] = value
    return batch._replace(**changed)


@pytest.mark.parametrize(
    ("value", "tensor", "index"),
    [
        ({"inputs": np.inf}, "inputs", (1, 2, 0)),
        ({"noise": np.nan}, "noise", (1, 2, 0)),
        ({"inputs": 1e200}, "loss", ()),
    ],
)
def test_the_first_tensor_that_is_not_finite_is_named(tmp_path, value, tensor, index):
    step = small.step()
    batch = small.batch(step.network)
    path = tmp_path / "bad.npz"
    monitor = DivergenceMonitor(path)
    monitor.update(step, batch)
    assert not path.exists() and monitor.skipped == 0
    report = monitor.update(step, spoilt(batch, **value))
    assert not np.isfinite(report.gnorm) or report.gnorm > 1e10
    first = divergence.load(path)
    assert (monitor.updates, monitor.skipped, first.update) == (2, 1, 2)
    assert (first.tensor, first.index) == (tensor, index)


@pytest.mark.parametrize("floatX", ["float32", "float64"])
def test_replaying_gives_the_same_report_to_the_last_bit(tmp_path, floatX):
    step = small.step(floatX, optimiser=adam(1e-3))
    batch = small.batch(step.network)
    monitor = DivergenceMonitor(tmp_path / "bad.npz")
    monitor.update(step, batch)
    before = step.parameters
    huge = batch._replace(inputs=1e9 * batch.inputs)
    report = monitor.update(step, huge)
    assert report.gnorm > 1e10
    first = divergence.load(tmp_path / "bad.npz")
    replayed, tensors = first.replay()
    np.testing.assert_array_equal(replayed, report)
    assert first.tensor == "gnorm" and first.value == report.gnorm
    np.testing.assert_array_equal(first.state["Wrec"], before.Wrec)
    np.testing.assert_array_equal(tensors["x"], step_at(step, before).gradients(huge)["x"])


def step_at(step, parameters):
    step.parameters = parameters
    return step


def test_looking_for_the_tensor_does_not_change_the_training():
    watched, alone = small.step(), small.step()
    batch = small.batch(watched.network)
    monitor = DivergenceMonitor()
    for inputs in (batch.inputs, 1e9 * batch.inputs, batch.inputs):
        monitor.update(watched, batch._replace(inputs=inputs))
        alone.update(batch._replace(inputs=inputs))
    for name, value in alone.state().items():
        np.testing.assert_array_equal(watched.state()[name], value)


def explosive_task(bad_calls):
    """Trials whose inputs explode at the given calls for gradient trials."""
    calls = iter(range(10**6))

    def generate_trial(rng, dt, params):
        trial = tiny.generate_trial(rng, dt, params)
        if params["name"] == "gradient" and next(calls) in bad_calls:
            trial["inputs"] = trial["inputs"] + 1e30
        return trial

    return types.SimpleNamespace(generate_trial=generate_trial)


def test_the_guards_steps_are_counted_on_over_resumed_trainings(tmp_path, caplog):
    def go(last, bad):
        network, training = settings(**{**tiny.SETTINGS, "max_iter": last})
        return train(explosive_task(bad), network, training, tmp_path / "s.npz")

    with caplog.at_level(logging.INFO):
        assert go(2, {5}).checkpoint.skipped == 1  # two calls look for masks, then three an update
        assert "update 2, on a batch of 3 trials in " in caplog.text
        first = divergence.load(tmp_path / "s_diverged.npz")
        assert go(4, {2}).checkpoint.skipped == 2
    assert "stepped in at 2 of them" in caplog.text
    assert caplog.text.count("is the first bad one") == 1
    assert divergence.load(tmp_path / "s_diverged.npz").update == first.update == 2
    assert checkpoint.load(tmp_path / "s.npz").skipped == 2


def test_what_is_not_a_divergence_is_refused(tmp_path):
    network, training = settings(**{**tiny.SETTINGS, "max_iter": 1})
    train(explosive_task(()), network, training, tmp_path / "s.npz")
    with pytest.raises(CheckpointError, match="not 'pycog_dgr divergence'"):
        divergence.load(tmp_path / "s.npz")


def test_a_saved_divergence_holds_its_batch(tmp_path):
    step = small.step()
    batch = small.batch(step.network)
    bad = batch._replace(inputs=1e30 * batch.inputs)
    DivergenceMonitor(tmp_path / "bad.npz").update(step, bad)
    first = divergence.load(tmp_path / "bad.npz")
    for name, array in bad._asdict().items():
        np.testing.assert_array_equal(getattr(first.batch, name), array)
    assert dataclasses.is_dataclass(first)
