"""Sweeps run: cells are named by what they hold, skipped when done, retried when they fail."""

import csv
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from bridge.errors import ResultsError, SettingError
from bridge.runs import executor
from bridge.sweeps import draw_axes, open_sweep, rows, run_sweep
from bridge.sweeps.figures import mean_of, short_names
from pycog_dgr.files import open_save

TASK = """
import numpy as np
from pycog_dgr import tasktools
Nin, N, Nout = 1, 6, 1
tau, dt = 50, 10
n_gradient, n_validation, checkfreq, max_iter = 4, 10, 2, 6
{extra}

def generate_trial(rng, dt, params):
    t, e = tasktools.get_epochs_idx(dt, {{"a": (0, 50), "T": 100}})
    inputs = rng.uniform(size=(len(t), 1))
    return {{"t": t, "epochs": {{"T": 100}}, "info": {{}}, "inputs": inputs, "outputs": inputs}}
"""
SWEEP = """
experiment = "task"
task = "small.py"
seeds = {seeds}
retries = 1
[grid]
learning_rate = {rates}
lambda2_r = {penalties}
"""


def write(folder, seeds=2, rates=(0.01, 0.1), penalties=(0.0, 0.5), extra=""):
    """A small sweep over a small task; the path of its file."""
    (folder / "small.py").write_text(TASK.format(extra=extra))
    path = folder / "sweep.toml"
    path.write_text(SWEEP.format(seeds=seeds, rates=list(rates), penalties=list(penalties)))
    return path


def run(sweep):
    with executor(workers=0) as pool:
        return run_sweep(sweep, pool)


@dataclass(frozen=True)
class Unreliable:
    """An experiment that fails as often as a setting says, and notes every try."""

    tries: Path
    shown: ClassVar = {"x": "x"}

    def resolve(self, settings, seed):
        return {**settings, "seed": seed}

    def run(self, settings, seed, folder):
        noted = self.tries / f"{settings['failures']}-{seed}"
        count = len(noted.read_text()) if noted.exists() else 0
        noted.write_text("." * (count + 1))
        if count < settings["failures"]:
            raise OSError(f"failure {count + 1} of {settings['failures']}")
        return {"x": seed}


@pytest.fixture
def unreliable(tmp_path):
    """A sweep whose cells fail 0 and 1 times, and always; one retry is allowed."""
    path = tmp_path / "sweep.toml"
    path.write_text(
        'experiment = "task"\ntask = "small.py"\nseeds = 1\nretries = 1\n'
        "[grid]\nfailures = [0, 1, 99]\n"
    )
    (tmp_path / "small.py").write_text("")
    (tmp_path / "tries").mkdir()
    from bridge.sweeps import sweep as module

    experiment = Unreliable(tmp_path / "tries")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_experiment", lambda plan, path: experiment)
        return open_sweep(path, tmp_path / "out")


def tries(sweep, failures):
    return len((sweep.folder.parent / "tries" / f"{failures}-1").read_text())


def test_a_failing_cell_is_retried_a_bounded_number_of_times_and_named(unreliable):
    failed = run(unreliable)
    assert [cell.point.values for cell in failed] == [{"failures": 99}]
    assert "failure 2 of 99" in failed[0].error()
    assert unreliable.counts == {"done": 2, "failed": 1}
    assert [tries(unreliable, n) for n in (0, 1, 99)] == [1, 2, 2]
    assert [row.get("x") for row in rows(unreliable)] == [1, 1, None]


def test_the_same_sweep_again_repeats_only_what_failed(unreliable):
    run(unreliable)
    run(unreliable)
    assert [tries(unreliable, n) for n in (0, 1, 99)] == [1, 2, 4]


@pytest.mark.parametrize("text", ["[]", "{}", '{"error": "x"}', '{"measures": [1]}', "[" * 10**5])
def test_a_result_that_is_not_one_is_named(unreliable, text):
    run(unreliable)
    (unreliable.cells[0].folder / "result.json").write_text(text)
    with pytest.raises(ResultsError, match=r"result\.json.*remove it"):
        rows(unreliable)


@pytest.mark.parametrize("text", ["{}", '{"measures": {}}', '{"error": 3, "tries": 1}'])
def test_an_error_that_is_not_one_is_named(unreliable, text):
    (failed,) = run(unreliable)
    (failed.folder / "failed.json").write_text(text)
    with pytest.raises(ResultsError, match=r"failed\.json.*remove it"):
        failed.error()


def test_without_workers_ctrl_c_ends_the_sweep_at_once_and_it_goes_on_from_there(tmp_path):
    """It waited for all cells that were left."""
    endless = write(tmp_path, rates=(1e-9, 2e-9), extra="max_iter, checkfreq = 10**7, 10**7")
    command = [sys.executable, "-m", "bridge", "sweep", str(endless), "--workers", "0"]
    started = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    cells = tmp_path / "runs" / "sweeps" / "sweep" / "cells"
    while not list(cells.glob("*/small.npz")) and started.poll() is None:
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    said = started.communicate(timeout=60)[1]
    assert started.returncode == 130 and "the same command goes on from here" in said, said
    assert len(list(cells.iterdir())) == 1
    (saved,) = (open_save(path) for path in cells.glob("*/small.npz"))
    assert saved.stopped == "interrupted"


def test_the_same_cell_in_other_words_is_the_same_folder(tmp_path):
    (tmp_path / "a").mkdir()
    plain = open_sweep(write(tmp_path), tmp_path / "out")
    spelt = open_sweep(write(tmp_path / "a", extra="x0 = 0.1  # the default"), tmp_path / "out")
    (tmp_path / "a" / "small.py").write_text((tmp_path / "small.py").read_text())
    same = open_sweep(tmp_path / "a" / "sweep.toml", tmp_path / "out")
    assert [cell.name for cell in same.cells] == [cell.name for cell in plain.cells]
    assert not {cell.name for cell in spelt.cells} & {cell.name for cell in plain.cells}
    doubled = open_sweep(write(tmp_path, penalties=(0.0, 0)), tmp_path / "out")
    assert len(doubled.cells) == 4  # 0 and 0.0 are one cell


def test_a_wrong_setting_is_found_before_anything_runs(tmp_path):
    with pytest.raises(SettingError, match=r"sweep\.toml.*learning_rate.*-1"):
        open_sweep(write(tmp_path, rates=(0.01, -1)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["task", "generate_trial", "learning_rat"])
def test_a_name_that_is_no_setting_is_found_before_anything_runs(tmp_path, name):
    """`task` was a TypeError, and `generate_trial` was ignored."""
    path = write(tmp_path)
    path.write_text(path.read_text() + f"{name} = [1, 2]\n")
    with pytest.raises(SettingError, match=f"unknown setting '{name}'"):
        open_sweep(path, tmp_path / "out")


@pytest.mark.parametrize("task", ["absent.py", "a\\u0000b", "a" * 5000])
def test_a_task_that_no_file_can_be_is_named(tmp_path, task):
    path = write(tmp_path)
    path.write_text(path.read_text().replace("small.py", task))
    with pytest.raises(SettingError, match="no model file") as refused:
        open_sweep(path, tmp_path / "out")
    assert len(str(refused.value)) < 500


def test_a_sweep_trains_writes_its_table_and_draws_every_axis(tmp_path):
    sweep = open_sweep(write(tmp_path), tmp_path / "out")
    assert run(sweep) == []
    with sweep.table.open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == 8
    assert {row["status"] for row in table} == {"done"}
    assert {row["trials"] for row in table} == {"24"}
    assert len({row["loss"] for row in table}) == 8
    assert [path.name for path in draw_axes(sweep)] == ["learning_rate.png", "lambda2_r.png"]


def test_more_seeds_add_cells_and_repeat_none(tmp_path):
    first = open_sweep(write(tmp_path, seeds=1), tmp_path / "out")
    run(first)
    more = open_sweep(write(tmp_path, seeds=2), tmp_path / "out")
    assert more.counts == {"done": 4, "waiting": 4}
    assert {cell.name for cell in first.cells} < {cell.name for cell in more.cells}


def test_axes_are_called_by_their_last_word_where_that_is_theirs_alone():
    assert short_names(["a.b.plastic", "dt"]) == {"a.b.plastic": "plastic", "dt": "dt"}
    assert short_names(["a.rate", "b.rate"]) == {"a.rate": "a.rate", "b.rate": "b.rate"}


def test_the_interval_is_students_and_one_value_has_none():
    assert mean_of([3.0]) == (3.0, 0.0)
    mean, half = mean_of([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(2.4841, abs=1e-4)  # 4.3027 / sqrt(3)


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two worker processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


def kill_a_worker_after(cluster, sweep, cells):
    """Kill one worker process as soon as `cells` cells are done; returns the thread."""

    def wait_and_kill():
        while sweep.counts.get("done", 0) < cells:
            time.sleep(0.05)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

    thread = threading.Thread(target=wait_and_kill, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("n_seeds", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_on_dask_with_a_worker_killed_the_table_is_that_of_a_serial_run(
    tmp_path, cluster, n_seeds, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # its workers stay where they are
    path = write(tmp_path, seeds=n_seeds)
    serial, parallel = (open_sweep(path, Path(name)) for name in ("serial", "parallel"))
    run(serial)
    killing = kill_a_worker_after(cluster, parallel, cells=n_seeds)
    with executor(scheduler=cluster.scheduler_address) as pool:
        assert run_sweep(parallel, pool) == []
    killing.join(timeout=1)
    assert not killing.is_alive()
    assert rows(parallel) == rows(serial)
    assert parallel.waiting == []


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed")
    from bridge.runs import executors

    monkeypatch.setattr(executors, "PATIENCE", 0.5)
    with (
        pytest.raises(SettingError, match=r"127\.0\.0\.1:9"),
        executor(scheduler="tcp://127.0.0.1:9"),
    ):
        pass


REPLAY = """
experiment = "replay"
seeds = 1
[settings]
solver = "lstm"
contexts = "01,23"
scale = 0.02
{more}
[grid]
replay = ["none", "exact"]
"""


def replay(folder, more=""):
    path = folder / "replay.toml"
    path.write_text(REPLAY.format(more=more))
    return open_sweep(path, folder / "out")


def test_a_replay_experiment_is_swept_and_measured_by_its_accuracy_matrix(tmp_path):
    sweep = replay(tmp_path, '"solvers.lstm.options.learning_rate" = 0.003')
    assert run(sweep) == []
    first, second = rows(sweep)
    assert (first["replay"], second["replay"]) == ("none", "exact")
    assert first["after_1"] == second["after_1"]  # replay begins with the second context
    assert first["average_accuracy"] == first["after_2"] != second["average_accuracy"]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ('labelz = "soft"', "labelz"),
        ('labels = "sotf"', "did you mean 'soft'"),
        ("evaluations = 0", "evaluations"),
        ("variation = 3", "variation"),
        ("data = [1]", "data"),
        ('solverz = "' + "x" * 5000 + '"', "solverz"),
        (f"{'z' * 5000} = 1", "zzz"),
        ('protocol = "txt"', "did you mean 'text'"),
    ],
)
def test_a_setting_that_a_replay_experiment_lacks_is_named(tmp_path, more, named):
    with pytest.raises(SettingError, match=named):
        replay(tmp_path, more)
