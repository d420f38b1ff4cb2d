"""Save files of a training: a zip of plain arrays (npz) and a JSON header. Nothing is pickled.

    header              JSON: format, version, checksum, and the tree of all values in which an
                        array stands as {"__array__": name}
    parameters/Wrec     raw values, what the optimiser changes (N, N)
    best/weights/Wrec   effective values of the best network so far, what RNN runs (N, N)
    rng_gradient/1      state of the random streams, and so on: every array under its path

The checksum covers header and arrays. A file is written beside its destination, flushed to disk and
then put in place, so a crash leaves the old file or the new one, never half of one; the file that
was there before stays as NAME.previous.
"""

import hashlib
import io
import json
import math
import os
import tempfile
import tokenize
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .connectivity import Connectivity, Parameters, Weights
from .errors import CheckpointError

FORMAT = "pycog_dgr checkpoint"
VERSION = 1
MAX_BYTES = 2**30  # refuse larger files: no network of this kind comes near 1 GiB


class Best(NamedTuple):
    """The best network so far, as copies that later training does not touch.

    cost is the validation loss with regularisers, other_costs the RMSE and, where the task
    measures one, the performance. `parameters` is None in files converted from pycog, which kept
    effective weights only.
    """

    iteration: int
    cost: float
    other_costs: list
    weights: Weights
    parameters: Parameters | None


@dataclass(frozen=True)
class Checkpoint:
    """Everything a training needs to go on, and a network needs to run.

    settings       pycog's setting names -> values; functions are left out
    trained        names of the trained parameters
    iteration      the next iteration, 1-based
    parameters     raw values
    best           see Best
    rng_gradient, rng_validation   numpy RandomState states
    costs_history  [ntrials, [loss, RMSE, performance]] per validation
    Omega_history  [ntrials, lambda_Omega Omega] per validation but the first
    optimiser      name -> array, whatever the optimiser remembers
    callback_results   what the task's callback last returned
    report         the last update's loss, gradient norm, Omega and nelems
    seconds        time spent on this training so far, by the clock
    stopped        why it stopped (training.ENDS), None while it goes on
    """

    settings: dict
    trained: tuple
    iteration: int
    parameters: Parameters
    best: Best
    rng_gradient: tuple
    rng_validation: tuple
    costs_history: list = field(default_factory=list)
    Omega_history: list = field(default_factory=list)
    optimiser: dict = field(default_factory=dict)
    callback_results: object = None
    report: list | None = None
    seconds: float = 0.0
    stopped: str | None = None


def save(path, checkpoint):
    """Write `checkpoint` to `path`, keeping the file that was there as PATH.previous.

    CheckpointError where a value is not plain data or the file cannot be written; the old file
    is untouched then.
    """
    arrays = {}
    tree = _encode(vars(checkpoint), "", arrays)
    header = {"format": FORMAT, "version": VERSION, "tree": tree}
    header["checksum"] = _checksum(tree, arrays)
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez_compressed(buffer, allow_pickle=False, header=text, **arrays)
    try:
        keep_previous(path)
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        raise CheckpointError(f"{path}: cannot write the save file: {error}") from error


def load(path, max_bytes=MAX_BYTES):
    """Read a save file.

    CheckpointError where it is missing, larger than `max_bytes` when unpacked, damaged, of
    another format or of a newer version. Nothing in the file is executed.
    """
    arrays = _read_arrays(Path(path), max_bytes)
    try:
        header = json.loads(arrays.pop("header").tobytes())
        known = header["format"] == FORMAT
    except (KeyError, TypeError, ValueError):
        known = False
    if not known:
        raise CheckpointError(f"{path}: not a {FORMAT}; was it written by another program?")
    if header.get("version") != VERSION:
        raise CheckpointError(
            f"{path}: format version {header.get('version')}, this program reads {VERSION}; "
            "read it with the program that wrote it, or update this one"
        )
    if header.get("checksum") != _checksum(header.get("tree"), arrays):
        raise _damaged(path, "its checksum does not match")
    try:
        return _checkpoint(_decode(header["tree"], arrays))
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"an entry is missing or wrong: {error}") from error


def write_atomically(path, data):
    """Put bytes in place under `path`: temporary file beside it, flush, rename, flush folder."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist; make it first")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def previous(path):
    """Where the file that `path` replaced is kept."""
    return Path(f"{path}.previous")


def keep_previous(path, kept=None):
    """Keep a second name for the file at `path`, which so is never missing in between."""
    if not os.path.exists(path):
        return
    kept = previous(path) if kept is None else kept
    temporary = f"{kept}.{os.getpid()}"
    os.link(path, temporary)
    os.replace(temporary, kept)


# -- values <-> JSON and arrays -----------------------------------------------------------------


def _encode(value, path, arrays):
    """A JSON value for `value`; arrays are put into `arrays` under their path."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufU":
            raise CheckpointError(f"{path}: arrays of {value.dtype} cannot be saved")
        if path in arrays:
            raise CheckpointError(f"{path}: two values under one name; avoid '/' in keys")
        arrays[path] = value
        return {"__array__": path}
    if isinstance(value, Connectivity):
        fixed = np.zeros(value.size)
        fixed[value.idx_fixed] = value.fixed
        parts = {"C": value.C, "Cfixed": fixed.reshape(value.shape)}
        return {"__connectivity__": _encode(parts, path, arrays)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {
            key: _encode(item, f"{path}/{key}".lstrip("/"), arrays) for key, item in value.items()
        }
    if isinstance(value, (list, tuple, range)):
        return [_encode(item, f"{path}/{i}", arrays) for i, item in enumerate(value)]
    raise CheckpointError(
        f"{path}: a {type(value).__name__} cannot be saved; use numbers, text, lists, arrays or "
        "dictionaries with text keys"
    )


def _decode(value, arrays):
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"__array__"}:
        return arrays[value["__array__"]]
    if set(value) == {"__connectivity__"}:
        parts = _decode(value["__connectivity__"], arrays)
        return Connectivity(parts["C"], parts["Cfixed"])
    return {key: _decode(item, arrays) for key, item in value.items()}


def _checkpoint(tree):
    best = tree["best"]
    raw = best["parameters"]
    tree["best"] = Best(
        **{
            **best,
            "weights": Weights(**best["weights"]),
            "parameters": None if raw is None else Parameters(**raw),
        }
    )
    tree["parameters"] = Parameters(**tree["parameters"])
    tree["trained"] = tuple(tree["trained"])
    for name in ("rng_gradient", "rng_validation"):
        tree[name] = tuple(tree[name])
    return Checkpoint(**tree)


def _checksum(tree, arrays):
    digest = hashlib.sha256(json.dumps(tree, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


# -- reading without trust ----------------------------------------------------------------------


def _damaged(path, why):
    kept = previous(path)
    remedy = f"the one before it is {kept}" if kept.exists() else "there is no earlier one to use"
    return CheckpointError(f"{path}: the save file is damaged ({why}); {remedy}")


def _read_arrays(path, max_bytes):
    """All members of an npz as arrays; sizes are checked before anything is allocated."""
    if path.is_dir():
        raise CheckpointError(f"{path}: is a folder, not a save file")
    if not path.is_file():
        raise CheckpointError(f"{path}: no such save file; train first, or check the path")
    if not zipfile.is_zipfile(path):
        raise _damaged(path, "not a zip archive, or cut short")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > max_bytes:
                raise CheckpointError(
                    f"{path}: {size} bytes unpacked, more than the {max_bytes} allowed; pass "
                    "max_bytes to read it all the same"
                )
            return {
                member.filename.removesuffix(".npy"): _read_array(archive, member)
                for member in archive.infolist()
            }
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise _damaged(path, str(error)) from error


def _read_array(archive, member):
    """One npy member; its declared shape must account for exactly the bytes that follow."""
    with archive.open(member) as file:
        stream = io.BytesIO(file.read(member.file_size))
    try:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f"version {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except (ValueError, TypeError, KeyError, SyntaxError, tokenize.TokenError) as error:
        raise ValueError(f"{member.filename}: not an npy header: {error}") from error
    data = stream.read()
    if dtype.kind not in "biufU" or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{member.filename}: {len(data)} bytes for {shape} of {dtype}")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.copy()
