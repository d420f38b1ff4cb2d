"""A run folder in use: a lock on the whole or on one job of it, and a log."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pycog_dgr.errors
import pycog_dgr.files
from bridge.errors import InUseError, ResultsError
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
def lock(folder: Path, use: str = "works on this folder", wait: float = 0) -> Iterator[None]:
    """Hold `folder` for this process.

    Parameters
    ----------
    folder
        A run folder, or a job's own.
    use
        What another process does with it, for the message.
    wait
        Seconds to wait for another process.

    Raises
    ------
    InUseError
        Another process holds it.
    ResultsError
        It cannot be locked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(pycog_dgr.files.lock(folder, use, wait))
        except pycog_dgr.errors.InUseError as error:
            raise InUseError(str(error)) from error
        except CheckpointError as error:
            raise ResultsError(str(error)) from error
        yield
