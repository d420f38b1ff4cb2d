"""One process at a time: a lock on a file, on every file system.

The system's own lock (filelock's FileLock: flock, or its Windows counterpart) goes when its owner
ends, however it ends. Some file systems have none (NFS without its lock service, Lustre mounted
without flock): there a file that names its owner is the lock (SoftFileLock). It is taken over where
the owner was a process of this machine that has ended; an owner on another machine cannot be asked,
so the error says which file to remove once that one has ended.
"""

import contextlib
import errno
import logging
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from pycog_dgr.errors import CheckpointError, InUseError

logger = logging.getLogger(__name__)

NO_LOCKS = frozenset(
    getattr(errno, name)
    for name in ("ENOLCK", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EINVAL")
    if hasattr(errno, name)
)
SOFT_WAIT = 0.5  # seconds for taking over the lock of an owner that has ended


@contextlib.contextmanager
def lock(
    path: str | Path, use: str = "is training into this file", wait: float = 0
) -> Iterator[None]:
    """Keep other processes from a file, or from a folder, for as long as the block lasts.

    Parameters
    ----------
    path
        What is locked; the lock itself is a file .NAME.lock beside it.
    use
        What another process does with it, for the message.
    wait
        Seconds to wait for another process.

    Raises
    ------
    InUseError
        Where another process holds the lock.
    CheckpointError
        Where none can be had.
    """
    path = Path(path)
    place = path.with_name(f".{path.name}.lock")
    try:
        owned = _acquired(place, wait)
    except Timeout:
        named = place.exists() and place.stat().st_size > 0  # a soft lock, which outlives its owner
        raise InUseError(
            f"{path}: another process {use}; wait for it, or use another name"
            + (f". If no such process is left, remove {place}" if named else "")
        ) from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be locked: {error}") from error
    try:
        yield
    finally:
        if not isinstance(owned, SoftFileLock):
            place.unlink(missing_ok=True)  # while it is ours: who waits for it opens a new one
        owned.release()


def _acquired(place: Path, wait: float) -> BaseFileLock:
    """The lock at `place`, owned: the system's where it has locks, else a soft one."""
    owned: BaseFileLock = FileLock(place, fallback_to_soft=False)
    try:
        owned.acquire(timeout=wait)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        if place.exists() and not place.stat().st_size:  # left by the attempt
            place.unlink(missing_ok=True)
        owned = SoftFileLock(place)
        owned.acquire(timeout=max(wait, SOFT_WAIT), poll_interval=SOFT_WAIT / 10)
    if isinstance(owned, SoftFileLock):
        logger.info("%s: no locks on this file system; a file that names its owner is one", place)
    return owned
