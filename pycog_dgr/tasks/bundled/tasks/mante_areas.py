"""Context-dependent integration in two areas: a sensory area sees, a motor area helps to decide.

    0          fixation   stimulus and context  decision
    | 100 ms (test 400)  | 800 ms              | 300 ms |        catch trial: 2000 ms of nothing

Only the sensory area receives inputs; the excitatory units of both areas are read out, as in the
original's file. Within an area units are connected all-to-all; inhibition stays within its area;
the motor area receives all sensory excitatory units, the sensory area a random fifth of the motor
ones.

Inputs: 0 and 1 context (motion, colour); 2 and 3 motion; 4 and 5 colour, for choice 0 and 1.

Loosely after:
    Mante, Sussillo, Shenoy & Newsome, Nature 503, 78 (2013), doi:10.1038/nature12742
As trained by:
    Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), doi:10.1371/journal.pcbi.1004792
"""

import numpy as np

from pycog_dgr import tasktools

# -- network ----------------------------------------------------------------------------------

Nin, N, Nout = 6, 150, 2
ei, EXC, INH = tasktools.generate_ei(N)

n_exc, n_inh = len(EXC) // 2, len(INH) // 2
EXC_SENSORY, EXC_MOTOR = EXC[:n_exc], EXC[n_exc:]
INH_SENSORY, INH_MOTOR = INH[:n_inh], INH[n_inh:]
feedback = 0.2  # probability of a connection from the motor to the sensory area

Cin = np.zeros((N, Nin))
Cin[EXC_SENSORY + INH_SENSORY] = 1

rng = np.random.RandomState(1000)
Crec = np.zeros((N, N))
Crec[np.ix_(EXC_SENSORY + INH_SENSORY, EXC_SENSORY)] = 1
for i in EXC_SENSORY + INH_SENSORY:
    Crec[i, EXC_MOTOR] = rng.uniform(size=len(EXC_MOTOR)) < feedback
Crec[np.ix_(EXC_MOTOR + INH_MOTOR, EXC)] = 1
Crec[np.ix_(EXC_SENSORY + INH_SENSORY, INH_SENSORY)] = 1
Crec[np.ix_(EXC_MOTOR + INH_MOTOR, INH_MOTOR)] = 1
np.fill_diagonal(Crec, 0)
balance = Crec[:, EXC].sum(axis=1) / Crec[:, INH].sum(axis=1)
Crec[:, INH] *= balance[:, np.newaxis]
Crec /= np.linalg.norm(Crec, axis=1, keepdims=True)

Cout = np.zeros((Nout, N))
Cout[:, EXC] = 1

# -- task -------------------------------------------------------------------------------------

contexts = ["m", "c"]  # motion, colour
cohs = [1, 3, 10]  # percent
left_rights = [1, -1]  # towards choice 0 or 1
conditions = {
    "context": contexts,
    "coh_m": cohs,
    "coh_c": cohs,
    "left_right_m": left_rights,
    "left_right_c": left_rights,
}
nconditions = len(contexts) * (len(cohs) * len(left_rights)) ** 2
pcatch = 1 / (nconditions + 1)


def scale(coh):
    """Input strength: 1/2 without evidence, up to 0.75 at 10 %."""
    return (1 + 5 * coh / 100) / 2


def generate_trial(rng, dt, params):
    shown = tasktools.choose_condition(rng, params, conditions, pcatch)
    return build_trial(dt, params["name"], params.get("target_output", False), shown)


@tasktools.built_once
def build_trial(dt, purpose, target_output, shown):
    if shown is None:
        epochs = {"T": 2000}
    else:
        start = 400 if purpose == "test" else 100
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
        inputs, on = trial["inputs"], e["stimulus"]
        inputs[on, contexts.index(shown["context"])] = 1
        for first, modality in ((2, "m"), (4, "c")):
            favoured = 0 if shown[f"left_right_{modality}"] > 0 else 1
            inputs[on, first + favoured] = scale(shown[f"coh_{modality}"])
            inputs[on, first + 1 - favoured] = scale(-shown[f"coh_{modality}"])
        choice = 0 if shown[f"left_right_{shown['context']}"] > 0 else 1
        trial["info"] = {**shown, "choice": choice}
    if target_output:
        trial["outputs"], trial["mask"] = tasktools.choice_targets(t, e, choice)
    return trial


# -- training ---------------------------------------------------------------------------------

n_gradient = 50
n_validation = 50 * (nconditions + 1)
performance = tasktools.performance_2afc


def terminate(performance_history):
    return np.mean(performance_history[-5:]) > 90  # percent correct


if __name__ == "__main__":
    from pycog_dgr.commands import main

    main(__file__)
