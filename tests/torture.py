"""Kill training at random moments and inside every stage of a write; are the numbers the same?

    python tests/torture.py [--kills 100] [--minutes 60] [--lanes 2] [--seed 1] [--tally FILE]

Three kinds of run (tests/torture_runs.py) are killed (KILL), are asked to end (TERM, HUP), fail on
a sick disk, have their newest file damaged, and are taken up until they are finished, on four file
systems: one that can do everything, one that refuses hard links, one that refuses locks and one
that refuses to flush folders. It goes on until there were `--kills` of each signal and, of any
signal, on each file system. A run is lost if it cannot be finished, and differs if one bit of what
it leaves is not that of a run left in peace, or a half-written file lies about.

Each life is a fork of this process, which has imported everything and trained nothing: a life
starts in milliseconds. `dgr reproduce` forks its workers here instead of spawning them, so that
they start as quickly and meet the same faults. With `--tally FILE` the counts are kept there, and
the next call goes on from them. Exits with 1 unless all kills were made and no run was lost or
differs.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: a thread pool does not survive a fork

import argparse
import contextlib
import itertools
import json
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bridge.errors import BridgeError
from bridge.runs import manifest
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.files import previous
from pycog_dgr.files.atomic import PART
from tests.torture_faults import ERRORS, FILE_SYSTEMS, STAGES, Fault, arm
from tests.torture_runs import KINDS, Kind
from torch_dgr.errors import TorchDgrError

EXPECTED = (PycogDgrError, BridgeError, TorchDgrError, OSError)
FINISHED, REFUSED, BROKEN, STOPPED = 0, 3, 4, 5  # exit statuses of a life
SIGNALS = ("KILL", "TERM", "HUP")
GRACE = 20  # seconds between TERM or HUP and the kill, as clusters give
INJURIES = 12  # lives of a run that may end badly; then it is left in peace
DAMAGED = 0.15  # share of lives before which the newest of some file is damaged
EARLY = 0.4  # of a whole run: injuries come up to here in a life, so that a run has several
PATIENCE = 300  # seconds after which a life is taken to hang


class Whole(NamedTuple):
    """A run left in peace: where it is, how long it took, how many files it wrote."""

    folder: Path
    seconds: float
    writes: int


# -- lives --------------------------------------------------------------------------------------


class Life(NamedTuple):
    """How a life ended: exit status or minus the signal, whether it met what was in store for it
    (its fault or its signal), and its writes."""

    status: int
    met: bool
    writes: int


class Injury(NamedTuple):
    """What may happen in a life: the signal `sent` at a random moment, or what happens at a place
    of a write; a place without error number is one at which the process kills itself."""

    name: str
    sent: str | None = None
    place: str | None = None
    error: int | None = None

    @property
    def signal(self) -> str | None:
        """The signal that ends the life, if one does."""
        return self.sent or ("KILL" if self.place and self.error is None else None)


NOTHING = Injury("nothing")


def live(
    kind: Kind,
    folder: Path,
    fault: Fault | None = None,
    sent: str | None = None,
    after: float = PATIENCE,
    refused: str = "",
) -> Life:
    """Fork; do the work; meet the fault, or the signal that is sent to all after some seconds.

    The kill follows GRACE seconds after TERM and HUP. What `refused` names is refused.
    """
    heard, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        os.setsid()
        os._exit(_work(kind, folder, fault, told, refused))
    os.close(told)
    ended, met = _ended(pid, after), False
    if ended[0] == 0:
        met = sent is not None
        if sent not in (None, "KILL"):
            os.killpg(pid, getattr(signal, f"SIG{sent}"))
            ended = _ended(pid, GRACE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # it and its workers, or the workers that it left
    status = os.waitstatus_to_exitcode(ended[1] if ended[0] else os.waitpid(pid, 0)[1])
    with os.fdopen(heard, "rb") as pipe:
        said = pipe.read()  # ends when the last of its processes has gone
    time.sleep(0.02)  # by then their lock has gone too
    return Life(status, met or b"!" in said, said.count(b"w"))


def _ended(pid: int, within: float) -> tuple[int, int]:
    """What waitpid says of a process that ends within so many seconds; (0, 0) if it does not."""
    deadline = time.monotonic() + within
    while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.002)
    return ended


def _work(kind: Kind, folder: Path, fault: Fault | None, told: int, refused: str) -> int:
    log = open(folder.with_name(f"{folder.name}.log"), "a")  # noqa: SIM115 - dies with the life
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as at a terminal, under nohup too
    for name in ("TERM", "HUP"):
        signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_DFL)
    arm(fault, told, refused)
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


def injuries(chance: random.Random) -> Iterator[Injury]:
    """One of each of five sorts in turn, without end."""
    stages = [Injury(f"KILL: {stage}", place=stage) for stage in STAGES]
    errors = [Injury(f"error: {name}", None, *where) for name, where in ERRORS.items()]
    moments = [Injury(f"{name}: at a random moment", name) for name in SIGNALS]
    while True:
        chance.shuffle(stages)
        chance.shuffle(errors)
        for stage, error in zip(stages, errors, strict=True):
            yield from (*moments, stage, error)


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
    ways: Iterator[Injury],
    count: Counter,
    deadline: float,
) -> None:
    """One run from its first life to its last; what happened is added to `count`."""
    refused = min(FILE_SYSTEMS, key=lambda name: count[on(name)])
    count[f"runs of {kind.name}"] += 1
    for number in range(INJURIES + 1):
        spared = number == INJURIES or time.monotonic() > deadline
        if number and chance.random() < DAMAGED and damage(folder, chance):
            count["damaged: the newest file"] += 1
        injury, fault = NOTHING if spared else next(ways), None
        if injury.place:
            nth = 1 + int(EARLY * whole.writes * chance.random() ** 2)
            fault = Fault(injury.name, injury.place, nth, injury.error)
        after = EARLY * whole.seconds * chance.random() if injury.sent else PATIENCE
        life = live(kind, folder, fault, injury.sent, after, refused)
        count["lives"] += 1
        if life.met:
            count[injury.name] += 1
        if life.met and injury.signal:
            count[f"signal {injury.signal}"] += 1
            count[on(refused)] += 1
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


def on(refused: str) -> str:
    """What counts the signals on a file system."""
    return f"signals where {refused or 'nothing'} is refused"


def wanting(count: Counter, kills: int) -> list[str]:
    """What there were fewer of than `kills`."""
    wanted = [f"signal {name}" for name in SIGNALS] + [on(name) for name in FILE_SYSTEMS]
    return [name for name in wanted if count[name] < kills]


def lane(wholes: dict[str, Whole], folder: Path, seed: int, kills: int, deadline: float) -> Counter:
    """Torment runs of all kinds in turn until `kills` of each sort were made or time is up."""
    chance, count = random.Random(seed), Counter()
    ways = injuries(chance)
    for number, kind in enumerate(itertools.cycle(KINDS)):
        if not wanting(count, kills) or time.monotonic() > deadline:
            return count
        here = folder / f"{kind.name}-{seed}-{number}"
        torment(kind, wholes[kind.name], here, chance, ways, count, deadline)
    raise AssertionError("the kinds never end")


def side_by_side(lanes: list[Callable[[], Counter]], folder: Path) -> Counter:
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
    """The run that all others must equal; a first one compiles what all use, and is not timed."""
    for path in (folder / f"{kind.name}-first", folder / kind.name):
        started = time.monotonic()
        life = live(kind, path)
        if life.status != FINISHED:
            raise SystemExit(f"{kind.name} does not finish even in peace: see {path}.log")
    return Whole(path, time.monotonic() - started, life.writes)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="kill training; are the numbers the same?")
    parser.add_argument("--kills", type=int, default=100, help="of each sort (default: 100)")
    parser.add_argument("--minutes", type=float, default=60, help="at most (default: 60)")
    parser.add_argument("--lanes", type=int, default=2, help="side by side (default: 2)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tally", type=Path, help="file whose counts this call goes on from")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    manifest("")  # imports what it looks at
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    (folder / "peace").mkdir()
    wholes = {kind.name: left_in_peace(kind, folder / "peace") for kind in KINDS}
    for name, whole in wholes.items():
        print(f"{name} in peace: {whole.seconds:.1f} s, {whole.writes} files written", flush=True)
    tally = Counter()
    if options.tally and options.tally.exists():
        tally.update(json.loads(options.tally.read_text()))
    fewest = min(tally[name] for name in wanting(Counter(), 1))
    share = -(-max(options.kills - fewest, 0) // options.lanes)
    first = options.lanes * (options.seed + tally["calls"])
    deadline = started + 60 * options.minutes - 60
    count = side_by_side(
        [
            lambda seed=seed: lane(wholes, folder, seed, share, deadline)
            for seed in range(first, first + options.lanes)
        ],
        folder,
    )
    count["calls"], count["seconds"] = 1, round(time.monotonic() - started)
    tally.update(count)
    if options.tally:
        options.tally.write_text(json.dumps(tally))
    if not count["runs lost"] + count["runs that differ"]:
        shutil.rmtree(folder)
    return 0 if report(tally, options.kills) else 1


def report(count: Counter, wanted: int) -> bool:
    """Print what happened; whether it is what was asked for and no run suffered."""
    for name in sorted(name for name in count if ":" in name):
        print(f"  {name:<44} {count[name]:>5}")
    for name in wanting(Counter(), 1):
        print(f"{name:<46} {count[name]:>5} of {wanted}")
    runs = ", ".join(f"{count[f'runs of {kind.name}']} {kind.name}" for kind in KINDS)
    print(f"{count['lives']} lives of runs ({runs}) in {count['seconds'] / 60:.1f} minutes")
    print(f"runs lost: {count['runs lost']}; that differ in a bit: {count['runs that differ']}")
    return not (wanting(count, wanted) or count["runs lost"] or count["runs that differ"])


if __name__ == "__main__":
    sys.exit(main())
