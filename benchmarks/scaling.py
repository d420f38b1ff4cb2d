"""How a train step grows with T, N, B and threads: python -m benchmarks.scaling [--all]

The thesis' network, one size changed at a time, by one and two threads; ours, torch and JAX in
turns. torch.compile takes part with --all: it compiles every size anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from benchmarks import command
from benchmarks.peers import Unavailable, floor, in_jax, in_torch, ours
from benchmarks.results import Goal
from benchmarks.timing import ONE_THREAD, ROOT, in_turns, pin_to_quietest_core
from benchmarks.workloads import thesis_like

SIZES = {  # (T, B, N), the thesis' 28, 64, 64 among each
    "T": [(T, 64, 64) for T in (28, 150, 784)],
    "N": [(28, 64, N) for N in (64, 256, 1024)],
    "B": [(28, B, 64) for B in (1, 16, 64, 512)],
}
QUICK_SIZES = {"B": [(28, 1, 64), (28, 64, 64)]}
THREADS = (1, 2)
ROUNDS, QUICK_ROUNDS = 7, 2
ROWS = {
    "floor": floor.start,
    "fast": ours.fast,
    "torch autograd": in_torch.autodiff,
    "jax": in_jax.autodiff,
}
WITH_ALL = {"torch compiled": in_torch.autodiff_compiled}


def time_all(sizes: dict[str, list], rounds: int, everything: bool) -> list[dict[str, Any]]:
    """One entry a size and peer, in this process."""
    rows = ROWS | (WITH_ALL if everything else {})
    found = []
    for varied, shapes in sizes.items():
        for T, B, N in shapes:
            chosen = thesis_like(T, B, N)
            calls = {}
            for name, start in rows.items():
                if name == "torch compiled" and T > 28:
                    continue  # the loop over time is unrolled: minutes
                try:
                    peer = start(chosen)
                except Unavailable:
                    continue
                calls[name] = lambda i, peer=peer, chosen=chosen: peer.update(chosen.batches[i % 2])
            times = in_turns(calls, rounds)
            found += [
                {"varied": varied, "T": T, "B": B, "N": N, "row": name,
                 "cpu_ms": timed.cpu._asdict(), "wall_ms": timed.wall._asdict()}
                for name, timed in times.items()
            ]  # fmt: skip
    return found


def environment(threads: int) -> dict[str, str]:
    if threads == 1:
        return {**os.environ, **ONE_THREAD}
    chosen = {name: str(threads) for name in ONE_THREAD if name.endswith("_NUM_THREADS")}
    return {**os.environ, **chosen, "XLA_FLAGS": ""}


def measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Goal]]:
    """Each number of threads in a process of its own, since libraries read it when loaded."""
    found = []
    for threads in THREADS:
        flags = [f"--{name}" for name in ("quick", "all") if getattr(arguments, name)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scaling", "--here", str(threads), *flags],
            cwd=ROOT, env=environment(threads), stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        found += [{"threads": threads, **one} for one in json.loads(done.stdout.splitlines()[-1])]
    return {"steps": found}, []


def lines(numbers: dict[str, Any]) -> str:
    """Wall ms, since threads are there to save it."""
    text = ["wall ms              " + "".join(f"{name:>16}" for name in (*ROWS, *WITH_ALL))]
    steps = {
        (one["threads"], one["varied"], one["T"], one["B"], one["N"], one["row"]): one
        for one in numbers["steps"]
    }
    for key in dict.fromkeys(key[:-1] for key in steps):
        threads, _, T, B, N = key
        row = f"{threads} threads T{T} B{B} N{N}"
        for name in (*ROWS, *WITH_ALL):
            one = steps.get((*key, name))
            row = f"{row:<21}" if name == "floor" else row
            row += f"{one['wall_ms']['median']:16.2f}" if one else f"{'-':>16}"
        text.append(row)
    return "\n".join(text)


def here() -> None:
    """Time in this process and print the entries as JSON: what `measure` starts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--here", type=int, required=True, metavar="THREADS")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    if arguments.here == 1:
        pin_to_quietest_core()
    in_torch.torch.set_num_threads(arguments.here)
    sizes = QUICK_SIZES if arguments.quick else SIZES
    rounds = QUICK_ROUNDS if arguments.quick else ROUNDS
    print(json.dumps(time_all(sizes, rounds, arguments.all)))


if __name__ == "__main__":
    if "--here" in sys.argv:
        here()
    else:
        command.run("scaling", measure, lines, __doc__, pinned=False)
