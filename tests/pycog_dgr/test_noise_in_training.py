"""Which stream a training draws its noise from, and that it goes on with the same one."""

import dataclasses
import types

import numpy as np
import pytest

from pycog_dgr.config import settings
from pycog_dgr.files import checkpoint
from pycog_dgr.training import train
from tests.pycog_dgr import tiny

TASK = types.SimpleNamespace(generate_trial=tiny.generate_trial, __name__="tiny")


def go(path, **changes):
    network, training = settings(**{**tiny.SETTINGS, "min_error": -1, **changes})
    return train(TASK, network, training, path, backend="numpy").checkpoint


@pytest.mark.parametrize("stream", ["fast", "original"])
def test_an_interrupted_training_draws_the_noise_of_an_uninterrupted_one(tmp_path, stream):
    whole = go(tmp_path / "whole.npz", noise_stream=stream)
    go(tmp_path / "parts.npz", noise_stream=stream, max_iter=2)
    parts = go(tmp_path / "parts.npz", noise_stream=stream)
    np.testing.assert_array_equal(parts.parameters.Wrec, whole.parameters.Wrec)
    assert whole.settings["noise_stream"] == stream


def test_new_trainings_draw_fast_noise_and_the_streams_differ(tmp_path):
    new, original = go(tmp_path / "a.npz"), go(tmp_path / "b.npz", noise_stream="original")
    assert new.settings["noise_stream"] == "fast"
    assert (new.parameters.Wrec != original.parameters.Wrec).any()


def test_a_save_file_older_than_the_choice_goes_on_with_the_originals_stream(tmp_path, caplog):
    path, twin = tmp_path / "old.npz", tmp_path / "twin.npz"
    for one in (path, twin):
        go(one, noise_stream="original", max_iter=2)
    saved = checkpoint.load(path)
    older = {name: value for name, value in saved.settings.items() if name != "noise_stream"}
    checkpoint.save(path, dataclasses.replace(saved, settings=older))
    with caplog.at_level("INFO"):
        went_on = go(path)
    assert "noise_stream, original" in caplog.text
    assert checkpoint.load(path).settings["noise_stream"] == "original"
    same = go(twin, noise_stream="original")
    np.testing.assert_array_equal(went_on.parameters.Wrec, same.parameters.Wrec)
