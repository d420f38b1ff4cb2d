"""On the command line a bad input is one line on stderr, a status that is not 0, and no trace."""

import os
import subprocess
import sys

import pytest

from bridge import cli
from bridge.data import datasets
from tests.bridge.helpers import tiny_digits
from tests.hostile import case
from tests.hostile.cases_commands import LINES, files_of_at_most, listing, networks


@pytest.fixture(autouse=True)
def few_digits(monkeypatch):
    """The embedded digits take seconds to read; these have as many classes."""
    digits = tiny_digits(4)
    monkeypatch.setattr(datasets, "_embedded", lambda split_seed: (digits.train, digits.test))
    datasets.load.cache_clear()
    yield
    datasets.load.cache_clear()


def said(capsys, words):
    """Status and stderr of a command, which must not have raised anything but SystemExit."""
    try:
        status = cli.main(words)
    except SystemExit as ended:
        status = ended.code
    return status, capsys.readouterr().err


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_one_line_says_what_is_wrong_and_nothing_is_left(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line.prepare(tmp_path)
    before = listing(tmp_path)
    status, err = said(capsys, line.command.split())
    assert status == 2
    assert err.startswith("dgr") and err.count("\n") == 1 and err.endswith("\n")
    for word in line.words:
        assert word in err
    after = listing(tmp_path)
    assert {name: what for name, what in after.items() if not name.endswith("lock")} == before
    assert not case.canary_of(tmp_path).exists()


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    networks(tmp_path)
    (tmp_path / "out.npz").write_bytes(b"the last batch")
    before = listing(tmp_path)
    with files_of_at_most(4096):
        status, err = said(capsys, ["sample", "generator.npz", "solver.npz", "out.npz", "-n", "20"])
    assert status == 2 and "out.npz" in err and err.count("\n") == 1
    assert listing(tmp_path) == before


def test_no_traceback_reaches_the_terminal(tmp_path):
    (tmp_path / "batch.npz").write_bytes(b"PK\x03\x04" + bytes(50))
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "fit", "batch.npz", "out.npz"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("dgr: batch.npz: ") and done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == ["batch.npz"]


def test_there_are_enough_lines_and_each_has_its_own_name():
    names = [line.name for line in LINES]
    assert len(set(names)) == len(names) >= 70
