"""Jobs run side by side in processes of their own, one thread each.

A job starts as soon as the one that it waits for is finished. What stops the parent (Ctrl-C,
SIGTERM, SIGHUP) stops the workers at the end of the segment that each is in, when its state has
been saved; a worker that is told to stop stops all; one whose parent died ends at once. A signal
that the process was told to ignore (SIGHUP, by nohup) stays ignored here and there. Progress
passes through shared counters, one a job, that nobody locks: a worker that is killed leaves
nothing held.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from bridge import data
from bridge.errors import ResultsError
from bridge.runs.config import RunConfig
from bridge.runs.job_list import state_of
from bridge.runs.jobs import Job
from bridge.runs.manifest import commit
from bridge.runs.paths import RunPaths
from bridge.runs.setting import Setting
from pycog_dgr.training import heeded_signals

logger = logging.getLogger(__name__)

REFRESH = 0.5  # seconds between two looks at the counters


def setting_of(config: RunConfig, folder: Path, data_root: str | None) -> Setting:
    """Load the data and put together what the jobs share.

    Parameters
    ----------
    config
        What is run.
    folder
        The run folder.
    data_root
        Where torchvision keeps its data, or None.

    Returns
    -------
    Setting
        Data, protocol and paths.
    """
    contexts = config.contexts_of(data.load(config.data, data_root))
    return Setting(RunPaths(folder), contexts, config.protocol, config.budget)


def run_all(
    jobs: Sequence[Job],
    setting: Setting,
    load_setting: Callable[[], Setting],
    workers: int,
    progress: bool,
    finished: Callable[[], Any],
) -> None:
    """Run jobs, `workers` at a time.

    Parameters
    ----------
    jobs
        What is to be done, in the order in which it had best be started.
    setting
        The parent's own.
    load_setting
        Makes a worker's; it travels to the workers.
    workers
        Processes.
    progress
        Whether to draw a bar, on a terminal.
    finished
        Called after each finished job.

    Raises
    ------
    ResultsError
        A worker died.
    KeyboardInterrupt
        This process, or a worker of it, was told to stop; what was done is saved.
    """
    context = multiprocessing.get_context("spawn")
    counters = context.RawArray("q", len(jobs))
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin_worker, initargs=(load_setting, counters)
    )
    bar = tqdm(
        total=sum(job.iterations(setting) for job in jobs),
        unit="it",
        unit_scale=True,
        disable=None if progress else True,
        desc=setting.paths.folder.name,
        smoothing=0.02,
    )
    with bar, pool, _signals_interrupt():
        try:
            for _ in _completed(jobs, pool, workers, lambda: _show(bar, counters)):
                finished()
        except BrokenProcessPool:
            raise ResultsError(
                f"{setting.paths.folder}: a worker process died (killed, or out of memory): the "
                "same command goes on from here; --workers 1 needs half the memory"
            ) from None
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _completed(
    jobs: Sequence[Job], pool: ProcessPoolExecutor, workers: int, look: Callable[[], None]
) -> Iterator[Job]:
    """Hand out jobs that need not wait; yield each when it is done."""
    waiting = list(enumerate(jobs))
    running: dict[Future, Job] = {}
    while waiting or running:
        unfinished = {job.name for job in (*(job for _, job in waiting), *running.values())}
        ready = [entry for entry in waiting if entry[1].waits_for not in unfinished]
        for entry in ready[: workers - len(running)]:
            waiting.remove(entry)
            running[pool.submit(_run_in_worker, *entry)] = entry[1]
        done, _ = wait(running, timeout=REFRESH, return_when=FIRST_COMPLETED)
        look()
        for future in done:
            job = running.pop(future)
            future.result()
            logger.info("finished %s", job.name)
            yield job


def _show(bar: tqdm, counters: Sequence[int]) -> None:
    bar.update(sum(counters) - bar.n)


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Any signal that asks for an end acts as Ctrl-C does, where this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    act = signal.default_int_handler
    before = {number: signal.signal(number, act) for number in heeded_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# -- in a worker ---------------------------------------------------------------------------------


@dataclass
class _Worker:
    """What a worker process holds between its jobs."""

    setting: Setting
    counters: Any
    limits: Any
    stopping: bool = False

    def stop(self, *_: Any) -> None:
        self.stopping = True

    def advance(self, job: int, iterations: int) -> None:
        self.counters[job] += iterations
        if self.stopping:
            raise KeyboardInterrupt


_worker: _Worker | None = None


def _begin_worker(load_setting: Callable[[], Setting], counters: Any) -> None:
    """In each worker: one thread, an end when the parent ends, and the data."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers, by SIGTERM
    parent = multiprocessing.parent_process()
    assert parent is not None  # workers are started by run_all
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    limits = threadpool_limits(1)
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
    _worker = _Worker(load_setting(), counters, limits)
    for number in heeded_signals():
        signal.signal(number, _worker.stop)


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _run_in_worker(number: int, job: Job) -> None:
    assert _worker is not None  # _begin_worker ran
    state = state_of(job, _worker.setting.paths.folder)
    state.notes.setdefault("commit", commit())
    job.run(_worker.setting, state, lambda iterations: _worker.advance(number, iterations))
