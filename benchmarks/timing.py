"""Fair timings on a busy machine: one pinned core, peers in turns, medians; and which machine.

    for round in rounds: for peer in peers: time a block of a few calls

so that what else the machine does slows all peers alike. CPU time is that of all threads of the
process; it does not count waiting for the core.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_info

PACKAGES = ("numpy", "scipy", "numba", "pytensor", "torch", "jax", "nn4n")
ROOT = Path(__file__).resolve().parent.parent
ONE_THREAD = {
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")},
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


# They touch a few megabytes again and again, on any core, as other programs would.
BUSY = """
import os
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, range(os.cpu_count()))
block = bytearray(2**22)
while True:
    sum(block)
"""


class Spread(NamedTuple):
    """Median and quartiles of one duration, ms a call."""

    median: float
    q1: float
    q3: float
    n: int


class Timed(NamedTuple):
    """CPU and wall time of one call."""

    cpu: Spread
    wall: Spread


def spread(seconds: list[float]) -> Spread:
    q1, median, q3 = (1e3 * np.quantile(seconds, (0.25, 0.5, 0.75))).tolist()
    return Spread(median, q1, q3, len(seconds))


def in_turns(
    calls: Mapping[str, Callable[[int], Any]], rounds: int, block_seconds: float = 0.03
) -> dict[str, Timed]:
    """Time call(i) for i = 0, 1, ... of each, in blocks of at least `block_seconds`, in turns.

    A first block of each, which decides how many calls make a block, is not counted.
    """
    sizes = {}
    for name, call in calls.items():
        call(0)
        start = time.process_time()
        call(1)
        sizes[name] = max(1, round(block_seconds / (time.process_time() - start)))
    cpu: dict[str, list[float]] = {name: [] for name in calls}
    wall: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            cpu_start, wall_start = time.process_time(), time.perf_counter()
            for i in range(sizes[name]):
                call(i)
            cpu[name].append((time.process_time() - cpu_start) / sizes[name])
            wall[name].append((time.perf_counter() - wall_start) / sizes[name])
    return {name: Timed(spread(cpu[name]), spread(wall[name])) for name in calls}


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Processes that do nothing but keep the machine busy."""
    started = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


# --- the machine ----------------------------------------------------------------------------------


def pin_to_quietest_core(seconds: float = 0.5) -> int | None:
    """Keep this process on the core that idled most just now; None where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    before = idle_ticks()
    time.sleep(seconds)
    after = idle_ticks()
    core = max(os.sched_getaffinity(0), key=lambda core: after[core] - before[core])
    os.sched_setaffinity(0, {core})
    return core


def idle_ticks() -> dict[int, int]:
    """How long each core has idled, in ticks of the system's clock."""
    lines = Path("/proc/stat").read_text().splitlines()
    cores = (line.split() for line in lines if line.startswith("cpu") and line[3].isdigit())
    return {int(fields[0][3:]): int(fields[4]) for fields in cores}


def machine_facts() -> dict[str, Any]:
    """What the numbers of a result depend on, beside the code."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "cpu": processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "blas": [
            f"{library['internal_api']} {library['version']}, {library['num_threads']} threads"
            for library in threadpool_info()
        ],
    }


def commit() -> str:
    """The checked-out commit, marked where files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return described.stdout.strip() or "not a git checkout"


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
