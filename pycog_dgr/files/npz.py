"""Named arrays and a header in one file: no pickle, a digest of the whole, bounded, written whole.

A file is a NumPy `.npz` (a zip of `.npy` members) with one member more, `header`, which is JSON as
bytes:

    kind       what the file holds, as "pycog_dgr checkpoint"
    format     2
    metadata   any JSON value

The comment of the zip, its last bytes, is the SHA-256 of all bytes before it: no byte can change
unnoticed. Nothing is unpickled or executed. What a file may cost is bounded before it is paid:
compared with `max_bytes` are the sizes that the zip's directory claims, which in turn may claim no
more than the bytes of the file can hold; the number of members and of the header's items is bounded
too, and an array is made only once kind and format are right.

Two older formats are read all the same. In both the header has a digest of its own, over metadata
and arrays, and that of the whole file may be missing:

    {"format": kind, "version": 1, "tree": metadata, "checksum": ...}         saves, trials
    {"kind": kind, "format": 1, "metadata": metadata, "sha256": ...}          bridge's archives
"""

import hashlib
import io
import json
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import CheckpointError
from pycog_dgr.files.atomic import previous, write_atomically
from pycog_dgr.files.zip_checks import (
    DIGEST_LENGTH,
    HEADER,
    MARK,
    MAX_MEMBERS,
    add_digest,
    check_directory,
    claimed_bytes,
    has_digest,
)

FORMAT = 2
MAX_BYTES = 2**30  # of all arrays of one file, unless the caller says otherwise
MAX_HEADER = 2**25  # bytes of JSON
MAX_ITEMS = 3_000_000  # numbers, texts, lists and dictionaries in the header
KINDS_OF_DTYPE = "biufU"  # booleans, integers, floats, text: nothing that could hold an object

LAST_CHARACTER = 0x10FFFF  # of Unicode
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, TypeError, KeyError,
    SyntaxError, tokenize.TokenError, RuntimeError, ArithmeticError, struct.error,
)  # fmt: skip


class DamagedError(CheckpointError):
    """A file was cut short or changed: what it holds is not what was written."""


class Contents(NamedTuple):
    """What a file holds: `metadata`, a JSON value, and `arrays` by name."""

    metadata: Any
    arrays: dict[str, NDArray]


def write(
    path: str | Path,
    kind: str,
    metadata: Any,
    arrays: Mapping[str, NDArray],
    *,
    compress: bool = False,
    keep: bool = False,
) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path
        Where to; the folder must exist.
    kind
        What the file holds, as `read` will be asked for it.
    metadata
        Any value that JSON can hold.
    arrays
        Booleans, numbers or text by name; no array is called 'header'.
    compress
        Whether to deflate the arrays; random numbers do not get smaller.
    keep
        Whether the file that was there stays as PATH.previous.

    Raises
    ------
    CheckpointError
        Where a value cannot be stored, or would not be read again for its size, or the file cannot
        be written; the old one is untouched then.
    """
    header = _header_bytes(path, {"kind": kind, "format": FORMAT, "metadata": metadata})
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in KINDS_OF_DTYPE or name == "header":
            raise CheckpointError(
                f"{path}: array {name!r} of {array.dtype} cannot be saved: only booleans, numbers "
                "and text, under names other than 'header'"
            )
    size = sum(array.nbytes for array in arrays.values())
    if size > MAX_BYTES or len(arrays) >= MAX_MEMBERS:
        raise CheckpointError(
            f"{path}: {len(arrays)} arrays of {size:,} bytes are too much for one file; it holds "
            f"{MAX_MEMBERS} arrays and {MAX_BYTES:,} bytes"
        )
    buffer = io.BytesIO()
    save = np.savez_compressed if compress else np.savez
    save(buffer, allow_pickle=False, header=header, **arrays)
    add_digest(buffer)
    try:
        write_atomically(path, buffer.getbuffer(), previous(path) if keep else None)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written: {error}") from error


def read(path: str | Path, kind: str, max_bytes: int = MAX_BYTES) -> Contents:
    """Read a file of `kind`. Nothing in it is executed.

    Parameters
    ----------
    path
        The file.
    kind
        What it must hold.
    max_bytes
        The most that its arrays may take.

    Raises
    ------
    DamagedError
        Where it was cut short or changed.
    CheckpointError
        Where it is missing, too large, of another kind or of a newer format.
    """
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path}: is a folder, not a file with a {kind}")
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; make it first, or check the path")
    try:
        with open(path, "rb") as file:
            return _read(path, file, kind, max_bytes)
    except UNREADABLE as error:
        if isinstance(error, CheckpointError):
            raise
        raise damaged(path, str(error)) from error


def damaged(path: str | Path, why: str) -> DamagedError:
    """The error of a damaged file, which says whether there is an earlier one."""
    kept = previous(path)
    remedy = f"the one before it is {kept}" if kept.exists() else "there is no earlier one to use"
    return DamagedError(f"{path}: damaged ({shortened(why)}); {remedy}")


def shortened(text: object, length: int = 120) -> str:
    """A text on one line, cut where it is longer than a message needs."""
    line = " ".join(str(text)[: 4 * length].split())
    return line if len(line) <= length else f"{line[:length]}..."


# -- reading without trust ------------------------------------------------------------------------


def _read(path: Path, file: IO[bytes], kind: str, max_bytes: int) -> Contents:
    size = os.fstat(file.fileno()).st_size
    if size > max_bytes + MAX_HEADER:
        raise CheckpointError(_too_large(path, size, max_bytes))
    sealed = has_digest(file, size)
    check_directory(file, size - sealed * (len(MARK) + DIGEST_LENGTH))
    with zipfile.ZipFile(file) as archive:
        members = {member.filename: member for member in archive.infolist()}
        unpacked = claimed_bytes(archive.infolist(), size)
        if unpacked > max_bytes:
            raise CheckpointError(_too_large(path, unpacked, max_bytes))
        if HEADER not in members:
            raise CheckpointError(_not_of(path, kind))
        header = _read_header(path, archive, members.pop(HEADER), kind)
        if header.digest is None and not sealed:
            raise ValueError("it has no digest of its bytes")
        arrays = {
            name.removesuffix(".npy"): _read_array(archive, member)
            for name, member in members.items()
        }
    if header.digest is not None and header.digest != header.digest_of(header.metadata, arrays):
        raise ValueError("its checksum does not match")
    return Contents(header.metadata, arrays)


class _Header(NamedTuple):
    metadata: Any
    digest: str | None = None  # of metadata and arrays, in the two older formats
    line_of: Callable[[str, NDArray], str] = lambda name, array: ""  # an array's line in it

    def digest_of(self, metadata: Any, arrays: dict[str, NDArray]) -> str:
        digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
        for name in sorted(arrays):
            digest.update(self.line_of(name, arrays[name]).encode())
            digest.update(np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data)
        return digest.hexdigest()


def _line_of_a_save(name: str, array: NDArray) -> str:
    return f"{name} {array.dtype.str} {array.shape}"


def _line_of_an_archive(name: str, array: NDArray) -> str:
    return f"|{name}|{array.dtype.str}|{array.shape or (1,)}|"


def _read_header(
    path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, kind: str
) -> _Header:
    """The header, if it is of this kind and of a known format."""
    if member.file_size > MAX_HEADER:
        raise CheckpointError(_too_large(path, member.file_size, MAX_HEADER))
    text = _read_array(archive, member).tobytes()
    if sum(map(text.count, (b"[", b"{", b","))) > MAX_ITEMS:
        raise CheckpointError(f"{path}: its header has more than {MAX_ITEMS:,} items")
    try:
        header = json.loads(text)
        _require_characters(header, text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise CheckpointError(_not_of(path, kind))
    if header.get("format") == kind and "tree" in header:  # saves and trials of old
        own: Any = kind
        version, oldest = header.get("version"), 1
        read = _Header(header["tree"], str(header.get("checksum")), _line_of_a_save)
    else:
        own, version, oldest = header.get("kind"), header.get("format"), FORMAT
        read = _Header(header.get("metadata"))
        if version == 1:  # bridge's archives of old
            oldest, digest = 1, str(header.get("sha256"))
            read = _Header(header.get("metadata"), digest, _line_of_an_archive)
    if own != kind:
        raise CheckpointError(_not_of(path, kind, own))
    if version != oldest:
        raise CheckpointError(
            f"{path}: format version {shortened(version)}, this program reads {FORMAT}; read it "
            "with the program that wrote it, or update this one"
        )
    return read


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray:
    """One npy member; its declared shape must account for exactly the bytes that follow."""
    name = shortened(member.filename)
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{name}: npy of version {version}")
        try:
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        except UNREADABLE as error:
            raise ValueError(f"{name}: not an npy header: {shortened(error)}") from error
        size = member.file_size - file.tell()
        known = dtype.kind in KINDS_OF_DTYPE and dtype.itemsize > 0
        if not known or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != size:
            raise ValueError(f"{name}: {size} bytes for {shortened(shape)} of {dtype}")
        data: NDArray = np.empty(size, np.uint8)
        view, filled = data.data, 0
        while filled < size:
            count = file.readinto(view[filled : filled + 2**20])  # type: ignore[attr-defined]
            if not count:
                raise ValueError(f"{name}: {filled} of {size} bytes")
            filled += count
        if file.read(1):
            raise ValueError(f"{name}: more than {size} bytes")
    array: NDArray = data.view(dtype).reshape(shape, order="F" if fortran else "C")
    if dtype.kind == "U" and (data.view(dtype.str[0] + "u4") > LAST_CHARACTER).any():
        raise ValueError(f"{name}: text with characters that do not exist")
    return array


def _header_bytes(path: str | Path, header: dict[str, Any]) -> NDArray:
    try:
        text = json.dumps(header).encode()
        _require_characters(header, text)
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path}: its metadata cannot be stored as JSON ({shortened(error)}); use text, "
            "numbers, lists and dictionaries"
        ) from None
    if len(text) > MAX_HEADER or sum(map(text.count, (b"[", b"{", b","))) > MAX_ITEMS:
        raise CheckpointError(
            f"{path}: {len(text):,} bytes of metadata are too many for a header, which holds "
            f"{MAX_HEADER:,} and {MAX_ITEMS:,} items; store numbers as arrays"
        )
    return np.frombuffer(text, np.uint8)


def _require_characters(header: Any, text: bytes) -> None:
    """ValueError where half a character is somewhere in the header: it is no text, in no file."""
    if b"\\ud" in text.lower():
        json.dumps(header, ensure_ascii=False).encode()


def _too_large(path: Path, size: int, most: int) -> str:
    return (
        f"{path}: {size:,} bytes unpacked, more than the {most:,} allowed; pass max_bytes to read "
        "it all the same"
    )


def _not_of(path: Path, kind: str, own: Any = None) -> str:
    held = f"no {kind}" if own is None else f"{shortened(own, 40)!r}, not {kind!r}"
    return f"{path}: holds {held}; was it written by another program?"
