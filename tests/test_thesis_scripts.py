"""The thesis' scripts end to end at a reduced size: `pytest -m examples`."""

import csv
import importlib
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pycog_dgr.errors import TaskError
from pycog_dgr.network import initial_parameters
from pycog_dgr.training import RecurrentDropout, TrainingStep

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "examples" / "thesis"
CONDITIONS = ["fine-tuning", "EWC", "dropout", "EWC and dropout"]

pytestmark = pytest.mark.examples


def run(script, *words, fails=False):
    """Run a script as a user does; its output, or its one line of complaint."""
    done = subprocess.run(
        [sys.executable, SCRIPTS / f"{script}.py", *map(str, words)],
        capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 10_000


@pytest.fixture(scope="module")
def sequences(tmp_path_factory):
    """A run of two seeds and three updates, and what it printed."""
    folder = tmp_path_factory.mktemp("sequences") / "run"
    return folder, run("sequences", "--seeds", 2, "--updates", 3, "--out", folder)


def rows(folder, name):
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_sequences_reports_every_condition_and_seed(sequences):
    folder, printed = sequences
    results = rows(folder, "results")
    assert [(row["seed"], row["condition"]) for row in results] == [
        (seed, name) for seed in "12" for name in CONDITIONS
    ]
    for seed in "12":  # one network learnt task 1 for all four conditions
        assert len({row["task 1 before"] for row in results if row["seed"] == seed}) == 1
    after = {(row["seed"], row["condition"]): row["task 2 after"] for row in results}
    assert len({after[seed, name] for seed in "12" for name in ("fine-tuning", "dropout")}) == 4
    for name in CONDITIONS:
        errors = [float(row["task 1 after"]) for row in results if row["condition"] == name]
        assert f"| {name} |" in printed
        assert f"{np.mean(errors):.3f} ± {np.std(errors, ddof=1):.3f}" in printed
    assert (folder / "table.md").read_text() == printed
    assert is_png(folder / "figure.png") and (folder / "figure.pdf").exists()


def test_a_finished_run_is_extended_and_nothing_is_trained_twice(sequences, tmp_path):
    folder, _ = sequences
    shutil.copytree(folder, tmp_path / "run")
    work = tmp_path / "run" / "work" / "seed-1"
    (work / "dropout.npz").unlink()
    before = (work / "EWC.npz").stat().st_mtime_ns
    words = ("--seeds", 1, "--updates", 3, "--sweep", 1e6, "--alone", "--out", tmp_path / "run")
    printed = run("sequences", *words)
    assert (work / "EWC.npz").stat().st_mtime_ns == before
    results = rows(tmp_path / "run", "results")
    assert results[:4] == rows(folder, "results")[:4]
    held, alone = results[4:]
    assert held["condition"] == "EWC, λ = 1e+06" and "| EWC, λ = 1e+06 |" in printed
    assert held["task 1 after"] != results[0]["task 1 after"]
    assert (alone["condition"], alone["task 1 before"]) == ("task 2 alone", "")


@pytest.fixture
def script(monkeypatch):
    """examples/thesis/sequences.py as a module."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("sequences")


def test_the_two_sequences_are_those_of_the_thesis(script):
    dt = 10  # ms
    one, two = (script.Sequence(k).generate_trial(np.random.RandomState(3), dt, {}) for k in (1, 2))
    s, t = one["info"]["signal"], one["t"]
    assert 100 <= s <= 400 and t[0] == dt and t[-1] == 1000
    after, past = t > s, t - s
    np.testing.assert_array_equal(one["inputs"][~after], 0)
    wave = 4 * np.exp(-past / 500) * (4 + np.sin(-0.015 * t))
    np.testing.assert_allclose(one["inputs"][after, 0], wave[after], rtol=1e-12)
    wave = 4 * np.exp(past / 500) * (2 + np.sin(-0.035 * t))
    np.testing.assert_allclose(two["inputs"][after, 0], wave[after], rtol=1e-12)
    for i in range(10):
        bump = 4 * np.exp(-((past - 50 * (i + 1)) ** 2) / 800)
        np.testing.assert_allclose(one["outputs"][:, i], bump, rtol=1e-12)
    np.testing.assert_array_equal(two["outputs"], one["outputs"][::-1])


def test_the_floor_counts_only_what_comes_before_the_signal(script, tmp_path):
    experiment = script.Experiment(tmp_path, updates=1)
    size = [np.sqrt(np.mean(experiment.batches[k].targets ** 2)) for k in (1, 2)]
    assert 0 < experiment.floor(1) < 0.01 * size[0]
    assert 0.1 * size[1] < experiment.floor(2) < size[1]
    same = np.repeat(experiment.batches[2].targets[:, :1], script.TEST_TRIALS, axis=1)
    experiment.batches[2] = experiment.batches[2]._replace(targets=same)
    assert experiment.floor(2) < 1e-6  # nothing left to guess


def test_a_training_that_is_interrupted_ends_with_the_same_weights(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "EVERY", 2)

    def train(folder, stop_after=None):
        experiment = script.Experiment(folder, updates=5)
        raw, network = initial_parameters(experiment.network, 1)
        dropout = RecurrentDropout(0.5)
        step = TrainingStep(network, experiment.training, raw, "float32", dropout=dropout)
        update, done = step.update, itertools.count(1)

        def interrupted(batch):
            if next(done) == stop_after:
                raise KeyboardInterrupt
            return update(batch)

        monkeypatch.setattr(step, "update", interrupted)
        return experiment.learn(step, 1, 7, "dropout"), step.state()

    rows, state = train(tmp_path / "whole")
    assert [row["update"] for row in rows] == [0, 2, 4, 5]
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop_after=4)
    again, resumed = train(tmp_path / "stopped")
    assert again == rows
    for name, value in state.items():
        np.testing.assert_array_equal(resumed[name], value)


def test_replay_draws_no_trial_of_the_first_task_while_the_second_is_learnt(
    script, tmp_path, monkeypatch
):
    experiment = script.Experiment(tmp_path, updates=2)
    replay = next(one for one in script.REPLAY if one.beside == "generated")
    drawn = experiment.generated(1)
    assert drawn.shape == (script.DRAWN, 100, 1)

    def refuse(*_):
        raise AssertionError("a trial of task 1 was drawn")

    learn = experiment.learn

    def watched(step, task, seed, name, beside=None):
        with monkeypatch.context() as watch:
            if task == 2:
                watch.setattr(experiment.tasks[1], "generate_trial", refuse)
            return learn(step, task, seed, name, beside)

    monkeypatch.setattr(experiment, "learn", watched)
    (row,), _, shown = experiment.seed(1, [replay])
    assert row["condition"] == replay.name and "generated inputs" in shown
    stored = next(one for one in script.REPLAY if one.beside == "stored")
    with pytest.raises(TaskError, match="a trial of task 1 was drawn"):  # the watch sees them
        experiment.seed(1, [stored])


def test_the_figure_is_drawn_again_from_the_folder(sequences):
    folder, _ = sequences
    first = (folder / "figure.png").read_bytes()
    (folder / "figure.png").unlink()
    run("sequences_figure", folder)
    assert (folder / "figure.png").read_bytes() == first


def test_sequences_refuses_what_it_cannot_do(sequences, tmp_path):
    folder, _ = sequences
    told = run("sequences", "--updates", 4, "--out", folder, fails=True)
    assert "holds runs of 3 updates" in told and len(told.splitlines()) == 1
    told = run("sequences", "--seeds", 0, "--out", tmp_path / "none", fails=True)
    assert "give at least 1" in told and len(told.splitlines()) == 1
    assert not (tmp_path / "none").exists()
    told = run("sequences_figure", tmp_path, fails=True)
    assert "results.csv is missing" in told and len(told.splitlines()) == 1


@pytest.mark.parametrize("solver", ["lstm", "biornn"])
def test_mnist_joint_prints_a_table_and_draws(solver, tmp_path):
    figure = tmp_path / "joint.png"
    printed = run("mnist_joint", "--solver", solver, "--epochs", 2, "--images", 300,
                  "--out", figure)  # fmt: skip
    cells = [line.split("|") for line in printed.splitlines()[2:5]]
    assert [int(epoch) for _, epoch, _, _ in cells] == [0, 1, 2]
    assert all(0 <= float(value) <= 100 for _, _, value, _ in cells)
    assert is_png(figure)


@pytest.mark.parametrize("solver", ["lstm", "biornn"])
def test_mnist_sequential_prints_a_table_and_draws(solver, tmp_path):
    figure = tmp_path / "sequential.png"
    printed = run("mnist_sequential", "--solver", solver, "--contexts", "01,23", "--scale", 0.02,
                  "--replays", "none", "generative", "exact", "--out", figure)  # fmt: skip
    lines = printed.splitlines()
    assert lines[0] == "| contexts learnt | none | generative | exact |"
    values = np.array([line.strip("|").split("|")[1:] for line in lines[2:4]], float)
    assert values.shape == (2, 3) and (values >= 0).all() and (values <= 100).all()
    assert len(set(values[0])) == 1  # nothing to replay yet
    assert is_png(figure)


def test_the_mnist_scripts_complain_in_one_line(tmp_path):
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"cut short")
    for script, words, told in (
        ("mnist_joint", ["--epochs", 0], "must be at least 1"),
        ("mnist_joint", ["--data", "mnist", "--data-root", tmp_path], "is not the file"),
        ("mnist_sequential", ["--contexts", "01,12"], "must not overlap"),
        ("mnist_sequential", ["--scale", 0], "must be above 0"),
    ):
        complaint = run(script, *words, "--out", tmp_path / "figure.png", fails=True)
        assert told in complaint and len(complaint.splitlines()) == 1, complaint
    assert not (tmp_path / "figure.png").exists()


def test_without_a_terminal_progress_is_told_in_lines(tmp_path):
    words = ["--scale", "0.005", "--contexts", "01,23", "--replays", "none"]
    done = subprocess.run(
        [sys.executable, SCRIPTS / "mnist_sequential.py", *words, "--out", tmp_path / "a.png"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "lstm, none: 1 of 2, about 0 min left" in done.stderr
