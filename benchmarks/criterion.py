"""rdm_fixed trained to its own criterion, set-up included: python -m benchmarks.criterion

One core; the criterion is 85 % correct choices on average over the last five validations.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import command
from benchmarks.results import Goal
from benchmarks.timing import ROOT

ORIGINAL_MINUTES = 5  # reported by its authors in 2015
SEED = 100


def measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Goal]]:
    cpu, wall = time.process_time(), time.perf_counter()
    from pycog_dgr import Model  # set-up, importing included, belongs to what is measured

    model = Model(ROOT / "examples" / "tasks" / "rdm_fixed.py")
    with tempfile.TemporaryDirectory() as folder:
        result = model.train(Path(folder) / "rdm_fixed.npz", seed=SEED, recover=False)
    seconds = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    trials = result.checkpoint.costs_history[-1][0]
    note = (
        f"({trials} trials; {seconds['wall']:.0f} s by the clock; original "
        f"{ORIGINAL_MINUTES} minutes in 2015)"
    )
    met = result.reason == "terminate"
    goal = Goal(
        "rdm_fixed to its criterion, one core", "at most", 60, seconds["cpu"] if met else None,
        " s", note if met else f"stopped for {result.reason}",
    )  # fmt: skip
    return {"seconds": seconds, "trials": trials, "reason": result.reason, "seed": SEED}, [goal]


def lines(numbers: dict[str, Any]) -> str:
    seconds = numbers["seconds"]
    return (
        f"rdm_fixed, seed {numbers['seed']}: {numbers['trials']} trials, "
        f"{seconds['cpu']:.1f} CPU s, "
        f"{seconds['wall']:.1f} s by the clock, stopped for {numbers['reason']}"
    )


if __name__ == "__main__":
    command.run("criterion", measure, lines, __doc__)
