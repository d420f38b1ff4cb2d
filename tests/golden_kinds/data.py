"""Batches and trials (data_*.npz): equal to the last bit.

Correlated noise is the exception: the sign of each principal axis is LAPACK's choice, so its
components along the axes are compared up to sign.
"""

import itertools
import re

import numpy as np

from pycog_dgr.config import setting_names, settings
from pycog_dgr.data import Dataset
from tests.golden_kinds.core_common import Coverage
from tests.golden_kinds.tasks_common import error, load, same, task

EXACT = 0.0
CORRELATED = 1e-10  # of the largest entry


def reads(path):
    return path.name.startswith("data_") and path.suffix == ".npz"


def check(path):
    """Yield (what, error, tolerance)."""
    arrays, meta = load(path)
    arrays = Coverage(arrays)
    if isinstance(meta, list):
        yield from trials(arrays, meta, 1000 + seed_in(path.stem))
    else:
        yield from batches(arrays, meta)
    yield "keys read", same(sorted(arrays.unread), []), EXACT


def seed_in(name):
    """NN of a file's name with _seedNN_ in it."""
    return int(re.search(r"_seed(\d+)_", name)[1])


def batches(arrays, meta):
    p = meta["p"]
    data = dataset(meta, p)
    if "has_mask" in arrays:
        yield "has_output_mask", same(data.has_output_mask(), bool(arrays["has_mask"])), EXACT
    correlated = [name for name in ("var_in", "var_rec") if np.ndim(p[name]) == 2]
    for i, call in enumerate(meta["calls"]):
        batch = data([])
        Nin, Nout = p["Nin"], p["Nout"]
        want = np.split(arrays[f"inputs{i}"], [Nin], axis=2)
        want += np.split(arrays[f"targets{i}"], [Nout], axis=2)
        got = [batch.inputs, batch.noise, batch.targets, batch.mask]
        names = ("inputs", "noise", "targets", "mask")
        for name, ours, theirs in zip(names, got, want, strict=True):
            if name == "noise" and "var_rec" in correlated:
                axes = np.linalg.eigh(p["var_rec"])[1]
                ours, theirs = np.abs(ours @ axes), np.abs(theirs @ axes)
                yield f"noise {i}", error(ours, theirs), CORRELATED
            elif name == "inputs" and "var_in" in correlated:
                yield f"inputs {i}", inputs_up_to_sign(meta, i, theirs), CORRELATED
            else:
                yield f"{name} {i}", error(ours, theirs), EXACT
        state = data.rng.get_state()
        digest = [int(state[1][0]), int(state[1][-1]), *state[2:], int(state[1].sum(dtype="u8"))]
        (key,) = (key for key in call if key.startswith("rng_state"))
        yield f"random stream after {i}", same(digest, call[key]), EXACT
        yield (
            f"bookkeeping {i}",
            same([data.ntrials, data.trial_idx], [call["ntrials"], call["trial_idx"]]),
            EXACT,
        )
        described = [
            {
                "epochs": trial["epochs"],
                "info": trial.get("info"),
                "nt": len(trial["t"]),
                "t0": trial["t"][0],
                "t_last": trial["t"][-1],
            }
            for trial in data.get_trials()
        ]
        yield f"trials {i}", same(described, call["trials"]), EXACT


def dataset(meta, p):
    known = {name: value for name, value in p.items() if name in setting_names()}
    network, training = settings(**known, noise_stream="original")
    return Dataset(
        meta["minibatch_size"],
        task(meta["task"]),
        meta["floatX"],
        network,
        training,
        batch_size=meta["batch_size"],
        seed=meta["seed"],
        name=meta["name"],
    )


def inputs_up_to_sign(meta, call, want):
    """Smallest error over the signs of the principal axes of the input noise."""
    p = {**meta["p"], "rectify_inputs": False}
    noisy, quiet = dataset(meta, p), dataset(meta, {**p, "var_in": 0.0})
    for _ in range(call + 1):
        with_noise, without = noisy([]).inputs, quiet([]).inputs
        quiet.rng.set_state(noisy.rng.get_state())  # the same trials in the next call
    axes = np.linalg.eigh(p["var_in"])[1]
    components = (with_noise - without) @ axes
    candidates = (
        without + (components * signs) @ axes.T
        for signs in itertools.product((1, -1), repeat=p["Nin"])
    )
    rectify = meta["p"]["rectify_inputs"]
    return min(error(np.maximum(u, 0) if rectify else u, want) for u in candidates)


def trials(arrays, meta, seed):
    """Trials of one task after another, each from a stream of its own that `seed` begins."""
    streams = {}
    for entry in meta:
        name, key = entry["task"], entry["key"]
        rng = streams.setdefault(name, np.random.RandomState(seed))
        params = dict(entry["params"])
        if "fpair" in params:
            params["fpair"] = tuple(params["fpair"])
        trial = task(name).generate_trial(rng, entry["dt"], params)
        yield f"{key}stream", error(rng.uniform(), entry["rng_uniform_after"]), EXACT
        for part in ("t", "inputs", "outputs", "mask"):
            if key + part in arrays:
                yield key + part, error(trial[part], arrays[key + part]), EXACT
            else:
                yield key + part, same(part in trial, False), EXACT
        yield f"{key}epochs", same(trial["epochs"], entry["epochs"]), EXACT
        yield f"{key}info", same(trial.get("info"), entry["info"]), EXACT
