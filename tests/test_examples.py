"""Every script under examples/ from end to end, each made short by its own options.

    pytest tests/test_examples.py
    pytest -m examples              the long ones

Tasks train for a few updates, are tested and drawn; then their figure is drawn once more from the
folder, as `python examples/analysis/TASK.py FOLDER` does, and the gallery is written. A script
that is new must say in OTHERS how it is made short, or lie among the tasks.
"""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from pycog_dgr.commands import taskrun
from pycog_dgr.commands.actions import ACTIONS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
TASKS = sorted(path.stem for path in (EXAMPLES / "tasks").glob("*.py"))
SHORT = ("--set", "max_iter=3", "n_validation=40", "--trials", "40")
OTHERS = {  # script: (its words, what it writes); {out} is the test's own folder
    "thesis/sequences.py": (
        ["--seeds", "1", "--updates", "2", "--replay", "--out", "{out}"],
        ["results.csv", "curves.csv", "table.md", "figure.png", "replay.png"],
    ),
    "replay/four_tasks.py": (
        ["--seeds", "1", "--updates", "2", "--iterations", "2", "--out", "{out}"],
        ["results.csv", "manifest.json", "figure.png", "figure.pdf"],
    ),
    "thesis/mnist_joint.py": (
        ["--solver", "biornn", "--epochs", "1", "--images", "128", "--out", "{out}/joint.png"],
        ["joint.png"],
    ),
    "thesis/mnist_sequential.py": (
        ["--contexts", "01,23", "--scale", "0.02", "--out", "{out}/sequential.png"],
        ["sequential.png"],
    ),
    "second_day/fixed_points.py": (
        ["--max-iter", "3", "--out", "{out}"],
        ["fixed_points_rest.png", "fixed_points_stimulus.png"],
    ),
    "second_day/inside.py": (["--max-iter", "3", "--out", "{out}"], ["inside.png"]),
    "second_day/lesions.py": (
        ["--max-iter", "3", "--trials", "40", "--out", "{out}"],
        ["lesions.png"],
    ),
    "second_day/learning.py": (
        ["--max-iter", "4", "--out", "{out}"],
        ["learning.png", "SGD__0_01.csv"],
    ),
    "second_day/travel.py": (
        ["--max-iter", "3", "--out", "{out}"],
        ["travel.png", "seed-1.pt", "seed-2.safetensors", "seed-3.csv", "seed-3.mat"],
    ),
    "second_day/evidence.py": (
        ["--out", "{out}"],
        ["evidence.png", "evidence_trials.npz"],
    ),
    "second_day/population.py": (
        ["--max-iter", "3", "--trials", "400", "--out", "{out}"],
        ["population.png", "trials.csv", "trials.mat"],
    ),
    "second_day/curriculum.py": (["--max-iter", "3", "--out", "{out}"], ["curriculum.png"]),
    "neurogym/train.py": (
        ["AntiReach-v0", "--max-iter", "3", "--out", "{out}"],
        ["AntiReach-v0.csv", "AntiReach-v0.png"],
    ),
}
LONG = ("thesis/sequences.py", "replay/four_tasks.py", "second_day/travel.py")
ELSEWHERE = {  # scripts that another test runs
    "do.py", "gallery.py", "thesis/sequences_figure.py", "replay/four_tasks_figure.py",
    "replay/permuted_mnist.py",
    *(f"{folder}/{task}.py" for folder in ("tasks", "analysis") for task in TASKS),
}  # fmt: skip


def play(monkeypatch, script, *words):
    """Run a script of examples/ in this process, as `python SCRIPT WORDS` would."""
    path = EXAMPLES / script
    monkeypatch.setattr(sys, "argv", [str(path), *map(str, words)])
    monkeypatch.syspath_prepend(path.parent)
    try:
        runpy.run_path(str(path), run_name="__main__")
    except SystemExit as stopped:
        assert stopped.code in (None, 0), stopped.code


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The test's own folder, in which it runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("task", TASKS)
def test_a_task_trains_is_tested_and_drawn(here, monkeypatch, capsys, task):
    folder = taskrun.RUNS / task / "seed-1"
    play(monkeypatch, f"tasks/{task}.py", "--seed", 1, *SHORT)
    assert capsys.readouterr().out.splitlines()[-1] == f"written: {folder}/{task}.png"
    picture = folder / f"{task}.png"
    picture.unlink()
    play(monkeypatch, f"analysis/{task}.py", folder)
    assert picture.stat().st_size
    play(monkeypatch, "gallery.py", "--docs", here / "docs")
    assert (here / "docs" / "gallery" / f"{task}.png").stat().st_size
    assert f"## {task}" in (here / "docs" / "gallery.md").read_text()


@pytest.mark.parametrize("task", ["rdm_fixed", "sinewave"])
def test_every_action_of_do_py(here, monkeypatch, capsys, task):
    for action in ("train", *sorted(set(ACTIONS) - {"train", "clean"})):
        play(monkeypatch, "do.py", task, action, *SHORT[:3], "--trials", 5)
        assert "written: " in capsys.readouterr().out, action
    assert len(list((here / taskrun.RUNS / task / "seed-100").iterdir())) == 10
    play(monkeypatch, "do.py", task, "clean", "--yes")
    assert not list((here / taskrun.RUNS / task).iterdir())


@pytest.mark.parametrize(
    "script",
    [pytest.param(name, marks=[pytest.mark.examples] * (name in LONG)) for name in OTHERS],
)
def test_another_script_runs(here, monkeypatch, script):
    if script.startswith("neurogym/"):
        pytest.importorskip("neurogym", reason="the extra [neurogym] is not installed")
    words, files = OTHERS[script]
    play(monkeypatch, script, *(word.format(out=here) for word in words))
    for name in files:
        assert (here / name).stat().st_size, name
    if script == "thesis/sequences.py":
        (here / "figure.png").unlink()
        play(monkeypatch, "thesis/sequences_figure.py", here)
        assert (here / "figure.png").stat().st_size


def test_a_task_runs_as_a_command_from_anywhere(here):
    command = [sys.executable, EXAMPLES / "tasks" / "rdm_nodale.py", *SHORT]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert (here / taskrun.RUNS / "rdm_nodale" / "seed-100" / "rdm_nodale.png").stat().st_size


def test_no_script_is_left_out():
    """Also that none is lost: part of `make test`."""
    scripts = {
        path.relative_to(EXAMPLES).as_posix()
        for path in EXAMPLES.rglob("*.py")
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    assert scripts == ELSEWHERE | set(OTHERS)
