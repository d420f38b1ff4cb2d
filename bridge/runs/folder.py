"""A run folder in use: by one process at a time, with a log."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pycog_dgr.files
from bridge.errors import ResultsError
from bridge.runs.paths import RunPaths
from pycog_dgr.errors import CheckpointError

PACKAGES = ("bridge", "pycog_dgr", "torch_dgr")


@contextlib.contextmanager
def log_into(folder: Path) -> Iterator[None]:
    """Append what the packages log to the folder's log.txt, with the time of day.

    Parameters
    ----------
    folder
        A run folder.
    """
    handler = logging.FileHandler(RunPaths(folder).log, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in PACKAGES]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        handler.close()


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; ResultsError where another one works on it.

    Parameters
    ----------
    folder
        A run folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(pycog_dgr.files.lock(folder, "works on this folder"))
        except CheckpointError as error:
            raise ResultsError(str(error)) from error
        yield
