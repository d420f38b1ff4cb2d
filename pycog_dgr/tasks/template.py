"""NAME: see which of two inputs is on, and say so a little later.

`python NAME.py` trains the network until it meets the criterion below, tests it and draws it.
"""

import numpy as np

from pycog_dgr import tasktools

# Network: every setting of pycog_dgr/config/ can stand in this file under its name.
Nin, N, Nout = 2, 50, 2  # inputs, recurrent units, outputs
ei, EXC, INH = tasktools.generate_ei(N)  # Dale's law, 80 % excitatory; leave out for no such law
Cout = np.tile(ei > 0, (Nout, 1))  # (Nout, N): which units are read out, here the excitatory ones
tau = 100  # ms; a time step is a fifth of it

# Task: conditions are drawn at random for training, and come in turn for validation.
conditions = {"cue": [0, 1]}  # which input is on
pcatch = 1 / 3  # of the trials show nothing, and ask for low outputs
epochs = {"fixation": (0, 200), "stimulus": (200, 700), "decision": (900, 1200), "T": 1200}  # ms


def generate_trial(rng, dt, params):
    shown = tasktools.choose_condition(rng, params, conditions, pcatch)  # None in a catch trial
    t, e = tasktools.get_epochs_idx(dt, epochs)  # time (ms), and the steps of each epoch
    trial = {"t": t, "epochs": epochs, "info": {}, "inputs": np.zeros((len(t), Nin))}
    choice = None
    if shown is not None:
        choice = shown["cue"]
        trial["inputs"][e["stimulus"], choice] = 1
        trial["info"] = {**shown, "choice": choice}  # what trials are sorted and judged by
    if params.get("target_output", False):  # both (time, Nout); nothing is asked where mask is 0
        trial["outputs"], trial["mask"] = tasktools.choice_targets(t, e, choice)
    return trial


# Training: stops when `terminate` says so, or at an error of `min_error`.
learning_rate = 0.03
n_validation = 300  # trials
checkfreq = 100  # updates between validations
performance = tasktools.performance_2afc  # percent correct


def terminate(performance_history):
    return np.mean(performance_history[-3:]) > 95


if __name__ == "__main__":
    from pycog_dgr.commands import main

    main(__file__)
