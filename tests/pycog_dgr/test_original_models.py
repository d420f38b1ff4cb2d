"""The command that trains a folder of pycog's model files, on small files of our own."""

import re

import pytest

from tests import original_models

MODEL = """
    from __future__ import division
    import numpy as np
    from pycog import tasktools

    Nin, N, Nout = 1, 6, 2
    ei, EXC, INH = tasktools.generate_ei(N)
    n_gradient, n_validation = 8, 5
    print(len(EXC + INH), 'units')

    def generate_trial(rng, dt, params):
        t, e = tasktools.get_epochs_idx(dt, {'T': rng.choice([80, 120])})
        shape = (len(t), 1)
        return {'t': t, 'inputs': np.ones(shape), 'outputs': np.ones(shape)*[0.2, 1], 'info': {}}
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with one model file that trains."""
    write(tmp_path / "good.py", MODEL)
    return tmp_path


def write(path, text):
    path.write_text("\n".join(line[4:] for line in text.splitlines()))


def test_every_model_file_gets_a_row_and_the_loss_falls(folder, capsys):
    assert original_models.main([str(folder), "--iterations", "20"]) == 0
    _, row, *_, total = capsys.readouterr().out.splitlines()
    name, sizes, steps, *numbers, verdict = row.split()
    assert (name, sizes, steps, verdict) == ("good", "1/6/2", "4-6", "ok")
    _, _, before, after = map(float, numbers)
    assert after < before
    assert total == "1 of 1 files trained"


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("learnig_rate = 1", "SettingError: .*learning_rate"),
        ("learning_rate = 1e30; max_gradient_norm = 1e30", "RuntimeError: .*losses"),
        ("min_error = 100", "RuntimeError: 0 iterations .min_error"),
        ("callback = lambda trials, z: 1/0", "ZeroDivisionError"),
        ("del generate_trial", "TaskError: .*no task"),
    ],
)
def test_a_file_that_fails_is_named_and_the_others_go_on(folder, capsys, fault, named):
    write(folder / "bad.py", f"{MODEL}\n    {fault}\n")
    assert original_models.main([str(folder), "--iterations", "2"]) == 1
    _, bad, good, *_, total = capsys.readouterr().out.splitlines()
    assert bad.startswith("bad") and good.endswith("ok")
    assert re.search(named, bad)
    assert total == "1 of 2 files trained"


def test_a_folder_without_model_files_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        original_models.main([str(tmp_path)])
    assert stopped.value.code == 2
    assert "no model file" in capsys.readouterr().err
