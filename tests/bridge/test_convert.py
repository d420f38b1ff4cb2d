"""dgr convert old.pkl new.npz."""

from pathlib import Path

from bridge.cli import main
from pycog_dgr.files import checkpoint

OLD = Path(__file__).parents[1] / "golden" / "saves" / "tiny_varstim_ei_seed1234.pkl"


def test_an_original_file_is_converted_and_not_overwritten_unasked(tmp_path, capsys):
    new = tmp_path / "new.npz"
    assert main(["convert", str(OLD), str(new)]) == 0
    assert "20 units, 25 updates" in capsys.readouterr().out
    assert checkpoint.load(new).iteration == 26
    assert main(["convert", str(OLD), str(new)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["convert", str(OLD), str(new), "--force"]) == 0


def test_a_file_that_is_no_save_file_is_refused(tmp_path, capsys):
    assert main(["convert", str(Path(__file__)), str(tmp_path / "new.npz")]) == 2
    assert "test_convert.py" in capsys.readouterr().err
    assert not (tmp_path / "new.npz").exists()
