"""Archives are pickle-free, checksummed, bounded and written whole."""

import io
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import ArchiveError, BridgeError
from bridge.files import archive
from pycog_dgr.files import npz
from tests.sealed import npy, resealed, with_header


def written(path):
    archive.save(path, "kind", {"a": np.arange(6.0).reshape(2, 3), "b": np.array(3)}, note="x")
    return path


def test_arrays_and_metadata_come_back_bit_for_bit(tmp_path):
    arrays, metadata = archive.load(written(tmp_path / "a.npz"), "kind")
    assert metadata == {"note": "x"}
    np.testing.assert_array_equal(arrays["a"], np.arange(6.0).reshape(2, 3))
    assert arrays["b"].dtype == np.array(3).dtype and arrays["b"].shape == ()


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    cut=st.floats(0, 0.999),
    flip=st.floats(0, 0.999),
    mask=st.integers(1, 255),
    truncate=st.booleans(),
)
def test_no_damage_passes_unnoticed(tmp_path, cut, flip, mask, truncate):
    path = written(tmp_path / "a.npz")
    good = archive.load(path, "kind")
    data = bytearray(path.read_bytes())
    if truncate:
        data = data[: int(cut * len(data))]
    else:
        data[int(flip * len(data))] ^= mask
    path.write_bytes(data)
    try:
        arrays, metadata = archive.load(path, "kind")
    except ArchiveError as error:
        assert str(path) in str(error)
    else:  # a byte that nothing depends on (a date in the zip's headers)
        assert metadata == good[1]
        for name, array in good[0].items():
            np.testing.assert_array_equal(arrays[name], array)


def test_objects_are_neither_stored_nor_loaded(tmp_path):
    with pytest.raises(ArchiveError, match="cannot be stored"):
        archive.save(tmp_path / "a.npz", "kind", {"a": np.array([{}], dtype=object)})
    objects = npy(np.array([{}], dtype=object), allow_pickle=True)
    path = written(tmp_path / "b.npz")
    resealed(path, lambda members: members.update({"a.npy": objects}))
    with pytest.raises(ArchiveError, match="of object"):
        archive.load(path, "kind")


def test_a_huge_claim_is_refused_before_memory_is_taken(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
    )
    path = written(tmp_path / "a.npz")
    resealed(path, lambda members: members.update({"a.npy": header.getvalue()}))
    with pytest.raises(ArchiveError, match=r"0 bytes for \(1099511627776,\)"):
        archive.load(path, "kind")


def test_a_zip_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    npz.write(path, "kind", {}, {"a": np.zeros(1 << 20)}, compress=True)
    with pytest.raises(ArchiveError, match="more than the"):
        archive.load(path, "kind", limit=1 << 20)


def test_another_kind_another_version_and_no_file_are_named(tmp_path):
    path = written(tmp_path / "a.npz")
    with pytest.raises(ArchiveError, match="holds 'kind', not 'other'"):
        archive.load(path, "other")
    resealed(path, lambda members: with_header(members, format=3))
    with pytest.raises(ArchiveError, match="format version 3"):
        archive.load(path, "kind")
    with pytest.raises(ArchiveError, match="no such file"):
        archive.load(tmp_path / "none.npz", "kind")


@pytest.mark.parametrize("stage", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, stage):
    path = written(tmp_path / "a.npz")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, stage, full)
    with pytest.raises(OSError, match=r"No space left on device: '.*a\.npz'"):
        archive.save(path, "kind", {"a": np.zeros(9)})
    assert os.listdir(tmp_path) == ["a.npz"]
    assert archive.load(path, "kind")[1] == {"note": "x"}


def test_every_error_is_a_bridge_error():
    assert issubclass(ArchiveError, BridgeError) and issubclass(BridgeError, ValueError)
