"""What is needed to say where numbers come from, and to make them again: manifest.json."""

import contextlib
import os
import platform
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bridge.files import write_json
from bridge.runs.config import read_json
from bridge.runs.paths import RunPaths
from pycog_dgr.files import lock, provenance

MOMENT = 60  # seconds that another call may take to write how long it takes
HERE = Path(__file__).parent
PACKAGES = (
    "numpy",
    "scipy",
    "torch",
    "torchvision",
    "pytensor",
    "numba",
    "matplotlib",
    "scikit-learn",
    "mlxtend",
)


@dataclass(frozen=True)
class Manifest:
    """What readers of a folder rely on in its manifest; the rest is shown as it is."""

    command: str = ""
    minutes: float | None = None
    data_root: str | None = None
    data_sha256: str | None = None
    jobs: dict[str, Any] = field(default_factory=dict)


@dataclass
class Call:
    """One call that worked on a folder."""

    command: str
    minutes: float
    began: str | None = None


def manifest(command: str) -> dict[str, Any]:
    """What is needed to say where numbers come from, and to make them again.

    Parameters
    ----------
    command
        The command that runs.

    Returns
    -------
    dict
        Command, commit, versions, machine and backend.
    """
    known = commit()
    changed = known and provenance.git(HERE, "status", "--porcelain", "--untracked-files=no")
    return {
        "command": command,
        "commit": known,
        "dirty": bool(changed),
        "versions": provenance.versions(PACKAGES),
        "platform": platform.platform(),
        "cpu": provenance.processor(),
        "threads": {
            "cores": os.cpu_count(),
            "of each worker": 1,
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
        },
        "blas": dict(_blas()),
        "pytensor": _pytensor(),
    }


def _blas() -> Iterator[tuple[str, str]]:
    """The linear algebra that numpy and torch were built with."""
    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    keys = [key for key in ("name", "version", "openblas configuration") if key in library]
    yield "numpy", " ".join(str(library[key]) for key in keys)
    if find_spec("torch"):
        import torch

        about = torch.__config__.show()
        named = [
            re.search(pattern, about)
            for pattern in (r"BLAS_INFO=(\w+)", r"Math Kernel Library Version ([\d.]+)")
        ]
        yield "torch", " ".join(match[1] for match in named if match)


def _pytensor() -> dict[str, str] | None:
    """How the biological solver's training step is computed."""
    if not find_spec("pytensor"):
        return None
    from pycog_dgr.symbolic.numpy_mode import numpy_mode
    from pycog_dgr.training.step import available

    return {"backend": available("auto"), "linker": type(numpy_mode().linker).__name__}


class Calls:
    """How long the calls that worked on a folder took, in work/calls.json.

    `tick` brings this call's minutes up to date: a killed one counts as far as its last tick.
    Several calls can go on at once.

    Parameters
    ----------
    folder
        The run folder.
    command
        The present call.
    """

    def __init__(self, folder: Path, command: str):
        self._paths = RunPaths(folder)
        self._started = time.time()
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started))
        with self._changed() as calls:
            self._place = len(calls)
            calls.append(Call(command, 0.0, began))

    def tick(self) -> float:
        """Write this call's minutes; return those of all calls."""
        with self._changed() as calls:
            calls[self._place].minutes = round((time.time() - self._started) / 60, 2)
        return round(sum(call.minutes for call in calls), 2)

    @contextlib.contextmanager
    def _changed(self) -> Iterator[list[Call]]:
        """The calls so far, written after the block changed them."""
        path = self._paths.calls
        path.parent.mkdir(parents=True, exist_ok=True)
        with lock(path, "writes this file", wait=MOMENT):
            calls = read_json(path, list[Call]) if path.exists() else _one_call(self._paths)
            yield calls
            write_json(path, [asdict(call) for call in calls])


def _one_call(paths: RunPaths) -> list[Call]:
    """What a folder from before calls were kept knows: its last one."""
    held = read_json(paths.manifest, Manifest) if paths.manifest.exists() else Manifest()
    return [] if held.minutes is None else [Call(held.command, held.minutes)]


def commit() -> str | None:
    """The commit of the code that runs; None where it is not in its repository."""
    return provenance.commit(__file__)
