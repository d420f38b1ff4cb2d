"""An old result under a new question: what decides a result is recorded and compared."""

import logging
import types

import numpy as np
import pytest

from pycog_dgr import CheckpointError, Connectivity
from pycog_dgr.config import settings
from pycog_dgr.data import task_source
from pycog_dgr.files import checkpoint
from pycog_dgr.training import train
from tests.pycog_dgr import tiny

TASK = types.SimpleNamespace(generate_trial=tiny.generate_trial, __name__="tiny")
SHORT = {"max_iter": 2}


def go(savefile, task=TASK, start=None, **changes):
    network, training = settings(**{**tiny.SETTINGS, **SHORT, **changes})
    return train(task, network, training, savefile, start=start)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    savefile = tmp_path_factory.mktemp("trained") / "save.npz"
    go(savefile)
    return savefile.read_bytes()


@pytest.fixture
def savefile(trained, tmp_path):
    path = tmp_path / "save.npz"
    path.write_bytes(trained)
    return path


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tau": 50}, "tau is 40 there, 50 here"),
        ({"dt": 10}, "dt is 20 there, 10 here"),
        ({"N": 4, "ei": [1, 1, 1, -1]}, "N is 6 there, 4 here; ei is an array"),
        ({"hidden_activation": "tanh"}, "hidden_activation is rectify there, tanh here"),
        ({"ei": None}, "ei is an array .* there, None here"),
        ({"Cin": np.eye(6, 1)}, "Cin is None there, a mask"),
        ({"train_bout": True}, "list of trained parameters is .*, bout, x0 here"),
        ({"mode": "continuous", "train_x0": False}, "mode is batch there"),
    ],
)
def test_another_network_is_refused_with_each_difference_and_the_remedies(savefile, change, named):
    before = savefile.read_bytes()
    with pytest.raises(CheckpointError, match=rf"{named}.*recover=False") as caught:
        go(savefile, **change)
    assert len(str(caught.value)) < 500
    assert savefile.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "there", "here"),
    [
        ({"learning_rate": 0.5}, "0.01", "0.5"),
        ({"n_gradient": 5}, "3", "5"),
        ({"var_rec": 0.5}, "0.0225", "0.5"),
        ({"var_in": 0.3}, "0.0001", "0.3"),
        ({"baseline_in": 0.0}, "0.2", "0"),
        ({"lambda_Omega": 0.0}, "2", "0"),
        ({"seed": 5}, "1234", "5"),
        ({"gradient_seed": 5}, "11", "5"),
        ({"lambda2_r": 1.0}, "0", "1"),
    ],
)
def test_what_changes_only_the_training_is_logged_and_recorded(
    savefile, caplog, change, there, here
):
    (name,) = change
    with caplog.at_level(logging.WARNING):
        go(savefile, **{"max_iter": 3, **change})
    assert f"from update 3 on, {name} is {here}; it was {there}" in caplog.text
    saved = checkpoint.load(savefile)
    assert saved.changes == [{"iteration": 3, "name": name, "before": there, "after": here}]
    assert saved.settings[name] == change[name]


def test_limits_may_change_freely(savefile, caplog):
    with caplog.at_level(logging.WARNING):
        go(savefile, max_iter=4, patience=100, min_error=0.001)
    assert not caplog.records and not checkpoint.load(savefile).changes


def test_another_source_of_the_task_is_logged_and_recorded(tmp_path, caplog):
    from pycog_dgr import Model

    text = (
        "from tests.pycog_dgr.tiny import *\nlocals().update(SETTINGS)\n"
        "def generate_trial(rng, dt, params):\n    return tiny_trial(rng, dt, params)\n"
        "from tests.pycog_dgr.tiny import generate_trial as tiny_trial\nmax_iter = 2\n"
    )
    (tmp_path / "t.py").write_text(text)
    Model(tmp_path / "t.py").train(tmp_path / "t.npz")
    Model(tmp_path / "t.py").train(tmp_path / "t.npz")
    assert "the task's source is" not in caplog.text
    (tmp_path / "t.py").write_text(f"{text}coherence = 3\nmax_iter = 3\n")
    Model(tmp_path / "t.py").train(tmp_path / "t.npz")
    assert "the task's source is" in caplog.text
    (change,) = checkpoint.load(tmp_path / "t.npz").changes
    assert change["name"] == "the task's source"


def test_a_source_is_known_by_its_file_and_unknown_where_there_is_none():
    one = task_source(TASK)
    assert one == task_source(TASK) and len(one["digest"]) == 64
    assert one["digest"] != task_source(TASK, test_limits_may_change_freely)["digest"]
    made = {}
    exec("def generate_trial(rng, dt, params): pass", made)
    nowhere = types.SimpleNamespace(generate_trial=made["generate_trial"])
    assert task_source(nowhere) == {"name": "SimpleNamespace", "digest": None}


def test_the_seed_matters_where_it_scales_fixed_weights(tmp_path):
    plastic = 1 - np.eye(6)
    plastic[0, 1] = 0
    fixed = np.zeros((6, 6))
    fixed[0, 1] = 0.3
    Crec = Connectivity(plastic, fixed)
    go(tmp_path / "save.npz", Crec=Crec, max_iter=1)
    with pytest.raises(CheckpointError, match="seed is 1234 there, 5 here"):
        go(tmp_path / "save.npz", Crec=Crec, max_iter=1, seed=5)
    go(tmp_path / "save.npz", Crec=Crec, max_iter=1)


# -- a second task on a trained network ------------------------------------------------------------


def other_trial(rng, dt, params):
    trial = tiny.generate_trial(rng, dt, params)
    return {**trial, "outputs": trial["outputs"][:, ::-1]}


OTHER = types.SimpleNamespace(generate_trial=other_trial, __name__="other")


def test_a_training_starts_from_another_ones_best_network_and_keeps_none_of_its_history(
    savefile, tmp_path
):
    """With a copy of the file, the first task's best loss, iteration and patience were kept."""
    one = checkpoint.load(savefile).selected
    result = go(tmp_path / "two.npz", OTHER, start=savefile, learning_rate=0.0)
    two = result.checkpoint
    for name in ("Win", "Wrec", "Wout", "x0"):
        np.testing.assert_array_equal(getattr(two.parameters, name), getattr(one.parameters, name))
    assert [trials for trials, _ in two.costs_history] == [0, 6][: len(two.costs_history)]
    assert two.best.iteration == 1 and two.best.cost != one.cost
    assert len(two.origin["start"]) == 64


def test_a_started_training_goes_on_and_another_start_is_refused(savefile, tmp_path):
    go(tmp_path / "two.npz", OTHER, start=savefile)
    assert go(tmp_path / "two.npz", OTHER, start=savefile, max_iter=4).iterations == 4
    go(savefile, max_iter=9, learning_rate=0.1)
    go(tmp_path / "again.npz", max_iter=1, seed=7)
    with pytest.raises(CheckpointError, match=r"was not started from the network that .*again"):
        go(tmp_path / "two.npz", OTHER, start=tmp_path / "again.npz", max_iter=5)


def test_a_start_of_another_network_is_refused(savefile, tmp_path):
    with pytest.raises(CheckpointError, match="hidden_activation is rectify there, tanh here"):
        go(tmp_path / "two.npz", start=savefile, hidden_activation="tanh")
    go(tmp_path / "three.npz", start=savefile, tau=80)  # named in the log
