"""Where numbers come from is recorded: machine, linear algebra, commit, CPU time."""

import subprocess
import sys

import numpy as np

from pycog_dgr.files import provenance


def test_machine_and_cpu_time_of_all_calls_are_kept(tmp_path):
    path = tmp_path / "machine.json"
    totals = [0]
    for _ in range(2):
        with provenance.recorded(path):
            start = provenance._cpu_seconds()
            while provenance._cpu_seconds() < start + 0.1:
                np.linalg.svd(np.ones((200, 200)))
        record = provenance.read_record(path)
        assert record["cpu_seconds"] >= totals[-1] + 0.1
        totals.append(record["cpu_seconds"])
    assert record["processors"] == [provenance.processor()] and record["processors"][0]
    assert record["versions"]["numpy"] == np.__version__


def test_another_machine_is_added_and_an_unreadable_record_is_begun_again(tmp_path, monkeypatch):
    path = tmp_path / "machine.json"
    path.write_text("{")
    assert provenance.read_record(path) == {}
    with provenance.recorded(path):
        pass
    monkeypatch.setattr(provenance, "processor", lambda: "another")
    with provenance.recorded(path):
        pass
    assert provenance.read_record(path)["processors"][1:] == ["another"]


def test_the_record_is_written_where_the_block_fails(tmp_path):
    path = tmp_path / "machine.json"
    try:
        with provenance.recorded(path):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert provenance.read_record(path)["cpu_seconds"] >= 0


def test_cpu_time_of_a_killed_call_is_not_known_and_stays_so(tmp_path):
    path = tmp_path / "machine.json"
    code = (
        "import os, sys; from pycog_dgr.files import provenance\n"
        "with provenance.recorded(sys.argv[1]): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, path]).returncode == 9
    assert provenance.read_record(path)["processors"] == [provenance.processor()]
    with provenance.recorded(path):
        pass
    assert provenance.read_record(path)["cpu_seconds"] is None


def test_a_package_inside_a_foreign_repository_has_no_commit_of_it(tmp_path):
    def git(*words):
        names = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", "-C", tmp_path, *names, *words], check=True, capture_output=True)

    git("init")
    (tmp_path / "kept.py").write_text("")
    git("add", "kept.py")
    git("commit", "-m", "one")
    (tmp_path / "installed.py").write_text("")
    assert len(provenance.commit(tmp_path / "kept.py")) == 40
    assert provenance.commit(tmp_path / "installed.py") is None
    assert provenance.commit("/nowhere/at/all.py") is None
