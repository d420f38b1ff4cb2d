"""Weights in files for other programs: `.npz` archives or safetensors, with notes in text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bridge.errors import ArchiveError, MissingBackendError, SettingError
from bridge.files import archive
from pycog_dgr.files.npz import shortened

KIND = "dgr weights"
SUFFIXES = (".npz", ".safetensors")


def export(path: str | Path, arrays: Mapping[str, np.ndarray], **notes: str) -> None:
    """Write named arrays and notes (text) as .npz or .safetensors, whole or not at all.

    Parameters
    ----------
    path
        The file; its ending chooses the format.
    arrays
        Name -> array.
    **notes
        Name -> text.
    """
    path = Path(path)
    _check_suffix(path)
    if path.suffix == ".npz":
        archive.save(path, KIND, arrays, keep=False, **notes)
        return
    held = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    for name, array in held.items():
        if array.dtype.kind not in archive.KINDS_OF_DTYPE:
            raise ArchiveError(
                f"{path}: array '{name}' of dtype {array.dtype} cannot be stored: "
                "only booleans, integers and floats"
            )
    for name, note in notes.items():
        if not isinstance(note, str):
            raise ArchiveError(
                f"{path}: the note '{name}' is {note!r}, not text; safetensors keeps nothing else"
            )
    about = {"kind": KIND, "sha256": archive.digest(held, notes), **notes}
    archive.write_whole(path, _safetensors().save(held, about))


def read_export(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return arrays and notes of a file that `export` wrote; ArchiveError where it cannot be.

    Parameters
    ----------
    path
        A file of `export`.

    Returns
    -------
    dict, dict
        Arrays and notes, by name.
    """
    path = Path(path)
    _check_suffix(path)
    if path.suffix == ".npz":
        return archive.load(path, KIND)
    backend = _safetensors()
    try:
        if path.stat().st_size > archive.LIMIT:
            raise ValueError(f"more than {archive.LIMIT:,} bytes")
        data = path.read_bytes()
        arrays = backend.load(data)
        length = int.from_bytes(data[:8], "little")
        notes = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
    except FileNotFoundError:
        raise ArchiveError(f"{path}: no such file") from None
    except Exception as error:  # safetensors raises its own kinds, which differ by version
        raise ArchiveError(
            f"{path}: damaged, truncated or not safetensors ({shortened(error)}); export it again"
        ) from None
    kind, checksum = notes.pop("kind", None), notes.pop("sha256", None)
    if kind != KIND or checksum is None:
        raise ArchiveError(f"{path}: safetensors, but not written by dgr; export it again")
    if archive.digest(arrays, notes) != checksum:
        raise ArchiveError(
            f"{path}: checksum differs: the file was damaged or edited; export it again"
        )
    return arrays, notes


def _check_suffix(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise SettingError(
            f"{path}: weights are written as {' or '.join(SUFFIXES)}; "
            "give the file one of these endings"
        )


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise MissingBackendError(
            "files of safetensors need the package of that name: pip install 'dgr[export]', "
            "or write .npz"
        ) from None
    return safetensors.numpy
