"""Nested values that hold arrays, in an npz: the tree is the file's metadata, arrays stand beside.

An array stands in the tree as {"__array__": name}, its name being its path, as
'best/weights/Wrec'; a Connectivity as {"__connectivity__": {"C": ..., "Cfixed": ...}}.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import Connectivity
from pycog_dgr.errors import CheckpointError, SettingError
from pycog_dgr.files import npz
from pycog_dgr.files.schema import Check, SchemaError, array, record, text

Arrays = dict[str, NDArray]
PARTS = record({"C": array("biuf", ndim=2), "Cfixed": array("biuf", ndim=2)})


def save_tree(
    path: str | Path,
    kind: str,
    tree: Any,
    *,
    compress: bool = True,
    keep: bool = True,
) -> None:
    """Write nested plain values as `npz.write` does.

    Parameters
    ----------
    path
        The file.
    kind
        What it holds; `load_tree` asks for the same.
    tree
        Numbers, text, lists, arrays, Connectivity, and dictionaries of them with text keys.
    compress
        Whether arrays are compressed.
    keep
        Whether the file that was there stays as PATH.previous.

    Raises
    ------
    CheckpointError
        Names a value that cannot be saved, or says why the file cannot be written.
    """
    arrays: Arrays = {}
    metadata = encoded(tree, "", arrays)
    npz.write(path, kind, metadata, arrays, compress=compress, keep=keep)


def load_tree(path: str | Path, kind: str, schema: Check, max_bytes: int = npz.MAX_BYTES) -> Any:
    """Read what `save_tree` wrote and have a schema check it.

    Parameters
    ----------
    path
        The file.
    kind
        What it must hold, as given to `save_tree`.
    schema
        (place, value) -> value; raises SchemaError where an entry is wrong.
    max_bytes
        The most that its arrays may take.

    Returns
    -------
    Any
        The nested values.

    Raises
    ------
    CheckpointError
        As by `npz.read`, and where an entry is missing or wrong.
    """
    metadata, arrays = npz.read(path, kind, max_bytes)
    try:
        return schema("", decoded(metadata, arrays, ""))
    except (SchemaError, RecursionError) as error:
        raise npz.damaged(path, f"an entry is missing or wrong: {error}") from error


def encoded(value: Any, path: str, arrays: Arrays) -> Any:
    """A JSON value for `value`; arrays are put into `arrays` under their path."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in npz.KINDS_OF_DTYPE:
            raise CheckpointError(f"{path}: arrays of {value.dtype} cannot be saved")
        if path in arrays:
            raise CheckpointError(f"{path}: two values under one name; avoid '/' in keys")
        arrays[path] = value
        return {"__array__": path}
    if isinstance(value, Connectivity):
        fixed = np.zeros(value.size)
        fixed[value.idx_fixed] = value.fixed
        parts = {"C": value.C, "Cfixed": fixed.reshape(value.shape)}
        return {"__connectivity__": encoded(parts, path, arrays)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {
            key: encoded(item, f"{path}/{key}".lstrip("/"), arrays) for key, item in value.items()
        }
    if isinstance(value, (list, tuple, range)):
        return [encoded(item, f"{path}/{i}", arrays) for i, item in enumerate(value)]
    raise CheckpointError(
        f"{path}: a {type(value).__name__} cannot be saved; use numbers, text, lists, arrays or "
        "dictionaries with text keys"
    )


def decoded(value: Any, arrays: Arrays, where: str) -> Any:
    """The value that `encoded` made `value` of; SchemaError where it made none like this."""
    if isinstance(value, list):
        return [decoded(item, arrays, f"{where}/{i}") for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if set(value) == {"__array__"}:
        name = text(where, value["__array__"])
        if name not in arrays:
            raise SchemaError(f"{where}: its array is missing")
        return arrays[name]
    if set(value) == {"__connectivity__"}:
        parts = decoded(value["__connectivity__"], arrays, where)
        PARTS(where, parts)
        try:
            return Connectivity(parts["C"], parts["Cfixed"])
        except SettingError as error:
            raise SchemaError(f"{where}: {error}") from error
    return {key: decoded(item, arrays, f"{where}/{key}".lstrip("/")) for key, item in value.items()}
