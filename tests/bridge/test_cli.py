"""The command line: its commands, and one line for each mistake."""

import pytest

from bridge import cli


def said(capsys, *words):
    status = cli.main(list(words))
    return status, capsys.readouterr()


def test_data_says_what_is_in_a_set(capsys):
    status, output = said(capsys, "data")
    assert status == 0 and "train" in output.out and " 3670" in output.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("data", "mnits"), "did you mean 'mnist'"),
        (("reproduce", "--protocol", "txt"), "did you mean 'text'"),
        (("reproduce", "--solvers", "lstm,brnn"), "did you mean 'biornn'"),
        (("reproduce", "--replays", "exakt"), "did you mean 'exact'"),
        (("reproduce", "--contexts", "01,1"), "must not overlap"),
        (("reproduce", "--contexts", "zero"), "separate contexts by commas"),
        (("reproduce", "--scale", "0"), "above 0"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(capsys, tmp_path, words, message):
    if words[0] == "reproduce":
        words = (*words, "--out", str(tmp_path / "out"))
    status, output = said(capsys, *words)
    assert status == 2 and message in output.err
    assert output.err.startswith("dgr: ") and output.err.count("\n") == 1
    assert not (tmp_path / "out" / "config.json").exists()


def test_errors_of_the_depths_keep_their_traceback(monkeypatch):
    def fails(*_):
        raise ValueError("a fault of ours")

    monkeypatch.setattr("bridge.data.load", fails)
    with pytest.raises(ValueError, match="ours"):
        cli.main(["data"])


def test_ctrl_c_says_how_to_go_on(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("bridge.data.load", interrupted)
    status, output = said(capsys, "data")
    assert status == 130 and "goes on" in output.err


def test_an_option_is_written_out(capsys):
    """`--solver lstm` was taken for --solvers, and started a run."""
    with pytest.raises(SystemExit) as stopped:
        cli.main(["reproduce", "--solver", "lstm"])
    assert stopped.value.code == 2
    assert "unrecognized arguments: --solver lstm" in capsys.readouterr().err
