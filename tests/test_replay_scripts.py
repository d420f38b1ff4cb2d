"""The scripts of examples/replay at a reduced size: `pytest -m examples`."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

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
