"""Runs of trained networks (run_*.npz): time, inputs, rates and outputs, in float32.

Differences are relative to the largest value of each array: a long run amplifies rounding.
"""

import numpy as np

from pycog_dgr import RNN
from tests.golden_kinds.core_common import Coverage
from tests.golden_kinds.tasks_common import error, load, plain, same, task

TOLERANCE = 1e-4
SHARED_SEED = 111  # of the RandomState that two runs share


def reads(path):
    return path.name.startswith("run_") and path.suffix == ".npz"


def check(path, wanted=lambda run: True):
    """Yield (what, error, tolerance) of the wanted runs. Save files lie in saves/ beside `path`."""
    arrays, meta = load(path)
    arrays = Coverage(arrays)
    before, rnn, shared = None, None, None
    checked = list(filter(wanted, meta["runs"]))
    for run in checked:
        if not continues(before, run):
            savefile = None if run["savefile"] is None else path.parent / "saves" / run["savefile"]
            rnn = RNN(savefile, run["rnnparams"], verbose=False)
            shared = np.random.RandomState(SHARED_SEED)
        before = run
        yield from compare(rnn, run, shared, arrays)
    left = [name for name in arrays.unread if any(owns(run, name) for run in checked)]
    yield "keys read", same(sorted(left), []), 0.0


def owns(run, name):
    """Whether the array `name` belongs to `run`."""
    parts = ("t", "u", "r", "z", "last")
    return name.startswith(f"{run['key']}_") and name.rsplit("_", 1)[1] in parts


def continues(before, run):
    """Whether the same RNN was run again: keys differ in their last digit only."""
    alike = ("savefile", "rnnparams")
    if before is None or any(plain(before[name]) != plain(run[name]) for name in alike):
        return False
    stems = [one["key"].rstrip("0123456789") for one in (before, run)]
    return stems[0] == stems[1] and run["key"] != stems[1]


def compare(rnn, run, shared, arrays):
    key, stride = run["key"], run["stride"]
    arguments = dict(run["run"])
    if "rng" in arguments:
        arguments["rng"] = shared
    if "inputs" in arguments:
        module, params = arguments["inputs"]
        generate_trial = (
            image_rows(arrays[f"{key}_u"], rnn, arguments["seed"])
            if "image" in params
            else task(module).generate_trial
        )
        arguments["inputs"] = (generate_trial, params)
    info = rnn.run(**arguments)

    yield f"{key} info", same(info, run["info"]), 0.0
    shapes = {"r": list(rnn.r.shape), "z": list(rnn.z.shape)}
    yield f"{key} shape", same(shapes, run["shapes"]), 0.0
    if any(np.ndim(run["rnnparams"].get(name, 0)) == 2 for name in ("var_in", "var_rec")):
        # the signs of correlated noise are LAPACK's choice: kind data compares it
        arrays.used(*(name for name in arrays.arrays if owns(run, name)))
        return
    if f"{key}_t" in arrays:
        want = arrays[f"{key}_t"]
        t = rnn.t[[0, -1]] if len(want) == 2 else rnn.t[::stride]  # of long runs both ends
        yield f"{key} t", error(t, want), TOLERANCE
    strides = {"u": stride, "r": stride, "z": 10 if stride >= 50 else stride}
    for name, step in strides.items():
        if f"{key}_{name}" in arrays:
            got, want = getattr(rnn, name), arrays[f"{key}_{name}"]
            yield f"{key} {name}", error(got[:, ::step], want), TOLERANCE
    if f"{key}_r_last" in arrays:
        yield f"{key} r_last", error(rnn.r[:, -1], arrays[f"{key}_r_last"]), TOLERANCE


def image_rows(u, rnn, seed):
    """A task that shows the image behind the recorded inputs u (Nin, time), a row a step.

    The fixture holds no image, but pixels are whole numbers and the noise is known: what is left
    of u without noise and baseline must be whole, which the comparison of u then checks.
    """
    steps = u.shape[1] - 1
    quiet = RNN.__new__(RNN)
    quiet.__dict__ = {**rnn.__dict__, "p": {**rnn.p, "rectify_inputs": False}}

    def generate_trial(image):
        def show(rng, dt, params):
            t = np.arange(1, steps + 1) * dt
            return {"t": t, "epochs": {"T": t[-1]}, "info": {}, "inputs": image}

        return show

    quiet.run(inputs=(generate_trial(np.zeros((steps, len(u)))), {}), seed=seed)
    return generate_trial(np.maximum(np.rint(u - quiet.u), 0).T[1:])
