"""The tasks that come with the package: listed, trained and drawn by dgr, in any folder."""

import dataclasses
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bridge.cli import main
from pycog_dgr import Connectivity, Model, tasktools
from pycog_dgr.files import open_save
from pycog_dgr.tasks import BUNDLED, bundled_tasks, first_line

ROOT = Path(__file__).parents[2]


def test_every_bundled_task_has_a_figure_and_is_shown_in_examples():
    assert len(bundled_tasks()) >= 11
    for name, path in bundled_tasks().items():
        assert (BUNDLED.parent / "analysis" / f"{name}.py").is_file()
        for folder in ("tasks", "analysis"):
            shown = ROOT / "examples" / folder / f"{name}.py"
            assert shown.resolve() == BUNDLED.parent / folder / f"{name}.py", shown
        assert first_line(path)
        Model(path)


def test_romo_has_the_originals_connections_and_lee_its_initial_state():
    """Drawn with another seed than the original's; 0.1 instead of the original's -0.5."""
    romo, lee = (Model(bundled_tasks()[name]).network for name in ("romo", "lee"))
    drawn = tasktools.generate_Crec(romo.ei, p_exc=0.1, p_inh=0.5, seed=1066)
    np.testing.assert_array_equal(romo.Crec.plastic, Connectivity(drawn).plastic)
    assert lee.x0 == -0.5


def test_dgr_tasks_lists_them(capsys):
    assert main(["tasks"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{said}" for name in bundled_tasks())


def test_dgr_task_trains_tests_and_draws_in_an_empty_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    short = ["--set", "max_iter=2", "n_validation=20", "--trials", "20"]
    with pytest.raises(SystemExit) as stopped:
        main(["task", "rdm_fixed", "all", *short])
    assert stopped.value.code == 0, capsys.readouterr()
    folder = tmp_path / "runs" / "examples" / "rdm_fixed" / "seed-100"
    assert (folder / "rdm_fixed.png").stat().st_size
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["task", "rdm_fixed"])
    assert "rdm_fixed, seed 100: " in capsys.readouterr().out


def test_every_line_is_logged_once_and_the_summary_tells_of_the_last_network(tmp_path):
    short = ["--set", "max_iter=2", "checkfreq=5", "n_validation=20"]
    command = [sys.executable, "-m", "bridge", "task", "rdm_nodale", "train", *short]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    lines = [line for line in done.stderr.splitlines() if line.startswith("2 updates")]
    assert len(lines) == 1, done.stderr
    (file,) = tmp_path.rglob("rdm_nodale.npz")
    save = open_save(file)
    assert save.last_costs == [save.ending.cost, *save.ending.other_costs]
    assert f"error {save.ending.other_costs[0]:.3g}, performance" in done.stdout


@pytest.mark.parametrize(("words", "said"), [([], "dgr task"), (["--help"], "usage: dgr task")])
def test_dgr_task_says_how_it_is_used(words, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["task", *words])
    assert stopped.value.code == 0 and said in capsys.readouterr().out


def test_an_unknown_task_is_one_line_with_the_nearest(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["task", "rdm_fxed", "train"])
    assert stopped.value.code == 2
    assert "did you mean 'rdm_fixed'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_delayed_match_to_sample_is_learnt(tmp_path, seed):
    model = Model(bundled_tasks()["dms"])
    model.training = dataclasses.replace(model.training, max_iter=3000)
    assert model.train(tmp_path / "s.npz", seed=seed).reason == "terminate"


@pytest.mark.slow
def test_a_wheel_holds_them(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*command, "-w", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = zipfile.ZipFile(wheel).namelist()
    for name in bundled_tasks():
        for folder in ("tasks", "analysis"):
            assert f"pycog_dgr/tasks/bundled/{folder}/{name}.py" in held
