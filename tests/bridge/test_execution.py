"""Jobs in worker processes: whatever stops them, they go on from there to the same numbers."""

import gc
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from bridge.errors import ResultsError
from bridge.runs import GeneratorJob, JobState
from bridge.runs.execution import run_jobs
from bridge.runs.executors import local_processes
from tests.bridge.helpers import tiny_setting


@dataclass(frozen=True)
class Signalled(GeneratorJob):
    """A generator job that signals its parent, or itself, after its first segment."""

    number: int = 0
    to_parent: bool = True

    def run(self, setting, state, advance):
        def signal_once(iterations):
            asked = setting.paths.folder / "asked"
            if not asked.exists():
                asked.touch()
                os.kill(os.getppid() if self.to_parent else os.getpid(), self.number)
                time.sleep(1)  # until the parent has told its workers
            advance(iterations)

        super().run(setting, state, signal_once)


def go(folder, job):
    """Run one job in a worker, a fork: it starts at once; its state then."""
    setting, fork = tiny_setting(folder), multiprocessing.get_context("fork")
    gc.collect()  # an earlier executor that the fork collects would wait for its thread for ever
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multiprocessing, "get_context", lambda _: fork)
        with local_processes(1) as pool:
            loading = partial(tiny_setting, folder)
            run_jobs([job], setting, loading, pool, False, lambda: None)
    return JobState(setting.paths.state(job.name))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return go(tmp_path_factory.mktemp("whole"), GeneratorJob(1))


def require_equal(state, whole):
    assert state.finished and state.rows == whole.rows
    np.testing.assert_equal(state.arrays, whole.arrays)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_a_run_stops_its_workers_when_they_have_saved(tmp_path, whole, name):
    """TERM and HUP killed the parent at once, and each worker within its segment."""
    before = signal.getsignal(getattr(signal, name))
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, Signalled(1, number=getattr(signal, name)))
    assert signal.getsignal(getattr(signal, name)) is before
    state = JobState(tiny_setting(tmp_path).paths.state("generators-1"))
    assert not state.finished and state.notes["done"] == 1
    require_equal(go(tmp_path, GeneratorJob(1)), whole)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_to_one_worker_stops_the_run_when_it_has_saved(tmp_path, whole, name):
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, Signalled(1, number=getattr(signal, name), to_parent=False))
    require_equal(go(tmp_path, GeneratorJob(1)), whole)


@pytest.mark.parametrize("to_parent", [True, False])
def test_under_nohup_a_run_outlives_its_terminal(tmp_path, whole, to_parent):
    """SIGHUP was heeded though nohup has it ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        job = Signalled(1, number=signal.SIGHUP, to_parent=to_parent)
        require_equal(go(tmp_path, job), whole)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_killed_worker_leaves_nothing_that_anybody_waits_for(tmp_path, whole):
    """Killed while it held the lock of the progress queue, it left its parent blocked for ever."""
    with pytest.raises(ResultsError, match=r"a worker process died.*goes on from here"):
        go(tmp_path, Signalled(1, number=signal.SIGKILL, to_parent=False))
    require_equal(go(tmp_path, GeneratorJob(1)), whole)
