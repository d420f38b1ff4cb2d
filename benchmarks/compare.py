"""Two checkouts side by side in one run: python -m benchmarks.compare --before FOLDER [--names ...]

Each checkout runs in a process of its own on the same core; the two take turns, a block of calls
each, so that what else the machine does slows both alike. Times are CPU time, medians over the
rounds. `--busy N` adds N neighbours that keep the cores busy.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import command
from benchmarks.compare_worker import NEWER, WORK
from benchmarks.results import Goal
from benchmarks.timing import ONE_THREAD, ROOT, neighbours

ROUNDS, QUICK_ROUNDS = 15, 3
# Issue 13: today's time as a share of the time before, by name of the work.
GOALS = {
    "step thesis": 0.72,
    "step rdm": 0.82,
    "step large": 0.85,
    "step romo": 0.5,
    "step lee": 0.35,
    "step sinewave": 0.45,
    "validation rdm_fixed": 0.55,
    "run_trials dt 20": 0.4,
    "run_trials dt 0.5": 0.4,
    "run dt 20": 0.5,
    "minibatch rdm_fixed, original stream": 0.6,
}
PEAK_GOALS = {"validation romo": 600}  # MB


class Worker:
    """A process in one checkout that does blocks of one work on demand."""

    def __init__(self, checkout: Path, name: str) -> None:
        script = Path(__file__).with_name("compare_worker.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), name],
            cwd=checkout,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what: str) -> float:
        """'start' -> peak MB; 'block' -> CPU ms of one call."""
        print(what, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process in {self.process.args} ended; see its error above")
        return float(answer)

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def compare(name: str, before: Path, rounds: int) -> dict[str, float]:
    """Median CPU ms a call in both checkouts, their ratio, and peak memory."""
    workers = {"before": Worker(before, name), "after": Worker(ROOT, name)}
    for worker in workers.values():
        worker.ask("start")
    times: dict[str, list[float]] = {which: [] for which in workers}
    for _ in range(rounds):
        for which, worker in workers.items():
            times[which].append(worker.ask("block"))
    found = {f"{which}_ms": statistics.median(some) for which, some in times.items()}
    found |= {f"{which}_peak_mb": worker.ask("peak") for which, worker in workers.items()}
    for worker in workers.values():
        worker.end()
    return found | {"ratio": found["after_ms"] / found["before_ms"], "load": os.getloadavg()[0]}


def measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Goal]]:
    rounds = QUICK_ROUNDS if arguments.quick else ROUNDS
    found = {}
    with neighbours(arguments.busy):
        for name in arguments.names:
            found[name] = compare(name, arguments.before.resolve(), rounds)
            print(line(name, found[name]), flush=True)
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=arguments.before, capture_output=True, text=True, check=False,
    )  # fmt: skip
    goals = [
        Goal(f"{name}, of the time before", "at most", GOALS[name], one["ratio"])
        for name, one in found.items()
        if name in GOALS
    ] + [
        Goal(f"{name}, peak memory", "at most", PEAK_GOALS[name], one["after_peak_mb"], " MB")
        for name, one in found.items()
        if name in PEAK_GOALS
    ]
    return {"before": commit.stdout.strip(), "busy": arguments.busy, "work": found}, goals


def line(name: str, one: dict[str, float]) -> str:
    return (
        f"{name:38} {one['before_ms']:9.3f} {one['after_ms']:9.3f} CPU ms   {one['ratio']:.2f}   "
        f"peak {one['before_peak_mb']:.0f} {one['after_peak_mb']:.0f} MB   load {one['load']:.1f}"
    )


def lines(numbers: dict[str, Any]) -> str:
    return "\n".join(
        [f"{'':38} {'before':>9} {'after':>9}", *(line(*item) for item in numbers["work"].items())]
    )


if __name__ == "__main__":
    options = {
        "--before": {"type": Path, "required": True, "help": "a checkout of the earlier commit"},
        "--names": {"nargs": "+", "choices": (*WORK, *NEWER), "default": WORK},
        "--busy": {"type": int, "default": 0, "help": "neighbours that keep the cores busy"},
    }
    command.run("compare", measure, lines, __doc__, options)
