"""The command of a task: train, go on, draw again; its actions, its mistakes, its folder."""

import dataclasses
import io
import os
import shutil
import sys
from pathlib import Path

import pytest

from pycog_dgr.commands import progress, taskrun
from pycog_dgr.commands import task as taskcommand
from pycog_dgr.commands.taskrun import open_run
from pycog_dgr.files import checkpoint
from pycog_dgr.running.trials import Trials
from pycog_dgr.training import stopping

TASK = """
from tests.pycog_dgr import tiny
globals().update(tiny.SETTINGS)
generate_trial = tiny.generate_trial
{}
"""
DRAW = """
from matplotlib.figure import Figure
n_trials = 7
def draw(trials, rnn):
    assert len(trials) == {trials} and rnn.p["N"] == 6
    return Figure()
"""
FOLDER = Path("runs/examples/pulse/seed-100")


@pytest.fixture
def task(tmp_path, monkeypatch):
    """A function that writes tasks/NAME.py and returns its path; the test runs in tmp_path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()

    def write(more="", name="pulse"):
        path = Path("tasks") / f"{name}.py"
        path.write_text(TASK.format(more))
        return path

    return write


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory):
    """A folder with the task `pulse`, trained and with four test trials."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tasks").mkdir()
    (folder / "tasks" / "pulse.py").write_text(TASK.format(""))
    made = taskrun.open_run(folder / "tasks" / "pulse.py", folder=folder / FOLDER)
    taskrun.train(made)
    taskrun.make_trials(made, 4)
    return folder


@pytest.fixture
def trained(trained_once, tmp_path, monkeypatch):
    """The path of `pulse` in a copy of that folder, in which the test runs."""
    shutil.copytree(trained_once, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return Path("tasks/pulse.py")


@pytest.fixture
def drawing(tmp_path):
    """A function that writes what draws the figure of `pulse`."""
    (tmp_path / "analysis").mkdir()

    def write(text):
        (tmp_path / "analysis" / "pulse.py").write_text(text)

    return write


def answer(capsys, command, where, *words):
    """(status, standard output, standard error) of one of the two commands."""
    with pytest.raises(SystemExit) as stopped:
        command(where, list(words))
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


def run(capsys, path, *words):
    return answer(capsys, taskcommand.main, path, *words)


def test_a_task_trains_is_tested_and_drawn_and_says_what_was_written(task, capsys):
    status, out, _ = run(capsys, task(), "--trials", "5")
    assert status == 0
    first, *written = out.splitlines()
    ended = "pulse, seed 100: stopped without meeting the criterion (max_iter) after 15 trials, "
    assert first.startswith(ended) and " minutes; error " in first
    names = ("pulse.npz", "trials.npz", "pulse.png")
    assert [line.split()[1] for line in written] == [str(FOLDER / name) for name in names]
    assert all((FOLDER / name).stat().st_size for name in names)
    assert len(Trials.load(FOLDER / "trials.npz")) == 5


def test_what_is_finished_is_only_drawn_again(trained, capsys):
    kept = [FOLDER / "pulse.npz", FOLDER / "trials.npz"]
    before = [file.stat().st_mtime_ns for file in kept]
    status, out, _ = run(capsys, trained)
    assert status == 0
    assert out.splitlines()[1:] == [
        f"there already: {FOLDER / 'pulse.npz'}",
        f"written: {FOLDER / 'pulse.png'}",
    ]
    assert [file.stat().st_mtime_ns for file in kept] == before


def test_a_longer_training_goes_on_and_its_trials_are_made_anew(trained, capsys):
    status, out, err = run(capsys, trained, "--set", "max_iter=40", "learning_rate=0.3")
    assert status == 0 and "going on after 5 updates" in err
    assert "after 120 trials" in out and f"{FOLDER / 'trials.npz'} (1,000 trials)" in out


def test_a_damaged_network_is_set_aside_and_the_one_before_it_goes_on(trained, capsys):
    (FOLDER / "pulse.npz").write_bytes(b"PK, but not a network")
    status, out, err = run(capsys, trained, "train")
    assert status == 0 and "pulse.npz.damaged" in err and "after 15 trials" in out


def test_other_trials_are_simulated_where_they_are_asked_for(trained, capsys):
    _, out, _ = run(capsys, trained, "--dt", "10", "--trials", "2")
    assert "trials.npz (2 trials)" in out
    assert list(Trials.load(FOLDER / "trials.npz").t[:2]) == [0, 10]


def test_ctrl_c_saves_and_says_how_to_go_on(task, capsys, monkeypatch):
    path = task("import os, signal\ndef performance(trials, z):\n"
                "    os.kill(os.getpid(), signal.SIGINT)\n    return 0.0")  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["tasks/pulse.py", "--seed", "3"])
    status, out, _ = run(capsys, path, "--seed", "3")
    assert status == 130
    saved = "runs/examples/pulse/seed-3/pulse.npz"
    assert out.splitlines()[-1] == f"saved in {saved}; to go on: python tasks/pulse.py --seed 3"
    assert checkpoint.load(saved).stopped == "interrupted"
    assert not Path("runs/examples/pulse/seed-3/trials.npz").exists()


def test_the_criterion_is_named_when_it_is_met(task, capsys):
    status, out, _ = run(capsys, task("terminate = lambda history: len(history) >= 2"), "train")
    assert status == 0 and "criterion met (terminate) after 6 trials" in out


def test_a_model_files_own_seed_names_the_folder(task):
    assert open_run(task("seed = 7"), seed=3).folder == Path("runs/examples/pulse/seed-7")


@pytest.mark.parametrize(
    ("action", "file"),
    [
        ("run", "run.png"), ("costs", "costs.png"), ("structure", "structure.png"),
        ("restingstate", "restingstate.png"), ("trials", "trials.npz"), ("figure", "pulse.png"),
    ],
)  # fmt: skip
def test_do_py_knows_what_pycog_users_know(trained, capsys, action, file):
    before = (FOLDER / file).stat().st_mtime_ns if (FOLDER / file).exists() else 0
    status, out, _ = answer(
        capsys, taskcommand.do, "tasks", "pulse", action, "--trials", "3", "--dt", "10",
        "--duration", "100",
    )  # fmt: skip
    assert status == 0 and out.startswith(f"written: {FOLDER / file}")
    assert (FOLDER / file).stat().st_mtime_ns > before


def test_trials_can_be_finer_than_the_training_and_thinned(trained, capsys):
    run(capsys, trained, "trials", "--trials", "4", "--dt", "5", "--dt-save", "10")
    assert list(Trials.load(FOLDER / "trials.npz").t[:3]) == [0, 10, 20]


@pytest.mark.parametrize("name", ["pulse", "tasks/pulse", "tasks/pulse.py"])
def test_a_task_is_found_by_name_or_by_path(task, name):
    path = task()
    assert taskcommand.find_task(name, "tasks").samefile(path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["puls", "train"], "did you mean 'pulse'"),
        (["pulse", "figure"], "pulse.npz: not there yet; train first"),
        (["pulse", "train", "--set", "max_itr=3"], "did you mean 'max_iter'"),
        (["pulse", "train", "--set", "max_iter=many"], "setting max_iter: expected a whole number"),
        (["pulse", "train", "--set", "max_iter"], "--set max_iter: expected NAME=VALUE"),
        (["pulse", "trian"], "invalid choice: 'trian'"),
        (["pulse", "trials", "--trials", "0"], "'0' is not a whole number from 1"),
        (["pulse", "train", "--seed", "-1"], "'-1' is not a whole number from 0"),
        (["pulse", "run", "--dt", "nan"], "'nan' is not a time in ms"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(task, capsys, words, message):
    task()
    status, out, err = answer(capsys, taskcommand.do, "tasks", *words)
    assert status == 2 and message in err and err.count("\n") == 1 and not out
    assert not Path("runs").exists()


# -- the task's own figure ----------------------------------------------------------------------


def test_a_figure_of_ones_own_says_how_many_trials_it_wants(task, drawing, capsys):
    drawing(DRAW.format(trials=7))
    status, out, _ = run(capsys, task())
    assert status == 0 and "trials.npz (7 trials)" in out


def test_a_figure_file_can_import_what_lies_beside_it(task, drawing, capsys, tmp_path):
    (tmp_path / "analysis" / "pulse_colours.py").write_text("colour = 1\n")
    drawing("import pulse_colours\n" + DRAW.format(trials=2))
    before = list(sys.path)
    assert run(capsys, task(), "--trials", "2")[0] == 0
    assert sys.path == before


def test_a_figure_file_without_draw_is_one_error(task, drawing, capsys):
    drawing("n_trials = 2\n")
    status, _, err = run(capsys, task())
    assert status == 2 and "pulse.py: no function draw(trials, rnn)" in err


# -- clean --------------------------------------------------------------------------------------


def test_clean_removes_what_the_run_made_and_its_folder(trained, capsys):
    status, out, _ = run(capsys, trained, "clean", "--yes")
    assert status == 0 and not FOLDER.exists()
    for name in ("pulse.npz", "pulse_init.npz", "trials.npz"):
        assert str(FOLDER / name) in out
    assert run(capsys, trained, "clean")[1] == f"{FOLDER}: nothing to remove\n"


def test_clean_removes_what_a_killed_write_left(trained, capsys):
    (FOLDER / ".pulse.npz.0a1b2c3d.part").write_bytes(b"PK")
    status, _, _ = run(capsys, trained, "clean", "--yes")
    assert status == 0 and not FOLDER.exists()


def test_clean_leaves_what_is_not_the_runs(trained, capsys):
    (FOLDER / "notes.txt").write_text("mine")
    _, out, _ = run(capsys, trained, "clean", "--yes")
    assert [file.name for file in FOLDER.iterdir()] == ["notes.txt"] and "notes.txt" in out


@pytest.mark.parametrize(("answer", "removed"), [("y", True), ("", False), ("no", False)])
def test_clean_asks_first(trained, capsys, monkeypatch, answer, removed):
    terminal = io.StringIO(f"{answer}\n")
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    status, _, _ = run(capsys, trained, "clean")
    assert status == 0 and FOLDER.exists() is not removed


def test_clean_removes_nothing_where_nobody_can_be_asked(trained, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    status, _, err = run(capsys, trained, "clean")
    assert status == 2 and "--yes" in err and (FOLDER / "pulse.npz").exists()


# -- progress and threads -----------------------------------------------------------------------


def test_a_terminal_shows_trials_best_error_and_performance(task, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    path = task("performance = lambda trials, z: 62.5")
    _, _, err = run(capsys, path, "train")
    shown = err.split("\r")[-1]
    assert "pulse, seed 100: 5/5 updates" in shown and "performance 62.5" in shown
    save = checkpoint.load(FOLDER / "pulse.npz")
    errors = [costs[1] for _, costs in save.costs_history]
    assert f"12 trials, error {errors[-1]:.3g} (best {min(errors):.3g})" in shown
    assert "loss" not in err  # the log's lines are for where there is no bar


def test_numpy_keeps_to_one_thread_unless_the_environment_says_otherwise(monkeypatch):
    from threadpoolctl import threadpool_info

    def most_threads():
        return max(library["num_threads"] for library in threadpool_info())

    for name in progress.THREAD_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    before = most_threads()
    with progress.one_thread():
        assert most_threads() == 1
    assert most_threads() == before
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "2")
    with progress.one_thread():
        assert most_threads() == before


@pytest.mark.parametrize(
    ("stopped", "changes", "finished"),
    [
        ("min_error", {"min_error": 10.0}, True), ("min_error", {}, False),
        ("patience", {"patience": 0}, True), ("patience", {}, False),
        ("terminate", {}, True), ("max_iter", {}, True),
        ("interrupted", {}, False), (None, {}, False),
    ],
)  # fmt: skip
def test_only_what_stopped_for_a_reason_that_still_holds_is_finished(
    trained, stopped, changes, finished
):
    run = open_run(trained, changes=changes)
    save = dataclasses.replace(taskrun.saved(run), stopped=stopped)
    assert stopping.is_finished(save, run.model.training) is finished


@pytest.mark.parametrize("action", ["all", "train", "trials", "figure", "run", "costs"])
def test_an_old_result_is_refused_where_another_network_is_asked_for(trained, capsys, action):
    """All printed 'there already', and figures drew the old network on the new task."""
    status, out, err = run(capsys, trained, action, "--set", "tau=50")
    assert status == 2 and not out
    assert "tau is 40 there, 50 here" in err and "clean" in err
    text = trained.read_text()
    trained.write_text(f"{text}N, ei = 4, [1, 1, 1, -1]\n")
    status, out, err = run(capsys, trained, action)
    assert status == 2 and "N is 6 there, 4 here" in err and len(err) < 600


def test_an_old_result_under_another_training_is_told_apart(trained, capsys):
    status, out, err = run(capsys, trained, "train", "--set", "learning_rate=0.5")
    assert status == 0 and "there already" in out
    assert "learning_rate is now 0.5, but it was trained with 0.01" in err


def test_trials_of_another_network_are_not_drawn_and_are_made_anew(trained, capsys):
    (FOLDER / "pulse.npz").unlink()
    (FOLDER / "pulse.npz.previous").unlink()
    status, _, _ = run(capsys, trained, "train", "--set", "max_iter=40", "learning_rate=0.3")
    assert status == 0
    status, _, err = run(capsys, trained, "figure", "--set", "max_iter=40", "learning_rate=0.3")
    assert status == 2 and "trials of another network" in err
    status, out, _ = run(capsys, trained, "--set", "max_iter=40", "learning_rate=0.3")
    assert status == 0 and f"written: {FOLDER / 'trials.npz'}" in out


def test_trials_of_a_task_as_it_was_are_made_anew_and_named_where_only_drawn(trained, capsys):
    trained.write_text(
        f"{trained.read_text()}def generate_trial(*a): return tiny.generate_trial(*a)"
    )
    status, _, err = run(capsys, trained, "figure")
    assert status == 0 and "trials of the task as it was" in err
    trained.write_text(f"{trained.read_text()}\n# now\n")
    status, out, _ = run(capsys, trained)
    assert status == 0 and f"written: {FOLDER / 'trials.npz'}" in out


def test_more_iterations_are_gone_on_to(trained):
    save = taskrun.saved(open_run(trained))
    assert save.stopped == "max_iter" and save.iteration == 6
    longer = open_run(trained, changes={"max_iter": 6}).model.training
    assert not stopping.is_finished(save, longer)
