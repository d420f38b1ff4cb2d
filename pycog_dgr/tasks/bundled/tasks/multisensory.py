"""Multisensory integration: is a stream of flashes, clicks or both faster than 12.5 per second?

    0          fixation   stimulus              decision
    | 100 ms (test 500)  | 1000 ms             | 300 ms |        catch trial: 2500 ms of nothing

Each modality has one input that grows with the rate and one that falls with it, and its own third
of the units; the last third receives neither.

Loosely after:
    Raposo, Kaufman & Churchland, Nature Neurosci. 17, 1784 (2014), doi:10.1038/nn.3865
As trained by:
    Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), doi:10.1371/journal.pcbi.1004792
"""

import numpy as np

from pycog_dgr import tasktools

# -- network ----------------------------------------------------------------------------------

Nin, N, Nout = 5, 150, 2
VISUAL_P, AUDITORY_P, VISUAL_N, AUDITORY_N, START = range(Nin)  # P grows, N falls with the rate
ei, EXC, INH = tasktools.generate_ei(N)

n_exc, n_inh = len(EXC) // 3, len(INH) // 3
VISUAL = EXC[:n_exc] + INH[:n_inh]
AUDITORY = EXC[n_exc : 2 * n_exc] + INH[n_inh : 2 * n_inh]

Cin = np.zeros((N, Nin))
Cin[np.ix_(VISUAL, [VISUAL_P, VISUAL_N])] = 1
Cin[np.ix_(AUDITORY, [AUDITORY_P, AUDITORY_N])] = 1
Cin[:, START] = 1

Cout = np.tile(ei > 0, (Nout, 1))  # only excitatory units are read out

# -- task -------------------------------------------------------------------------------------

modalities = ["v", "a", "va"]
freqs = list(range(9, 17))  # events per second
boundary = 12.5  # events per second
nconditions = len(modalities) * len(freqs)
pcatch = 5 / (nconditions + 1)


def scale_p(freq):
    """Input that grows with the rate, from 0.4 to 1.2."""
    return 0.4 + 0.8 * (freq - min(freqs)) / (max(freqs) - min(freqs))


def scale_n(freq):
    """Input that falls with the rate, from 1.2 to 0.4."""
    return 0.4 + 0.8 * (max(freqs) - freq) / (max(freqs) - min(freqs))


def generate_trial(rng, dt, params):
    conditions = {"modality": modalities, "freq": freqs}
    shown = tasktools.choose_condition(rng, params, conditions, pcatch)
    return build_trial(dt, params["name"], params.get("target_output", False), shown)


@tasktools.built_once
def build_trial(dt, purpose, target_output, shown):
    if shown is None:
        epochs = {"T": 2500}
    else:
        start = 500 if purpose == "test" else 100
        epochs = {
            "fixation": (0, start),
            "stimulus": (start, start + 1000),
            "decision": (start + 1000, start + 1300),
            "T": start + 1300,
        }
    t, e = tasktools.get_epochs_idx(dt, epochs)
    trial = {"t": t, "epochs": epochs, "info": {}, "inputs": np.zeros((len(t), Nin))}

    choice = None
    if shown is not None:
        choice = 0 if shown["freq"] > boundary else 1
        trial["info"] = {**shown, "choice": choice}
        inputs, on = trial["inputs"], e["stimulus"]
        for letter, grows, falls in (("v", VISUAL_P, VISUAL_N), ("a", AUDITORY_P, AUDITORY_N)):
            if letter in shown["modality"]:
                inputs[on, grows] = scale_p(shown["freq"])
                inputs[on, falls] = scale_n(shown["freq"])
        inputs[on + e["decision"], START] = 1
    if target_output:
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
