"""Whatever is wrong with an input is said once, clearly, and leaves no trace.

Every case ends in one error of a documented family, names what is at fault, executes nothing
(the file CANARY never appears) and leaves its folder as it was.
"""

import logging
import os
from pathlib import Path

import numpy as np
import pytest

from tests.hostile import (
    case,
    cases_archives,
    cases_contexts,
    cases_damage,
    cases_files,
    cases_networks,
    cases_results,
    cases_settings,
    cases_signed,
    cases_tasks,
)
from tests.hostile.valid import KINDS

MODULES = (
    cases_archives, cases_contexts, cases_damage, cases_files, cases_networks, cases_results,
    cases_settings, cases_signed, cases_tasks,
)  # fmt: skip
CASES = [one for module in MODULES for one in module.CASES]


def listing(folder: Path) -> dict[str, tuple]:
    """Every file under a folder with its size and time, links and folders by name."""
    return {
        str(path.relative_to(folder)): (
            "link"
            if path.is_symlink()
            else "folder"
            if path.is_dir()
            else (path.stat().st_size, path.stat().st_mtime_ns)
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_it_ends_in_one_clear_error_and_leaves_no_trace(one, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.ERROR)
    act = one.prepare(tmp_path)
    before = listing(tmp_path)
    try:
        act()
    except one.error as error:
        said = str(error)
        assert isinstance(error, one.error) and said
        for word in one.words:
            assert str(word) in said, f"{word!r} is not in: {said}"
        assert len(said.replace(str(tmp_path), "")) < 500
    else:
        assert one.may_pass, "it was not refused"
    assert listing(tmp_path) == before
    assert not case.canary_of(tmp_path).exists()
    assert not os.path.exists("/tmp/dgr-hostile-absolute.npy")


def test_there_are_enough_cases_and_each_has_its_own_name():
    names = [one.name for one in CASES]
    assert len(set(names)) == len(names) >= 200


@pytest.mark.parametrize("name", ["weights", "safetensors", "job state"])
def test_no_byte_of_a_checksummed_file_can_change_unnoticed(name, tmp_path):
    """One random bit of every byte, and every bit of the last hundred."""
    kind = KINDS[name]
    whole, rng = kind.data(), np.random.default_rng(0)
    places = [(place, rng.integers(8)) for place in range(len(whole))]
    places += [(place, bit) for place in range(len(whole) - 100, len(whole)) for bit in range(8)]
    for place, bit in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << bit
        (tmp_path / kind.place).write_bytes(changed)
        with pytest.raises(case.DOCUMENTED):
            kind.read(tmp_path)
