"""Train one task from several seeds, some of them at a time: `train --seeds 100-109 --workers N`.

Each seed is a process of its own, with one thread, and does what `train --seed SEED` does, in the
folder that has; its lines go to train.log there. One that fails, or is killed for its memory, takes
no other with it. The first signal that asks for an end is handed to all, and they save; the same
command goes on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple, TextIO

from pycog_dgr.commands import taskrun
from pycog_dgr.commands.arguments import INTERRUPTED, changes
from pycog_dgr.commands.progress import THREAD_SETTINGS, summary
from pycog_dgr.commands.taskrun import TaskRun
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.training.interrupt import interruptible

SOME_FAILED = 1  # exit status
LOOK_EVERY = 0.1  # seconds


def train_seeds(
    modelfile: Path,
    seeds: Sequence[int],
    workers: int | None = None,
    out: Path | None = None,
    words: Sequence[str] = (),
    again: str = "",
) -> int:
    """Train every seed, or go on; what is finished stays as it is.

    Parameters
    ----------
    modelfile
        The task's file.
    seeds
        Of the initial weights.
    workers
        Processes at a time; one a core where it is None.
    out
        Folder of the seeds' folders seed-SEED; runs/examples/TASK where it is None.
    words
        NAME=VALUE, other settings than the file's.
    again
        The command line that goes on, named where training is interrupted.

    Returns
    -------
    int
        Exit status: 0, SOME_FAILED, or INTERRUPTED.

    Raises
    ------
    PycogDgrError
        Where the model file cannot be used, or has a seed of its own.
    """
    one = taskrun.open_run(modelfile, changes=changes(words))
    if one.model.has_own_seed:
        raise PycogDgrError(
            f"{modelfile}: sets seed = {one.seed} itself, so that all seeds would give one "
            "network; take that line out of the file"
        )
    folder = one.folder.parent if out is None else out
    runs = [one._replace(seed=seed, folder=folder / f"seed-{seed}") for seed in seeds]
    workers = min(workers or usable_cores(), len(runs))
    print(f"{runs[0].name}: {len(runs)} seeds, {workers} at a time", flush=True)
    training = _Training(runs, words, workers)
    with interruptible() as interrupted:
        try:
            while training.goes_on(start_more=not interrupted.is_set()):
                if interrupted.is_set():
                    training.ask_to_end(times=1)
                time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:  # the second signal
            training.ask_to_end(times=2)
            while training.goes_on(start_more=False):
                time.sleep(LOOK_EVERY)
        except BaseException:
            training.ask_to_end(times=1)
            raise
    if training.failed:
        some = ", ".join(str(run.seed) for run in training.failed)
        print(f"{Path(sys.argv[0]).name}: failed: seeds {some}", file=sys.stderr)
    if interrupted.is_set():
        print(f"{training.n_done} of {len(runs)} seeds are trained; to go on: {again}")
        return INTERRUPTED
    return SOME_FAILED if training.failed else 0


def usable_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Child(NamedTuple):
    """The process that trains one seed, and the file it writes to."""

    run: TaskRun
    process: subprocess.Popen
    log: IO[bytes]


class _Training:
    """The seeds that wait, those that are trained now, and how the others ended."""

    def __init__(self, runs: Sequence[TaskRun], words: Sequence[str], workers: int) -> None:
        self.waiting, self.words, self.workers = deque(runs), words, workers
        self.children: list[_Child] = []
        self.failed: list[TaskRun] = []
        self.n_runs, self.n_done, self.n_asked = len(runs), 0, 0

    def goes_on(self, start_more: bool) -> bool:
        """Note which processes have ended and start others; whether some are running."""
        for child in self.children[:]:
            if child.process.poll() is not None:
                self.children.remove(child)
                self._ended(child)
        while start_more and self.waiting and len(self.children) < self.workers:
            run = self.waiting.popleft()
            try:
                save = taskrun.saved(run)
                if save is None or not taskrun.is_done(run, save):
                    self.children.append(_started(run, self.words))
                    continue
                self.n_done += 1
                self._say(f"seed {run.seed}: there already, {summary(save)}")
            except PycogDgrError as error:
                self._failed(run, str(error))
        return bool(self.children)

    def ask_to_end(self, times: int) -> None:
        """Hand on that so many signals came: after one, children save; after two, they stop."""
        while self.n_asked < times:
            self.n_asked += 1
            for child in self.children:
                if child.process.poll() is None:
                    child.process.send_signal(signal.SIGTERM)

    def _ended(self, child: _Child) -> None:
        child.log.close()
        status = child.process.returncode
        if status == 0:
            self.n_done += 1
            self._say(f"seed {child.run.seed}: {summary(taskrun.require(child.run))}")
        elif not (self.n_asked and status in (INTERRUPTED, -signal.SIGTERM)):
            self._failed(child.run, _reason(child))

    def _failed(self, run: TaskRun, reason: str) -> None:
        self.failed.append(run)
        self._say(f"seed {run.seed} failed: {reason}", sys.stderr)

    def _say(self, what: str, stream: TextIO | None = None) -> None:
        ended = self.n_done + len(self.failed)
        print(f"{ended} of {self.n_runs}: {what}", file=stream, flush=True)


def _started(run: TaskRun, words: Sequence[str]) -> _Child:
    """A process that trains one seed.

    It is no part of the terminal's foreground, so that Ctrl-C reaches it through this one alone.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pycog_dgr.commands", str(run.modelfile), "train"]
    command += ["--seed", str(run.seed), "--out", str(run.folder)]
    command += ["--set", *words] if words else []
    log = run.logfile.open("ab")
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        env=_environment(os.environ), start_new_session=True,
    )  # fmt: skip
    return _Child(run, process, log)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """One thread, and modules found where this process finds them."""
    folders = [os.path.abspath(folder) for folder in sys.path[:1]]
    folders += filter(None, [given.get("PYTHONPATH")])
    return {**given, **dict.fromkeys(THREAD_SETTINGS, "1"), "PYTHONPATH": os.pathsep.join(folders)}


def _reason(child: _Child) -> str:
    """The last line that the process wrote, and where the others are."""
    lines = child.run.logfile.read_text(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
    status = child.process.returncode
    how = f"killed by {signal.Signals(-status).name}, last line: " if status < 0 else ""
    return f"{how}{last[:300]}; see {child.run.logfile}"
