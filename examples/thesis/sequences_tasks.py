"""The two sequences of sequences.py, and the network that learns them."""

import numpy as np

from pycog_dgr import tasktools

# -- network ----------------------------------------------------------------------------------

ei, EXC, INH = tasktools.generate_ei(100)
NETWORK = {
    "Nin": 1,
    "N": 100,
    "Nout": 10,
    "ei": ei,
    "tau": 50,  # ms; dt = tau/5
    "var_rec": 0.01**2,
    "n_gradient": 20,
}

# -- the two tasks ----------------------------------------------------------------------------

T = 1000  # ms
DELAY, WIDTH, HEIGHT = 500, 20, 4  # ms, ms, 1


class Sequence:
    """One of the two tasks, 1 or 2; see above."""

    def __init__(self, number):
        self.number = number

    def generate_trial(self, rng, dt, params):
        s = rng.uniform(100, T - 600)  # ms
        t, _ = tasktools.get_epochs_idx(dt, {"T": T})
        n_outputs = NETWORK["Nout"]
        peaks = s + DELAY / n_outputs * np.arange(1, n_outputs + 1)
        bumps = HEIGHT * np.exp(-((t[:, np.newaxis] - peaks) ** 2) / (2 * WIDTH**2))
        if self.number == 1:
            u = np.exp(-(t - s) / DELAY) * HEIGHT * (np.sin(-0.015 * t) + 4)
        else:
            u = np.exp((t - s) / DELAY) * HEIGHT * (np.sin(-0.035 * t) + 2)
            bumps = bumps[::-1]
        return {
            "t": t,
            "epochs": {"T": T},
            "info": {"signal": s},
            "inputs": np.where(t > s, u, 0)[:, np.newaxis],
            "outputs": bumps,
        }
