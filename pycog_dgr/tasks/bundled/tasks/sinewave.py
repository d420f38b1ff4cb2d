"""Generate a sine wave without any input.

The simplest use of the framework: no inputs and no conditions. The network runs in continuous mode:
a run starts where the last one ended.

As trained by:
    Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), doi:10.1371/journal.pcbi.1004792
"""

import numpy as np

from pycog_dgr import tasktools

# -- network ----------------------------------------------------------------------------------

N, Nout = 100, 1
ei, EXC, INH = tasktools.generate_ei(N)
tau = 100  # ms
train_brec = train_bout = True  # biases help here
var_rec = 0.05**2
mode = "continuous"

# -- task -------------------------------------------------------------------------------------

period = 8 * tau  # ms
amplitude = 0.9


def generate_trial(rng, dt, params):
    return build_trial(dt)


@tasktools.built_once
def build_trial(dt):
    epochs = {"T": 2 * period}
    t, _ = tasktools.get_epochs_idx(dt, epochs)
    outputs = amplitude * np.sin(2 * np.pi * t / period)[:, np.newaxis]
    return {"t": t, "epochs": epochs, "outputs": outputs}


# -- training ---------------------------------------------------------------------------------

n_validation = 50
min_error = 0.05

if __name__ == "__main__":
    from pycog_dgr.commands import main

    main(__file__)
