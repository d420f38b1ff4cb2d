"""Save files of a training: a zip of plain arrays (npz) and a JSON header. Nothing is pickled.

    header              JSON: format, version, checksum, and the tree of all values in which an
                        array stands as {"__array__": name}
    parameters/Wrec     raw values, what the optimiser changes (N, N)
    best/weights/Wrec   effective values of the best network so far, what RNN runs (N, N)
    rng_gradient/1      state of the random streams, and so on: every array under its path

The checksum covers header and arrays. A file is written beside its destination, flushed to disk and
then put in place, so a crash leaves the old file or the new one, never half of one; the file that
was there before stays as NAME.previous. Where the newest is damaged all the same, `newest` goes
back to that one, and says so.
"""

import contextlib
import fcntl
import glob
import hashlib
import io
import json
import logging
import lzma
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

from pycog_dgr.config import Connectivity
from pycog_dgr.errors import CheckpointError
from pycog_dgr.network import Parameters, Weights

logger = logging.getLogger(__name__)

FORMAT = "pycog_dgr checkpoint"
VERSION = 1
MAX_BYTES = 2**30  # refuse larger files: no network of this kind comes near 1 GiB
SEAL = b"sha256 "  # begins the comment of the zip, at its end: the digest of all before it
DIGEST_LENGTH = 64  # hexadecimal digits
END_OF_ZIP = b"PK\x05\x06"  # begins the last 22 bytes of a zip without a comment
PART = ".part"  # how the names of files end that are still being written


class DamagedError(CheckpointError):
    """A save file was cut short or changed: what it holds is not what was written."""


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
    stored         name of a dataset -> the batch it was cutting minibatches from: the state of its
                   random stream when that was drawn, what the task was given, where it stands
    report         the last update's loss, gradient norm, Omega and nelems
    guarded        updates at which the guard against explosions stepped in (divergence.py)
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
    stored: dict = field(default_factory=dict)
    report: list | None = None
    guarded: int = 0
    seconds: float = 0.0
    stopped: str | None = None


def save(path, checkpoint):
    """Write `checkpoint` to `path`, keeping the file that was there as PATH.previous.

    CheckpointError where a value is not plain data or the file cannot be written; the old file
    is untouched then.
    """
    save_tree(path, FORMAT, vars(checkpoint))


def load(path, max_bytes=MAX_BYTES):
    """Read a save file.

    CheckpointError where it is missing, larger than `max_bytes` when unpacked, damaged, of
    another format or of a newer version. Nothing in the file is executed.
    """
    tree = load_tree(path, FORMAT, max_bytes)
    try:
        return _checkpoint(tree)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(path, f"an entry is missing or wrong: {error}") from error


def save_tree(path, kind, tree):
    """Write plain data to `path` as `save` does: a dictionary, under the name of its `kind`."""
    arrays = {}
    tree = _encode(tree, "", arrays)
    header = {"format": kind, "version": VERSION, "tree": tree}
    header["checksum"] = _checksum(tree, arrays)
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez_compressed(buffer, allow_pickle=False, header=text, **arrays)
    try:
        write_atomically(path, sealed(buffer.getvalue()), kept=previous(path))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot write the save file: {error}") from error


def load_tree(path, kind, max_bytes=MAX_BYTES):
    """Read what `save_tree` wrote; CheckpointError as in `load`."""
    arrays = _read_arrays(Path(path), max_bytes)
    try:
        header = json.loads(arrays.pop("header").tobytes())
        known = header["format"] == kind
    except (KeyError, TypeError, ValueError, RecursionError):
        known = False
    if not known:
        raise CheckpointError(f"{path}: not a {kind}; was it written by another program?")
    if header.get("version") != VERSION:
        raise CheckpointError(
            f"{path}: format version {header.get('version')}, this program reads {VERSION}; "
            "read it with the program that wrote it, or update this one"
        )
    if header.get("checksum") != _checksum(header.get("tree"), arrays):
        raise _damaged(path, "its checksum does not match")
    try:
        return _decode(header["tree"], arrays)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(path, f"an entry is missing or wrong: {error}") from error


def newest(path, read=load, damage=DamagedError):
    """read(path); where that raises `damage`, the file kept before it takes its place.

    The damaged file stays as PATH.damaged, and the log names it. Raises `damage` where both are
    damaged, there is no earlier one, or there is only the earlier one: it names what to do.
    """
    path, kept = Path(path), previous(path)
    if kept.exists() and not path.exists():
        raise damage(
            f"{path} is gone, but {kept} is there: rename that to go on from it, or remove it to "
            "start anew"
        )
    try:
        return read(path)
    except damage as error:
        if not kept.exists():
            raise
        why = str(error)
    try:
        found = read(kept)
    except damage as error:
        raise damage(
            f"{path}: damaged, and so is the file before it ({error}); put back a copy of "
            "either, or remove both to start anew"
        ) from error
    keep_previous(path, f"{path}.damaged")
    keep_previous(kept, path)
    logger.warning("%s (now %s.damaged): going on from %s", why, path, kept)
    return found


def write_atomically(path, data, kept=None):
    """Put bytes in place under `path`: temporary file beside it, flush, rename, flush folder.

    kept   a second name for the file that is there now
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist; make it first")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner can read
        if kept is not None:
            keep_previous(path, kept)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def held(path):
    """Hold a save file for one process; CheckpointError where another one trains into it.

    The system lets go of the lock when its owner ends, however it ends.
    """
    path = Path(path)
    lock = path.with_name(f".{path.name}.lock")
    with open(lock, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_ino != lock.stat().st_ino:  # its owner ends just now
                raise FileNotFoundError(lock)
        except (BlockingIOError, FileNotFoundError):
            raise CheckpointError(
                f"{path}: another process is training into this file; wait for it, or save under "
                "another name"
            ) from None
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def sweep(path):
    """Remove what killed writes of `path` left beside it; no other process may be writing it."""
    path = Path(path)
    for part in path.parent.glob(f".{glob.escape(path.name)}*{PART}"):
        part.unlink()


def previous(path):
    """Where the file that `path` replaced is kept."""
    return Path(f"{path}.previous")


def keep_previous(path, kept=None):
    """Keep a second name for the file at `path`, which so is never missing in between."""
    kept = previous(path) if kept is None else Path(kept)
    if not os.path.exists(path) or (kept.exists() and kept.samefile(path)):
        return
    temporary = kept.with_name(f".{kept.name}.{os.getpid()}{PART}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)  # of a process of this number that died here
    os.link(path, temporary)
    try:
        os.replace(temporary, kept)
    except BaseException:
        os.unlink(temporary)
        raise


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


def sealed(data):
    """The bytes of a zip without a comment, with the SHA-256 of the whole as its comment.

    A checksum of the values says that they are what was written; the seal says it of every byte.
    """
    length = len(SEAL) + DIGEST_LENGTH
    data = data[:-2] + length.to_bytes(2, "little") + SEAL
    return data + hashlib.sha256(data).hexdigest().encode()


def seal_is_broken(path):
    """Whether a zip differs from what was sealed; one that never was has nothing to break."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        body = max(0, file.seek(0, os.SEEK_END) - DIGEST_LENGTH)
        file.seek(max(0, body - len(SEAL)))
        tail = file.read()
        if not tail.startswith(SEAL):
            return tail[-22:-18] != END_OF_ZIP
        file.seek(0)
        while part := file.read(min(body, 2**20)):
            digest.update(part)
            body -= len(part)
    return digest.hexdigest().encode() != tail[-DIGEST_LENGTH:]


def _damaged(path, why):
    kept = previous(path)
    remedy = f"the one before it is {kept}" if kept.exists() else "there is no earlier one to use"
    return DamagedError(f"{path}: the save file is damaged ({why}); {remedy}")


def _read_arrays(path, max_bytes):
    """All members of an npz as arrays; sizes are checked before anything is allocated."""
    if path.is_dir():
        raise CheckpointError(f"{path}: is a folder, not a save file")
    if not path.is_file():
        raise CheckpointError(f"{path}: no such save file; train first, or check the path")
    if not zipfile.is_zipfile(path):
        raise _damaged(path, "not a zip archive, or cut short")
    if seal_is_broken(path):
        raise _damaged(path, "the digest of its bytes does not match")
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
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, ValueError, EOFError,
            ArithmeticError, RuntimeError) as error:  # fmt: skip
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
