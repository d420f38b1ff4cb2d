"""Eye-movement sequences: three saccades over a 3 x 3 grid of dots, as one of eight cues says.

    0  iti       fixation   M1       M2       M3
    | 1000 ms  | 1000 ms  | 500 ms | 500 ms | 500 ms |

Inputs: 0..8 the dots on the screen (where the eye is, and the two it may move to), 9..16 which
sequence to make. Outputs: horizontal and vertical eye position. Dots are numbered

    0 1 2
    3 4 5
    6 7 8

Loosely after:
    Averbeck & Lee, J. Neurosci. 27, 2204 (2007), doi:10.1523/JNEUROSCI.4483-06.2007
As trained by:
    Song, Yang & Wang, PLoS Comput. Biol. 12, e1004792 (2016), doi:10.1371/journal.pcbi.1004792
"""

import numpy as np

from pycog_dgr import tasktools

sequences = {
    1: (4, 5, 1, 0),
    2: (4, 3, 1, 2),
    3: (4, 3, 7, 8),
    4: (4, 5, 7, 6),
    5: (4, 5, 1, 2),
    6: (4, 3, 1, 0),
    7: (4, 3, 7, 6),
    8: (4, 5, 7, 8),
}
options = {4: (3, 5), 3: (1, 7), 5: (1, 7), 1: (0, 2), 7: (6, 8)}  # where to go from each dot
nseq = len(sequences)
n_dots = 9

# -- network ----------------------------------------------------------------------------------

Nin, N, Nout = n_dots + nseq, 200, 2
ei, EXC, INH = tasktools.generate_ei(N)
tau = 50  # ms
var_rec = 0.01**2
mode = "continuous"
x0 = -0.5  # initial state: the original's name for a coordinate of the screen became this setting

# -- task -------------------------------------------------------------------------------------

epochs = {
    "iti": (0, 1000),
    "fixation": (1000, 2000),
    "M1": (2000, 2500),
    "M2": (2500, 3000),
    "M3": (3000, 3500),
    "T": 3500,
}
STAY_AND_MOVES = ["fixation", "M1", "M2", "M3"]


def target_position(dot):
    """Screen coordinates of a dot, in -1/2 .. 1/2."""
    row, column = divmod(dot, 3)
    return (column - 1) / 2, (1 - row) / 2


class SequenceTask:
    """Draws sequences; for validation a fresh permutation of all eight, one after the other."""

    def __init__(self):
        self.order = np.arange(nseq)

    def choose(self, rng, params):
        if params["name"] == "validation":
            b = params["minibatch_index"] % nseq
            if b == 0:
                self.order = rng.permutation(nseq)
            return int(self.order[b]) + 1
        drawn = rng.choice(list(sequences))
        return params.get("seq", int(drawn))

    def generate_trial(self, rng, dt, params):
        return build_trial(dt, self.choose(rng, params), params.get("target_output", False))


@tasktools.built_once
def build_trial(dt, seq, target_output):
    t, e = tasktools.get_epochs_idx(dt, epochs)
    trial = {"t": t, "epochs": dict(epochs), "info": {"seq": seq}}

    inputs = np.zeros((len(t), Nin))
    inputs[:, n_dots + seq - 1] = 1
    start, *moves = sequences[seq]
    inputs[e["fixation"], start] = 1
    for epoch, dot in zip(STAY_AND_MOVES[1:], (start, *moves), strict=False):
        for shown in (dot, *options[dot]):
            inputs[e[epoch], shown] = 1
    trial["inputs"] = inputs

    if target_output:
        outputs, mask = np.zeros((len(t), Nout)), np.zeros((len(t), Nout))
        for epoch, dot in zip(STAY_AND_MOVES, sequences[seq], strict=True):
            outputs[e[epoch]] = target_position(dot)
            mask[e[epoch]] = 1  # between trials the eye is free
        trial["outputs"], trial["mask"] = outputs, mask
    return trial


task = SequenceTask()
generate_trial = task.generate_trial

# -- training ---------------------------------------------------------------------------------

n_validation = 100 * nseq
min_error = 0.05

if __name__ == "__main__":
    from pycog_dgr.commands import main

    main(__file__)
