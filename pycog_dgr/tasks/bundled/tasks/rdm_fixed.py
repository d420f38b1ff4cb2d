"""Perceptual decision, fixed stimulus duration: which of two inputs was stronger?

Random-dot motion discrimination. Two excitatory groups, each driven by one input and read out by
one output, compete through inhibition; the other units are not selective.

    0          fixation   stimulus              decision
    | 100 ms (test 300)  | 800 ms              | 300 ms |        catch trial: 2000 ms of nothing

Loosely after:
    Roitman & Shadlen, J. Neurosci. 22, 9475 (2002), doi:10.1523/JNEUROSCI.22-21-09475.2002
As trained by:
    Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), doi:10.1371/journal.pcbi.1004792
"""

import numpy as np

from pycog_dgr import tasktools

# -- network ----------------------------------------------------------------------------------

Nin, N, Nout = 2, 100, 2
ei, EXC, INH = tasktools.generate_ei(N)

quarter = len(EXC) // 4
EXC_IN, EXC_OUT, EXC_NS = EXC[:quarter], EXC[quarter : 2 * quarter], EXC[2 * quarter :]

Cin = np.zeros((N, Nin))
Cin[EXC_IN, 0] = 1
Cin[EXC_OUT, 1] = 1

Crec = np.ones((N, N))
Crec[np.ix_(EXC_IN, EXC_OUT)] = 0
Crec[np.ix_(EXC_OUT, EXC_IN)] = 0
np.fill_diagonal(Crec, 0)
balance = Crec[:, EXC].sum(axis=1) / Crec[:, INH].sum(axis=1)
Crec[:, INH] *= balance[:, np.newaxis]
Crec /= np.linalg.norm(Crec, axis=1, keepdims=True)

Cout = np.zeros((Nout, N))
Cout[0, EXC_IN] = 1
Cout[1, EXC_OUT] = 1

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
    return build_trial(dt, params["name"], params.get("target_output", False), shown)


@tasktools.built_once
def build_trial(dt, purpose, target_output, shown):
    if shown is None:
        epochs = {"T": 2000}
    else:
        start = 300 if purpose == "test" else 100
        epochs = {
            "fixation": (0, start),
            "stimulus": (start, start + 800),
            "decision": (start + 800, start + 1100),
            "T": start + 1100,
        }
    t, e = tasktools.get_epochs_idx(dt, epochs)
    trial = {"t": t, "epochs": epochs, "info": {}, "inputs": np.zeros((len(t), Nin))}

    choice = None
    if shown is not None:
        choice = 0 if shown["in_out"] > 0 else 1
        trial["info"] = {**shown, "choice": choice}
        trial["inputs"][e["stimulus"], choice] = scale(shown["coh"])
        trial["inputs"][e["stimulus"], 1 - choice] = scale(-shown["coh"])
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
