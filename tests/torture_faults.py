"""Deaths and disk errors at chosen places of a write, and poor file systems, for tests/torture.py.

Every file that must not be lost goes through pycog_dgr.files.atomic.write_atomically:

    begin        before the temporary file exists
    half         half of the bytes are in it
    written      all are in it, none need be on the disk
    flushed      the file is on the disk
    linked       the file that was there has a second, passing name
    kept         it is NAME.previous
    renamed      the new file is in its place
    done         so says the folder on the disk

`arm` replaces what that module knows of `os` and `open`, in this process and those it forks; the
code itself knows nothing of it.
"""

import errno
import fcntl
import os
import signal
import stat
from types import SimpleNamespace
from typing import NamedTuple

from pycog_dgr.files import atomic

STAGES = ("begin", "half", "written", "flushed", "linked", "kept", "renamed", "done")
ERRORS = {  # name -> (a stage, or the call that fails; the error's number)
    "disk full": ("begin", errno.ENOSPC),
    "short write": ("half", errno.ENOSPC),
    "input/output error": ("written", errno.EIO),
    "failing fsync": ("fsync", errno.EIO),
    "failing link": ("link", errno.EIO),
    "failing rename of the kept file": ("keep", errno.EIO),
    "failing rename": ("rename", errno.EIO),
    "failing fsync of the folder": ("fsync folder", errno.EIO),
}


FILE_SYSTEMS = {  # what is refused -> as it is on exFAT, NFS without its lock service, some FUSE
    "": 0,
    "a hard link": errno.EPERM,
    "a lock": errno.ENOLCK,
    "flushing a folder": errno.EINVAL,
}


class Fault(NamedTuple):
    """Dies at `place` (a stage) of the `nth` write of a process or, with a `code`, fails there."""

    name: str
    place: str
    nth: int
    code: int | None = None


def arm(fault: Fault | None, told: int, refused: str = "") -> None:
    """Let this process meet `fault`.

    The file descriptor `told` hears a 'w' of each write, and a '!' where the fault is met. What
    `refused` names is refused, as FILE_SYSTEMS says.
    """

    def refuse(*_: object) -> None:
        raise OSError(FILE_SYSTEMS[refused], os.strerror(FILE_SYSTEMS[refused]))

    if refused == "a lock":
        fcntl.flock = refuse
    writes = 0
    syncs = 0

    def reach(place: str) -> None:
        if fault is None or place != fault.place or writes != fault.nth:
            return
        os.write(told, b"!")
        if fault.code is None:
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(fault.code, os.strerror(fault.code))

    def opened(where, mode):
        nonlocal writes, syncs
        if mode != "xb" or ".previous." in str(where):
            return open(where, mode)
        writes, syncs = writes + 1, 0
        os.write(told, b"w")
        reach("begin")
        return Torn(open(where, mode), reach)

    def fsync(handle):
        nonlocal syncs
        syncs += 1
        reach("fsync" if syncs == 1 else "fsync folder")
        if refused == "flushing a folder" and stat.S_ISDIR(os.fstat(handle).st_mode):
            refuse()
        os.fsync(handle)
        reach("flushed" if syncs == 1 else "done")

    def link(source, target):
        reach("link")
        if refused == "a hard link":
            refuse()
        os.link(source, target)
        reach("linked")

    def replace(source, target):
        kept = str(target).endswith(".previous")
        reach("keep" if kept else "rename")
        os.replace(source, target)
        reach("kept" if kept else "renamed")

    own = {name: getattr(os, name) for name in dir(os) if not name.startswith("__")}
    atomic.os = SimpleNamespace(**(own | {"fsync": fsync, "link": link, "replace": replace}))
    atomic.open = opened


class Torn:
    """A file whose bytes go out in two halves."""

    def __init__(self, file, reach):
        self._file, self._reach = file, reach

    def write(self, data):
        half = len(data) // 2
        self._file.write(data[:half])
        self._file.flush()
        self._reach("half")
        self._file.write(data[half:])
        self._reach("written")

    def flush(self):
        self._file.flush()

    def fileno(self):
        return self._file.fileno()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
