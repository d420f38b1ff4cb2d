"""What a hostile case is, and the tools to damage and to forge files."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridge.errors import BridgeError
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.files import checkpoint, npz
from torch_dgr.errors import TorchDgrError

DOCUMENTED = (PycogDgrError, TorchDgrError, BridgeError)
Act = Callable[[], Any]


class Case(NamedTuple):
    """One damaged or hostile input.

    prepare   writes what the case needs into an empty folder and returns what is to be refused
    error     the type of the error
    words     what its message must contain
    may_pass  for formats without a checksum: the act may succeed
    """

    name: str
    prepare: Callable[[Path], Act]
    error: type[Exception] | tuple[type[Exception], ...] = DOCUMENTED
    words: tuple[str, ...] = ()
    may_pass: bool = False


def call(title, function, /, *arguments, error=DOCUMENTED, words=(), **options) -> Case:
    """A case that needs no file: function(*arguments, **options)."""
    return Case(title, lambda folder: lambda: function(*arguments, **options), error, tuple(words))


# -- damage ---------------------------------------------------------------------------------------


def truncated(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(len(data))]


def one_bit_flipped(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    changed[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return bytes(changed)


def one_byte_replaced(data: bytes, rng: np.random.Generator) -> bytes:
    changed, place = bytearray(data), rng.integers(len(data))
    changed[place] = (changed[place] + rng.integers(1, 256)) % 256
    return bytes(changed)


def a_piece_lost(data: bytes, rng: np.random.Generator) -> bytes:
    first, last = sorted(rng.integers(len(data), size=2))
    return data[:first] + data[last + 1 :]


def a_piece_zeroed(data: bytes, rng: np.random.Generator) -> bytes:
    first, last = sorted(rng.integers(len(data), size=2))
    return data[:first] + bytes(last - first) + b"\x01" + data[last + 1 :]


# -- forgery --------------------------------------------------------------------------------------


def npy(shape: str, dtype: str = "'<f8'", data: bytes = b"", version=(1, 0)) -> bytes:
    """A member of an .npz with any claim in its header."""
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + data


def zipped(members: dict[str, bytes], compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def with_members(data: bytes, **more: bytes) -> bytes:
    """An archive with members added or replaced; nothing else in it changes."""
    return zipped(members_of(data) | more)


def with_header(data: bytes, change: Callable[[dict], Any]) -> bytes:
    """An archive whose JSON header went through `change`, its digest renewed."""
    header = json.loads(np.load(io.BytesIO(members_of(data)["header.npy"])).tobytes())
    return with_members(data, **{"header.npy": text_member(json.dumps(change(header)))})


def bomb(data: bytes) -> bytes:
    """An archive with one member more that claims to unpack to almost 4 GiB."""
    whole = zipped(
        members_of(data) | {"bomb.npy": npy("(1000000,)", data=bytes(8000000))},
        zipfile.ZIP_DEFLATED,
    )
    place = whole.rindex(b"PK\x01\x02") + 24  # its size in the central directory
    return whole[:place] + struct.pack("<I", 2**32 - 2) + whole[place + 4 :]


def text_member(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return npy(f"({len(raw)},)", "'|u1'", raw)


def signed_archive(path: Path, kind: str, arrays: dict, metadata: Any) -> None:
    """An archive of bridge with a good digest, whatever it holds."""
    npz.write(path, kind, metadata, arrays)


def signed_save(path: Path, tree: Any, arrays: dict | None = None) -> None:
    """A save file of pycog_dgr with a good digest, whatever its tree."""
    npz.write(path, checkpoint.KIND, tree, arrays or {})


class Runs:
    """Pickles to a call that makes the file CANARY, which no reader may ever make."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


def canary_of(folder: Path) -> Path:
    return folder / "CANARY"


def malicious_pickle(folder: Path, protocol: int) -> bytes:
    return pickle.dumps({"params": Runs(canary_of(folder))}, protocol)


def malicious_member(folder: Path) -> bytes:
    """An object array in the npy format: numpy would unpickle it with allow_pickle=True."""
    buffer = io.BytesIO()
    np.save(buffer, np.array([Runs(canary_of(folder))], dtype=object), allow_pickle=True)
    return buffer.getvalue()
