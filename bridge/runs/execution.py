"""Jobs handed to an executor: each as soon as the one that it waits for is finished.

What stops the parent (Ctrl-C, SIGTERM, SIGHUP) stops its own workers at the end of the segment that
each is in; a worker that is told to stop stops all. A signal that the process was told to ignore
(SIGHUP, by nohup) stays ignored here and there. A job that another call on the same folder works on
is looked at again until it is finished there, or free.
"""

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bridge import data
from bridge.errors import ResultsError
from bridge.runs.config import RunConfig
from bridge.runs.executors import lost_its_workers
from bridge.runs.jobs import Job
from bridge.runs.paths import RunPaths
from bridge.runs.setting import Setting
from bridge.runs.worker import iterations_done, run_job
from pycog_dgr.training import heeded_signals

logger = logging.getLogger(__name__)

REFRESH = 0.5  # seconds between two looks at what is finished
LOOK_AGAIN = 1.0  # seconds until a job that is in work elsewhere is tried again


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


@dataclass(frozen=True)
class SettingLoader:
    """`setting_of`, to be called in another process, which may be on another machine.

    `data_sha256` is the digest of the images and labels that its caller has.
    """

    config: RunConfig
    folder: Path
    data_root: str | None
    data_sha256: str

    def __call__(self) -> Setting:
        """Load; ResultsError where the data are others."""
        setting = setting_of(self.config, self.folder, self.data_root)
        if (found := setting.contexts.data.digest()) != self.data_sha256:
            raise ResultsError(
                f"a worker finds other images or labels called '{self.config.data}' (SHA-256 "
                f"{found}) than the command that it works for ({self.data_sha256}): let "
                "--data-root name a folder that is the same on all machines"
            )
        return setting


@dataclass
class _Jobs:
    """Which jobs wait, which run, and how far those were when they were handed out."""

    setting: Setting
    load_setting: Callable[[], Setting]
    pool: Executor
    waiting: list[Job]
    running: dict[Future[bool], tuple[Job, int]] = field(default_factory=dict)
    not_before: dict[str, float] = field(default_factory=dict)  # of those in work elsewhere

    def submit_what_is_ready(self) -> None:
        """Hand out the jobs that need not wait."""
        running = (job for job, _ in self.running.values())
        unfinished = {job.name for job in (*self.waiting, *running)}
        now = time.monotonic()
        for job in list(self.waiting):
            if job.waits_for not in unfinished and self.not_before.get(job.name, now) <= now:
                self.waiting.remove(job)
                before = iterations_done(job, self.setting)
                future = self.pool.submit(run_job, self.load_setting, job)
                self.running[future] = job, before
                if future.done():  # in turn: the caller wants to know before the next one begins
                    return

    def finished(self) -> Iterator[Job]:
        """Wait for a moment; the jobs that were finished in it."""
        if not self.running:
            time.sleep(REFRESH)
        done, _ = wait(self.running, timeout=REFRESH, return_when=FIRST_COMPLETED)
        for future in done:
            job, before = self.running.pop(future)
            if self._result(future, job, before):
                yield job

    def _result(self, future: Future[bool], job: Job, before: int) -> bool:
        """Whether the job is finished; one that is not waits again."""
        try:
            if future.result():
                return True
            if job.name not in self.not_before:
                logger.info("%s is in work by another call: waiting for it", job.name)
            self.not_before[job.name] = time.monotonic() + LOOK_AGAIN
        except (BrokenExecutor, CancelledError):
            raise ResultsError(
                f"{self.setting.paths.folder}: a worker process died (killed, or out of memory): "
                "the same command goes on from here; --workers 1 needs half the memory"
            ) from None
        except Exception as error:
            if not lost_its_workers(error):
                logger.error("%s failed", job.name)
                raise
            if iterations_done(job, self.setting) <= before:
                raise ResultsError(
                    f"{self.setting.paths.folder}: every worker that took up {job.name} was lost "
                    "before it had saved anything (killed, or out of memory): give the workers "
                    "more memory or more time; the same command goes on from here"
                ) from None
            logger.warning("%s lost its workers: going on elsewhere", job.name)
        self.waiting.append(job)
        return False


def run_jobs(
    jobs: Sequence[Job],
    setting: Setting,
    load_setting: Callable[[], Setting],
    pool: Executor,
    progress: bool,
    finished: Callable[[], Any],
) -> None:
    """Run jobs.

    Parameters
    ----------
    jobs
        What is to be done, in the order in which it had best be started.
    setting
        The parent's own.
    load_setting
        Makes a worker's; it travels to the workers.
    pool
        Where they run.
    progress
        Whether to draw a bar, on a terminal.
    finished
        Called after each finished job.

    Raises
    ------
    ResultsError
        A worker died, and the executor does not replace it.
    KeyboardInterrupt
        This process, or a worker of `local_processes`, was told to stop; what was done is saved.
    """
    todo = _Jobs(setting, load_setting, pool, list(jobs))

    def iterations() -> int:
        return sum(iterations_done(job, setting) for job in jobs)

    bar = tqdm(
        total=sum(job.iterations(setting) for job in jobs),
        initial=iterations(),
        unit="it",
        unit_scale=True,
        disable=None if progress else True,
        desc=setting.paths.folder.name,
        smoothing=0.02,
    )
    n_done = 0
    with bar, _signals_interrupt():
        try:
            while todo.waiting or todo.running:
                todo.submit_what_is_ready()
                for job in todo.finished():
                    n_done += 1
                    logger.info("finished %s (%d of %d jobs)", job.name, n_done, len(jobs))
                    finished()
                if not bar.disable:
                    bar.update(iterations() - bar.n)
        finally:
            for future in todo.running:
                future.cancel()


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
