"""Original save files open; malicious pickles execute nothing.

A payload that ran would create the file MARKER, or exhaust memory.
"""

import builtins
import importlib
import os
import pickle
import resource
import struct
from pathlib import Path

import numpy as np
import pytest

from pycog_dgr import CheckpointError, Connectivity
from pycog_dgr.files import legacy, pickle_reader

SAVES = Path(__file__).parents[1] / "golden" / "saves"


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    """attempt(bytes) -> the refusal, after checking that nothing was executed."""
    marker = tmp_path / "MARKER"
    monkeypatch.setenv("MARKER", str(marker))
    path = tmp_path / "bad.pkl"

    def read(payload, **options):
        path.write_bytes(payload)
        with pytest.raises(CheckpointError) as raised:
            legacy.load(path, **options)
        assert not marker.exists()
        assert str(path) in str(raised.value)
        return str(raised.value)

    return read


class Calls:
    """Pickles to a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


TOUCH = 'touch "$MARKER"'
OPEN = "__import__('pathlib').Path(__import__('os').environ['MARKER']).touch()"


@pytest.mark.parametrize(
    "payload",
    [
        Calls(os.system, TOUCH),
        Calls(builtins.eval, OPEN),
        Calls(builtins.exec, OPEN),
        Calls(getattr, np.ndarray, "tofile"),
        Calls(importlib.import_module, "antigravity"),
        Calls(np.load, "other.npy"),
        {"params": Calls(os.system, TOUCH)},
        np.array([Calls(os.system, TOUCH)], dtype=object),
        np.array([{"a": 1}, None], dtype=object),
        np.dtype([("a", "O")]),
        Connectivity,
    ],
    ids=lambda payload: type(payload).__name__,
)
@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_pickles_that_call_something_execute_nothing(attempt, payload, protocol):
    attempt(pickle.dumps(payload, protocol))


@pytest.mark.parametrize("payload", [Calls(os.system, TOUCH), Calls(builtins.eval, OPEN)])
def test_the_payloads_would_run_in_pythons_own_reader(payload, tmp_path, monkeypatch):
    monkeypatch.setenv("MARKER", str(tmp_path / "MARKER"))
    pickle.loads(pickle.dumps(payload, 2))
    assert (tmp_path / "MARKER").exists()


def test_torchs_reduce_is_refused(attempt):
    tensor = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
        b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01ttQK\x00K\x01\x85K\x01\x85\x89}tR."
    )
    assert "torch._utils _rebuild_tensor_v2" in attempt(tensor)


def test_the_message_names_the_refused_name_and_its_place(attempt):
    message = attempt(b"\x80\x02cposix\nsystem\nU\x02id\x85R.")
    assert "byte 2: refused: the name 'posix system'" in message


HEAD = b"\x80\x02"
NDARRAY = b"cnumpy\nndarray\n"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
EMPTY_ARRAY = RECONSTRUCT + NDARRAY + b"K\x00\x85U\x01b\x87R"
MINUS_ONE = b"J\xff\xff\xff\xff"
FLOAT = b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNN" + MINUS_ONE * 2 + b"K\x00tb"


def array(shape=b"K\x01\x85", dtype=FLOAT, data=b"U\x08" + bytes(8)):
    return EMPTY_ARRAY + b"(K\x01" + shape + dtype + b"\x89" + data + b"tb"


def test_the_harmless_form_of_the_payloads_below_is_read(tmp_path):
    (tmp_path / "good.pkl").write_bytes(HEAD + array() + b".")
    np.testing.assert_array_equal(pickle_reader.read(tmp_path / "good.pkl"), [0.0])


HUGE = b"J" + struct.pack("<i", 2**31 - 1)


@pytest.mark.parametrize(
    "payload",
    [
        array(shape=HUGE + b"\x85"),  # more numbers than bytes
        array(shape=HUGE * 3 + b"\x87"),
        array(shape=b"J\xff\xff\xff\xff\x85"),  # negative
        array(shape=b"N\x85"),
        array(dtype=FLOAT.replace(b"f8", b"O8")),
        array(dtype=FLOAT.replace(b"f8", b"V8")),
        array(dtype=FLOAT.replace(b"U\x02f8", b"U\x06f99999")),
        array(dtype=b"N"),
        array(data=b"N"),
        array() + b"Nb",  # filled in twice
        EMPTY_ARRAY,  # never filled in
        RECONSTRUCT + NDARRAY + HUGE + b"\x85U\x01b\x87R" + b"Nb",
        RECONSTRUCT + b"N\x85R",
        NDARRAY + HUGE + b"\x85R",  # ndarray(shape)
        NDARRAY + b"}U\x01xK\x01sb",  # BUILD on the class: sets an attribute
        NDARRAY + b"N}U\x0c__setstate__K\x01s\x86b",
        b"}" + b"}U\x01xK\x01sb",  # BUILD on a dictionary
        NDARRAY,  # the class as a value
        NDARRAY + b")\x81",  # NEWOBJ of an array
        b"cnumpy.core.multiarray\nscalar\n" + FLOAT + b"U\x01x\x86R",
        b"cnumpy.random\n__RandomState_ctor\n)R(U\x04evil)K\x00K\x00G" + bytes(8) + b"tb",
        b"cnumpy.random\n__RandomState_ctor\n)RNb",
        b"cpycog.connectivity\nConnectivity\n)\x81}b",
        b"cpycog.connectivity\nConnectivity\n)\x81Nb",
        b"ccollections\nOrderedDict\nK\x01\x85R",
        b"}]K\x01s",  # a list as a key
        b"(",  # a mark as the result
        b"h\x07",  # a memo that was never put
        b"K\x01K\x02a",  # append to a number
        b"(K\x01e",
        b"\x85",  # empty stack
        b"]" * 200 + b"a" * 199,  # nested deeper than any save file
        b"X\xff\xff\xff\x7fshort",  # text longer than the file
        b"\x82\x01",  # an extension code
        b"Pid\n",  # a persistent id
    ],
    ids=range(35),
)
def test_tricks_with_the_allowed_names_are_refused(attempt, payload):
    attempt(HEAD + payload + b".")


def test_doubling_references_cannot_exhaust_memory(attempt):
    doubling = b"]" + b"q\x00" + b"".join(b"]q%c(h%ch%ce" % (i + 1, i, i) for i in range(60))
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, hard))
    try:
        assert "items" in attempt(HEAD + doubling + b".")
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_other_protocols_truncation_and_size_are_refused(attempt, tmp_path, monkeypatch):
    whole = (SAVES / "tiny_resume_seed1234.pkl").read_bytes()
    assert "damaged" in attempt(whole[: len(whole) // 2])
    assert "protocol 6" in attempt(b"\x80\x06}.")
    assert "not a pycog save file" in attempt(HEAD + b"}.")
    monkeypatch.setattr(pickle_reader, "MAX_BYTES", 10)
    assert "too large" in attempt(whole)
    with pytest.raises(CheckpointError, match="no such save file"):
        legacy.load(tmp_path / "none.pkl")
    with pytest.raises(CheckpointError, match="is a folder"):
        legacy.load(tmp_path)


def test_files_that_are_no_pickles_are_told_apart(attempt):
    assert "not a save file of the original pycog, which is a pickle" in attempt(b"# Read me")
    assert "zip archive, as our own are; those need no conversion" in attempt(b"PK\x03\x04rest")


def test_bytes_flipped_at_random_never_raise_anything_else(tmp_path):
    whole = bytearray((SAVES / "tiny_resume_seed1234.pkl").read_bytes())
    path = tmp_path / "flipped.pkl"
    rng = np.random.RandomState(0)
    refused = 0
    for _ in range(60):
        flipped = bytearray(whole)
        for place in rng.randint(len(whole), size=3):
            flipped[place] = rng.randint(256)
        path.write_bytes(flipped)
        try:
            legacy.load(path)
        except CheckpointError:
            refused += 1
    assert refused > 5


def test_an_original_file_becomes_a_checkpoint():
    save = legacy.open_save(SAVES / "tiny_varstim_ei_seed1234.pkl")
    assert save.trained == ("Win", "Wrec", "Wout", "x0")
    assert (save.iteration, save.best.iteration) == (26, 16)
    assert save.parameters.Wrec.shape == (20, 20)
    assert save.best.parameters is None
    assert isinstance(save.settings["Cout"], Connectivity)
    assert [len(row) for row in save.costs_history] == [2] * 6
    assert save.rng_gradient[0] == "MT19937"


def test_settings_that_nobody_knows_are_left_out(tmp_path, caplog):
    whole = (SAVES / "tiny_varstim_ei_seed1234.pkl").read_bytes()
    path = tmp_path / "older.pkl"
    path.write_bytes(whole.replace(b"U\x04seed", b"U\x04sood"))
    with caplog.at_level("INFO"):
        assert "sood" not in legacy.load(path).settings
    assert "sood" in caplog.text


def test_an_ordered_dictionary_and_fortran_order_are_read(tmp_path):
    data = np.arange(6.0).tobytes()
    fortran = array(shape=b"K\x02K\x03\x86", data=b"U" + bytes([len(data)]) + data)
    fortran = fortran.replace(b"\x89U", b"\x88U")
    pairs = b"ccollections\nOrderedDict\n]]U\x01a" + fortran + b"\x86a\x85R"
    path = tmp_path / "good.pkl"
    path.write_bytes(HEAD + pairs.replace(b"]]U", b"](U").replace(b"\x86a\x85R", b"ta\x85R") + b".")
    np.testing.assert_array_equal(
        pickle_reader.read(path)["a"], np.arange(6.0).reshape(2, 3, order="F")
    )
