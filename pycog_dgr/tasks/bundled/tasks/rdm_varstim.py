"""Perceptual decision with a stimulus of random duration.

Random-dot motion discrimination, viewed for as long as it happens to last.

    0          fixation   stimulus                              decision
    | 100 ms (test 500)  | exponential, mean 330, 80 to 1500 ms | 300 ms |   catch trial: 2000 ms

Loosely after:
    Roitman & Shadlen, J. Neurosci. 22, 9475 (2002), doi:10.1523/JNEUROSCI.22-21-09475.2002
    Kiani, Hanks & Shadlen, J. Neurosci. 28, 3017 (2008), doi:10.1523/JNEUROSCI.4761-07.2008
As trained by:
    Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), doi:10.1371/journal.pcbi.1004792
"""

import numpy as np

from pycog_dgr import tasktools

# -- network ----------------------------------------------------------------------------------

Nin, N, Nout = 3, 100, 2
START = 2  # the input that says the stimulus is on
ei, EXC, INH = tasktools.generate_ei(N)

Cout = np.tile(ei > 0, (Nout, 1))  # only excitatory units are read out

# -- task -------------------------------------------------------------------------------------

cohs = [1, 2, 4, 8, 16]  # percent of dots that move together
in_outs = [1, -1]  # towards choice 0 or 1
nconditions = len(cohs) * len(in_outs)
pcatch = 1 / (nconditions + 1)


def scale(coh):
    """Input strength: 1/2 without coherent motion, up to 0.756 at 16 %."""
    return (1 + 3.2 * coh / 100) / 2


def generate_trial(rng, dt, params):
    shown = tasktools.choose_condition(rng, params, {"coh": cohs, "in_out": in_outs}, pcatch)
    if shown is None:
        epochs = {"T": 2000}
    else:
        start = 500 if params["name"] == "test" else 100
        end = start + tasktools.truncated_exponential(rng, dt, mean=330, xmin=80, xmax=1500)
        epochs = {
            "fixation": (0, start),
            "stimulus": (start, end),
            "decision": (end, end + 300),
            "T": end + 300,
        }
    t, e = tasktools.get_epochs_idx(dt, epochs)
    trial = {"t": t, "epochs": epochs, "info": {}, "inputs": np.zeros((len(t), Nin))}

    choice = None
    if shown is not None:
        choice = 0 if shown["in_out"] > 0 else 1
        trial["info"] = {**shown, "choice": choice}
        trial["inputs"][e["stimulus"], choice] = scale(shown["coh"])
        trial["inputs"][e["stimulus"], 1 - choice] = scale(-shown["coh"])
        trial["inputs"][e["stimulus"], START] = 1
    if params.get("target_output", False):
        trial["outputs"], trial["mask"] = tasktools.choice_targets(t, e, choice)
    return trial


# -- training ---------------------------------------------------------------------------------

n_validation = 100 * (nconditions + 1)
performance = tasktools.performance_2afc


def terminate(performance_history):
    return np.mean(performance_history[-5:]) > 85  # percent correct


if __name__ == "__main__":
    from pycog_dgr.commands import main

    main(__file__)
