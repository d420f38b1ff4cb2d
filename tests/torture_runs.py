"""Three kinds of run that tests/torture.py kills: their work, and in what two results differ.

Each `work` goes on with what a folder holds, until it is finished.
"""

import json
import multiprocessing
import types
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bridge import data
from bridge.runs import GeneratorJob, JobState, SequentialJob, compare, reproduce, run_config
from pycog_dgr.config import settings
from pycog_dgr.files import checkpoint, remove_partial_files_below
from pycog_dgr.symbolic import adam
from pycog_dgr.training import train
from tests.bridge.helpers import tiny_digits, tiny_setting
from tests.pycog_dgr import tiny
from torch_dgr import lstm  # noqa: F401 - so that no life has to
from torch_dgr.generators import gan  # noqa: F401 - so that no life has to


def pycog(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    network, training = settings(**{**tiny.SETTINGS, "max_iter": 60})
    task = types.SimpleNamespace(generate_trial=tiny.generate_trial, __name__="tiny")
    result = train(task, network, training, folder / "save.npz", optimiser=adam(1e-3))
    if result.reason == "interrupted":  # saved, and not finished: as `dgr reproduce` says it
        raise KeyboardInterrupt


def pycog_differences(whole: Path, folder: Path) -> list[str]:
    """Names of what differs in two save files, the time spent left out."""
    expected, found = (stored(one / "save.npz") for one in (whole, folder))
    return [
        name
        for name in expected | found
        if name not in expected or name not in found or expected[name] != found[name]
    ]


def stored(path: Path) -> dict[str, bytes]:
    """Everything in a save file, to the last bit."""
    checkpoint.load(path)
    with np.load(path, allow_pickle=False) as arrays:
        held = {name: array.dtype.str.encode() + array.tobytes() for name, array in arrays.items()}
    tree = json.loads(held.pop("header")[len("|u1") :])["metadata"]
    del tree["seconds"]
    return held | {name: json.dumps(value).encode() for name, value in tree.items()}


def torch_jobs(folder: Path) -> None:
    setting = tiny_setting(folder)
    remove_partial_files_below(folder)  # as `reproduce` does, under its lock
    for job in (GeneratorJob(1), SequentialJob("lstm", "generative", 1)):
        state = JobState(setting.paths.state(job.name))
        if not state.finished:
            job.run(setting, state, lambda _: None)


def sequential(folder: Path) -> None:
    data.load = lambda *_: tiny_digits()
    fork = multiprocessing.get_context("fork")
    multiprocessing.get_context = lambda _: fork
    config = run_config(
        seeds=(1,),
        contexts=((0, 1), (2, 3)),
        replays=("generative", "joint"),
        audits=(),
        scale=0.004,
    )
    reproduce(config, folder, "torture", progress=False)


def folder_differences(whole: Path, folder: Path) -> list[str]:
    return [str(one) for one in compare(whole, folder) if not one.same]


class Kind(NamedTuple):
    name: str
    work: Callable[[Path], None]
    differences: Callable[[Path, Path], list[str]]


KINDS = (
    Kind("pycog", pycog, pycog_differences),
    Kind("torch", torch_jobs, folder_differences),
    Kind("sequential", sequential, folder_differences),
)
