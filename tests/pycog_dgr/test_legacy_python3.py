"""Save files of pycog's ports to Python 3, pickled by protocols 2 to 5, open; tricks do not.

The files are made here: what an original file holds is pickled anew by this Python and numpy.
"""

import os
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from pycog_dgr import RNN, CheckpointError
from pycog_dgr.files import legacy, pickle_reader

SAVES = Path(__file__).parents[1] / "golden" / "saves"
ORIGINAL = SAVES / "tiny_varstim_ei_seed1234.pkl"
PROTOCOLS = [2, 3, 4, 5]


@pytest.fixture
def ported(monkeypatch):
    """ported(protocol, rng) -> the bytes that a port of pycog to Python 3 would save."""
    module = types.ModuleType("pycog.connectivity")
    module.Connectivity = type("Connectivity", (), {"__module__": "pycog.connectivity"})
    monkeypatch.setitem(sys.modules, "pycog", types.ModuleType("pycog"))
    monkeypatch.setitem(sys.modules, "pycog.connectivity", module)

    def as_in_the_port(value):
        """A Connectivity as the class of that name in the port; everything else as it is."""
        if type(value).__name__ != "Connectivity":
            return value
        own = module.Connectivity()
        own.__dict__.update(C=value.C, idx_fixed=value.idx_fixed, fixed=value.fixed)
        return own

    def pickled(protocol, rng=lambda state: state):
        save = pickle_reader.read(ORIGINAL)
        save["params"] = {name: as_in_the_port(value) for name, value in save["params"].items()}
        for name in ("rng_gradient", "rng_validation"):
            save[name] = rng(save[name])
        return pickle.dumps(save, protocol)

    return pickled


def random_state(state):
    rng = np.random.RandomState(1)
    rng.set_state(state)
    return rng


@pytest.mark.parametrize("rng", [tuple, random_state])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_save_of_a_port_to_python_3_is_the_original_one(ported, tmp_path, protocol, rng):
    path = tmp_path / "ported.pkl"
    path.write_bytes(ported(protocol, rng))
    save, original = legacy.open_save(path), legacy.open_save(ORIGINAL)
    for own, expected in zip(save.best.weights, original.best.weights, strict=True):
        np.testing.assert_array_equal(own, expected)
    np.testing.assert_array_equal(save.settings["Cout"].C, original.settings["Cout"].C)
    np.testing.assert_array_equal(save.rng_gradient[1], original.rng_gradient[1])
    assert save.rng_gradient[2:] == original.rng_gradient[2:]
    first, second = RNN(path), RNN(ORIGINAL)
    for rnn in (first, second):
        rnn.run(T=100, seed=1)
    np.testing.assert_array_equal(first.z, second.z)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(["a", "bc"]),
        np.float32(2.5),
        [np.int64(3), "x", None, True],
        np.zeros((0, 3)),
    ],
    ids=str,
)
def test_values_come_back(tmp_path, protocol, value):
    path = tmp_path / "value.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    np.testing.assert_array_equal(pickle_reader.read(path), value)


class Calls:
    """Pickles to a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


def frombuffer(data=b"\x00" * 8, shape=(1,), order="C"):
    from numpy._core import numeric

    return Calls(numeric._frombuffer, data, np.dtype("f8"), shape, order)


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize(
    "payload",
    [
        Calls(os.system, 'touch "$MARKER"'),
        frombuffer(shape=(2**40,)),
        frombuffer(shape=(-1,)),
        frombuffer(data="no bytes"),
        frombuffer(order="A"),
        Calls(np.random._mt19937.MT19937, 1),
        Calls(np.random._pickle.__bit_generator_ctor, "PCG64"),
        Calls(np.random._pickle.__randomstate_ctor, "PCG64"),
        np.random.default_rng(1),
        {1, 2},
        b"bytes as a value's key",
        np.array([None], dtype=object),
    ],
    ids=range(12),
)
def test_tricks_of_newer_protocols_are_refused(tmp_path, monkeypatch, payload, protocol):
    monkeypatch.setenv("MARKER", str(tmp_path / "MARKER"))
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps({"params": payload}, protocol))
    with pytest.raises(CheckpointError):
        legacy.load(path)
    assert not (tmp_path / "MARKER").exists()
