"""What a pickle may cost is bounded by its size: bytes, items, dimensions, depth."""

import resource
import time

import pytest

from pycog_dgr import CheckpointError
from pycog_dgr.files import legacy

START = b"\x80\x02"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
NONE = b"J\xff\xff\xff\xff"  # -1
BYTES = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN" + NONE + NONE + b"K\x00tb"


def refused(path, data, match):
    """Seconds and bytes that the refusal of a pickle took."""
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(CheckpointError, match=match) as caught:
        legacy.open_save(path)
    assert len(str(caught.value)) < 500 + len(str(path))
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return time.process_time() - started, grown


def array_of(shape: bytes, data: bytes) -> bytes:
    """Instructions for one array of bytes: version, shape, dtype, order and data."""
    return RECONSTRUCT + b"(K\x01" + shape + BYTES + b"\x89" + data + b"tb"


def test_a_text_that_many_arrays_share_counts_every_time(tmp_path):
    """400 arrays of one text of 8 MB took 3.3 GB."""
    size = 2**20
    text = b"T" + size.to_bytes(4, "little") + bytes(size)
    shape = b"J" + size.to_bytes(4, "little") + b"\x85"
    arrays = b"".join(array_of(shape, b"h\x07") for _ in range(400))
    data = START + text + b"q\x070(" + arrays + b"l."
    data = START + b"](" + text + b"q\x07" + arrays + b"e."
    seconds, grown = refused(tmp_path / "a.pkl", data, "using the same bytes so often")
    assert seconds < 5 and grown < 100e6


def test_an_array_of_very_many_dimensions_is_refused_at_once(tmp_path):
    """290,000 dimensions took minutes."""
    shape = b"(" + 290_000 * b"K\x01" + b"t"
    seconds, _ = refused(tmp_path / "a.pkl", START + array_of(shape, b"U\x01x") + b".", "shape")
    assert seconds < 5


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("lists", START + 50_000 * b"]" + 49_999 * b"a" + b"."),
        ("tuples", START + b"]" + 50_000 * b"\x85" + b"."),
        ("a dtype of tuples", START + b"cnumpy\ndtype\n]" + 50_000 * b"\x85" + b"\x85R."),
        ("a name of tuples", b"\x80\x04]" + 50_000 * b"\x85" + b"\x8c\x01x\x93."),
    ],
)
def test_depth_is_one_error(tmp_path, name, data):
    seconds, _ = refused(tmp_path / "a.pkl", data, "refused|damaged")
    assert seconds < 5


def test_what_is_shared_is_walked_over_only_so_often(tmp_path):
    """Each random state looks through all that it is made of."""
    one = b"cnumpy.random\n__RandomState_ctor\nh\x01R0"
    data = START + b"(" + 50_000 * b"N" + b"tq\x010" + 2_000 * one + b"N."
    seconds, _ = refused(tmp_path / "a.pkl", data, "refused|damaged")
    assert seconds < 5
