"""Archives are pickle-free, checksummed, bounded and written whole."""

import io
import os
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import ArchiveError, BridgeError
from bridge.files import archive


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
    np.savez(tmp_path / "b.npz", header=np.zeros(1, np.uint8), a=np.array([{}], dtype=object))
    with pytest.raises(ArchiveError, match="not numbers"):
        archive.load(tmp_path / "b.npz", "kind")


def test_a_huge_claim_is_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
    )
    with zipfile.ZipFile(path, "w") as members:
        members.writestr("header.npy", _npy(np.zeros(2, np.uint8)))
        members.writestr("a.npy", header.getvalue())
    with pytest.raises(ArchiveError, match="more than the"):
        archive.load(path, "kind")


def test_a_zip_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("header.npy", _npy(np.zeros(2, np.uint8)))
        members.writestr("a.npy", _npy(np.zeros(1 << 20)))
    with pytest.raises(ArchiveError, match="more than the"):
        archive.load(path, "kind", limit=1 << 20)


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_another_kind_another_version_and_no_file_are_named(tmp_path, monkeypatch):
    path = written(tmp_path / "a.npz")
    with pytest.raises(ArchiveError, match="holds 'kind', not 'other'"):
        archive.load(path, "other")
    monkeypatch.setattr(archive, "FORMAT", 2)
    with pytest.raises(ArchiveError, match="format 1"):
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
