"""Tasks in turn and at the same time: what is learnt, what is forgotten, what is held."""

import dataclasses
import os
import signal

import numpy as np
import pytest

from pycog_dgr import CheckpointError, Model, SettingError, TaskError
from pycog_dgr.data import task_source
from pycog_dgr.files import open_save
from pycog_dgr.symbolic import adam, chain, only
from pycog_dgr.tasks import Interleaved, interleaved
from pycog_dgr.training import Stage, performance_on, train_in_turn
from tests.pycog_dgr import tiny


class Side:
    """Say on which side the input is, or, if `turned`, on which it is not; a cue tells which."""

    def __init__(self, turned):
        self.turned = turned

    def generate_trial(self, rng, dt, params):
        side = rng.randint(2)
        choice = 1 - side if self.turned else side
        inputs = np.zeros((6, 4))
        inputs[:, side], inputs[:, 2 + self.turned] = 1, 1
        outputs = np.full((6, 2), 0.2)
        outputs[3:, choice] = 1
        return {
            "t": dt * np.arange(1, 7), "epochs": {"T": 6 * dt}, "inputs": inputs,
            "outputs": outputs, "info": {"side": side, "choice": choice},
        }  # fmt: skip


def performance(trials, z):
    chosen = [np.argmax(z[len(t["t"]) - 1, i]) for i, t in enumerate(trials)]
    right = [choice == t["info"]["choice"] for choice, t in zip(chosen, trials, strict=True)]
    return 100 * np.mean(right)


SETTINGS = tiny.SETTINGS | {
    "Nin": 4, "N": 30, "ei": None, "n_gradient": 10, "n_validation": 40, "checkfreq": 20,
    "max_iter": 150, "var_rec": 0.01**2, "train_brec": True,
    "baseline_in": 0,
}  # fmt: skip
SETTINGS["terminate"] = lambda history: history[-1] > 99


def model(turned, **changes):
    own = {"optimiser": adam(0.01), "performance": performance}
    return Model(**{**SETTINGS, **own, **changes}, task=Side(turned))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """The second task learnt by all connections, then forgotten is the first."""
    folder = tmp_path_factory.mktemp("curriculum")
    stages = [Stage("pro", model(False)), Stage("anti", model(True))]
    return folder, stages, train_in_turn(stages, folder, n_trials=40)


def test_the_matrix_tells_what_is_known_after_each_stage(learnt):
    _, stages, found = learnt
    assert found.names == ("pro", "anti") and found.performance.shape == (2, 2)
    assert found.performance[0, 0] > 99 and found.performance[1, 1] > 99
    assert found.performance[0, 1] < 60  # not taught yet
    for i, path in enumerate(found.savefiles):
        for j, stage in enumerate(stages):
            assert performance_on(stage.model, path, 40) == found.performance[i, j]


def test_a_stage_starts_where_the_one_before_it_was_best(learnt):
    folder, _, found = learnt
    before = open_save(found.savefiles[0]).selected.weights
    after = open_save(folder / "2-anti_init.npz").parameters
    np.testing.assert_array_equal(before.Wout, after.Wout)
    np.testing.assert_allclose(before.Wrec, after.Wrec * (after.Wrec != 0) * (before.Wrec != 0))


def test_finished_stages_are_not_repeated(learnt, monkeypatch):
    folder, stages, found = learnt
    monkeypatch.setattr(Model, "train", lambda *_, **__: pytest.fail("trained again"))
    again = train_in_turn(stages, folder, n_trials=40)
    np.testing.assert_array_equal(again.performance, found.performance)


def test_a_signal_ends_the_curriculum_and_no_stage_starts_from_half_a_training(tmp_path):
    """The second task would begin at once, from what the first had come to."""

    def stop(updates, report):
        if updates == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    stages = [Stage("pro", model(False)), Stage("anti", model(True))]
    with pytest.raises(KeyboardInterrupt, match=r"1-pro\.npz: saved after 3 updates"):
        train_in_turn(stages, tmp_path, n_trials=40, on_update=stop)
    assert open_save(tmp_path / "1-pro.npz").stopped == "interrupted"
    assert not (tmp_path / "2-anti.npz").exists()


def test_a_stage_of_another_start_is_refused_and_changed_settings_are_told(
    learnt, tmp_path, caplog
):
    _, stages, found = learnt
    for path in found.savefiles:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    changed = dataclasses.replace(stages[0].model.training, learning_rate=0.5)
    other = model(False)
    other.training = changed
    train_in_turn([Stage("pro", other), stages[1]], tmp_path, n_trials=40)
    assert "1-pro.npz is finished, and learning_rate" in caplog.text
    model(False).train(tmp_path / "1-pro.npz", seed=2, recover=False)
    with pytest.raises(CheckpointError, match="was not started from the network that"):
        train_in_turn(stages, tmp_path, n_trials=40)


def test_interleaved_trials_have_the_source_of_their_tasks():
    pair = [{"pro": model(False), "anti": model(True)} for _ in range(2)]
    first, same = (task_source(Interleaved(models))["digest"] for models in pair)
    pair[1]["anti"] = Model(**SETTINGS, performance=performance, generate_trial=lambda *_: {})
    assert first == same != task_source(Interleaved(pair[1]))["digest"]
    with pytest.raises(TaskError, match="no task 'neither' among the interleaved"):
        task = Interleaved(pair[0])
        task.generate_trial(np.random.RandomState(0), 20, {"name": "test", "task": "neither"})


def test_connections_that_are_held_keep_the_first_task(learnt, tmp_path):
    """Only what the cue of the second task sends may learn: the first task does not see it."""
    _, stages, found = learnt
    mask = np.zeros((30, 4))
    mask[:, 3] = 1
    slow = chain(adam(0.01), only(Win=mask))
    held = [stages[0], Stage("anti", model(True), {"optimiser": slow})]
    (tmp_path / "1-pro.npz").write_bytes(found.savefiles[0].read_bytes())
    kept = train_in_turn(held, tmp_path, n_trials=40)
    first, second = (open_save(path).selected.weights for path in kept.savefiles)
    np.testing.assert_array_equal(first.Wrec, second.Wrec)
    np.testing.assert_array_equal(first.Win[:, :3], second.Win[:, :3])
    assert (first.Win[:, 3] != second.Win[:, 3]).any()
    assert kept.performance[1, 0] == kept.performance[0, 0]


def test_tasks_at_the_same_time_are_one_task(tmp_path):
    both = interleaved({"pro": model(False), "anti": model(True)}, max_iter=600)
    result = both.train(tmp_path / "both.npz", seed=1)
    assert result.reason == "terminate"
    for turned in (False, True):
        assert performance_on(model(turned), tmp_path / "both.npz", 40) > 95


def test_an_interleaved_trial_says_what_it_is_of():
    task = Interleaved({"pro": model(False), "anti": model(True)}, {"pro": 0.9, "anti": 0.1})
    rng = np.random.RandomState(0)
    names = [task.generate_trial(rng, 20, {"name": "gradient"})["info"]["task"] for _ in range(400)]
    assert 0.85 < names.count("pro") / 400 < 0.95
    in_turn = [
        task.generate_trial(rng, 20, {"name": "validation", "minibatch_index": i})["info"]["task"]
        for i in range(4)
    ]
    assert in_turn == ["pro", "anti", "pro", "anti"]
    asked = task.generate_trial(rng, 20, {"name": "test", "task": "anti"})
    assert asked["info"]["task"] == "anti"


def test_the_worst_task_counts():
    task = Interleaved({"pro": model(False), "anti": model(True)})
    rng = np.random.RandomState(0)
    trials = [
        task.generate_trial(rng, 20, {"name": "validation", "minibatch_index": i})
        for i in range(20)
    ]
    z = np.zeros((6, 20, 2))
    for i, trial in enumerate(trials):
        z[:, i, trial["info"]["side"]] = 1  # right in pro, wrong in anti
    assert task.performance(trials, z) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: train_in_turn([], f), "at least one stage"),
        (lambda f: train_in_turn([Stage("a", model(False))] * 2, f), "different names"),
        (lambda f: train_in_turn([Stage("a", model(False)), Stage("b", model(True, N=9))], f),
         r"'b' has \(Nin, N, Nout\) = \(4, 9, 2\), the first \(4, 30, 2\)"),
        (lambda f: train_in_turn([Stage("a", model(False, performance=None))], f),
         "no `performance`"),
        (lambda f: interleaved({"a": model(False)}), "at least two"),
        (lambda f: interleaved({"a": model(False), "b": model(True, N=9)}), "have N = 9, 30"),
        (lambda f: interleaved({"a": model(False), "b": model(True)}, {"a": 1}), "sum to 1"),
        (lambda f: interleaved({"a": model(False), "b": model(True, performance=None)}),
         "'b' has no performance"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(tmp_path, call, message):
    with pytest.raises(SettingError, match=message):
        call(tmp_path)


def test_replaced_settings_of_a_stage_count(learnt):
    *_, found = learnt
    own = model(False)
    own.training = dataclasses.replace(own.training, var_rec=25.0)
    assert performance_on(own, found.savefiles[0], 40) < found.performance[0, 0]
