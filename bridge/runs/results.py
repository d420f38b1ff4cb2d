"""Runs on disk: a folder that says what was run, with what, and what came out.

config.json      what was asked for; a folder serves one configuration only
manifest.json    command, versions, commit, machine, threads, minutes in all and of each job,
                 how often a guard against explosions stepped in
tables/*.csv     the numbers (columns are named in `TABLES`)
samples/         generated and true digits, a trained network's weights
work/JOB/        the state of each job, from which a killed run goes on
work/calls.json  when each call began and how long it took
log.txt
"""

import contextlib
import csv
import fcntl
import io
import json
import logging
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bridge.errors import ResultsError
from bridge.files.archive import write_json, write_whole

SAMPLES = "dgr samples"  # kind of the archives under samples/
TABLES = {
    "accuracy": (
        "solver",
        "replay",
        "seed",
        "context",
        "iteration",
        "overall",
        "new",
        "old",
        "selected",
    ),
    "joint": ("solver", "variant", "seed", "epoch", "test", "validation"),
    "warmstart": ("solver", "variant", "seed", "context", "overall", "new", "old"),
    "generator": (
        "seed",
        "context",
        "iteration",
        "discriminator_loss",
        "generator_loss",
        "n_real",
        "n_replayed",
    ),
    "diagnostics": ("solver", "seed", "context", "quantity", "value"),
}
NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")  # of data, solvers, replays and audits
EXTENDABLE = ("seeds", "solvers", "replays", "audits")
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


def claim(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Make `folder` the home of `config` and return the configuration it now holds.

    What was asked for before stays: lists under `EXTENDABLE` grow. ResultsError where anything
    else differs, or the folder is not a results folder.
    """
    path = folder / "config.json"
    config = json.loads(json.dumps(config))
    if path.exists():
        held = read_json(path)
        _check_extendable(path, held)
        differ = sorted(
            key for key in {*held, *config} - {*EXTENDABLE} if held.get(key) != config.get(key)
        )
        if differ:
            raise ResultsError(
                f"{folder} belongs to another configuration (it differs in {', '.join(differ)}): "
                "give another --out, or remove the folder"
            )
        for key in EXTENDABLE:
            config[key] = held[key] + [one for one in config[key] if one not in held[key]]
    elif folder.is_dir() and any(entry.name != "lock" for entry in folder.iterdir()):
        raise ResultsError(
            f"{folder} exists and is not a results folder (no config.json): give another --out"
        )
    write_json(path, config)
    return config


def _check_extendable(path: Path, held: Any) -> None:
    """ResultsError unless `held` is a configuration whose lists can grow."""
    for key in EXTENDABLE:
        kind = int if key == "seeds" else str
        value = held.get(key) if isinstance(held, dict) else None
        right = isinstance(value, list) and all(type(one) is kind for one in value)
        if not right or (kind is str and not all(map(NAME.fullmatch, value))):
            raise ResultsError(
                f"{path}: '{key}' is {value!r}, expected a list of "
                f"{'whole numbers' if kind is int else 'names'}: restore the file "
                "from a copy, or give another --out"
            )


@contextlib.contextmanager
def log_into(folder: Path) -> Iterator[None]:
    """Append what the packages log to the folder's log.txt, with the time of day."""
    handler = logging.FileHandler(folder / "log.txt")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("bridge", "pycog_dgr", "torch_dgr")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        handler.close()


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process. The kernel frees the lock of a process that died."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ResultsError(
                f"{folder} is in use by another process: wait for it, or give another --out"
            ) from None
        yield


def read_json(path: Path) -> Any:
    """The value in a JSON file; ResultsError where it is absent or malformed."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise ResultsError(f"{path} is missing: not a finished results folder") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"{path} cannot be read ({error}): remove it to make it again") from None


def write_table(folder: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one of `TABLES` as CSV; None becomes an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, TABLES[name], extrasaction="raise", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    write_whole(folder / "tables" / f"{name}.csv", text.getvalue().encode())


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else value


def manifest(command: str) -> dict[str, Any]:
    """What is needed to say where numbers come from, and to make them again."""
    return {
        "command": command,
        "commit": commit(),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "versions": {"python": platform.python_version(), **dict(_versions())},
        "platform": platform.platform(),
        "cpu": _cpu(),
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
    found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    yield (
        "numpy",
        " ".join(
            str(found[key]) for key in ("name", "version", "openblas configuration") if key in found
        ),
    )
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
    """

    def __init__(self, folder: Path, command: str):
        self._path = folder / "work" / "calls.json"
        self._all = read_json(self._path) if self._path.exists() else _one_call(folder)
        self._started = time.time()
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started))
        self._all.append({"command": command, "began": began, "minutes": 0.0})
        self.tick()

    def tick(self) -> float:
        """Write this call's minutes; return those of all calls."""
        self._all[-1]["minutes"] = round((time.time() - self._started) / 60, 2)
        write_json(self._path, self._all)
        return round(sum(call["minutes"] for call in self._all), 2)


def _one_call(folder: Path) -> list[dict[str, Any]]:
    """What a folder from before calls were kept knows: its last one."""
    path = folder / "manifest.json"
    held = read_json(path) if path.exists() else {}
    return [{"command": held["command"], "minutes": held["minutes"]}] if "minutes" in held else []


def commit() -> str | None:
    """The commit of the code that runs; None where it is not in its repository."""
    return _git("rev-parse", "HEAD")


def _versions() -> Iterator[tuple[str, str]]:
    for name in ("dgr", *PACKAGES):
        with contextlib.suppress(metadata.PackageNotFoundError):
            yield name, metadata.version(name)


def _git(*words: str) -> str | None:
    here = Path(__file__).resolve().parent
    try:
        return subprocess.run(
            ["git", "-C", str(here), *words], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None  # installed without its repository


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or sys.platform
