"""The command `make golden`: nothing passes unread, nothing passes for being absent."""

import shutil
from pathlib import Path

import pytest

from tests import golden_check

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def subset(tmp_path):
    """A folder of two golden files and a note in prose."""
    for name in ("init_a_ei_seed1234_f64.npz", "init_g_nin0_seed1234_f64.npz"):
        shutil.copy(GOLDEN / name, tmp_path)
    (tmp_path / "NOTES.md").write_text("what the keys mean")
    return tmp_path


def test_a_subset_passes(subset, capsys):
    assert golden_check.main([str(subset)]) == 0
    out = capsys.readouterr().out
    assert "init: 2 files" in out and "all within tolerance" in out


def test_a_foreign_file_is_named_unread_and_fails(subset, capsys):
    (subset / "foreign.npz").write_bytes(b"numbers of something else")
    assert golden_check.main([str(subset)]) == 1
    out = capsys.readouterr().out
    assert "init: 2 files" in out and "failures: 1" in out
    assert f"{subset / 'foreign.npz'}: UNREAD" in out


def test_a_file_that_cannot_be_compared_fails(subset, capsys):
    (subset / "init_broken_seed1_f64.npz").write_bytes(b"cut short")
    assert golden_check.main([str(subset)]) == 1
    assert "init_broken_seed1_f64.npz: " in capsys.readouterr().out


def test_a_kind_without_files_fails_where_it_was_asked_for(subset, capsys):
    assert golden_check.main([str(subset), "--only", "init", "run"]) == 1
    assert "no file of the kind 'run'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("folder", "told"), [("absent", "no such folder"), ("empty", "holds no golden fixtures")]
)
def test_an_absent_or_empty_folder_is_one_clear_error(tmp_path, capsys, folder, told):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as stopped:
        golden_check.main([str(tmp_path / folder)])
    assert stopped.value.code == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / folder}" in last and told in last
