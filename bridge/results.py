"""Runs on disk: a folder that says what was run, with what, and what came out.

    config.json      what was asked for; a folder serves one configuration only
    manifest.json    command, seeds, versions, commit, machine, minutes
    tables/*.csv     the numbers (columns are named in `TABLES`)
    samples/         generated and true digits, a trained network's weights
    work/JOB/        the state of each job, from which a killed run goes on
    log.txt
"""

import contextlib
import csv
import fcntl
import io
import json
import logging
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from bridge.archive import write_json, write_whole
from bridge.errors import ResultsError

SAMPLES = "dgr samples"  # kind of the archives under samples/
TABLES = {
    "accuracy": ("solver", "replay", "seed", "context", "iteration", "overall", "new", "old",
                 "selected"),
    "joint": ("solver", "variant", "seed", "epoch", "test", "validation"),
    "warmstart": ("solver", "variant", "seed", "context", "overall", "new", "old"),
    "generator": ("seed", "context", "iteration", "discriminator_loss", "generator_loss",
                  "n_real", "n_replayed"),
    "diagnostics": ("solver", "seed", "context", "quantity", "value"),
}
EXTENDABLE = ("seeds", "solvers", "replays", "audits")
PACKAGES = ("numpy", "scipy", "torch", "torchvision", "pytensor", "numba", "matplotlib",
            "scikit-learn", "mlxtend")


def claim(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Make `folder` the home of `config` and return the configuration it now holds.

    What was asked for before stays: lists under `EXTENDABLE` grow. ResultsError where anything
    else differs, or the folder is not a results folder.
    """
    path = folder / "config.json"
    config = json.loads(json.dumps(config))
    if path.exists():
        held = read_json(path)
        differ = sorted(key for key in {*held, *config} - {*EXTENDABLE}
                        if held.get(key) != config.get(key))
        if differ:
            raise ResultsError(
                f"{folder} belongs to another configuration (it differs in {', '.join(differ)}): "
                "give another --out, or remove the folder"
            )
        for key in EXTENDABLE:
            config[key] = held[key] + [one for one in config[key] if one not in held[key]]
    elif folder.is_dir() and any(entry.name != "lock" for entry in folder.iterdir()):
        raise ResultsError(f"{folder} exists and is not a results folder (no config.json): "
                           "give another --out")
    write_json(path, config)
    return config


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
            raise ResultsError(f"{folder} is in use by another process: wait for it, or give "
                               "another --out") from None
        yield


def read_json(path: Path) -> Any:
    """The value in a JSON file; ResultsError where it is absent or malformed."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise ResultsError(f"{path} is missing: not a finished results folder") from None
    except (OSError, ValueError) as error:
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
    }


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
        return subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True,
                              check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None  # installed without its repository


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or sys.platform
