"""A reproduction: the jobs that the thesis' figures need, their tables, and where they come from.

Killed and started again, finished jobs are not repeated and unfinished ones go on; the numbers
are those of an uninterrupted run.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bridge.data import is_known
from bridge.files import write_json
from bridge.networks import CONSTRAINED
from bridge.runs.config import RunConfig, claim, read_config, read_json
from bridge.runs.execution import SettingLoader, run_jobs, setting_of
from bridge.runs.executors import local_processes
from bridge.runs.folder import lock, log_into
from bridge.runs.job_list import jobs_of, state_of
from bridge.runs.jobs import Job
from bridge.runs.manifest import Calls, Manifest, manifest
from bridge.runs.paths import RunPaths
from bridge.runs.samples import write_structure, write_true_images
from bridge.runs.sequential_job import SequentialJob
from bridge.runs.setting import Setting
from bridge.runs.tables import TABLES, write_table
from bridge.runs.taken_generators import take_generators
from pycog_dgr.files import remove_partial_files_below

logger = logging.getLogger(__name__)

MOMENT = 60  # seconds that another call may take to enter the folder, or to write its tables


def reproduce(
    config: RunConfig,
    folder: Path,
    command: str,
    *,
    data_root: str | None = None,
    workers: int = 2,
    pool: Executor | None = None,
    progress: bool = True,
    generators_of: Path | None = None,
) -> None:
    """Run what is not yet there and write tables, samples and manifest into `folder`.

    A folder that already holds other seeds, solvers or replays of the same configuration keeps
    them. Several calls can work on one folder: each job has a lock, and a call that needs what
    another is at waits for it.

    Parameters
    ----------
    config
        What is asked for.
    folder
        Where it goes; made where it is not there.
    command
        By which it was asked for, for the manifest.
    data_root
        Where the data lie.
    workers
        Processes of this machine.
    pool
        Where jobs run instead, as of `executor`; the folder has to be on a file system that its
        workers see.
    progress
        Whether to draw a bar, on a terminal.
    generators_of
        Another run folder, whose finished generators are taken in place of training the same.

    Raises
    ------
    ResultsError
        The folder belongs to another configuration; a worker was lost; or `generators_of` does not
        hold these generators.
    """
    setting = setting_of(config, folder, data_root)
    with lock(folder, wait=MOMENT):
        jobs = jobs_of(claim(folder, config))
        own = [place for job in jobs for place in job.folders(setting.paths)]
        remove_partial_files_below(folder, spared=own)
        if generators_of is not None:
            take_generators(generators_of, config, setting)
    with log_into(folder):
        todo = [job for job in jobs_of(config) if not state_of(job, folder).finished]
        calls = Calls(folder, command) if todo else None
        if calls is not None:
            logger.info("%s: %d of %d jobs to do", command, len(todo), len(jobs_of(config)))
            if not is_known(setting.contexts.data):
                logger.warning(
                    "%s: not the published images and labels of that name (their digest differs)",
                    config.data,
                )
            with local_processes(workers) if pool is None else nullcontext(pool) as used:
                root = None if data_root is None else str(Path(data_root).absolute())
                digest = setting.contexts.data.digest()
                loading = SettingLoader(config, folder.absolute(), root, digest)
                run_jobs(todo, setting, loading, used, progress, calls.tick)
        with lock(folder, wait=MOMENT):
            _describe_what_is_new(setting, command, data_root, calls)


def _describe_what_is_new(
    setting: Setting, command: str, data_root: str | None, calls: Calls | None
) -> None:
    """Tables, samples and manifest of all that is finished, where they lack some of it."""
    folder = setting.paths.folder
    finished = [job for job in jobs_of(read_config(folder)) if state_of(job, folder).finished]
    if {job.name for job in finished} == _described(folder):
        return
    about = {
        **manifest(command),
        "data_root": data_root,
        "data_sha256": setting.contexts.data.digest(),
        "minutes": (calls or Calls(folder, command)).tick(),
    }
    _describe(finished, setting, about)


def _described(folder: Path) -> set[str]:
    """Names of the jobs whose numbers are in the tables, by the manifest that is written last."""
    path = RunPaths(folder).manifest
    return set(read_json(path, Manifest).jobs) if path.exists() else set()


def _describe(finished: Sequence[Job], setting: Setting, about: Mapping[str, Any]) -> None:
    """Write tables, samples and, last, the manifest with what there is to say of each job.

    What an older version of this program did not note of a job is None.
    """
    folder = setting.paths.folder
    _write_tables(finished, setting.paths)
    write_true_images(setting)
    for job in finished:
        if isinstance(job, SequentialJob) and job.solver in CONSTRAINED and not job.force_radius:
            last = setting.paths.solver(job.name, len(setting.contexts))
            write_structure(setting.paths, job.seed, last)
            break
    jobs = {job.name: _about_job(state_of(job, folder).notes) for job in finished}
    counted = [job["guarded"] for job in jobs.values() if job["guarded"] is not None]
    write_json(setting.paths.manifest, {**about, "guarded updates": sum(counted), "jobs": jobs})
    logger.info(
        "the guard against explosions stepped in at %d updates of %d jobs",
        sum(counted),
        len(counted),
    )


def _about_job(notes: Mapping[str, Any]) -> dict[str, Any]:
    """The commit a job was begun at, its minutes by the clock, how often its guard stepped in."""
    minutes = round(notes["seconds"] / 60, 2) if "seconds" in notes else None
    return {"commit": notes["commit"], "minutes": minutes, "guarded": notes.get("guarded")}


def _write_tables(jobs: Sequence[Job], paths: RunPaths) -> None:
    rows: dict[str, list[Mapping[str, Any]]] = {name: [] for name in TABLES}
    for job in jobs:
        for table, row in job.tabulated(state_of(job, paths.folder).rows):
            rows[table].append(row)
    for name, its_rows in rows.items():
        if its_rows:
            write_table(paths.table(name), name, its_rows)
