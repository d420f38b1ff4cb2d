"""Delayed match to sample: is the second stimulus the same as the first, a delay ago?

    0          sample     delay              test       decision
    | 200 ms  | 400 ms  | 200 to 600 ms    | 400 ms  | 400 ms |     catch trial: 1600 ms of nothing

Inputs: one for each stimulus. Outputs: match, and no match. Neither stimulus tells the answer, and
both must be held until the end: the network has to learn a product of two memories. Plain gradient
descent with pycog's defaults stays at 50 %; docs/when-it-does-not-learn.md goes through what helps.

Loosely after:
    Miller et al., J. Neurosci. 16, 5154 (1996), doi:10.1523/JNEUROSCI.16-16-05154.1996
The network is that of (the task is not theirs):
    Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), doi:10.1371/journal.pcbi.1004792
"""

import numpy as np

from pycog_dgr import tasktools
from pycog_dgr.symbolic import adam

# -- network ----------------------------------------------------------------------------------

Nin, N, Nout = 2, 100, 2
ei, EXC, INH = tasktools.generate_ei(N)
Cout = np.tile(ei > 0, (Nout, 1))  # (Nout, N): excitatory units are read out
train_brec = True  # without it, rectified units do not learn where to begin
var_rec = 0.01**2  # pycog's 0.15^2 hides the memory before it is learnt

# -- task -------------------------------------------------------------------------------------

stimuli = [0, 1]
conditions = {"sample": stimuli, "test": stimuli}
nconditions = len(stimuli) ** 2
pcatch = 1 / (nconditions + 1)
delays = (200, 600)  # ms, shortest and longest


def generate_trial(rng, dt, params):
    shown = tasktools.choose_condition(rng, params, conditions, pcatch)
    delay = params.get("delay", tasktools.uniform(rng, dt, *delays))
    return build_trial(dt, params.get("target_output", False), shown, delay)


def build_trial(dt, target_output, shown, delay):
    epochs = {"T": 1600}
    if shown is not None:
        spans = {"fixation": 200, "sample": 400, "delay": delay, "test": 400, "decision": 400}
        ends = np.cumsum(list(spans.values())).tolist()
        epochs = dict(zip(spans, zip([0, *ends], ends, strict=False), strict=True))
        epochs["T"] = ends[-1]
    t, e = tasktools.get_epochs_idx(dt, epochs)
    trial = {"t": t, "epochs": epochs, "info": {}, "inputs": np.zeros((len(t), Nin))}

    choice = None
    if shown is not None:
        choice = int(shown["sample"] != shown["test"])
        trial["info"] = {**shown, "delay": delay, "choice": choice}
        trial["inputs"][e["sample"], shown["sample"]] = 1
        trial["inputs"][e["test"], shown["test"]] = 1
    if target_output:
        trial["outputs"], trial["mask"] = tasktools.choice_targets(t, e, choice)
    return trial


structure = {"inputs": ["A", "B"], "outputs": ["match", "no match"]}

# -- training ---------------------------------------------------------------------------------

optimiser = adam(0.003)
n_validation = 100 * (nconditions + 1)
checkfreq = 200  # updates between validations
performance = tasktools.performance_2afc


def terminate(performance_history):
    return np.mean(performance_history[-3:]) > 95  # percent correct


if __name__ == "__main__":
    from pycog_dgr.commands import main

    main(__file__)
