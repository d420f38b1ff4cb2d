"""Networks of the example tasks as they are before training, without compiling anything."""

import dataclasses
from pathlib import Path

import numpy as np

from pycog_dgr import Model
from pycog_dgr.config import setting_values
from pycog_dgr.files import checkpoint
from pycog_dgr.files.checkpoint import Best, Checkpoint
from pycog_dgr.network import effective_weights, initial_parameters

TASKS = Path(__file__).parents[2] / "examples" / "tasks"


def save_untrained(name, path, seed=1):
    """Write the initial network of examples/tasks/NAME.py to `path`; returns the Model."""
    model = Model(TASKS / f"{name}.py")
    raw, network = initial_parameters(model.network, seed)
    best = Best(1, 1.0, [1.0], effective_weights(raw, network), raw)
    state = np.random.RandomState(seed).get_state()
    saved = Checkpoint(
        settings=setting_values(network, dataclasses.replace(model.training, seed=seed)),
        trained=("Wrec",),
        iteration=1,
        parameters=raw,
        best=best,
        rng_gradient=state,
        rng_validation=state,
    )
    checkpoint.save(path, saved)
    return model
