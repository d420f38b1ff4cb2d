"""Where the minutes of `dgr reproduce` go: python -m benchmarks.profile_reproduce

Two answers. From a finished run folder (runs/mnist5k-text unless --run says otherwise): the minutes
of its jobs and how much of its cores' time no job used. And from a small run of each kind of job
here, one after another under cProfile: the share of each package in the job's own time.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import re
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import command
from benchmarks.results import Goal
from benchmarks.timing import ROOT
from bridge.runs import Job, Setting, jobs_of, run_config, setting_of, state_of

RUN = ROOT / "runs" / "mnist5k-text"
SCALE, QUICK_SCALE = 0.05, 0.002  # of the schedules, in the profiled jobs
MINUTES_ASKED = 5
KINDS = (
    "generators", "lstm-none", "lstm-generative", "lstm-joint",
    "biornn-none", "biornn-generative", "biornn-joint",
)  # fmt: skip
PACKAGES = ("pycog_dgr", "torch_dgr", "bridge", "pytensor", "numba", "torch", "sklearn", "numpy")
SEED_IN_NAME = re.compile(r"-\d+(-.*)?$")


def kind_of(name: str) -> str:
    """'biornn-none-1' -> 'biornn-none'."""
    return SEED_IN_NAME.sub("", name)


def of_run(folder: Path) -> dict[str, Any] | None:
    """Minutes of a finished run by kind of job, and the idle share of its two cores."""
    path = folder / "manifest.json"
    if not path.exists():
        return None
    manifest = json.loads(path.read_text())
    jobs = manifest["jobs"]
    timed = {
        name: job["minutes"]
        for name, job in jobs.items()
        if isinstance(job, dict) and job.get("minutes") is not None
    }
    if len(timed) < len(jobs):
        return None
    minutes: Counter[str] = Counter()
    for name, job_minutes in timed.items():
        minutes[kind_of(name)] += job_minutes
    workers = workers_of(manifest["command"])
    return {
        "folder": str(folder),
        "command": manifest["command"],
        "minutes": manifest["minutes"],
        "workers": workers,
        "minutes_by_kind": dict(minutes.most_common()),
        "idle_core_share": 1 - sum(timed.values()) / (workers * manifest["minutes"]),
    }


def workers_of(command_line: str) -> int:
    """Worker processes of a `dgr reproduce` command; 2 unless it says otherwise."""
    given = re.search(r"--workers[ =](\d+)", command_line)
    return int(given.group(1)) if given else 2


def profiled(job: Job, setting: Setting) -> dict[str, float]:
    """Seconds by package of one job's own time, and in all."""
    state = state_of(job, setting.paths.folder)
    profile = cProfile.Profile(time.process_time)
    began = time.process_time()
    profile.runcall(job.run, setting, state, lambda n: None)
    total = time.process_time() - began
    seconds: Counter[str] = Counter()
    for (file, _, function), (_, _, own, _, _) in pstats.Stats(profile).stats.items():
        seconds[package_of(file, function)] += own
    return {"total": total, **dict(seconds.most_common(6))}


def package_of(file: str, function: str) -> str:
    """The package that a function of a profile belongs to."""
    if file == "~":  # written in C; its name tells where
        where = [name for name in PACKAGES if name in function]
        return where[0] if where else "numpy and Python built-ins"
    parts = Path(file).parts
    return next((name for name in PACKAGES if name in parts), "other Python")


def measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Goal]]:
    scale = QUICK_SCALE if arguments.quick else SCALE
    config = run_config(scale=scale, seeds=(1,), audits=())
    kinds = {}
    with tempfile.TemporaryDirectory() as folder:
        setting = setting_of(config, Path(folder), None)
        for job in jobs_of(config):
            kind = kind_of(job.name)
            if kind in KINDS:
                kinds[kind] = profiled(job, setting)
    run = of_run(arguments.run)
    note = "" if run else f"no timed run in {arguments.run}: `make reproduce` first"
    goal = Goal(
        "make reproduce on embedded digits", "at most", MINUTES_ASKED, run and run["minutes"],
        " minutes", note or f"({100 * run['idle_core_share']:.0f} % of the cores' time idle)",
    )  # fmt: skip
    return {"run": run, "scale": scale, "seconds_by_package": kinds}, [goal]


def lines(numbers: dict[str, Any]) -> str:
    text = []
    if run := numbers["run"]:
        text.append(f"{run['folder']}: {run['minutes']} minutes by {run['workers']} workers")
        text += [f"  {kind:20} {minutes:6.2f} min" for kind, minutes in
                 run["minutes_by_kind"].items()]  # fmt: skip
        text.append(f"  idle: {100 * run['idle_core_share']:.0f} % of the cores' time")
    for kind, seconds in numbers["seconds_by_package"].items():
        shares = ", ".join(f"{name} {s:.1f}" for name, s in seconds.items() if name != "total")
        text.append(
            f"{kind:20} {seconds['total']:6.1f} CPU s at scale {numbers['scale']}: {shares}"
        )
    return "\n".join(text)


if __name__ == "__main__":
    chosen = {"type": Path, "default": RUN, "metavar": "FOLDER", "help": "a finished run"}
    command.run("profile_reproduce", measure, lines, __doc__, {"--run": chosen})
