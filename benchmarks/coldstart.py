"""From starting Python to the first update done: python -m benchmarks.coldstart

A fresh process builds the thesis' network and trains on one batch: with empty caches of PyTensor
and Numba (a machine that never compiled it), again with what the first left there, and both once
more where no C++ compiler can be found. 'without Numba' cannot import it either.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import command
from benchmarks.results import Goal
from benchmarks.timing import ROOT

FIRST_UPDATE = """
from benchmarks.workloads import workload
from pycog_dgr.training import TrainingStep
chosen = workload("thesis", n_batches=1)
step = TrainingStep(chosen.network, chosen.training, chosen.parameters, "float32")
step.update(chosen.batches[0])
print(step.backend)
"""
HIDE_NUMBA = "import sys; sys.modules['numba'] = None\n"
REPEATS, QUICK_REPEATS = 3, 1  # of the warm start; the least counts
COLD_SECONDS, WARM_SECONDS = 8, 1.5


def environment(folder: Path, with_compiler: bool) -> dict[str, str]:
    """Caches in `folder`, and a PATH on which there is nothing where there is to be no compiler."""
    flags = [os.environ.get("PYTENSOR_FLAGS", ""), f"base_compiledir={folder / 'pytensor'}"]
    given = {
        **os.environ,
        "PYTENSOR_FLAGS": ",".join(filter(None, flags)),
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    if not with_compiler:
        nothing = folder / "nothing"
        nothing.mkdir(exist_ok=True)
        given["PATH"] = str(nothing)
    return given


def start_once(given: dict[str, str], with_numba: bool) -> dict[str, Any]:
    """CPU and wall seconds of one fresh process, and the backend it chose."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    code = FIRST_UPDATE if with_numba else HIDE_NUMBA + FIRST_UPDATE
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"the first update failed:\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": cpu, "wall_s": wall, "backend": done.stdout.split()[-1]}


def measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Goal]]:
    repeats = QUICK_REPEATS if arguments.quick else REPEATS
    found, goals = {}, []
    for name, with_compiler, with_numba in (
        ("with g++", True, True),
        ("without g++", False, True),
        ("without g++ and Numba", False, False),
    ):
        with tempfile.TemporaryDirectory() as folder:
            given = environment(Path(folder), with_compiler)
            cold = start_once(given, with_numba)
            warm = [start_once(given, with_numba) for _ in range(repeats)]
        found[name] = {"cold": cold, "warm": min(warm, key=lambda one: one["cpu_s"])}
        for kind, limit in (("cold", COLD_SECONDS), ("warm", WARM_SECONDS)):
            one = found[name][kind]
            goals.append(
                Goal(
                    f"{kind} start to the first update, {name}", "at most", limit, one["cpu_s"],
                    " s", f"(CPU; {one['wall_s']:.1f} s by the clock, backend {one['backend']})",
                )
            )  # fmt: skip
    return {"starts": found}, goals


def lines(numbers: dict[str, Any]) -> str:
    return "\n".join(
        f"{name:22} {kind}: {one['cpu_s']:6.2f} CPU s, {one['wall_s']:6.2f} s by the clock, "
        f"backend {one['backend']}"
        for name, kinds in numbers["starts"].items()
        for kind, one in kinds.items()
    )


if __name__ == "__main__":
    command.run("coldstart", measure, lines, __doc__, pinned=False)
