"""Small networks and batches for the tests of the training step."""

import numpy as np

from pycog_dgr.config import settings
from pycog_dgr.data import Batch
from pycog_dgr.network import initial_parameters
from pycog_dgr.training import TrainingStep

SETTINGS = {"Nin": 2, "N": 6, "Nout": 3, "ei": [1, 1, 1, 1, -1, -1], "tau": 50, "dt": 20}


def step(
    floatX="float64", backend="auto", optimiser=None, penalties=(), self_check=True, **changes
):
    """A TrainingStep on a network of six units."""
    network, training = settings(**(SETTINGS | changes))
    raw, network = initial_parameters(network, 1)
    return TrainingStep(
        network, training, raw, floatX, backend, optimiser, penalties, self_check=self_check
    )


def batch(network, n_time=7, n_trial=4, seed=0):
    """Random inputs, targets in (0, 1) that sum to 1, a real-valued mask, and noise."""
    rng = np.random.default_rng(seed)
    targets = rng.dirichlet(np.ones(network.Nout), (n_time, n_trial))
    return Batch(
        inputs=rng.uniform(size=(n_time, n_trial, network.Nin)),
        targets=targets,
        mask=rng.uniform(size=targets.shape) * (rng.uniform(size=targets.shape) < 0.7),
        noise=rng.normal(size=(n_time, n_trial, network.N)) * 0.3,
    )
