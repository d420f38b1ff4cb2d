"""Commands on machines that lack what most have: a home folder, an entry for the user, UTF-8."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.data import datasets
from bridge.errors import DataError
from tests.bridge.synthetic_results import write_results

ROOT = Path(__file__).parents[2]
NO_ENTRY = """
import pwd, sys

def absent(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")

pwd.getpwuid = absent
from bridge.cli import main
sys.exit(main(sys.argv[1:]))
"""


def dgr(folder, *words, code=NO_ENTRY, **environment):
    """`dgr WORDS` in a process without HOME, of a user without an entry."""
    kept = {name: os.environ[name] for name in ("PATH", "NUMBA_CACHE_DIR") if name in os.environ}
    kept |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=folder, env=kept | environment,
        capture_output=True, encoding="ascii", errors="replace", timeout=300,
    )  # fmt: skip


def test_without_home_and_entry_data_is_found_or_the_remedy_named(tmp_path):
    """`dgr data` was a traceback at import."""
    done = dgr(tmp_path, "data")
    assert done.returncode == 0 and "3670" in done.stdout, done.stderr
    done = dgr(tmp_path, "data", "mnist")
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "--data-root, or in DGR_DATA" in done.stderr


@pytest.mark.parametrize("words", [("--table",), ()])
def test_in_an_ascii_locale_without_home_a_report_is_written(tmp_path, words):
    """`dgr report --table` was a traceback at its first sign that is not ASCII."""
    folder = write_results(tmp_path / "run", seeds=(1, 2, 3), steps=2, samples=False)
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = dgr(tmp_path, "report", str(folder), *words, **locale)
    assert done.returncode == 0, done.stderr
    assert (r"\xb1" in done.stdout) if words else (folder / "report.html").is_file()


def test_data_are_kept_in_dgr_data_else_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("DGR_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert datasets.default_root() == tmp_path / "home" / ".cache" / "dgr"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert datasets.default_root() == tmp_path / "cache" / "dgr"
    monkeypatch.setenv("DGR_DATA", str(tmp_path / "data"))
    assert datasets.default_root() == tmp_path / "data"
    with pytest.raises(DataError, match=str(tmp_path / "data")):
        monkeypatch.setattr(datasets, "_download", _no_network)
        datasets.load("mnist", None)


def _no_network(kind, root):
    raise DataError(f"{kind} is not in {root}")


def test_the_variables_of_the_environment_are_documented():
    """Every variable that the packages read stands on the page of the installation."""
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    for name in ("DGR_DATA", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
        assert f"`{name}`" in page, name
