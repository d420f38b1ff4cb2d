"""`reproduce` on any executor, and by several calls at once: the numbers of a run left alone."""

import multiprocessing
import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from bridge import data
from bridge.errors import ResultsError, SettingError
from bridge.runs import (
    GeneratorJob,
    JobState,
    RunPaths,
    compare,
    executor,
    lock,
    read_resources,
    reproduce,
    run_config,
)
from bridge.runs import execution as module
from bridge.runs.execution import SettingLoader, run_jobs
from bridge.runs.worker import iterations_done, run_job
from tests.bridge.helpers import tiny_digits, tiny_setting

CONFIG = run_config(
    seeds=(1,),
    solvers=("lstm",),
    replays=("none", "generative"),
    contexts=((0, 1), (2, 3)),
    audits=(),
    scale=0.02,
)


def differing(one, other):
    return [str(file) for file in compare(one, other) if not file.same]


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """A run in this process, one job after the other."""
    folder = tmp_path_factory.mktemp("serial") / "run"
    with executor(workers=0) as pool:
        reproduce(CONFIG, folder, "test", pool=pool, progress=False)
    return folder


def kill_who_is_at(cluster, name, folder):
    """Kill the worker that works on a job as soon as its state has been saved; the thread."""

    def wait_and_kill():
        while not RunPaths(folder).state(name).exists():
            time.sleep(0.01)
        busy = {address for address, its in cluster.scheduler.workers.items() if its.processing}
        workers = [one for one in cluster.workers.values() if one.worker_address in busy]
        os.kill(workers[0].pid, signal.SIGKILL)

    thread = threading.Thread(target=wait_and_kill, daemon=True)
    thread.start()
    return thread


def test_on_dask_with_a_worker_killed_the_numbers_are_those_of_a_serial_run(
    tmp_path, serial, monkeypatch
):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        monkeypatch.chdir(tmp_path)  # its workers stay where they are
        killing = kill_who_is_at(cluster, "generators-1", tmp_path / "run")
        with executor(scheduler=cluster.scheduler_address) as pool:
            reproduce(CONFIG, Path("run"), "test", pool=pool, progress=False)
    killing.join(timeout=1)
    assert not killing.is_alive()
    assert differing(serial, tmp_path / "run") == []


# -- several calls on one folder -------------------------------------------------------------------


def call(folder, seeds):
    """In a fork: a run of tiny digits in worker processes that are forks, too."""
    data.load = lambda *_: tiny_digits()
    fork = multiprocessing.get_context("fork")
    multiprocessing.get_context = lambda _: fork
    module.LOOK_AGAIN = 0.1
    config = run_config(
        seeds=seeds,
        solvers=("lstm",),
        replays=("none", "generative"),
        contexts=((0, 1), (2, 3)),
        audits=(),
        scale=0.004,
    )
    reproduce(config, folder, f"seeds {seeds}", progress=False)


def forked(folder, seeds):
    process = multiprocessing.get_context("fork").Process(target=call, args=(folder, seeds))
    process.start()
    return process


def ended(process):
    process.join(timeout=300)
    return process.exitcode


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone") / "run"
    assert ended(forked(folder, (1, 2))) == 0
    return folder


def test_two_calls_on_one_folder_share_its_jobs_and_both_end_well(tmp_path, alone):
    folder = tmp_path / "run"
    calls = [forked(folder, seeds) for seeds in ((1, 2), (1, 2), (1,))]
    assert [ended(process) for process in calls] == [0, 0, 0]
    assert differing(alone, folder) == []
    begun = [line for line in (folder / "log.txt").read_text().splitlines() if "jobs to do" in line]
    assert len(begun) == 3


def test_a_call_takes_over_what_a_killed_one_was_at(tmp_path, alone):
    folder = tmp_path / "run"
    first = forked(folder, (1, 2))
    while not RunPaths(folder).state("generators-1").exists():
        time.sleep(0.01)
    second = forked(folder, (1, 2))
    first.kill()
    assert ended(second) == 0
    assert differing(alone, folder) == []


def test_a_job_that_another_process_is_at_is_left_alone(tmp_path):
    setting, job = tiny_setting(tmp_path), GeneratorJob(1)
    loading = partial(tiny_setting, tmp_path)
    with lock(setting.paths.job(job.name)):
        assert run_job(loading, job) is False
    assert not setting.paths.state(job.name).exists()
    assert run_job(loading, job) is True
    assert JobState(setting.paths.state(job.name)).finished
    assert iterations_done(job, setting) == job.iterations(setting)


class KilledWorker(Exception):
    """As Dask's, for a job that several workers were lost at."""


class Losing(GeneratorJob):
    """A job whose workers are lost, after they have done something or before."""

    def run(self, setting, state, advance):
        def lose(iterations):
            advance(iterations)
            raise KilledWorker

        super().run(setting, state, lose)


class LosingAtOnce(GeneratorJob):
    def run(self, setting, state, advance):
        raise KilledWorker


def run_here(job, folder):
    setting = tiny_setting(folder)
    with executor(workers=0) as pool:
        run_jobs([job], setting, partial(tiny_setting, folder), pool, False, lambda: None)
    return JobState(setting.paths.state(job.name))


def test_a_job_whose_workers_are_lost_goes_on_as_long_as_it_gets_further(tmp_path):
    found, whole = run_here(Losing(1), tmp_path / "lost"), run_here(GeneratorJob(1), tmp_path)
    assert found.finished and found.rows == whole.rows
    with pytest.raises(ResultsError, match=r"every worker that took up generators-2 was lost"):
        run_here(LosingAtOnce(2), tmp_path)


def test_a_worker_with_other_data_says_so(tmp_path):
    loading = SettingLoader(CONFIG, tmp_path, None, "0" * 64)
    with pytest.raises(ResultsError, match=r"other images or labels called 'mnist5k'"):
        run_job(loading, GeneratorJob(1))
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("jobs = 8", r"no table \[cluster\]"),
        ("[cluster", "not a TOML file"),
        (None, "check the path"),
    ],
)
def test_resources_that_are_none_are_named(tmp_path, text, named):
    path = tmp_path / "resources.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingError, match=rf"resources\.toml.*{named}"):
        read_resources(path)


def test_resources_are_the_table_of_a_sweep_file(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text('experiment = "replay"\n[cluster]\njobs = 8\nmemory = "2GB"\n')
    assert read_resources(path) == {"jobs": 8, "memory": "2GB"}


def test_a_failing_job_is_named(tmp_path, caplog):
    class Failing(GeneratorJob):
        def run(self, setting, state, advance):
            raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        run_here(Failing(1), tmp_path)
    assert "generators-1 failed" in caplog.text
