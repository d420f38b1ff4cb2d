"""Every file system and machine: what is refused is done otherwise, and nothing is lost."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pycog_dgr import CheckpointError
from pycog_dgr.files import lock, previous, remove_partial_files, write_atomically
from pycog_dgr.files.lock import SOFT_WAIT

ROOT = Path(__file__).parents[2]
NO_LOCKS = [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP]


def raising(number):
    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV])
def test_where_hard_links_are_refused_a_copy_is_kept(tmp_path, monkeypatch, number):
    """Training died at its second save on exFAT, and lost what was done."""
    monkeypatch.setattr(os, "link", raising(number))
    path = tmp_path / "a"
    for data in (b"one", b"two", b"three"):
        write_atomically(path, data, keep=previous(path))
    assert (path.read_bytes(), previous(path).read_bytes()) == (b"three", b"two")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "a.previous"]


def test_a_disk_error_is_none_of_those_refusals(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_atomically(path, b"one")
    monkeypatch.setattr(os, "link", raising(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        write_atomically(path, b"two", keep=previous(path))
    assert path.read_bytes() == b"one" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_folders_cannot_be_flushed_files_are_written(tmp_path, monkeypatch, number):
    whole = os.fsync

    def fsync(handle):
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(number, os.strerror(number))
        whole(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "a", b"one")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path):
    """0644 was forced, under 077 too."""
    before = os.umask(0o077)
    try:
        write_atomically(tmp_path / "a", b"one")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_symbolic_link_stays_one_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    target, path = tmp_path / "far" / "real.npz", tmp_path / "save.npz"
    target.write_bytes(b"one")
    path.symlink_to(target)
    write_atomically(path, b"two", keep=previous(path))
    assert path.is_symlink() and target.read_bytes() == b"two"
    assert previous(path).read_bytes() == b"one"
    (tmp_path / "far" / ".real.npz.0a1b.part").touch()
    remove_partial_files(path)
    assert [p.name for p in (tmp_path / "far").iterdir()] == ["real.npz"]


# -- locks ----------------------------------------------------------------------------------------


def test_a_lock_that_is_a_symbolic_link_empties_nothing(tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"years of work")
    (tmp_path / ".save.npz.lock").symlink_to(precious)
    with pytest.raises(CheckpointError, match="cannot be locked"), lock(tmp_path / "save.npz"):
        pass
    assert precious.read_bytes() == b"years of work"


@pytest.mark.parametrize("number", [None, *NO_LOCKS])
def test_one_process_at_a_time_where_the_file_system_has_locks_or_none(
    tmp_path, monkeypatch, number
):
    if number is not None:
        monkeypatch.setattr("fcntl.flock", raising(number))
    path = tmp_path / "save.npz"
    with (
        lock(path),
        pytest.raises(CheckpointError, match=r"another process is training into this file"),
        lock(path),
    ):
        pass
    with lock(path):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [None, *NO_LOCKS])
def test_the_lock_of_a_dead_owner_is_taken_over(tmp_path, monkeypatch, number):
    flock = "" if number is None else f"fcntl.flock = refuse({number})"
    code = f"""
import fcntl, os
from pycog_dgr.files import lock
from tests.pycog_dgr.test_file_systems import raising as refuse
{flock}
with lock({str(tmp_path / "save.npz")!r}):
    os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    if number is not None:
        assert (tmp_path / ".save.npz.lock").stat().st_size
        monkeypatch.setattr("fcntl.flock", raising(number))
    with lock(tmp_path / "save.npz"):
        pass
    assert SOFT_WAIT < 5


def test_the_owner_of_a_soft_lock_on_another_machine_is_not_overrun(tmp_path, monkeypatch):
    monkeypatch.setattr("fcntl.flock", raising(errno.ENOLCK))
    place = tmp_path / ".save.npz.lock"
    place.write_text("1234\nanother-machine\n")
    with (
        pytest.raises(CheckpointError, match=r"If no such process is left, remove .*\.lock"),
        lock(tmp_path / "save.npz"),
    ):
        pass
    assert place.exists()


# -- machines -------------------------------------------------------------------------------------

TASK = """
from tests.pycog_dgr import tiny
globals().update(tiny.SETTINGS)
generate_trial = tiny.generate_trial
if __name__ == "__main__":
    from pycog_dgr.commands import main
    main(__file__)
"""


def run_in(folder, *words, before="", **environment):
    """A Python process in a bare environment."""
    kept = {name: os.environ[name] for name in ("PATH", "NUMBA_CACHE_DIR") if name in os.environ}
    kept |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=kept | environment, capture_output=True,
        encoding="utf-8", errors="replace", timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("bare", [{}, {"HOME": "/proc/nowhere"}])
def test_every_backend_and_the_translation_run_without_a_home_folder(tmp_path, bare):
    """PyTensor's loop, and what translates Python 2, asked for folders of their own in it."""
    code = """
import pwd

def absent(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")

pwd.getpwuid = absent
from tests.pycog_dgr import small
for backend in ("fast", "numpy", "scan"):
    step = small.step(backend=backend)
    step.gradients(small.batch(step.network))
from pycog_dgr.tasks import python2
assert python2.translate("print 1", "a.py").text.strip() == "print(1)"
"""
    done = run_in(tmp_path, "-c", code, TMPDIR=str(tmp_path), **bare)
    assert done.returncode == 0, done.stderr
    assert not [*tmp_path.glob("pytensor-*"), *tmp_path.glob("fissix-*"), *tmp_path.glob("~")]


def test_a_machine_without_fcntl_imports_trains_and_locks(tmp_path):
    """`import pycog_dgr` needed fcntl: no Windows."""
    code = f"""
import sys
sys.modules["fcntl"] = None
import types
from pycog_dgr.config import settings
from pycog_dgr.training import train
from tests.pycog_dgr import tiny
network, training = settings(**{{**tiny.SETTINGS, "max_iter": 2}})
task = types.SimpleNamespace(generate_trial=tiny.generate_trial)
train(task, network, training, {str(tmp_path / "a.npz")!r}, backend="numpy")
"""
    done = run_in(tmp_path, "-c", code, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix == ".npz") == [
        "a.npz", "a_init.npz",
    ]  # fmt: skip


@pytest.mark.parametrize("bare", [{}, {"HOME": "/proc/nowhere"}])
def test_a_task_trains_without_home_in_an_ascii_locale_and_a_path_of_other_letters(tmp_path, bare):
    folder = tmp_path / "Möwe und Meer"
    (folder / "tasks").mkdir(parents=True)
    (folder / "tasks" / "dämmerung.py").write_text(TASK, encoding="utf-8")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    quiet = {"PYTHONWARNINGS": "error"}
    done = run_in(folder, "tasks/dämmerung.py", "--trials", "3", **locale, **quiet, **bare)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "written: " in done.stdout
    written = {path.name for path in folder.rglob("seed-100/*")}
    assert {"trials.npz", "dämmerung.npz", "dämmerung.png"} <= written
