"""Files written before the folders were rearranged (35b99cd) still open, number by number."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pycog_dgr import RNN, Connectivity, Trials
from pycog_dgr.files import checkpoint, npz
from pycog_dgr.training import divergence

FOLDER = Path(__file__).parent / "compat"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
RENAMED = {"/guarded": "/skipped"}


def leaves(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything in a tree; of an array its dtype, shape and digest."""
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value).tobytes()
        yield where, [value.dtype.str, list(value.shape), hashlib.sha256(data).hexdigest()]
    elif isinstance(value, Connectivity):
        yield from leaves(value.mask_plastic, f"{where}/plastic")
        yield from leaves(value.mask_fixed, f"{where}/fixed")
    elif hasattr(value, "_asdict"):
        yield from leaves(value._asdict(), where)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{where}/{name}")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from leaves(item, f"{where}/{i}")
    else:
        yield where, value


def require_the_same(value: Any, expected: dict[str, Any]) -> None:
    expected = {RENAMED.get(name, name): item for name, item in expected.items()}
    found = dict(leaves(value))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("name", ["save.npz", "save.npz.previous"])
def test_a_save_file_of_old_opens(name):
    require_the_same(vars(checkpoint.load(FOLDER / name)), EXPECTED[name])


def test_a_network_of_old_runs_as_it_did():
    rnn = RNN(FOLDER / "save.npz", verbose=False)
    rnn.run(T=200, seed=3)
    for name, total in EXPECTED["run of save.npz"].items():
        np.testing.assert_allclose(getattr(rnn, name).sum(), total, rtol=1e-6)


def test_a_divergence_of_old_opens_and_is_computed_again():
    found = divergence.load(FOLDER / "diverged.npz")
    require_the_same(vars(found), EXPECTED["diverged.npz"])
    report, _ = found.replay()
    assert not np.isfinite(report.loss)  # infinite or NaN: which, depends on the order of a sum


def test_trials_of_old_open():
    require_the_same(vars(Trials.load(FOLDER / "trials.npz")), EXPECTED["trials.npz"])


@pytest.mark.parametrize("name", [name for name, item in EXPECTED.items() if "kind" in item])
def test_an_archive_of_old_opens(name):
    expected = dict(EXPECTED[name])
    kind = expected.pop("kind")
    metadata, arrays = npz.read(FOLDER / name, kind)
    found = dict(leaves(arrays, "")) | {
        f"metadata{where}": item for where, item in leaves(metadata, "")
    }
    found = {where if where[0] == "m" else f"arrays{where}": item for where, item in found.items()}
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("name", ["save.npz", "trials.npz", "batch.npz"])
def test_a_changed_number_in_a_file_of_old_is_noticed(name, tmp_path):
    """Their digests are two: one of what they hold and, but for trials, one of every byte."""
    data = bytearray((FOLDER / name).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / name).write_bytes(data)
    kinds = {"save.npz": checkpoint.KIND, "trials.npz": "pycog_dgr trials"}
    kind = kinds.get(name) or EXPECTED[name]["kind"]
    with pytest.raises(npz.DamagedError):
        npz.read(tmp_path / name, kind)
