"""What a newcomer meets in the first hour: readable objects, names that are found, answers."""

import subprocess
import sys

import numpy as np
import pytest

import bridge
import pycog_dgr
import torch_dgr
from bridge.data import examples, load, one_hot
from bridge.networks import make_solver
from pycog_dgr import RNN, Model, simulate_trials
from pycog_dgr.errors import CheckpointError
from pycog_dgr.tasks import bundled_tasks

LONGEST = 200  # characters of what an object prints


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model, the result of its training, and the file."""
    file = tmp_path_factory.mktemp("first-hour") / "small.npz"

    def generate_trial(rng, dt, params):
        t = np.arange(1, 6) * dt
        inputs = np.ones((5, 1))
        return {"t": t, "epochs": {"T": 50}, "info": {"k": 1}, "inputs": inputs, "outputs": inputs}

    model = Model(
        Nin=1, N=5, Nout=1, tau=50, dt=10, max_iter=2, n_validation=2, n_gradient=2,
        generate_trial=generate_trial,
    )  # fmt: skip
    return model, model.train(file, progress=False), file


def test_what_a_training_returns_and_what_runs_print_as_one_line(trained):
    model, result, file = trained
    rnn = RNN(file)
    trials = simulate_trials(rnn, model.task, n_trials=3, seed=1)
    printed = [repr(one) for one in (model, result, rnn, trials)]
    assert all("\n" not in line and len(line) < LONGEST for line in printed)
    assert "5 units" in printed[0] and "5 units" in printed[2]
    assert printed[1] == "Result(max_iter: max_iter is reached; 2 updates)"
    assert printed[3].startswith("Trials(3 of up to 50 ms")


def test_a_bundled_model_says_its_sizes_and_dales_law():
    assert "100 units (80 excitatory and 20 inhibitory)" in repr(
        Model(bundled_tasks()["rdm_fixed"])
    )


def test_data_and_solvers_print_as_one_line():
    digits = load("mnist5k")
    batch = examples(digits.train.images[:5], one_hot(digits.train.labels[:5], 10))
    printed = [
        repr(one) for one in (digits.test, batch, make_solver("biornn", 1), make_solver("lstm", 1))
    ]
    assert all("\n" not in line and len(line) < LONGEST for line in printed)
    assert printed[0].startswith("Labelled(1000 images")
    assert "51 excitatory and 13 inhibitory" in printed[2]
    assert "10 classes" in printed[3]


@pytest.mark.parametrize("package", [bridge, torch_dgr, pycog_dgr])
def test_a_package_lists_what_is_public_and_gives_it(package):
    public = [name for name in dir(package) if not name.startswith("_")]
    assert len(public) >= 5
    for name in public:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no_such_thing"):
        package.no_such_thing  # noqa: B018


def test_figtools_is_there_after_importing_the_package_alone():
    code = "import pycog_dgr; print(pycog_dgr.figtools.Figure, pycog_dgr.analysis.choices)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


def test_a_task_given_as_a_save_file_is_told_apart(tmp_path):
    path = tmp_path / "task.py"
    path.write_text("N = 3\n")
    with pytest.raises(CheckpointError, match=r"is a Python file, not a save file; train it"):
        RNN(path)


def test_a_results_folder_given_as_a_dot_is_answered(tmp_path, monkeypatch, capsys):
    from bridge import cli

    monkeypatch.chdir(tmp_path)
    assert cli.main(["rerun", "."]) == 2
    assert "not a results folder" in capsys.readouterr().err
