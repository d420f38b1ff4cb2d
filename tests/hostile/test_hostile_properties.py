"""Whatever bytes a file holds, its reader returns or raises one documented error.

The examples are the same on every machine (derandomize), so that what passes once passes always.
A model file is a program and is not given random bytes.
"""

import io
import logging

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pycog_dgr import Connectivity
from pycog_dgr.config import setting_names
from pycog_dgr.config import settings as pycog_settings
from pycog_dgr.errors import PycogDgrError
from tests.hostile import case
from tests.hostile.valid import KINDS

READ = {name: kind for name, kind in KINDS.items() if name != "model file"}
ZIPS = [name for name, kind in READ.items() if kind.place.endswith(".npz")]
FEW = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def outcome(kind, folder, data):
    """What reading `data` gives; None where it was refused as documented."""
    path = folder / kind.place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    logging.disable()
    try:
        return kind.read(folder)
    except case.DOCUMENTED as error:
        assert str(error)
        return None
    finally:
        logging.disable(logging.NOTSET)
        assert not case.canary_of(folder).exists()


@st.composite
def mutations(draw, data):
    """`data` with pieces replaced, repeated, removed or moved."""
    for _ in range(draw(st.integers(1, 4))):
        first, last = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        piece = draw(
            st.sampled_from([b"", b"\0", b"\xff" * 8, data[first:last][:64] * 2])
            | st.binary(max_size=16)
        )
        data = data[:first] + piece + data[first + len(piece) if draw(st.booleans()) else last :]
    return data


@pytest.mark.parametrize("name", READ)
@FEW
@given(data=st.data())
def test_arbitrary_bytes_are_refused(name, tmp_path, data):
    kind = READ[name]
    kind.beside(tmp_path)
    noise = data.draw(st.binary(max_size=200))
    head = data.draw(st.sampled_from([b"", kind.data()[:8], b"PK\x03\x04", b"\x80\x02"]))
    found = outcome(kind, tmp_path, head + noise)
    assert not kind.checksummed or found is None


@pytest.mark.parametrize("name", READ)
@FEW
@given(data=st.data())
def test_mutations_of_sound_files_are_refused_or_harmless(name, tmp_path, data):
    kind = READ[name]
    kind.beside(tmp_path)
    changed = data.draw(mutations(kind.data()))
    found = outcome(kind, tmp_path, changed)
    assert not kind.checksummed or changed == kind.data() or found is None


@pytest.mark.parametrize("name", ZIPS)
@FEW
@given(data=st.data())
def test_any_claim_in_a_member_is_refused(name, tmp_path, data):
    kind = READ[name]
    kind.beside(tmp_path)
    shape = data.draw(
        st.tuples(
            *[st.integers(-(2**70), 2**70) | st.integers(-2, 3)] * data.draw(st.integers(0, 4))
        )
    )
    dtype = data.draw(st.sampled_from(["<f8", "|b1", "<i4", "<U3", "|O", "|V4", "<c8", "<M8[D]"]))
    member = case.npy(repr(shape), repr(dtype), data.draw(st.binary(max_size=40)))
    whole = case.members_of(kind.data())
    victim = data.draw(st.sampled_from([*whole, "more.npy"]))
    assert outcome(kind, tmp_path, case.zipped({**whole, victim: member})) is None


VALUES = (
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.integers(-3, 3)
    | st.floats() | st.text(max_size=4) | st.lists(st.integers(-1, 2), max_size=7)
    | st.lists(st.lists(st.floats(-1, 1), max_size=3), max_size=3)
    | st.builds(np.zeros, st.tuples(st.integers(0, 6), st.integers(0, 6)))
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)
    | st.sampled_from([10**400, "rectify", "gamma", "batch"]) | st.just(1j) | st.just(b"bytes")
)  # fmt: skip


@settings(FEW, max_examples=120)
@given(
    name=st.sampled_from(setting_names()),
    value=VALUES,
    units=st.integers(1, 6),
)
def test_any_value_of_any_setting_is_taken_or_refused_by_name(name, value, units):
    given = {"N": units, "Nin": 2, "Nout": 2, name: value}
    try:
        pycog_settings(**given)
    except PycogDgrError as error:
        assert name in str(error) or units == 1 or name in ("N", "ei", "tau", "dt")


@settings(FEW, max_examples=50)
@given(C=VALUES, Cfixed=VALUES, p=VALUES)
def test_any_connectivity_is_made_or_refused(C, Cfixed, p):
    logging.disable()
    try:
        made = Connectivity(C, Cfixed, p)
        assert made.nplastic + made.nfixed <= made.size
    except PycogDgrError as error:
        assert "Connectivity" in str(error)
    finally:
        logging.disable(logging.NOTSET)


def test_the_members_forged_here_are_what_numpy_writes():
    """Otherwise the refusals above would be refusals of bad forgeries."""
    array = np.arange(6.0).reshape(2, 3)
    forged = case.npy("(2, 3)", data=array.tobytes())
    np.testing.assert_array_equal(np.load(io.BytesIO(forged), allow_pickle=False), array)
