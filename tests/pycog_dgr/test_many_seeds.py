"""`train --seeds 1-3 --workers 2`: one process a seed, as `train --seed` does each."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from bridge.cli import main as dgr
from pycog_dgr.commands import seeds
from pycog_dgr.commands.arguments import seed_list
from pycog_dgr.files import open_save

SHORT = ("--set", "max_iter=20", "checkfreq=10", "n_validation=20")


@pytest.fixture
def task(tmp_path, monkeypatch):
    """The file of a task that trains in no time, in the folder where the test runs."""
    monkeypatch.chdir(tmp_path)
    assert dgr(["new-task", "go_later"]) == 0
    return tmp_path / "go_later.py"


def run(task, *words, **options):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, task, *words], capture_output=True, text=True, env=environment, **options
    )


def save_of(task, seed):
    return task.parent / "runs" / "examples" / "go_later" / f"seed-{seed}" / "go_later.npz"


def test_each_seed_is_trained_as_alone_and_not_again(task):
    several = run(task, "train", "--seeds", "1-2", "--workers", "2", *SHORT)
    assert several.returncode == 0, several.stderr
    assert several.stdout.startswith("go_later: 2 seeds, 2 at a time\n")
    assert "2 of 2: seed " in several.stdout
    alone = run(task, "train", "--seed", "2", "--out", "alone", *SHORT)
    assert alone.returncode == 0, alone.stderr
    with np.load(save_of(task, 2)) as one, np.load(task.parent / "alone" / "go_later.npz") as other:
        weights = [name for name in one.files if name.endswith("Wrec")]
        assert weights
        for name in weights:
            np.testing.assert_array_equal(one[name], other[name])
    before = save_of(task, 1).stat().st_mtime_ns
    assert run(task, "train", "--seeds", "1,2", *SHORT).returncode == 0
    assert save_of(task, 1).stat().st_mtime_ns == before


def test_a_seed_that_fails_is_named_and_the_others_finish(task):
    save_of(task, 1).mkdir(parents=True)  # a folder where the save file belongs
    done = run(task, "train", "--seeds", "1,2", "--workers", "1", *SHORT)
    assert done.returncode == 1
    assert "seed 1 failed: " in done.stderr and "failed: seeds 1\n" in done.stderr
    assert save_of(task, 2).is_file()


def test_one_that_is_killed_takes_no_other_with_it(task):
    dies = "import os, signal, sys\nif '1' in sys.argv:\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    task.write_text(dies + task.read_text())
    done = run(task, "train", "--seeds", "1,2", "--workers", "2", "--out", "mine", *SHORT)
    assert done.returncode == 1 and "seed 1 failed: killed by SIGKILL" in done.stderr
    assert (task.parent / "mine" / "seed-2" / "go_later.npz").is_file()


def test_a_file_with_a_seed_of_its_own_is_refused(task):
    task.write_text(f"seed = 5\n{task.read_text()}")
    done = run(task, "train", "--seeds", "1,2")
    assert done.returncode == 2 and "sets seed = 5 itself" in done.stderr
    assert not (task.parent / "runs").exists()


def test_children_have_one_thread_and_find_what_lies_beside_the_script(monkeypatch):
    monkeypatch.setattr(sys, "path", ["scripts", "elsewhere"])
    given = seeds._environment({"PYTHONPATH": "mine", "OMP_NUM_THREADS": "4"})
    assert given["PYTHONPATH"] == os.pathsep.join([os.path.abspath("scripts"), "mine"])
    assert given["OMP_NUM_THREADS"] == given["OPENBLAS_NUM_THREADS"] == "1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("100-103", [100, 101, 102, 103]), ("7", [7]), ("5,1-3,2", [5, 1, 2, 3])],
)
def test_seeds_are_ranges_and_lists(text, expected):
    assert seed_list(text) == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_them_and_the_same_command_goes_on(task, number):
    words = ("train", "--seeds", "1,2", "--workers", "2", "--set")
    started = subprocess.Popen(
        [sys.executable, task, *words, "max_iter=200000", "checkfreq=20", "n_validation=20",
         "learning_rate=1e-9"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"}, start_new_session=True,
    )  # fmt: skip
    patience = time.monotonic() + 120
    while not all(save_of(task, seed).exists() for seed in (1, 2)):
        assert time.monotonic() < patience and started.poll() is None
        time.sleep(0.1)
    started.send_signal(number)
    said, complaint = started.communicate(timeout=60)
    assert started.returncode == 130, complaint
    assert "0 of 2 seeds are trained; to go on: " in said
    saves = [open_save(save_of(task, seed)) for seed in (1, 2)]
    assert {save.stopped for save in saves} == {"interrupted"}
    most = max(save.iteration for save in saves) + 20
    again = run(
        task, *words, f"max_iter={most}", "checkfreq=20", "n_validation=20", "learning_rate=1e-9"
    )
    assert again.returncode == 0, again.stderr
    for seed, before in zip((1, 2), saves, strict=True):
        save = open_save(save_of(task, seed))
        assert save.stopped == "max_iter" and save.iteration > before.iteration


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("train", "--seeds", "3-1"), "not a range"),
        (("train", "--seeds", "1;2"), "no list of seeds"),
        (("train", "--workers", "2"), "goes with --seeds"),
        (("train", "--seeds", "1,2", "--seed", "4"), "not both"),
        (("costs", "--seeds", "1,2"), "goes with train"),
    ],
)
def test_what_does_not_go_together_is_one_clear_line(task, words, complaint):
    done = run(task, *words)
    assert done.returncode == 2 and complaint in done.stderr
    assert "Traceback" not in done.stderr
