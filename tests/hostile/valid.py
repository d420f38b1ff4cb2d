"""One small, sound file of every kind that the project reads, as bytes; and how each is read.

| kind             | written by                     | read by                      | checksum |
|------------------|--------------------------------|------------------------------|----------|
| save file        | pycog_dgr training             | legacy.open_save             | yes      |
| network to run   | pycog_dgr training             | RNN                          | yes      |
| trials           | simulate_trials                | Trials.load                  | yes      |
| divergence       | pycog_dgr training             | divergence.load              | yes      |
| original pickle  | the original pycog             | legacy.open_save             | no       |
| job state        | bridge.runs.jobs                    | jobs.JobState                | yes      |
| network          | solvers.save_network           | solvers.read_network         | yes      |
| generator        | solvers.save_network           | solvers.read_network         | yes      |
| job state to rerun | bridge.runs.jobs                  | runs.compare                 | yes      |
| held penalties   | bridge.runs.held                    | held.load_held               | yes      |
| samples, structure | bridge.runs.jobs                  | runs.Results                 | yes      |
| replay batch     | batches.save_examples          | batches.load_examples        | yes      |
| weights          | files.export, .npz           | files.read_export          | yes      |
| safetensors      | files.export, .safetensors   | files.read_export          | yes      |
| config, manifest | bridge.runs.results                 | runs.load_results            | no       |
| finished manifest | bridge.runs.results                | runs.finished_manifest       | no       |
| calls            | bridge.runs.manifest                | manifest.Calls               | no       |
| tables           | bridge.runs.results                 | runs.Results, runs.compare   | no       |
| sweep files      | a user                         | sweeps.open_sweep            | no       |
| sweep result, failure | sweeps.run_cell           | sweeps.Cell                  | no       |
| CSV log          | callbacks.CsvLog               | callbacks.CsvLog             | no       |
| images, labels   | whoever made MNIST (IDX)       | datasets.load                | no       |
| model file       | a user                         | pycog_dgr.Model              | no       |
| Python 2 file    | a user                         | compat.translated            | no       |
"""

import functools
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from bridge import data as batches
from bridge import files
from bridge import networks as solvers
from bridge.data import datasets
from bridge.files import archive
from bridge.replay import Held
from bridge.runs import (
    SAMPLES,
    STATE,
    TABLES,
    JobState,
    circumstances,
    compare,
    finished_manifest,
    jobs_of,
    load_results,
    read_config,
    read_json,
)  # fmt: skip
from bridge.runs.held import load_held, save_held
from bridge.runs.manifest import Call
from bridge.sweeps import Cell, open_sweep
from bridge.sweeps.cells import Point
from pycog_dgr import RNN, Trials
from pycog_dgr.compat import translated
from pycog_dgr.config import settings
from pycog_dgr.files import checkpoint, legacy
from pycog_dgr.network import effective_weights, initial_parameters
from pycog_dgr.tasks.model import Model
from pycog_dgr.training import callbacks, divergence
from tests.bridge.synthetic_results import write_results
from tests.pycog_dgr import tiny

ORIGINAL_SAVE = Path(__file__).parents[1] / "golden" / "saves" / "tiny_varstim_ei_seed1234.pkl"
COMPAT = Path(__file__).parents[1] / "compat"
SMALL_FILES = {
    "train-images-idx3-ubyte": (120, 28, 28),
    "train-labels-idx1-ubyte": (120,),
    "t10k-images-idx3-ubyte": (20, 28, 28),
    "t10k-labels-idx1-ubyte": (20,),
}


class Kind(NamedTuple):
    """A kind of file: its place in a folder, its bytes, the reader of that folder's file."""

    place: str
    data: Callable[[], bytes]
    read: Callable[[Path], Any]
    checksummed: bool
    beside: Callable[[Path], None] = lambda folder: None  # writes the other files a reader needs


def small_checkpoint(**changes):
    """A Checkpoint of six units, as training would save it."""
    network, training = settings(**tiny.SETTINGS)
    raw, network = initial_parameters(network, 1)
    functions = ("callback", "performance", "terminate")
    held = {
        name: value
        for name, value in {**vars(network), **vars(training)}.items()
        if name not in functions
    }
    whole = {
        "settings": held,
        "trained": network.trained,
        "iteration": 3,
        "parameters": raw,
        "best": checkpoint.Best(1, 0.5, [0.3], effective_weights(raw, network), raw),
        "costs_history": [[0, [0.5, 0.3]]],
        "Omega_history": [[6, 0.1]],
        "rng_gradient": np.random.RandomState(11).get_state(),
        "rng_validation": np.random.RandomState(22).get_state(),
    }
    return checkpoint.Checkpoint(**{**whole, **changes})


def small_solver():
    """An LSTM of three hidden units, and the options that make it anew."""
    options = {"n_hidden": 3}
    return solvers.make_solver("lstm", 1, **options), "lstm", options


def small_generator():
    """A GAN with one hidden layer of three, and the options that make it anew."""
    options = {"n_latent": 2, "hidden": [3]}
    return solvers.make_generator("gan", 1, **options), "gan", options


def small_batch(n=6):
    """Replay examples of random pixels, classes 0..9."""
    rng = np.random.default_rng(0)
    images = rng.random((n, 28, 28), dtype=np.float32)
    return batches.examples(images, batches.one_hot(np.arange(n) % 10, 10), replay="none")


def _bytes(write: Callable[[Path], Any], name="file.npz") -> Callable[[], bytes]:
    """What `write` writes to a path, made once."""

    @functools.cache
    def made():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            write(path)
            return path.read_bytes()

    return made


def _samples(path):
    batch = small_batch(20)
    archive.save(path, SAMPLES, {"images": batch.images, "labels": batch.targets.argmax(axis=1)})


@functools.cache
def result_files() -> dict[str, bytes]:
    """Every file of a synthetic results folder without samples, by its place in the folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = write_results(Path(name) / "run", seeds=(1,), steps=2, samples=False)
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def write_files(folder, files):
    for place, data in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def write_run(folder):
    """The synthetic results folder."""
    write_files(folder, result_files())


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the IDX format of MNIST."""
    magic = np.array([0x0800 + array.ndim, *array.shape], dtype=">u4")
    return magic.tobytes() + array.astype(np.uint8).tobytes()


@functools.cache
def digit_files() -> dict[str, bytes]:
    """Random images and labels 0..9 in turn, in four IDX files of the shapes SMALL_FILES."""
    rng = np.random.default_rng(0)
    return {
        f"MNIST/raw/{name}": idx(
            rng.integers(0, 256, shape) if len(shape) == 3 else np.arange(shape[0]) % 10
        )
        for name, shape in SMALL_FILES.items()
    }


def read_images(folder):
    """All images and labels of the IDX files in a folder; `datasets.FILES` says their shapes."""
    datasets.load.cache_clear()
    before = datasets.FILES
    datasets.FILES = SMALL_FILES
    try:
        return datasets.load("mnist", folder)
    finally:
        datasets.FILES = before
        datasets.load.cache_clear()


MODEL_FILE = b"""\
import numpy as np
Nin, N, Nout = 1, 6, 2
tau, dt = 40, 20

def generate_trial(rng, dt, params):
    t = np.arange(1, 5) * dt
    return {"t": t, "inputs": np.ones((4, 1)), "outputs": np.ones((4, 2))}
"""


PYTHON_2_FILE = MODEL_FILE.replace(b"tau, dt = 40, 20", b"print 'tau', 40\ntau, dt = 40, 20")
TASK_SWEEP = b"""\
experiment = "task"
task = "model.py"
seeds = 2
retries = 1
[settings]
max_iter = 5
[grid]
learning_rate = [0.01, 0.1]
lambda2_r = [0.0, 0.5]
"""
REPLAY_SWEEP = b"""\
experiment = "replay"
seeds = [1, 3]
[settings]
solver = "lstm"
contexts = "01,23"
scale = 0.02
"solvers.lstm.options.learning_rate" = 0.003
[random]
samples = 3
seed = 2
[random.settings]
replay = ["none", "exact"]
labels = ["soft", "hard"]
"""


@dataclass(frozen=True)
class FixedExperiment:
    """An experiment whose one cell has always the same name."""

    shown: ClassVar = {}

    def resolve(self, settings, seed):
        return {"seed": seed}

    def run(self, settings, seed, folder):
        return {}


CELL = Cell(FixedExperiment(), {}, Point({}, 1), Path())


def _in_cell(name, value, read):
    return Kind(
        str(CELL.folder / name),
        lambda: json.dumps(value).encode(),
        lambda folder: read(replace(CELL, root=folder)),
        False,
    )


def _finished_manifest():
    """The manifest of the synthetic run, with all its jobs."""
    with tempfile.TemporaryDirectory() as name:
        write_run(Path(name))
        jobs = {job.name: {"seconds": 1.0} for job in jobs_of(read_config(Path(name)))}
    whole = json.loads(result_files()["manifest.json"]) | {"jobs": jobs, "data_sha256": "0" * 64}
    return json.dumps(whole).encode()


def _read_finished_manifest(folder):
    finished_manifest(folder)
    circumstances(folder)


def _state(path):
    rows = [{"table": "joint", "epoch": 1}]
    archive.save(path, STATE, {"solver/w": np.arange(9.0)}, rows=rows, finished=False, done=1)


def _structure(path):
    weights = {"Win": np.ones((4, 3)), "Wrec": np.ones((4, 4)), "Wout": np.ones((2, 4))}
    archive.save(path, SAMPLES, {**weights, "ei": np.ones(4, int)})


def _read_log(path):
    return callbacks.CsvLog(path)._rows()


def _csv_log(path):
    log = callbacks.CsvLog(path)
    for n_trials in (0, 40, 80):
        log.validated(n_trials, [0.5, 0.3, 80.0])


def _in_run(place, read, data=None):
    return Kind(
        place,
        data or (lambda: result_files()[place]),
        lambda folder: read(load_results(folder)),
        data is not None,
        write_run,
    )


def _in_digits(name):
    place = f"MNIST/raw/{name}"
    return Kind(
        place,
        lambda: digit_files()[place],
        read_images,
        False,
        lambda folder: write_files(folder, digit_files()),
    )


def _file(name, data, read, checksummed):
    return Kind(name, data, lambda folder: read(folder / name), checksummed)


KINDS = {
    "save file": _file(
        "a.npz",
        _bytes(lambda path: checkpoint.save(path, small_checkpoint())),
        legacy.open_save,
        True,
    ),
    "network to run": _file(
        "a.npz",
        _bytes(lambda path: checkpoint.save(path, small_checkpoint())),
        lambda path: RNN(path, verbose=False).run(T=40),
        True,
    ),
    "trials": _file("trials.npz", (COMPAT / "trials.npz").read_bytes, Trials.load, True),
    "divergence": _file("d.npz", (COMPAT / "diverged.npz").read_bytes, divergence.load, True),
    "original pickle": _file("a.pkl", ORIGINAL_SAVE.read_bytes, legacy.open_save, False),
    "job state": _file(
        "state.npz",
        _bytes(_state),
        lambda path: JobState(path).rng(np.random.default_rng(1)),
        True,
    ),
    "job state to rerun": Kind(
        "work/joint-lstm-1/state.npz",
        _bytes(_state),
        lambda folder: list(compare(folder, folder)),
        True,
    ),
    "held penalties": _file(
        "held-1.npz",
        _bytes(lambda path: save_held(path, [Held({"w": np.ones(3)}, {"w": np.ones(3)})])),
        load_held,
        True,
    ),
    "network": _file(
        "solver-1.npz",
        _bytes(lambda path: solvers.save_network(path, *small_solver())),
        lambda path: solvers.read_network(path, solvers.SOLVERS),
        True,
    ),
    "generator": _file(
        "generator-1.npz",
        _bytes(lambda path: solvers.save_network(path, *small_generator())),
        lambda path: solvers.read_network(path, solvers.GENERATORS),
        True,
    ),
    "samples": _in_run("samples/true.npz", lambda results: results.true_images(), _bytes(_samples)),
    "structure": _in_run(
        "samples/structure-seed-1.npz", lambda results: results.structure(1), _bytes(_structure)
    ),
    "replay batch": _file(
        "batch.npz",
        _bytes(lambda path: batches.save_examples(path, small_batch())),
        batches.load_examples,
        True,
    ),
    "weights": _file(
        "w.npz",
        _bytes(lambda path: files.export(path, {"a": np.arange(6.0)}, by="a test")),
        files.read_export,
        True,
    ),
    "safetensors": _file(
        "w.safetensors",
        _bytes(
            lambda path: files.export(
                path, {"a": np.arange(6.0), "b": np.ones((2, 3))}, by="a test"
            ),
            "w.safetensors",
        ),
        files.read_export,
        True,
    ),
    "config": _in_run("config.json", lambda results: results.contexts),
    "manifest": _in_run("manifest.json", lambda results: results.manifest),
    "finished manifest": Kind(
        "manifest.json", _finished_manifest, _read_finished_manifest, False, write_run
    ),
    "calls": _file(
        "calls.json",
        lambda: b'[{"command": "dgr reproduce", "minutes": 1.5, "began": null}]',
        lambda path: read_json(path, list[Call]),
        False,
    ),
    **{
        f"{name} table": _in_run(
            f"tables/{name}.csv", lambda results, name=name: results.table(name)
        )
        for name in TABLES
    },
    "table to rerun": Kind(
        "tables/matrix.csv",
        lambda: result_files()["tables/matrix.csv"],
        lambda folder: list(compare(folder, folder)),
        False,
    ),
    "sweep of a task": Kind(
        "sweep.toml",
        lambda: TASK_SWEEP,
        lambda folder: open_sweep(folder / "sweep.toml", folder / "out").counts,
        False,
        lambda folder: write_files(folder, {"model.py": MODEL_FILE}),
    ),
    "sweep of replay": _file(
        "sweep.toml", lambda: REPLAY_SWEEP, lambda path: open_sweep(path).counts, False
    ),
    "sweep result": _in_cell(
        "result.json", {"cell": "x", "measures": {"loss": 0.5, "stopped": "max_iter"}}, Cell.result
    ),
    "sweep failure": _in_cell("failed.json", {"error": "OSError: x", "tries": 2}, Cell.error),
    "CSV log": _file("log.csv", _bytes(_csv_log, "log.csv"), _read_log, False),
    "images": _in_digits("train-images-idx3-ubyte"),
    "labels": _in_digits("t10k-labels-idx1-ubyte"),
    "model file": _file("model.py", lambda: MODEL_FILE, Model, False),
    "Python 2 file": _file("old.py", lambda: PYTHON_2_FILE, translated, False),
}
