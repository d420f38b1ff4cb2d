"""Kill training at random moments and inside every stage of a write; are the numbers the same?

    python tests/torture.py [--kills 100] [--minutes 14] [--seed 1]

Three kinds of run are killed, are asked to end (TERM, HUP), fail on a sick disk, have their newest
file damaged, and are taken up until they are finished; some on a file system without hard links,
locks and flushed folders. A run is lost if it cannot be finished, and differs if one bit of what it
leaves is not that of a run left in peace, or a half-written file lies about.

    pycog       a tiny task with Adam, PyTensor
    torch       generators of two contexts and an LSTM that replays them, as jobs of the bridge
    sequential  the whole of `dgr reproduce` on tiny digits, two worker processes, both backends

Each life is a fork of this process, which has imported everything and trained nothing: a life
starts in milliseconds. `dgr reproduce` forks its workers here instead of spawning them, so that
they start as quickly and meet the same faults. Exits with 1 unless all kills were made and no run
was lost or differs.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: a thread pool does not survive a fork

import argparse
import contextlib
import itertools
import json
import logging
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import types
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from bridge import data
from bridge.errors import BridgeError
from bridge.runs import (
    GeneratorJob,
    JobState,
    SequentialJob,
    compare,
    manifest,
    reproduce,
    run_config,
)
from pycog_dgr.config import settings
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.files import checkpoint, previous, remove_partial_files_below
from pycog_dgr.files.atomic import PART
from pycog_dgr.symbolic import adam
from pycog_dgr.training import train
from tests.bridge.helpers import tiny_digits, tiny_setting
from tests.pycog_dgr import tiny
from tests.torture_faults import ERRORS, STAGES, Fault, arm
from torch_dgr import lstm  # noqa: F401 - so that no life has to
from torch_dgr.errors import TorchDgrError
from torch_dgr.generators import gan  # noqa: F401 - so that no life has to

EXPECTED = (PycogDgrError, BridgeError, TorchDgrError, OSError)
FINISHED, REFUSED, BROKEN, STOPPED = 0, 3, 4, 5  # exit statuses of a life
SIGNALS = ("TERM", "HUP")
GRACE = 20  # seconds between such a signal and the kill, as clusters give
POOR = 0.3  # share of runs on a poor file system
INJURIES = 12  # lives of a run that may end badly; then it is left in peace
DAMAGED = 0.15  # share of lives before which the newest of some file is damaged
EARLY = 0.4  # of a whole run: injuries come up to here in a life, so that a run has several
PATIENCE = 300  # seconds after which a life is taken to hang


# -- three kinds of run: `work` goes on with what a folder holds ----------------------------------


def pycog(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    network, training = settings(**{**tiny.SETTINGS, "max_iter": 60})
    task = types.SimpleNamespace(generate_trial=tiny.generate_trial, __name__="tiny")
    train(task, network, training, folder / "save.npz", optimiser=adam(1e-3))


def pycog_differences(whole: Path, folder: Path) -> list[str]:
    """Names of what differs in two save files, the time spent left out."""
    expected, found = (stored(one / "save.npz") for one in (whole, folder))
    return [
        name
        for name in expected | found
        if name not in expected or name not in found or expected[name] != found[name]
    ]


def stored(path: Path) -> dict[str, bytes]:
    """Everything in a save file, to the last bit."""
    checkpoint.load(path)
    with np.load(path, allow_pickle=False) as arrays:
        held = {name: array.dtype.str.encode() + array.tobytes() for name, array in arrays.items()}
    tree = json.loads(held.pop("header")[len("|u1") :])["metadata"]
    del tree["seconds"]
    return held | {name: json.dumps(value).encode() for name, value in tree.items()}


def torch_jobs(folder: Path) -> None:
    setting = tiny_setting(folder)
    remove_partial_files_below(folder)  # as `reproduce` does, under its lock
    for job in (GeneratorJob(1), SequentialJob("lstm", "generative", 1)):
        state = JobState(setting.paths.state(job.name))
        if not state.finished:
            job.run(setting, state, lambda _: None)


def sequential(folder: Path) -> None:
    data.load = lambda *_: tiny_digits()
    fork = multiprocessing.get_context("fork")
    multiprocessing.get_context = lambda _: fork
    config = run_config(
        seeds=(1,),
        contexts=((0, 1), (2, 3)),
        replays=("generative", "joint"),
        audits=(),
        scale=0.004,
    )
    reproduce(config, folder, "torture", progress=False)


def folder_differences(whole: Path, folder: Path) -> list[str]:
    return [str(one) for one in compare(whole, folder) if not one.same]


class Kind(NamedTuple):
    name: str
    work: Callable[[Path], None]
    differences: Callable[[Path, Path], list[str]]


KINDS = (
    Kind("pycog", pycog, pycog_differences),
    Kind("torch", torch_jobs, folder_differences),
    Kind("sequential", sequential, folder_differences),
)


class Whole(NamedTuple):
    """A run left in peace: where it is, how long it took, how many files it wrote."""

    folder: Path
    seconds: float
    writes: int


# -- lives --------------------------------------------------------------------------------------


class Life(NamedTuple):
    """How a life ended: exit status or minus the signal, whether it met its fault, its writes, and
    whether it was asked to end."""

    status: int
    met: bool
    writes: int
    asked: bool


def live(
    kind: Kind,
    folder: Path,
    fault: Fault | None = None,
    until: float = PATIENCE,
    name: str | None = None,
    poor: bool = False,
) -> Life:
    """Fork; do the work; meet the fault, or be killed with all workers after `until` seconds.

    With the `name` of a signal, that is sent to all then, and the kill follows after GRACE seconds.
    """
    heard, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        os.setsid()
        os._exit(_work(kind, folder, fault, told, poor))
    os.close(told)
    ended, asked = _ended(pid, until), False
    if name and ended[0] == 0:
        os.killpg(pid, getattr(signal, f"SIG{name}"))
        ended, asked = _ended(pid, GRACE), True
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # it and its workers, or the workers that it left
    status = os.waitstatus_to_exitcode(ended[1] if ended[0] else os.waitpid(pid, 0)[1])
    with os.fdopen(heard, "rb") as pipe:
        said = pipe.read()  # ends when the last of its processes has gone
    time.sleep(0.02)  # by then their lock has gone too
    return Life(status, b"!" in said, said.count(b"w"), asked)


def _ended(pid: int, within: float) -> tuple[int, int]:
    """What waitpid says of a process that ends within so many seconds; (0, 0) if it does not."""
    deadline = time.monotonic() + within
    while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.002)
    return ended


def _work(kind: Kind, folder: Path, fault: Fault | None, told: int, poor: bool) -> int:
    log = open(folder.with_name(f"{folder.name}.log"), "a")  # noqa: SIM115 - dies with the life
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    arm(fault, told, poor)
    try:
        kind.work(folder)
        return FINISHED
    except (KeyboardInterrupt, SystemExit):
        return STOPPED
    except EXPECTED as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return REFUSED
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        return BROKEN


def injuries(chance: random.Random) -> Iterator[tuple[str, str, int | None]]:
    """(what is counted, place, error code) without end; place '' is a random moment."""
    stages = [("killed: " + stage, stage, None) for stage in STAGES]
    errors = [("failed: " + name, *where) for name, where in ERRORS.items()]
    while True:
        moments = [("killed: at a random moment", "", None)] * len(stages)
        signals = [(f"signalled: {name}", name, None) for name in SIGNALS] * len(stages)
        chance.shuffle(stages)
        chance.shuffle(errors)
        for four in zip(moments, stages, errors, signals[: len(stages)], strict=True):
            yield from four


def damage(folder: Path, chance: random.Random) -> bool:
    """Cut short or change the newest of some file that has one before it; whether there was one."""
    found = [Path(str(kept).removesuffix(".previous")) for kept in folder.rglob("*.previous")]
    found = [path for path in found if path.exists() and not path.samefile(previous(path))]
    if not found:
        return False
    path = chance.choice(found)
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data) // 4, len(data) // 2)
    if chance.random() < 0.5:
        del data[place:]
    else:
        data[place : place + 64] = bytes(64)
    path.with_suffix(".spoilt").write_bytes(data)
    os.replace(path.with_suffix(".spoilt"), path)
    return True


# -- runs ---------------------------------------------------------------------------------------


def torment(
    kind: Kind,
    whole: Whole,
    folder: Path,
    chance: random.Random,
    ways: Iterator,
    count: Counter,
    deadline: float,
) -> None:
    """One run from its first life to its last; what happened is added to `count`."""
    count[f"runs of {kind.name}"] += 1
    poor = chance.random() < POOR
    count["runs: without links, locks and flushed folders"] += poor
    for injury in range(INJURIES + 1):
        spared = injury == INJURIES or time.monotonic() > deadline
        if injury and chance.random() < DAMAGED and damage(folder, chance):
            count["damaged: the newest file"] += 1
        name, place, code = ("", "", None) if spared else next(ways)
        fault, until = None, PATIENCE
        sent = place if place in SIGNALS else None
        if place and not sent:
            fault = Fault(name, place, 1 + int(EARLY * whole.writes * chance.random() ** 2), code)
        elif name:
            until = EARLY * whole.seconds * chance.random()
        life = live(kind, folder, fault, until, sent, poor)
        count["lives"] += 1
        if life.met or life.asked or (life.status == -signal.SIGKILL and name and not place):
            count[name] += 1
        if life.asked and life.status != BROKEN:
            continue  # the next life goes on, and is judged
        if life.status == FINISHED:
            left = [str(path) for path in folder.rglob(f"*{PART}")]
            if differing := [*kind.differences(whole.folder, folder), *left]:
                count["runs that differ"] += 1
                print(f"{kind.name} DIFFERS: {'; '.join(differing)} ({folder})", flush=True)
            else:
                shutil.rmtree(folder)
            return
        if spared or life.status == BROKEN or (life.status == REFUSED and not life.met):
            break
    count["runs lost"] += 1
    print(f"{kind.name} LOST, status {life.status}: see {folder}.log", flush=True)


def lane(wholes: dict[str, Whole], folder: Path, seed: int, kills: int, deadline: float) -> Counter:
    """Torment runs of all kinds in turn until `kills` were made or time is up."""
    chance = random.Random(seed)
    ways, count = injuries(chance), Counter()
    for number, kind in enumerate(itertools.cycle(KINDS)):
        if kills_in(count) >= kills or time.monotonic() > deadline:
            return count
        here = folder / f"{kind.name}-{seed}-{number}"
        torment(kind, wholes[kind.name], here, chance, ways, count, deadline)


def kills_in(count: Counter) -> int:
    return sum(n for name, n in count.items() if name.startswith("killed"))


def in_two_lanes(lanes: list[Callable[[], Counter]], folder: Path) -> Counter:
    """Run each lane in a fork of its own; the sum of their counts."""
    found, pids = [folder / f"count-{i}.json" for i in range(len(lanes))], []
    for run, path in zip(lanes, found, strict=True):
        pid = os.fork()
        if pid == 0:
            try:
                path.write_text(json.dumps(run()))
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    if absent := [path for path in found if not path.exists()]:
        raise SystemExit(f"{len(absent)} of {len(lanes)} lanes broke off: see above, and {folder}")
    return sum((Counter(json.loads(path.read_text())) for path in found), Counter())


def left_in_peace(kind: Kind, folder: Path) -> Whole:
    """The run that all others must equal."""
    started = time.monotonic()
    life = live(kind, folder / kind.name)
    if life.status != FINISHED:
        raise SystemExit(f"{kind.name} does not finish even in peace: see {folder / kind.name}.log")
    return Whole(folder / kind.name, time.monotonic() - started, life.writes)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description="kill training; are the numbers the same?")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=14, help="at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    started = time.monotonic()
    deadline = started + 60 * options.minutes - 60
    manifest("")  # imports what it looks at
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    (folder / "peace").mkdir()
    wholes = {kind.name: left_in_peace(kind, folder / "peace") for kind in KINDS}
    for name, whole in wholes.items():
        print(f"{name} in peace: {whole.seconds:.1f} s, {whole.writes} files written", flush=True)
    half = (options.kills + 1) // 2
    count = in_two_lanes(
        [
            lambda seed=seed: lane(wholes, folder, seed, half, deadline)
            for seed in (2 * options.seed, 2 * options.seed + 1)
        ],
        folder,
    )
    sound = report(count, options.kills, time.monotonic() - started)
    if sound:
        shutil.rmtree(folder)
    return 0 if sound else 1


def report(count: Counter, wanted: int, seconds: float) -> bool:
    """Print what happened; whether it is what was asked for and no run suffered."""
    lost, differing = count["runs lost"], count["runs that differ"]
    faults = sum(n for name, n in count.items() if name.startswith("failed"))
    asked = sum(n for name, n in count.items() if name.startswith("signalled"))
    for name in sorted(name for name in count if ":" in name):
        print(f"  {name:<44} {count[name]:>5}")
    runs = ", ".join(f"{count[f'runs of {kind.name}']} {kind.name}" for kind in KINDS)
    print(
        f"{kills_in(count)} kills (of {wanted} asked for), {asked} TERM and HUP, {faults} disk "
        f"errors, "
        f"{count['damaged: the newest file']} damaged files in {count['lives']} lives of "
        f"{sum(count[f'runs of {kind.name}'] for kind in KINDS)} runs ({runs}), "
        f"{seconds / 60:.1f} minutes"
    )
    print(f"runs lost: {lost}; runs that differ in a bit: {differing}")
    return kills_in(count) >= wanted and not lost and not differing


if __name__ == "__main__":
    sys.exit(main())
