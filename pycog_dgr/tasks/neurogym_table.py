"""Every environment of the NeuroGym that is installed: does it make trials, does it train?

Training is a few updates of fifty units; it shows that nothing is in the way, not that the task is
learnt.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pycog_dgr.errors import MissingExtraError, PycogDgrError, TaskError
from pycog_dgr.tasks.gym_task import TaskFromEnv
from pycog_dgr.tasks.model import Model
from pycog_dgr.tasks.neurogym import EXTRA, make_environment

OPTIONS: dict[str, dict[str, Any]] = {  # of environments that cannot be made without
    "AnnubesEnv-v0": {"session": {"v": 0.5, "a": 0.5}, "catch_prob": 0.5},
}
UNITS, VALIDATION = 50, 20
LONGEST = 110  # letters of a remark


class Row(NamedTuple):
    """One environment: 'yes' or 'no' twice, and why not, or with which options."""

    name: str
    makes_trials: str
    trains: str
    remark: str


def version() -> str:
    """The version of NeuroGym. MissingExtraError where there is none."""
    try:
        return importlib.metadata.version("neurogym")
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtraError(f"NeuroGym is not installed; {EXTRA}") from error


def names() -> list[str]:
    """Names of all environments."""
    version()
    with contextlib.suppress(TaskError):
        make_environment("GoNogo-v0", {})  # imports NeuroGym and leaves everybody's fonts alone
    from neurogym.envs.registration import all_envs

    return sorted(all_envs())


def rows(updates: int = 10) -> Iterator[Row]:
    """A Row for every environment.

    Parameters
    ----------
    updates
        To train.
    """
    for name in names():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of environments about their own making
            yield _row(name, updates)


def _row(name: str, updates: int) -> Row:
    options = OPTIONS.get(name, {})
    try:
        task = TaskFromEnv(name, **options)
    except PycogDgrError as error:
        return Row(name, "no", "no", _shortened(error, name))
    remark = (
        f"with {', '.join(f'{key}={value}' for key, value in options.items())}" if options else ""
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            model = Model(
                N=UNITS, train_brec=True, train_bout=True, max_iter=updates, checkfreq=updates,
                n_validation=VALIDATION, **task.settings,
            )  # fmt: skip
            result = model.train(Path(folder) / "s.npz", progress=False)
        losses = [costs[0] for _, costs in result.checkpoint.costs_history]
        if result.iterations < updates or not all(map(math.isfinite, losses)):
            return Row(name, "yes", "no", f"{result.iterations} updates, losses {losses}")
    except PycogDgrError as error:
        return Row(name, "yes", "no", _shortened(error, name))
    return Row(name, "yes", "yes", remark)


def _shortened(error: Exception, name: str) -> str:
    said = " ".join(str(error).split()).removeprefix(f"environment '{name}': ").replace("|", "/")
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
