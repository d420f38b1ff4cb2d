"""Parametric working memory: was the first vibration faster than the second, seconds later?

    0          fixation   f1       delay                                 f2       decision
    | 100 ms (test 500)  | 500 ms | 2500 to 3500 ms, uniform (test 3000) | 500 ms | 300 ms |
    catch trial: 2500 ms of nothing

Loosely after:
    Barak, Tsodyks & Romo, J. Neurosci. 30, 9424 (2010), doi:10.1523/JNEUROSCI.1875-10.2010
As trained by:
    Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), doi:10.1371/journal.pcbi.1004792
"""

import numpy as np

from pycog_dgr import tasktools

# -- network ----------------------------------------------------------------------------------

Nin, N, Nout = 2, 500, 2
POS, NEG = 0, 1  # the input that grows and the one that falls with the frequency
ei, EXC, INH = tasktools.generate_ei(N)

Crec = tasktools.generate_Crec(ei, p_exc=0.1, p_inh=0.5, seed=1066)

Cout = np.tile(ei > 0, (Nout, 1))  # only excitatory units are read out

# -- task -------------------------------------------------------------------------------------

fmin, fmax = 10, 34  # Hz
fpairs = [(low + 8, low) for low in range(fmin, fmax - 7, 4)]  # Hz
gt_lts = [">", "<"]  # the first frequency is the higher, or the lower one of the pair
conditions = {"fpair": fpairs, "gt_lt": gt_lts}
nconditions = len(fpairs) * len(gt_lts)
pcatch = 1 / (nconditions + 1)


def show(inputs, when, f):
    """A vibration of f Hz on both inputs (time, 2), each between 0.4 and 1.2."""
    inputs[when, POS] = 0.4 + 0.8 * (f - fmin) / (fmax - fmin)
    inputs[when, NEG] = 0.4 + 0.8 * (fmax - f) / (fmax - fmin)


def generate_trial(rng, dt, params):
    shown = tasktools.choose_condition(rng, params, conditions, pcatch)
    if shown is None:
        epochs = {"T": 2500}
    else:
        test = params["name"] == "test"
        ends = np.cumsum([
            500 if test else 100,
            500,
            3000 if test else tasktools.uniform(rng, dt, 2500, 3500),
            500,
            300,
        ]).tolist()  # fmt: skip
        names = ["fixation", "f1", "delay", "f2", "decision"]
        epochs = dict(zip(names, zip([0, *ends], ends, strict=False), strict=True))
        epochs["T"] = ends[-1]
    t, e = tasktools.get_epochs_idx(dt, epochs)
    trial = {"t": t, "epochs": epochs, "info": {}, "inputs": np.zeros((len(t), Nin))}

    choice = None
    if shown is not None:
        high, low = shown["fpair"]
        choice = 0 if shown["gt_lt"] == ">" else 1
        f1, f2 = (high, low) if choice == 0 else (low, high)
        trial["info"] = {"f1": f1, "f2": f2, "choice": choice}
        show(trial["inputs"], e["f1"], f1)
        show(trial["inputs"], e["f2"], f2)
    if params.get("target_output", False):
        trial["outputs"], trial["mask"] = tasktools.choice_targets(t, e, choice)
    return trial


# -- training ---------------------------------------------------------------------------------

n_validation = 100 * (nconditions + 1)
performance = tasktools.performance_2afc_min_condition


def terminate(performance_history):
    return np.mean(performance_history[-5:]) > 85  # percent correct


if __name__ == "__main__":
    from pycog_dgr.commands import main

    main(__file__)
