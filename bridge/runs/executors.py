"""Where jobs and cells run: this process, processes of its own, worker processes of Dask, a running
Dask cluster, or a batch system (Slurm, PBS, SGE) through dask-jobqueue.

All are executors of concurrent.futures. Dask replaces a worker that is lost, and hands what it was
at to another.
"""

import contextlib
import logging
import multiprocessing
import tomllib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from bridge.errors import MissingBackendError, SettingError
from bridge.runs.worker import begin_process
from pycog_dgr.files.npz import shortened

LARGEST_FILE = 2**20  # bytes of a file with resources
PATIENCE = 30  # seconds for a scheduler to answer
CLUSTERS = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster"}


class InTurn(Executor):
    """Makes each call in this thread, where signals arrive, before `submit` returns.

    What is no Exception, KeyboardInterrupt above all, is raised at once.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """The finished call."""
        call: Future = Future()
        try:
            call.set_result(fn(*args, **kwargs))
        except Exception as error:
            call.set_exception(error)
        return call


@contextlib.contextmanager
def local_processes(workers: int) -> Iterator[Executor]:
    """Processes of this machine, which end when this one does.

    An error in the block, Ctrl-C among them, stops them at the end of the segment that each is in.
    One that is killed ends the run.

    Parameters
    ----------
    workers : int
        How many.

    Yields
    ------
    concurrent.futures.Executor
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=begin_process) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


@contextlib.contextmanager
def executor(
    workers: int = 2,
    scheduler: str | None = None,
    cluster: str | None = None,
    resources: Mapping[str, Any] | None = None,
) -> Iterator[Executor]:
    """Turns of this thread, or workers of Dask.

    Parameters
    ----------
    workers : int
        Local worker processes, one thread each; 0: calls are made here, in turn.
    scheduler : str, optional
        Address of a running Dask scheduler, as tcp://host:8786.
    cluster : str, optional
        A name in CLUSTERS: workers are jobs of that batch system.
    resources : mapping, optional
        Of each job, as dask-jobqueue takes them (cores, memory, walltime, queue, account, ...), and
        `jobs`, how many.

    Yields
    ------
    concurrent.futures.Executor

    Raises
    ------
    MissingBackendError
        Where Dask is asked for and not installed.
    SettingError
        Where the cluster does not take the resources, or the scheduler does not answer.
    """
    if workers == 0 and scheduler is None and cluster is None:
        yield InTurn()
        return
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(_client(stack, workers, scheduler, cluster, resources or {}))
        # not pure: the same call again is another call, not the first one's result
        yield client.get_executor(pure=False)


def _client(
    stack: contextlib.ExitStack,
    workers: int,
    scheduler: str | None,
    cluster: str | None,
    resources: Mapping[str, Any],
) -> Any:
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingBackendError(
            f"a sweep on several processes, and any run on a cluster, needs Dask ({error}): "
            "pip install 'dgr[sweep]'; --workers 0 runs a sweep's cells one after the other"
        ) from None
    logging.getLogger("distributed").setLevel(logging.ERROR)  # it tells of every connection
    if scheduler is not None:
        try:
            return Client(scheduler, timeout=PATIENCE)
        except (OSError, ValueError) as error:
            raise SettingError(f"no Dask scheduler answers at {scheduler} ({error})") from None
    if cluster is not None:
        return Client(stack.enter_context(_batch_cluster(cluster, resources)))
    local = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.ERROR,
    )
    return Client(stack.enter_context(local))


def _batch_cluster(name: str, resources: Mapping[str, Any]) -> Any:
    try:
        import dask_jobqueue
    except ImportError as error:
        raise MissingBackendError(
            f"--cluster {name} needs dask-jobqueue ({error}): pip install 'dgr[sweep]'"
        ) from None
    asked = dict(resources)
    jobs = asked.pop("jobs", 2)
    defaults = {"cores": 1, "processes": 1, "memory": "2GB"}
    try:
        cluster = getattr(dask_jobqueue, CLUSTERS[name])(**(defaults | asked))
    except (TypeError, ValueError) as error:
        raise SettingError(f"the table [cluster]: {error}") from None
    cluster.scale(jobs=jobs)
    return cluster


def read_resources(path: Path) -> dict[str, Any]:
    """What each job of a batch system asks for, out of a TOML file.

    Parameters
    ----------
    path : Path
        A file with a table [cluster], as a sweep file has one.

    Returns
    -------
    dict
        For `executor`.

    Raises
    ------
    SettingError
        The file cannot be read, or has no such table.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"more than {LARGEST_FILE:,} bytes")
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("cluster")
    except OSError as error:
        raise SettingError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (ValueError, RecursionError) as error:  # errors of TOML and UTF-8 are ValueErrors
        raise SettingError(f"{path}: not a TOML file: {shortened(error, 300)}") from None
    if not isinstance(table, dict):
        raise SettingError(f"{path}: has no table [cluster]; see the page Sweeps of the docs")
    return table


def lost_its_workers(error: BaseException) -> bool:
    """Whether Dask gave a job up because several workers were lost while they were at it.

    Parameters
    ----------
    error : BaseException
        Of a future.

    Returns
    -------
    bool
        False for errors of the job's own.
    """
    return type(error).__name__ == "KilledWorker"  # of distributed, which need not be installed
