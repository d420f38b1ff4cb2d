"""Cells handed to an executor, and those that fail again, a bounded number of times.

A worker that is lost takes nothing with it: its cell goes on elsewhere from its last state.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from bridge.sweeps.cells import Cell, run_cell

logger = logging.getLogger(__name__)


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
