"""A file that claims to be huge is refused before memory is taken for it.

Two measures: the peak of what Python and numpy allocated (tracemalloc, which counts memory that was
asked for and never touched), and the growth of the process (ru_maxrss, which sees torch as well).
"""

import json
import resource
import struct
import tracemalloc

import numpy as np
import pytest

from bridge import data as batches
from bridge import files
from bridge import networks as solvers
from bridge.data import datasets
from bridge.errors import BridgeError
from bridge.files import archive
from pycog_dgr import RNN
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.files import checkpoint, legacy
from tests.hostile import case
from tests.hostile.valid import KINDS, SMALL_FILES, read_images, small_checkpoint, small_solver

MOST = 24 << 20  # bytes that refusing a file of at most a few MB may take
HALF_A_GIGABYTE = f"({2**26},)"


def claiming(kind, member, whole=None):
    return case.zipped({**case.members_of(whole or KINDS[kind].data()), "a.npy": member})


def replay_batch(folder):
    (folder / "b.npz").write_bytes(claiming("replay batch", case.npy(HALF_A_GIGABYTE)))
    return lambda: batches.load_examples(folder / "b.npz")


def replay_batch_bomb(folder):
    (folder / "b.npz").write_bytes(case.bomb(KINDS["replay batch"].data()))
    return lambda: batches.load_examples(folder / "b.npz")


def deflated_bomb(folder):
    zeros = case.npy(f"({2**23},)", data=bytes(2**26))
    (folder / "b.npz").write_bytes(case.zipped({"header.npy": zeros}, 8))
    return lambda: archive.load(folder / "b.npz", "kind")


def save_file(folder):
    (folder / "a.npz").write_bytes(claiming("save file", case.npy(HALF_A_GIGABYTE)))
    return lambda: legacy.open_save(folder / "a.npz")


def save_file_bomb(folder):
    (folder / "a.npz").write_bytes(case.bomb(KINDS["save file"].data()))
    return lambda: legacy.open_save(folder / "a.npz")


def small_limit(folder):
    (folder / "a.npz").write_bytes(
        case.zipped({"a.npy": case.npy(f"({2**23},)", data=bytes(2**26))}, 8)
    )
    return lambda: checkpoint.load(folder / "a.npz", max_bytes=2**20)


def save_file_of_many_units(folder):
    settings = {**small_checkpoint().settings, "N": 20_000, "Crec": None, "ei": None}
    checkpoint.save(folder / "a.npz", small_checkpoint(settings=settings))
    return lambda: RNN(folder / "a.npz")


def network_of_many_units(folder):
    case.signed_archive(
        folder / "s.npz",
        solvers.KIND,
        small_solver()[0].state(),
        {"name": "lstm", "options": {"n_hidden": 8000}},
    )
    return lambda: solvers.read_network(folder / "s.npz", solvers.SOLVERS)


def pickled_array(folder):
    whole = KINDS["original pickle"].data()
    place = whole.index(b"K\x14K\x14\x86")  # the shape (20, 20)
    (folder / "a.pkl").write_bytes(
        whole[:place] + b"J\xff\xff\xff\x0fK\x14\x86" + whole[place + 5 :]
    )
    return lambda: legacy.open_save(folder / "a.pkl")


def pickled_lists(folder):
    (folder / "a.pkl").write_bytes(b"\x80\x02" + 3000 * b"]" + b"0" * 3000)
    return lambda: legacy.open_save(folder / "a.pkl")


def safetensors_header(folder):
    header = {"a": {"dtype": "F64", "shape": [2**26], "data_offsets": [0, 2**29]}}
    text = json.dumps(header).encode()
    (folder / "w.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    return lambda: files.read_export(folder / "w.safetensors")


def sparse_safetensors(folder):
    with (folder / "w.safetensors").open("wb") as file:
        file.truncate(archive.LIMIT + 1)
    return lambda: files.read_export(folder / "w.safetensors")


def sparse_pickle(folder):
    with (folder / "a.pkl").open("wb") as file:
        file.write(b"\x80\x02")
        file.truncate(2**30)
    return lambda: legacy.open_save(folder / "a.pkl")


def images_of_another_size(folder):
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in datasets.FILES:
        with (raw / name).open("wb") as file:
            file.write(np.array([0x0800 + len(SMALL_FILES[name])] + [2**31] * 3, ">u4").tobytes())
            file.truncate(2**30)
    return lambda: read_images(folder)


@pytest.mark.parametrize("claim", [
    replay_batch, replay_batch_bomb, deflated_bomb, save_file, save_file_bomb, small_limit,
    save_file_of_many_units, network_of_many_units, pickled_array, pickled_lists,
    safetensors_header, sparse_safetensors, sparse_pickle, images_of_another_size,
])  # fmt: skip
def test_refusing_a_claim_costs_no_memory(claim, tmp_path):
    read = claim(tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    try:
        with pytest.raises((BridgeError, PycogDgrError)):
            read()
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert taken < MOST, f"{taken:,} bytes were allocated"
    assert grown < 8 * MOST, f"the process grew by {grown:,} bytes"


def test_the_measure_sees_memory_that_is_asked_for_and_never_touched():
    tracemalloc.start()
    held = np.empty(2**26)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken >= held.nbytes > MOST
