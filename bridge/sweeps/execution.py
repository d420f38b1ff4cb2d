"""Where cells run: this process, worker processes of Dask, a running Dask cluster, or a batch
system (Slurm, PBS, SGE) through dask-jobqueue. All are executors of concurrent.futures.

A worker that is lost takes nothing with it: its cell goes on elsewhere from its last state.
"""

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any

from bridge.errors import MissingBackendError, SettingError
from bridge.sweeps.cells import Cell, run_cell

logger = logging.getLogger(__name__)

PATIENCE = 30  # seconds for a scheduler to answer
# Workers may start processes of their own, as replay experiments do.
MAY_HAVE_CHILDREN = {"distributed.worker.daemon": False}
PROLOGUE = ["export DASK_DISTRIBUTED__WORKER__DAEMON=False"]  # the same, in a job's script
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
def executor(
    workers: int = 2,
    scheduler: str | None = None,
    cluster: str | None = None,
    resources: Mapping[str, Any] | None = None,
) -> Iterator[Executor]:
    """An executor for cells.

    Parameters
    ----------
    workers : int
        Local worker processes, one thread each; 0 runs the cells in this process, in turn.
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
        yield client.get_executor()


def _client(
    stack: contextlib.ExitStack,
    workers: int,
    scheduler: str | None,
    cluster: str | None,
    resources: Mapping[str, Any],
) -> Any:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingBackendError(
            f"sweeps on several processes need Dask ({error}): pip install 'dgr[sweep]', or run "
            "one cell after another with --workers 0"
        ) from None
    dask.config.set(MAY_HAVE_CHILDREN)
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
    asked["job_script_prologue"] = [*asked.get("job_script_prologue", ()), *PROLOGUE]
    defaults = {"cores": 1, "processes": 1, "memory": "2GB"}
    try:
        cluster = getattr(dask_jobqueue, CLUSTERS[name])(**(defaults | asked))
    except (TypeError, ValueError) as error:
        raise SettingError(f"the table [cluster] of the sweep file: {error}") from None
    cluster.scale(jobs=jobs)
    return cluster


def run_cells(
    cells: Sequence[Cell],
    pool: Executor,
    retries: int,
    finished: Callable[[Cell], None] = lambda cell: None,
) -> list[Cell]:
    """Run cells; one that fails is tried again, up to `retries` times.

    Parameters
    ----------
    cells : sequence of Cell
    pool : concurrent.futures.Executor
    retries : int
    finished : callable
        Told each cell that is done or given up.

    Returns
    -------
    list of Cell
        Those that were given up; each has its error in its folder.
    """
    tries = [0] * len(cells)
    waiting = deque(range(len(cells)))
    running: dict[Future, int] = {}
    failed = []
    while waiting or running:
        if waiting:
            i = waiting.popleft()
            tries[i] += 1
            running[pool.submit(run_cell, cells[i])] = i
        timeout = 0 if waiting else None
        for future in wait(running, timeout, return_when=FIRST_COMPLETED).done:
            i = running.pop(future)
            error = future.exception()
            if error is not None and tries[i] <= retries:
                logger.warning("%s failed, and is tried again: %s", cells[i], error)
                waiting.append(i)
                continue
            if error is not None:
                cells[i].fail(error, tries[i])
                failed.append(cells[i])
            finished(cells[i])
    return failed
