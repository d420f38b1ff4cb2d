"""A whole train step beside the same step by other means: python -m benchmarks.step [--quick|--all]

forward, loss, backward, Omega, clipping, update; float32, one thread, one pinned core, in turns.
Every peer first takes one step from the same weights on the same batch, and has to see the same
loss, gradient norm and Omega and to change the parameters alike; then all are timed.
"""

from __future__ import annotations

import argparse
import functools
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks import command
from benchmarks.peers import (
    Peer,
    Report,
    Unavailable,
    floor,
    in_jax,
    in_nn4n,
    in_pytensor,
    in_torch,
    ours,
)
from benchmarks.results import Goal
from benchmarks.timing import Timed, in_turns, neighbours, version
from benchmarks.workloads import SIZES, Workload, workload

logger = logging.getLogger(__name__)

ROUNDS, QUICK_ROUNDS = 15, 3
SAME_NUMBERS = 1e-4  # relative: loss, gradient norm, Omega
SAME_CHANGE = 1e-3  # of a parameter's largest change, beyond the rounding of the parameter itself


class Row(NamedTuple):
    """One peer of the table."""

    label: str
    start: Callable[[Workload], Peer]
    sizes: tuple[str, ...] = ("thesis", "rdm", "large")
    needs: str = "seconds"  # to compile; 'a minute' is left out by --quick, 'minutes' without --all
    comparable: bool = True  # computes the same numbers


ROWS = {
    "floor": Row("C++ by hand", floor.start),
    "floor merged": Row(
        "C++ by hand, one product fewer",
        functools.partial(floor.start, merged=True),
    ),
    "fast": Row("pycog_dgr, fast", ours.fast),
    "numpy": Row("pycog_dgr, without a compiler", ours.in_numpy),
    "scan": Row("pycog_dgr, reference (scan, numpy)", ours.scan),
    "torch eager": Row("torch_dgr, autograd", in_torch.eager),
    "torch autograd": Row("torch, autograd, lean", in_torch.autodiff),
    "torch by hand": Row("torch, backward by hand", in_torch.by_hand),
    "torch compiled": Row(
        "torch.compile, autograd", in_torch.autodiff_compiled, ("thesis",), needs="a minute"
    ),
    "torch by hand compiled": Row(
        "torch.compile, by hand", in_torch.by_hand_compiled, needs="minutes"
    ),
    "jax": Row("JAX, autodiff", in_jax.autodiff),
    "jax by hand": Row("JAX, backward by hand", in_jax.by_hand),
    "pytensor C": Row("PyTensor scan, C", in_pytensor.by_c, needs="minutes"),
    "pytensor Numba": Row("PyTensor scan, Numba", in_pytensor.by_numba, needs="minutes"),
    "nn4n": Row("NN4N, its own step, without Omega", in_nn4n.start, comparable=False),
}

FLOOR_GOALS = {"thesis": 1.5, "rdm": 1.25, "large": 1.15}
FLOOR_GOALS_PYTENSOR_33 = {"thesis": 1.2, "rdm": 1.05, "large": 1.05}
SHARE_GOALS = {"jax by hand": 1.0, "jax": 0.8}  # of its time, issue 13
BUSY_GOAL = 1.25  # ratio to the floor beside busy neighbours, of the quiet one
BUSY_ROWS = ("floor", "fast")
PEER_GOALS = {  # the goal, and the same peer at its best
    "torch eager": (3.0, "torch autograd"),
    "torch compiled": (1.0, "torch by hand compiled"),
    "jax": (1.5, "jax by hand"),
}


class FirstStep(NamedTuple):
    """What one update saw and did."""

    report: Report
    change: dict[str, np.ndarray]
    rounding: dict[str, float]  # of float32 at the size of each parameter


def first_step(peer: Peer, workload: Workload) -> FirstStep:
    before = peer.parameters()
    report = peer.update(workload.batches[0])
    after = peer.parameters()
    return FirstStep(
        report,
        {name: after[name] - before[name] for name in after},
        {name: float(np.spacing(np.float32(np.abs(after[name]).max()))) for name in after},
    )


def differences(step: FirstStep, reference: FirstStep) -> list[str]:
    """In words, where a first step differs from the reference beyond the tolerances."""
    found = []
    for name, value, expected in zip(Report._fields, step.report, reference.report, strict=True):
        if not abs(value - expected) <= SAME_NUMBERS * abs(expected):
            found.append(f"{name} is {value:.7g}, not {expected:.7g}")
    for name, expected in reference.change.items():
        worst = np.abs(step.change[name] - expected).max()
        largest = np.abs(expected).max()
        if not worst <= SAME_CHANGE * largest + reference.rounding[name]:
            found.append(f"{name} changes by up to {largest:.3g}, here {worst:.3g} otherwise")
    return found


def start_peers(workload: Workload, names: list[str]) -> tuple[dict[str, Peer], dict[str, str]]:
    """Peers that took the same first step, and why the others are missing."""
    reference = first_step(ours.fast(workload, "float64"), workload)
    peers, missing = {}, {}
    for name in names:
        logger.info("%s: starting %s", workload.size, name)
        try:
            peer = ROWS[name].start(workload)
            step = first_step(peer, workload)
        except Unavailable as reason:
            missing[name] = str(reason)
            continue
        if ROWS[name].comparable and (found := differences(step, reference)):
            raise AssertionError(f"{name} on {workload.name} is another step: {'; '.join(found)}")
        peers[name] = peer
    return peers, missing


def time_size(name: str, rows: list[str], rounds: int) -> dict[str, Any]:
    """All peers on one size."""
    chosen = workload(name)
    peers, missing = start_peers(chosen, rows)
    batches = chosen.batches
    calls = {
        name: lambda i, peer=peer: peer.update(batches[i % len(batches)])
        for name, peer in peers.items()
    }
    times = in_turns(calls, rounds)
    for name, reason in missing.items():
        logger.warning("%s: %s left out: %s", chosen.size, name, reason)
    return {
        "name": name,
        "size": chosen.size,
        "missing": missing,
        "ms": {
            name: {"cpu": timed.cpu._asdict(), "wall": timed.wall._asdict()}
            for name, timed in times.items()
        },
        "ratio_to_floor": ratios(times),
    }


def ratios(times: dict[str, Timed]) -> dict[str, float]:
    if "floor" not in times:
        return {}
    return {name: timed.cpu.median / times["floor"].cpu.median for name, timed in times.items()}


def goals(sizes: dict[str, Any]) -> list[Goal]:
    newer = tuple(map(int, (version("pytensor") or "0").split(".")[:2])) >= (3, 3)
    floor_goals = FLOOR_GOALS_PYTENSOR_33 if newer else FLOOR_GOALS
    found = []
    for name, result in sizes.items():
        ms = {row: times["cpu"]["median"] for row, times in result["ms"].items()}
        missing, size = result["missing"], result["size"]
        fast = ms["fast"]

        def times_faster(row: str, ms=ms, fast=fast) -> float | None:
            return ms[row] / fast if row in ms else None

        against_floor = fast / ms["floor"] if "floor" in ms else None
        note = missing.get("floor", "")
        if "floor merged" in ms:
            note = f"({fast / ms['floor merged']:.2f} of the floor with one product fewer)"
        found.append(
            Goal(f"train step / C++ floor, {size}", "at most", floor_goals[name],
                 against_floor, note=note)
        )  # fmt: skip
        for row, (limit, leaner) in PEER_GOALS.items():
            if row not in ms and row not in missing:
                continue
            note = missing.get(row, "")
            if row in ms and leaner in ms:
                note = f"({times_faster(leaner):.2f} against {leaner})"
            found.append(
                Goal(
                    f"speed against {row}, {size}", "at least", limit, times_faster(row), note=note
                )
            )
        for row, limit in SHARE_GOALS.items():
            if row in ms:
                what = f"train step / {ROWS[row].label}, {size}"
                found.append(Goal(what, "at most", limit, fast / ms[row]))
    return found


def busy_goals(quiet: dict[str, Any], busy: dict[str, Any], neighbours: int) -> list[Goal]:
    """How much more of the floor's time a step takes beside busy neighbours."""
    found = []
    for name, result in busy.items():
        more = result["ratio_to_floor"]["fast"] / quiet[name]["ratio_to_floor"]["fast"]
        what = f"train step / C++ floor beside {neighbours} busy neighbours, of the quiet ratio"
        found.append(Goal(f"{what}, {result['size']}", "at most", BUSY_GOAL, more))
    return found


def is_wanted(row: Row, size: str, quick: bool, everything: bool) -> bool:
    """--quick keeps what compiles in seconds; --all adds what compiles for minutes."""
    if everything:
        return True
    return size in row.sizes and (row.needs == "seconds" or (row.needs == "a minute" and not quick))


def measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Goal]]:
    rounds = QUICK_ROUNDS if arguments.quick else ROUNDS
    sizes = {}
    for name in arguments.sizes:
        rows = arguments.rows or [
            row
            for row, described in ROWS.items()
            if is_wanted(described, name, arguments.quick, arguments.all)
        ]
        sizes[name] = time_size(name, rows, rounds)
    busy = {}
    if arguments.busy:
        with neighbours(arguments.busy):
            busy = {name: time_size(name, list(BUSY_ROWS), rounds) for name in arguments.sizes}
    labels = {row: described.label for row, described in ROWS.items()}
    return {
        "sizes": sizes,
        "labels": labels,
        "neighbours": arguments.busy,
        "busy": busy,
    }, goals(sizes) + busy_goals(sizes, busy, arguments.busy)


def lines(numbers: dict[str, Any]) -> str:
    """Medians, quartiles and ratios as text."""
    text = []
    for result in [*numbers["sizes"].values(), *numbers["busy"].values()]:
        text.append(f"{result['size']:34} CPU ms  (quartiles)        wall ms   / floor")
        for row, times in result["ms"].items():
            cpu = times["cpu"]
            ratio = result["ratio_to_floor"].get(row)
            text.append(
                f"  {row:30} {cpu['median']:8.2f}  ({cpu['q1']:.2f} to {cpu['q3']:.2f})"
                f"{times['wall']['median']:12.2f}" + (f"{ratio:10.2f}" if ratio else "")
            )
        text += [f"  {row:30} left out: {why}" for row, why in result["missing"].items()]
    return "\n".join(text)


if __name__ == "__main__":
    options = {
        "--sizes": {"nargs": "+", "default": list(SIZES), "choices": list(SIZES)},
        "--rows": {"nargs": "+", "choices": list(ROWS), "help": "of the table; fast among them"},
        "--busy": {"type": int, "default": 0, "help": "the same beside so many busy neighbours"},
    }
    command.run("step", measure, lines, __doc__, options)
