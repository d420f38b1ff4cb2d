"""Named numpy arrays in one file: no pickle, versioned, checksummed, bounded, written whole.

An archive is a NumPy `.npz` (a zip of `.npy` members) with one member more, `header`: JSON text
as bytes that holds the archive's kind, format version, free metadata and the SHA-256 of every
array's dtype, shape and bytes. Sizes are read from the members' headers and compared with
`limit` before any array is allocated, so a file that claims to be huge costs nothing.

What changes while a job runs is written with `keep=True`, as save files of pycog_dgr are: the
file that was there stays as NAME.previous, and `load_newest` goes back to it where the newest is
damaged.
"""

import hashlib
import io
import json
import lzma
import math
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bridge.errors import ArchiveError
from pycog_dgr.files.checkpoint import (
    PART,
    newest,
    previous,
    seal_is_broken,
    sealed,
    write_atomically,
)

FORMAT = 1
LIMIT = 4 << 30  # bytes of arrays in one archive, unless the caller says otherwise
HEADER_LIMIT = 16 << 20  # bytes
KINDS_OF_DTYPE = "biuf"  # booleans, integers, floats: nothing that could hold an object


class DamagedError(ArchiveError):
    """An archive was cut short or changed: what it holds is not what was written."""


def write_whole(path: str | Path, data: bytes, kept: Path | None = None) -> None:
    """Write `data` to `path` entirely or not at all, as pycog_dgr.files.checkpoint does.

    `kept`: a second name for the file that is there now. An OSError (a full disk, no permission)
    names `path`.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data, kept)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def sweep(folder: Path) -> None:
    """Remove what writes that were killed left in `folder` and below. Hold the folder's lock."""
    for path in folder.rglob(f".*{PART}"):
        path.unlink()


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, entirely or not at all."""
    write_whole(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def digest(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> str:
    """SHA-256 over metadata and every array's name, dtype, shape and bytes."""
    sha = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"|{name}|{array.dtype.str}|{array.shape}|".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def save(
    path: str | Path, kind: str, arrays: Mapping[str, Any], *, keep: bool = False, **metadata: Any
) -> None:
    """Write `arrays` (numbers only) and JSON-able `metadata` to `path` as an archive of `kind`.

    `keep`: the archive that was there stays as PATH.previous.
    """
    held = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in held.items():
        if array.dtype.kind not in KINDS_OF_DTYPE or name == "header":
            raise ArchiveError(
                f"{path}: array '{name}' of dtype {array.dtype} cannot be stored: "
                "only booleans, integers and floats, under names other than 'header'"
            )
    try:
        metadata = json.loads(json.dumps(metadata))
    except (TypeError, ValueError) as error:
        raise ArchiveError(
            f"{path}: its metadata cannot be stored as JSON ({error}); use text, "
            "numbers, lists and dictionaries"
        ) from None
    header = {
        "kind": kind,
        "format": FORMAT,
        "metadata": metadata,
        "sha256": digest(held, metadata),
    }
    text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, header=text, **held)
    write_whole(path, sealed(buffer.getvalue()), previous(path) if keep else None)


def load_newest(path: Path, kind: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """`load` an archive written with `keep`; where it is damaged, the one kept before it.

    That one then takes its place, and the log says so. DamagedError where both are damaged.
    """
    return newest(path, lambda file: load(file, kind), DamagedError)


def load(
    path: str | Path, kind: str, limit: int = LIMIT
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read an archive of `kind`; return its arrays and its metadata.

    Raises ArchiveError, naming the file and the remedy, where the file is absent, truncated,
    damaged, of another kind or version, holds objects, or claims more than `limit` bytes.
    """
    path = Path(path)
    try:
        if seal_is_broken(path):
            raise DamagedError(
                f"{path}: damaged or truncated: the digest of its bytes does not "
                "match; make it again or restore it from a copy"
            )
        with zipfile.ZipFile(path) as members:
            sizes = {name: _claimed_bytes(members, name) for name in members.namelist()}
            if "header.npy" not in sizes or sizes["header.npy"] > HEADER_LIMIT:
                raise ArchiveError(f"{path}: not an archive written by dgr (no usable header)")
            if sum(sizes.values()) > limit:
                raise ArchiveError(
                    f"{path}: claims {sum(sizes.values()):,} bytes of arrays, more than the "
                    f"{limit:,} allowed here; raise `limit` only if you trust the file"
                )
            arrays = {name.removesuffix(".npy"): _read(members, name) for name in sizes}
        header = json.loads(arrays.pop("header").tobytes().decode())
        found, version = header["kind"], header["format"]
        metadata, checksum = header["metadata"], header["sha256"]
    except FileNotFoundError:
        raise ArchiveError(f"{path}: no such file") from None
    except ArchiveError:
        raise
    except (
        zipfile.BadZipFile,
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        ArithmeticError,
        MemoryError,
        zlib.error,
        lzma.LZMAError,
        SyntaxError,
        tokenize.TokenError,
    ) as error:
        raise DamagedError(
            f"{path}: damaged, truncated or not an archive of dgr ({error}); "
            "make it again or restore it from a copy"
        ) from None
    if version != FORMAT:
        raise ArchiveError(
            f"{path}: archive format {version}, this version of dgr reads format {FORMAT}; "
            "read it with the version that wrote it"
        )
    if found != kind:
        raise ArchiveError(f"{path}: holds '{found}', not '{kind}'")
    if digest(arrays, metadata) != checksum:
        raise DamagedError(f"{path}: checksum differs: the file was damaged or edited")
    if not isinstance(metadata, dict):
        raise ArchiveError(f"{path}: its metadata is {metadata!r}, expected names and values")
    return arrays, metadata


def _claimed_bytes(members: zipfile.ZipFile, name: str) -> int:
    """Bytes that member `name` will need in memory, from its headers alone, which must agree."""
    with members.open(name) as file:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(file)
        held = members.getinfo(name).file_size - file.tell()
    if dtype.kind not in KINDS_OF_DTYPE:
        raise ArchiveError(f"{members.filename}: member '{name}' holds {dtype}, not numbers")
    claimed = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or claimed != held:
        what = "more" if claimed > held else "less"
        raise ArchiveError(
            f"{members.filename}: member '{name}' claims {dtype} of shape {shape}, "
            f"{what} than the {held:,} bytes it has: damaged or forged; restore "
            "the file from a copy"
        )
    return members.getinfo(name).file_size


def _read(members: zipfile.ZipFile, name: str) -> np.ndarray:
    with members.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
