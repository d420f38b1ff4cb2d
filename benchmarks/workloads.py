"""The train steps that are timed: three sizes of network, their initial weights and their batches.

| name   | T   | B   | N   | Nin, Nout | outputs | what it stands for                         |
|--------|-----|-----|-----|-----------|---------|--------------------------------------------|
| thesis | 28  | 64  | 64  | 28, 10    | softmax | the thesis' solver, loss at the last step  |
| rdm    | 150 | 20  | 100 | 2, 2      | linear  | one decision task, pycog's own minibatch   |
| large  | 200 | 100 | 150 | 6, 2      | sigmoid | a context-dependent task, large minibatch  |

Every network obeys Dale's law (80 % excitatory; the thesis' has 51 and 13), has no self connections
and trains Win, Wrec, Wout and x0. Batches are random numbers of the size and kind of the real ones:
what is in them costs nothing more or less.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import NetworkConfig, TrainingConfig, settings
from pycog_dgr.data import Batch, input_noise, recurrent_noise
from pycog_dgr.network import Parameters, initial_parameters
from pycog_dgr.training import THESIS

PIXELS_LIT = 0.2  # share of an image that is not black
GREY_VALUES = 255
FLOATX = "float32"
TRAINED = ("Win", "Wrec", "Wout", "x0")


class Workload(NamedTuple):
    """A network at its start, how it is trained, and batches to train it on, all float32."""

    name: str
    network: NetworkConfig
    training: TrainingConfig
    parameters: Parameters
    batches: list[Batch]

    @property
    def values(self) -> dict[str, NDArray]:
        """Name -> value of the parameters that the network has."""
        return {name: getattr(self.parameters, name) for name in self.network.shapes}

    @property
    def size(self) -> str:
        T, B, N = self.batches[0].noise.shape
        return f"T{T} B{B} N{N}"


def task_like(N: int, Nin: int, Nout: int, output_activation: str) -> dict[str, Any]:
    """Settings of a network for a decision task: tau 100 ms, dt 20 ms, pycog's defaults."""
    n_excitatory = int(0.8 * N)
    return {
        "N": N,
        "Nin": Nin,
        "Nout": Nout,
        "ei": np.repeat([1, -1], [n_excitatory, N - n_excitatory]),
        "tau": 100,  # ms
        "dt": 20,  # ms
        "output_activation": output_activation,
    }


SIZES = {  # name -> settings, time steps, trials, whether the loss is at the last step alone
    "thesis": (THESIS, 28, 64, True),
    "rdm": (task_like(100, 2, 2, "linear"), 150, 20, False),
    "large": (task_like(150, 6, 2, "sigmoid"), 200, 100, False),
}


def workload(name: str, n_batches: int = 4) -> Workload:
    """One of SIZES."""
    return make(name, *SIZES[name], n_batches=n_batches)


def thesis_like(n_time: int, n_trial: int, N: int, n_batches: int = 2) -> Workload:
    """The thesis' network with another number of steps, trials or units."""
    n_excitatory = int(0.8 * N)
    chosen = THESIS | {"N": N, "ei": np.repeat([1, -1], [n_excitatory, N - n_excitatory])}
    return make(f"T{n_time} B{n_trial} N{N}", chosen, n_time, n_trial, True, n_batches=n_batches)


def make(
    name: str,
    chosen: dict[str, Any],
    n_time: int,
    n_trial: int,
    last_step_only: bool,
    n_batches: int,
) -> Workload:
    network, training = settings(**chosen)
    parameters, network = initial_parameters(network, seed=1)
    given = {name: value for name, value in parameters._asdict().items() if value is not None}
    parameters = Parameters(**{name: value.astype(FLOATX) for name, value in given.items()})
    rng = np.random.RandomState(2)
    batches = [
        random_batch(network, training, n_time, n_trial, last_step_only, rng)
        for _ in range(n_batches)
    ]
    return Workload(name, network, training, parameters, batches)


def random_batch(
    network: NetworkConfig,
    training: TrainingConfig,
    n_time: int,
    n_trial: int,
    last_step_only: bool,
    rng: np.random.RandomState,
) -> Batch:
    """Images where the outputs are classes, and otherwise constant inputs and targets."""
    shape = (n_time, n_trial)
    noise_in = input_noise(
        rng, (*shape, network.Nin), tau_in=training.tau_in, dt=network.dt, var_in=training.var_in
    )
    noise = recurrent_noise(
        rng, (*shape, network.N), tau=network.tau, dt=network.dt, var_rec=training.var_rec
    )
    choice = np.eye(network.Nout)[rng.randint(network.Nout, size=n_trial)]
    if network.output_activation == "softmax":
        lit = rng.uniform(size=noise_in.shape) < PIXELS_LIT
        signal = GREY_VALUES * rng.uniform(size=noise_in.shape) * lit
    else:
        signal = rng.uniform(size=(n_trial, network.Nin))
    mask = np.ones((*shape, network.Nout), FLOATX)
    if last_step_only:
        mask[:-1] = 0
    return Batch(
        inputs=np.maximum(signal + training.baseline_in + noise_in, 0).astype(FLOATX),
        targets=np.broadcast_to(choice, mask.shape).astype(FLOATX, order="C"),
        mask=mask,
        noise=noise.astype(FLOATX),
    )
