"""The command that trains a task to its own criterion, on a small task of our own."""

import shutil
from pathlib import Path

import pytest

from tests import to_criterion

SAVES = Path(__file__).parents[1] / "golden" / "saves"
TASK = """
from tests.pycog_dgr import tiny
globals().update(tiny.SETTINGS)
generate_trial = tiny.generate_trial
{criterion}
"""


def task(folder, criterion, name="tiny"):
    path = folder / f"{name}.py"
    path.write_text(TASK.format(criterion=criterion))
    return str(path)


MET = "terminate = lambda history: len(history) >= 2"


def test_it_prints_trials_and_stops_at_the_criterion(tmp_path, capsys):
    out = tmp_path / "out"
    assert to_criterion.main([task(tmp_path, MET), "--out", str(out)]) == 0
    headings, row, unknown, verdict = capsys.readouterr().out.splitlines()
    assert headings.split()[:4] == ["tiny", "trials", "updates", "minutes"]
    assert row.split()[:5] == ["pycog_dgr,", "seed", "100", "6", "2"]  # 2 updates of 3 trials
    assert "nothing is known of the original" in unknown
    assert verdict == "criterion met (terminate)"
    assert (out / "tiny.npz").exists()


def test_the_originals_numbers_stand_beside(tmp_path, capsys):
    (tmp_path / "saves").mkdir()
    shutil.copy(SAVES / "tiny_varstim_ei_seed1234.pkl", tmp_path / "saves" / "rdm_rt.pkl")
    arguments = [task(tmp_path, MET, "rdm_rt"), "--golden", str(tmp_path), "--seed", "3"]
    assert to_criterion.main(arguments) == 0
    _, own, original, authors, _ = capsys.readouterr().out.splitlines()
    assert own.startswith("pycog_dgr, seed 3 ")
    label, numbers = original[:34].split(), original[34:].split()
    assert label == ["original,", "seed", "1234"] and numbers[:4] == ["200", "25", "-", "-"]
    assert authors.split() == ["original,", "reported", "in", "2015", *"--", "3.0", *"---"]


def test_a_criterion_that_is_not_met_fails(tmp_path, capsys):
    assert to_criterion.main([task(tmp_path, "min_error = 1e-9")]) == 1
    assert "CRITERION NOT MET: training stopped for max_iter" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("criterion", "told"),
    [("", "sets no criterion"), ("learnig_rate = 1", "did you mean 'learning_rate'")],
)
def test_a_task_that_cannot_be_measured_is_one_error(tmp_path, capsys, criterion, told):
    with pytest.raises(SystemExit) as stopped:
        to_criterion.main([task(tmp_path, criterion)])
    assert stopped.value.code == 2 and told in capsys.readouterr().err
