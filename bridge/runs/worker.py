"""One job in a worker: a process of `local_processes`, or a thread of whoever runs it.

The job's lock keeps other workers from it, those of another call on the same folder among them. A
worker that is told to stop stops at the end of the segment that it is in, when its state has been
saved.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

from threadpoolctl import threadpool_limits

from bridge.errors import InUseError
from bridge.runs.folder import lock
from bridge.runs.job_list import state_of
from bridge.runs.job_state import JobState
from bridge.runs.jobs import Advance, Job
from bridge.runs.manifest import commit
from bridge.runs.setting import Setting
from pycog_dgr.files import remove_partial_files_below
from pycog_dgr.training import heeded_signals


class _Process:
    """What this process holds between its jobs."""

    loaded: tuple[Callable[[], Setting], Setting] | None = None
    stopping = False
    busy = threading.Lock()  # limits on threads, and compiled code, are the whole process's


def run_job(load_setting: Callable[[], Setting], job: Job) -> bool:
    """Do what is left of a job.

    Parameters
    ----------
    load_setting
        Makes what the jobs of the run share. A process asks it again only for another run.
    job
        The job.

    Returns
    -------
    bool
        Whether it is finished; False where another worker is at it.
    """
    with _Process.busy, one_thread():
        if _Process.stopping:
            raise KeyboardInterrupt
        setting = _loaded(load_setting)
        places = job.folders(setting.paths)
        try:
            with lock(places[0], "works on this job"):
                for place in places:
                    remove_partial_files_below(place)
                state = state_of(job, setting.paths.folder)
                if not state.finished:
                    state.notes.setdefault("commit", commit())
                    job.run(setting, state, _counter(setting, job, state))
                    _note_iterations(setting, job, job.iterations(setting))
        except InUseError:
            return False
    return True


def _loaded(load_setting: Callable[[], Setting]) -> Setting:
    if _Process.loaded is None or _Process.loaded[0] != load_setting:
        _Process.loaded = load_setting, load_setting()
    return _Process.loaded[1]


def _counter(setting: Setting, job: Job, state: JobState) -> Advance:
    """Counts the job's updates in a file, for whoever draws a bar."""
    done = iterations_done(job, setting) if state.rows else 0

    def advance(iterations: int) -> None:
        nonlocal done
        done += iterations
        _note_iterations(setting, job, done)
        if _Process.stopping:
            raise KeyboardInterrupt

    return advance


def _note_iterations(setting: Setting, job: Job, done: int) -> None:
    setting.paths.iterations(job.name).write_text(str(done))


def iterations_done(job: Job, setting: Setting) -> int:
    """How many of its updates a job has done, by its folder; for a bar, not to go on from.

    Parameters
    ----------
    job
        A job.
    setting
        Of its run.

    Returns
    -------
    int
        Updates.
    """
    with contextlib.suppress(OSError, ValueError):  # it has not begun, or is being written
        return min(int(setting.paths.iterations(job.name).read_text()), job.iterations(setting))
    return 0


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One thread for the libraries of linear algebra: more would add up in another order."""
    if not find_spec("torch"):
        with threadpool_limits(1):
            yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


def begin_process() -> None:
    """Make this process a worker: it ends with its parent, and heeds what asks it to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers, by SIGTERM
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _Process.stopping = False  # a fork has its parent's
    for number in heeded_signals():
        signal.signal(number, _stop)


def _stop(*_: Any) -> None:
    _Process.stopping = True


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
