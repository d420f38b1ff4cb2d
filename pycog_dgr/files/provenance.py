"""Where numbers come from: processor, linear algebra, versions, commit."""

import contextlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

from pycog_dgr.files.atomic import write_atomically

PACKAGES = ("numpy", "scipy", "pytensor", "numba")


def processor() -> str:
    """The processor's name, as 'Intel(R) Xeon(R) Processor'."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or sys.platform


def blas() -> str:
    """The linear algebra that is loaded, and the processor that its kernels are written for.

    Returns
    -------
    str
        As 'openblas 0.3.31 SkylakeX'; '' where none is known.
    """
    try:
        libraries = threadpool_info()
    except UnicodeError:  # of a library in a folder whose name an ASCII locale cannot spell
        return ""
    loaded = [
        " ".join(str(library[key]) for key in ("internal_api", "version", "architecture")
                 if library.get(key))
        for library in libraries
        if library.get("user_api") == "blas"
    ]  # fmt: skip
    return ", ".join(dict.fromkeys(loaded))


def commit(file: str | Path) -> str | None:
    """The commit of the repository that `file` is kept in, None where none keeps it.

    A file of an installed package is kept in none, although the environment may lie inside the
    user's own repository.
    """
    file = Path(file).resolve()
    if git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    return git(file.parent, "rev-parse", "HEAD")


def git(folder: Path, *words: str) -> str | None:
    """What git prints there, None where it fails or is not installed."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True)
        return done.stdout.decode("utf-8", "replace").strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Python's version, and those of dgr and of the packages that are installed."""
    known = {"python": platform.python_version()}
    for name in ("dgr", *packages):
        with contextlib.suppress(metadata.PackageNotFoundError):
            known[name] = metadata.version(name)
    return known


@contextlib.contextmanager
def recorded(path: str | Path) -> Iterator[None]:
    """Keep in the JSON file `path` where the block was computed, and in how much CPU time.

    Machines are listed and CPU time adds up over calls. It is null, which means not known, while
    a block runs, and from then on where a call was killed before its block ended.

    Parameters
    ----------
    path
        The file, made or brought up to date when the block begins and when it ends, however it
        ends.
    """
    path, before, record = Path(path), _cpu_seconds(), read_record(path)
    earlier = record.get("cpu_seconds", 0)
    here = {"processors": processor(), "blas": blas(), "commits": commit(__file__)}
    for name, value in here.items():
        record[name] = list(dict.fromkeys([*record.get(name, []), value]))
    record["versions"] = versions()

    def write(cpu_seconds: float | None) -> None:
        text = json.dumps({**record, "cpu_seconds": cpu_seconds}, indent=1)
        write_atomically(path, text.encode())

    write(None)
    try:
        yield
    finally:
        write(None if earlier is None else round(earlier + _cpu_seconds() - before, 1))


def read_record(path: str | Path) -> dict[str, Any]:
    """What `recorded` wrote; empty where there is no such file, or another one."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _cpu_seconds() -> float:
    """CPU time of this process and of its children that ended."""
    return sum(os.times()[:4])
