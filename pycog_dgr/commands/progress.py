"""What a long command says and how it runs: a progress bar, log lines beside it, one thread.

Only commands use this module; a library logs, and says nothing by itself.
"""

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from types import MappingProxyType

from tqdm import tqdm

from pycog_dgr.commands import taskrun
from pycog_dgr.files import Checkpoint
from pycog_dgr.training import ProgressBar

OUTCOMES = MappingProxyType({
    "min_error": "criterion met (min_error)",
    "terminate": "criterion met (terminate)",
    "patience": "stopped without meeting the criterion (patience)",
    "max_iter": "stopped without meeting the criterion (max_iter)",
    "interrupted": "not finished",
    None: "not finished",
})  # fmt: skip
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def summary(save: Checkpoint) -> str:
    """How far a training is: 'criterion met (terminate) after 140,000 trials, 1.3 minutes; ...'."""
    line = (
        f"{OUTCOMES[save.stopped]} after {taskrun.trials_done(save):,} trials, "
        f"{save.seconds / 60:.1f} minutes"
    )
    if save.last_costs:
        _, error, *performance = save.last_costs
        line += f"; error {error:.3g}"
        line += "".join(f", performance {value:.1f}" for value in performance)
    return line


class Progress(ProgressBar):
    """The progress bar of a task's run, from where its save file stands."""

    def __init__(self, run: taskrun.TaskRun, save: Checkpoint | None) -> None:
        errors = [] if save is None else [costs[1] for _, costs in save.costs_history]
        iteration = 1 if save is None else save.iteration
        super().__init__(f"{run.name}, seed {run.seed}", run.model.training, iteration, errors)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep numpy to one thread, unless the environment says otherwise.

    Networks of some hundred units are too small to share: a second thread costs more than it
    brings, and many times as much on a busy machine.
    """
    if any(name in os.environ for name in THREAD_SETTINGS):
        yield
        return
    import scipy.linalg  # noqa: F401 - its BLAS, another than numpy's, must be loaded to be limited
    from threadpoolctl import threadpool_limits

    try:
        limits = threadpool_limits(1)
    except UnicodeError:  # of a library in a folder whose name an ASCII locale cannot spell
        yield
        return
    with limits:
        yield


class _Handler(logging.Handler):
    """Writes to standard error without disturbing a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)


def printable() -> None:
    r"""Have output and error streams write what their encoding lacks as \\uXXXX (ASCII locales)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def log_lines() -> Iterator[None]:
    """The package's log on standard error: all of it, or, beside a progress bar, warnings."""
    handler = _Handler()
    handler.setLevel(logging.WARNING if sys.stderr.isatty() else logging.INFO)
    own = logging.getLogger("pycog_dgr")
    level = own.level
    own.addHandler(handler)
    own.setLevel(logging.INFO)
    try:
        yield
    finally:
        own.removeHandler(handler)
        own.setLevel(level)
