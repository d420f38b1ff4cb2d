"""The scripts of examples/replay at a reduced size: `pytest -m examples`."""

import csv
import importlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bridge.replay import IMPROVED
from pycog_dgr.errors import TaskError

SCRIPTS = Path(__file__).resolve().parent.parent / "examples" / "replay"

pytestmark = pytest.mark.examples


@pytest.fixture
def script(monkeypatch):
    """examples/replay/four_tasks.py as a module."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield importlib.import_module("four_tasks")
    for name in ("four_tasks", "four_tasks_figure"):
        sys.modules.pop(name, None)


def test_the_tasks_share_inputs_and_are_told_apart_by_a_rule(script):
    tasks = script.models(updates=1)
    rng = np.random.RandomState(1)
    for rule, model in enumerate(tasks.values()):
        assert (model.network.Nin, model.network.N, model.network.Nout) == (10, 100, 2)
        assert (model.network.Crec.mask_plastic.diagonal() == 0).all()
        trial = model.task.generate_trial(rng, model.network.dt, {"name": "gradient"})
        assert (trial["inputs"][:, 6:] == np.eye(4)[rule]).all()
        assert len(trial["t"]) * model.network.dt <= script.LONGEST


@pytest.mark.parametrize(
    ("way", "draws"), [("in turn", False), ("replay", False), ("stored", True)]
)
def test_replay_draws_no_trial_of_an_earlier_task(script, tmp_path, monkeypatch, way, draws):
    monkeypatch.setattr(script, "DRAWN", 4)
    tasks = script.models(updates=2)
    teach = script.teaching(way, tasks, seed=1, iterations=2)
    tasks["rdm_fixed"].train(tmp_path / "1.npz", seed=1, progress=False)
    model = teach(1, tmp_path / "1.npz")  # the generator has learnt the first task by now

    def refuse(*_):
        raise AssertionError("a trial of rdm_fixed was drawn")

    monkeypatch.setattr(tasks["rdm_fixed"].task, "generate_trial", refuse)
    words = {"seed": 1, "start": tmp_path / "1.npz", "progress": False}
    if draws:
        with pytest.raises(TaskError, match="a trial of rdm_fixed was drawn"):
            model.train(tmp_path / "2.npz", **words)
    else:
        assert model.train(tmp_path / "2.npz", **words).iterations == 2


def test_a_finished_run_trains_nothing_again(script, tmp_path, monkeypatch):
    for name, value in (("TEST_TRIALS", 50), ("LEARNT", 70), ("DRAWN", 4)):
        monkeypatch.setattr(script, name, value)
    first = script.run(tmp_path, seeds=1, updates=2, iterations=2)
    monkeypatch.setattr(script.Model, "train", lambda *_, **__: pytest.fail("trained again"))
    assert script.run(tmp_path, seeds=1, updates=2, iterations=2) == first
    assert [row["after"] for row in first] == list(script.TASKS) * 3


@pytest.fixture
def permuted(monkeypatch):
    """examples/replay/permuted_mnist.py as a module, its trainings of a few updates."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module("permuted_mnist")
    short = {"mnist5k": module.IMPROVED.budget("mnist5k").times(0.001)}
    monkeypatch.setattr(module, "IMPROVED", replace(module.IMPROVED, budgets=short))
    yield module
    sys.modules.pop("permuted_mnist", None)


def test_permuted_contexts_are_learnt_without_earlier_images(permuted, tmp_path, monkeypatch):
    learnt = []
    train, learn_generator = permuted.PermutedContexts.train, permuted.learn_generator

    def guarded(contexts, k):
        assert k not in learnt, f"a real image of context {k} was touched"
        return train(contexts, k)

    def watched(generator, contexts, k, seed):
        learn_generator(generator, contexts, k, seed)
        learnt.append(k)

    monkeypatch.setattr(permuted.PermutedContexts, "train", guarded)
    monkeypatch.setattr(permuted, "learn_generator", watched)
    permuted.run(tmp_path, "mnist5k", None, 3, [1], ["biornn"])
    assert learnt == [1, 2]
    with (tmp_path / "biornn.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 3 and {row["replay"] for row in rows} == set(permuted.REPLAYS)
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_contexts_are_passed_through_as_often_as_in_the_recipe(permuted, monkeypatch):
    """Four times on full MNIST, 9.4 on the embedded digits, twice as often the last one."""
    monkeypatch.setattr(permuted, "IMPROVED", IMPROVED)
    contexts = permuted.PermutedContexts(permuted.load("mnist5k"), 3, 1)
    learner = permuted.Learner("lstm", "generative", contexts, 1)
    first = len(contexts.data.train.of((0, 1)).labels)
    passes = IMPROVED.budget("mnist5k").solver(363) * 128 / first
    per_pass = len(contexts.data.train.labels) / 128
    expected = [passes * per_pass * k * (2 if k == 3 else 1) for k in (1, 2, 3)]
    np.testing.assert_allclose([learner.updates(k) for k in (1, 2, 3)], expected, rtol=0.01)
