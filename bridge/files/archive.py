"""Named numpy arrays in one file: kinds and metadata on top of pycog_dgr.files.npz.

An archive is an npz as described there - no pickle, a digest of the whole, bounded, written whole -
whose metadata is a dictionary and whose arrays are booleans, integers and floats.

What changes while a job runs is written with `keep=True`, as save files of pycog_dgr are: the
file that was there stays as NAME.previous, and `load_or_previous` goes back to it where the
newest is damaged.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bridge.errors import ArchiveError
from pycog_dgr import files
from pycog_dgr.errors import CheckpointError
from pycog_dgr.files import npz

LIMIT = 1 << 30  # bytes of arrays in one archive, unless the caller says otherwise
KINDS_OF_DTYPE = "biuf"  # booleans, integers, floats: nothing that could hold an object


class DamagedError(ArchiveError):
    """An archive was cut short or changed: what it holds is not what was written."""


def write_whole(path: str | Path, data: bytes, kept: Path | None = None) -> None:
    """Write `data` to `path` entirely or not at all, as pycog_dgr.files does.

    `kept`: a second name for the file that is there now. An OSError (a full disk, no permission)
    names `path`.

    Parameters
    ----------
    path
        The file; its folder is made.
    data
        Its bytes.
    kept
        A second name for the file that is there now.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(path, data, kept)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, entirely or not at all.

    Parameters
    ----------
    path
        The file; its folder is made.
    value
        Anything that JSON can hold.
    """
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    write_whole(path, utf8(text + "\n"))


def utf8(text: str) -> bytes:
    """A text as UTF-8, names of files included that Python could not decode (ASCII locales).

    Parameters
    ----------
    text
        Their bytes stand in it as surrogates.

    Returns
    -------
    bytes
        What is no UTF-8 in them becomes U+FFFD.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode()


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
    numbers = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in numbers.items():
        if array.dtype.kind not in KINDS_OF_DTYPE:
            raise ArchiveError(
                f"{path}: array '{name}' of dtype {array.dtype} cannot be stored: "
                "only booleans, integers and floats"
            )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        npz.write(path, kind, metadata, numbers, keep=keep)
    except CheckpointError as error:
        if isinstance(error.__cause__, OSError):
            raise OSError(error.__cause__.errno, error.__cause__.strerror, str(path)) from error
        raise ArchiveError(str(error)) from error


def load_or_previous(path: Path, kind: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """`load` an archive written with `keep`; where it is damaged, the one kept before it.

    That one then takes its place, and the log says so. DamagedError where both are damaged.
    """
    return files.load_or_previous(path, lambda file: load(file, kind), DamagedError)


def load(
    path: str | Path, kind: str, limit: int = LIMIT
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read an archive of `kind`; return its arrays and its metadata.

    Raises ArchiveError, naming the file and the remedy, where the file is absent, truncated,
    damaged, of another kind or version, holds objects, or claims more than `limit` bytes.
    """
    try:
        metadata, arrays = npz.read(path, kind, limit)
    except npz.DamagedError as error:
        raise DamagedError(str(error)) from error
    except CheckpointError as error:
        raise ArchiveError(str(error)) from error
    if not isinstance(metadata, dict):
        raise ArchiveError(
            f"{path}: its metadata is {npz.shortened(metadata)}, expected names and values"
        )
    for name, array in arrays.items():
        if array.dtype.kind not in KINDS_OF_DTYPE:
            raise ArchiveError(f"{path}: member {npz.shortened(name)} holds text, not numbers")
    return arrays, metadata
