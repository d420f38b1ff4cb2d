"""A task and a network small enough for tests: hold the sign of a pulse."""

import numpy as np

SETTINGS = {
    "Nin": 1,
    "N": 6,
    "Nout": 2,
    "ei": [1, 1, 1, 1, -1, -1],
    "tau": 40,  # ms
    "dt": 20,  # ms
    "n_gradient": 3,
    "n_validation": 4,
    "checkfreq": 2,
    "max_iter": 5,
}


def generate_trial(rng, dt, params):
    steps = rng.randint(4, 7)
    sign = rng.choice([-1, 1])
    choice = 0 if sign > 0 else 1
    outputs = np.full((steps, 2), 0.2)
    outputs[:, choice] = 1
    return {
        "t": np.arange(1, steps + 1) * dt,
        "epochs": {"T": steps * dt},
        "info": {"choice": choice},
        "inputs": np.full((steps, 1), 0.5 + 0.5 * sign),
        "outputs": outputs,
    }
