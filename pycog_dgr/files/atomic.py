"""Files that are written whole or not at all, and the file that was there before.

A file is written beside its destination, flushed to disk and then put in place, so a crash leaves
the old file or the new one, never half of one. Where asked, the file that was there stays as
PATH.previous, and `load_or_previous` goes back to it where the newer one is damaged.

File systems differ. Hard links may be refused (exFAT, mounted drives, protected_hardlinks): then a
copy is kept. Folders may not be flushed (Windows, some network drives): then the system decides
when the name is on the disk. A path that is a symbolic link stays one; what it points to is
replaced. Permissions are what the umask leaves of 0666.
"""

import contextlib
import errno
import logging
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from pycog_dgr.errors import CheckpointError

logger = logging.getLogger(__name__)

PART = ".part"  # how the names of files end that are still being written
REFUSED = frozenset(  # what file systems answer that cannot do a thing at all
    getattr(errno, name)
    for name in ("EPERM", "EACCES", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EINVAL", "EXDEV", "EMLINK",
                 "EBADF", "ENOTTY")
    if hasattr(errno, name)
)  # fmt: skip
Loaded = TypeVar("Loaded")


def write_atomically(
    path: str | Path, data: bytes | memoryview, keep: str | Path | None = None
) -> None:
    """Put bytes in place under `path`: temporary file beside it, flush, rename, flush the folder.

    Parameters
    ----------
    path
        Where to; the folder must exist.
    data
        The bytes.
    keep
        A second name for the file that is there now, if there is one.

    Raises
    ------
    OSError
        Where the file cannot be written; the old one is untouched then.
    """
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist; make it first")
    temporary = _partial_name(path)
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if keep is not None:
            keep_previous(path, keep)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _flush_folder(path.parent)


def previous(path: str | Path) -> Path:
    """Where the file that `path` replaced is kept.

    Parameters
    ----------
    path
        A file.

    Returns
    -------
    Path
        PATH.previous.
    """
    return Path(f"{path}.previous")


def keep_previous(path: str | Path, keep: str | Path | None = None) -> None:
    """Keep a second name for the file at `path`, which so is never missing in between.

    Parameters
    ----------
    path
        The file; where there is none, nothing is done.
    keep
        The second name, PATH.previous unless given. A file of that name is replaced.
    """
    kept = previous(path) if keep is None else Path(keep)
    if not os.path.exists(path) or (kept.exists() and kept.samefile(path)):
        return
    temporary = _partial_name(kept)
    try:
        _link_or_copy(path, temporary)
        os.replace(temporary, kept)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def load_or_previous(
    path: str | Path, read: Callable[[Path], Loaded], damage: type[Exception]
) -> Loaded:
    """`read(path)`; where that raises `damage`, the file kept before it takes its place.

    The damaged file stays as PATH.damaged, and the log names it.

    Parameters
    ----------
    path
        The file.
    read
        Reads a file; raises `damage` where it was cut short or changed.
    damage
        A type of error.

    Returns
    -------
    Loaded
        What `read` returns.

    Raises
    ------
    damage
        Where both are damaged, there is no earlier one, or there is only the earlier one: it names
        what to do.
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
        loaded = read(kept)
    except damage as error:
        raise damage(
            f"{path}: damaged, and so is the file before it, {kept}; put back a copy of either, or "
            "remove both to start anew"
        ) from error
    keep_previous(path, f"{path}.damaged")
    keep_previous(kept, os.path.realpath(path))
    logger.warning("%s (now %s.damaged): going on from %s", why, path, kept)
    return loaded


def remove_partial_files(path: str | Path) -> None:
    """Remove what killed writes of `path` left beside it; no other process may be writing it.

    Parameters
    ----------
    path
        A file; whether it exists plays no part.
    """
    for own in {Path(path), Path(os.path.realpath(path))}:
        names = "|".join(re.escape(name) for name in (own.name, previous(own).name))
        own_part = re.compile(rf"\.(?:{names})\.[^.]+{re.escape(PART)}")
        for part in own.parent.glob(f".*{PART}"):
            if own_part.fullmatch(part.name):
                part.unlink(missing_ok=True)


def remove_partial_files_below(folder: str | Path, spared: Collection[Path] = ()) -> None:
    """Remove what killed writes left in a folder and below; hold the folder's lock meanwhile.

    Parameters
    ----------
    folder
        A folder.
    spared
        Folders in it that have locks of their own.
    """
    for part in Path(folder).rglob(f".*{PART}"):
        if not any(one in part.parents for one in spared):
            part.unlink(missing_ok=True)


def require_folder(path: str | Path) -> None:
    """CheckpointError where the folder of the file `path` does not exist.

    Parameters
    ----------
    path
        A file that is to be written.
    """
    if not Path(path).absolute().parent.is_dir():
        raise CheckpointError(f"{path}: the folder does not exist; make it first")


def _partial_name(path: Path) -> Path:
    """The name of a file that is going to be `path`; one token without dots tells whose it is."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")


def _link_or_copy(path: str | Path, target: Path) -> None:
    """A second name for a file or, where its file system has no links, a copy on the disk."""
    path = os.path.realpath(path)
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        with open(path, "rb") as source, open(target, "xb") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())


def _flush_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in REFUSED:
            raise
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in REFUSED:
            raise
    finally:
        os.close(handle)
