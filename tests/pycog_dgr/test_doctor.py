"""`dgr doctor`: one change at a time, told in a table; nothing is written."""

import dataclasses
import json
import textwrap

import numpy as np
import pytest

from bridge.cli import main
from pycog_dgr import Model
from pycog_dgr.commands.doctor import changes, outcomes
from pycog_dgr.tasks import bundled_tasks

FILE = """
    import numpy as np
    Nin, N, Nout, tau, dt = 1, 10, 2, 40, 20
    n_gradient, n_validation, checkfreq, max_iter = 3, 4, 5, 50
    train_brec, var_rec = True, 0.05**2
    def generate_trial(rng, dt, params):
        even = np.ones(40 // dt) if dt < 20 else 0
        return {'t': dt*np.arange(1, 80 // dt + 1), 'epochs': {'T': 80}, 'info': {'choice': 0},
                'inputs': rng.uniform(size=(80 // dt, 1)), 'outputs': np.ones((80 // dt, 2))}
    performance = lambda trials, z: 100 * np.mean(z)
    terminate = lambda history: len(history) > 2
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "own.py"
    path.write_text(textwrap.dedent(FILE))
    return path


def test_what_a_model_has_already_is_not_tried(file):
    tried = changes(Model(file))
    assert next(iter(tried)) == "as it is" and tried["as it is"] == {}
    assert "var_rec = 0.0025" not in tried and tried["var_rec = 0.0225"] == {"var_rec": 0.0225}
    assert tried["train_brec = False"] == {"train_brec": False}
    assert tried["dt = 10"] == {"dt": 10} and isinstance(tried["dt = 10"]["dt"], int)
    for path in bundled_tasks().values():
        assert len(changes(Model(path))) > 8


def test_the_numbers_are_those_of_a_training(file, tmp_path):
    found = {row.change: row for row in outcomes(file, updates=7, seeds=2)}
    first, own = found["as it is"].trainings
    one = Model(file)
    one.training = dataclasses.replace(one.training, max_iter=7)
    save = one.train(tmp_path / "s.npz", seed=one.training.seed + 1).checkpoint
    assert own.loss_before == save.costs_history[0][1][0]
    assert own.loss_after == save.ending.cost
    assert own.performance == save.ending.other_costs[1]
    assert first.loss_after != own.loss_after
    assert np.isnan(own.criterion) and own.skipped == 0
    assert found["adam(0.003)"].trainings[1].loss_after != own.loss_after


def test_updates_to_the_criterion_are_counted(file):
    first = next(iter(outcomes(file, updates=50)))
    assert first.trainings[0].criterion == 10


def test_the_table_is_printed_as_json_on_request(file, capsys):
    file.write_text(file.read_text().replace("even =", "assert dt == 20; even ="))
    assert main(["doctor", str(file), "--updates", "2", "--seeds", "2", "--json"]) == 0
    first, *others = json.loads(capsys.readouterr().out)
    assert first["change"] == "as it is" and first["refused"] is None
    assert [seed["criterion"] for seed in first["seeds"]] == [None, None]
    assert first["seeds"][0]["loss_after"] > 0
    (refused,) = (row for row in others if row["change"] == "dt = 10")
    assert refused["seeds"] == [] and "AssertionError" in refused["refused"]


def test_a_change_that_the_task_cannot_take_is_a_row(file, capsys):
    file.write_text(file.read_text().replace("even =", "assert dt == 20; even ="))
    assert main(["doctor", str(file), "--updates", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| change | loss before")
    assert len({line.count("|") for line in lines}) == 1
    (refused,) = (line for line in lines if line.startswith("| dt = 10 "))
    assert "AssertionError" in refused
    assert lines[2].startswith("| as it is | 1.")
    assert sorted(path.name for path in file.parent.iterdir()) == ["own.py"]


def test_a_task_that_cannot_be_trained_at_all_is_an_error(file, capsys):
    file.write_text(file.read_text().replace("even =", "assert False; even ="))
    assert main(["doctor", str(file)]) == 2
    assert "AssertionError" in capsys.readouterr().err
