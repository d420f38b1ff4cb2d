"""Whole trainings (train_*.npz): histories, parameters, best network, random streams, stopping.

Of the best network Wrec is compared, and Win and Wout where Dale's law applies; the original's
other best entries alias the present values (NOTES.md) and are not compared. The original saved at
checks alone, and when it took a training up it validated again, had forgotten the last update's
Omega, and counted trials from 0; ours does not, so that going on equals never having stopped. Here
it is made to, and trials are counted the original's way before they are compared.
"""

import dataclasses
import os
import tempfile
from pathlib import Path
from unittest import mock

from pycog_dgr import tasktools
from pycog_dgr.config import settings
from pycog_dgr.files import checkpoint, previous
from pycog_dgr.training import train
from pycog_dgr.training.run import TrainingRun
from tests.golden_kinds.core_common import Coverage
from tests.golden_kinds.tasks_common import TASK_BY_INPUTS, error, load, same, task

TOLERANCE = {"float64": 1e-9, "float32": 1e-4}


def reads(path):
    return path.name.startswith("train_") and path.suffix == ".npz"


def check(path):
    """Yield (what, error, tolerance)."""
    arrays, meta = load(path)
    arrays = Coverage(arrays)
    with tempfile.TemporaryDirectory() as folder:
        savefile = Path(folder) / "save.npz"
        yield from compare(savefile, "", meta["params"], arrays, meta, path)
        if "params2" in meta:
            forgetful = dataclasses.replace(checkpoint.load(savefile), report=None)
            checkpoint.save(savefile, forgetful)
            yield from compare(savefile, "again_", meta["params2"], arrays, meta, path)
    left = [name for name in arrays.unread if not name.removeprefix("again_").startswith("best_")]
    yield "keys read", same(sorted(left), []), 0.0


def compare(savefile, prefix, params, arrays, meta, path):
    tolerance = TOLERANCE[meta["floatX"]]
    own_task = task(TASK_BY_INPUTS[params.get("Nin", 0)])
    forgotten = checkpoint.load(savefile).costs_history[-1][0] if savefile.exists() else 0
    network, training = settings(**with_functions(params, own_task, path))
    with mock.patch.object(TrainingRun, "is_validation_due", validates_at_every_check):
        train(own_task, network, training, savefile, floatX=meta["floatX"])
    got = at_the_last_check(savefile, training.n_gradient)

    yield (
        f"{prefix}iterations",
        same(
            [got.iteration, got.best.iteration],
            [int(arrays[f"{prefix}iter"]), int(arrays[f"{prefix}best_iter"])],
        ),
        0.0,
    )
    costs = [[trials, *costs] for trials, costs in got.costs_history]
    values = {"costs_history": costs, "Omega_history": [list(row) for row in got.Omega_history]}
    for rows in values.values():
        counted_anew(rows, before=forgotten)
    values |= {"best_cost": got.best.cost, "best_other_costs": got.best.other_costs}
    values["best_Wrec_"] = got.best.weights.Wrec
    values |= {f"current_{name}": getattr(got.parameters, name) for name in got.trained}
    for name, value in values.items():
        yield prefix + name, error(value, arrays[prefix + name]), tolerance
    if network.ei is not None:
        for name in {"Win", "Wout"} & set(network.shapes):
            key = f"{prefix}best_{name}_"
            yield key, error(getattr(got.best.weights, name), arrays[key]), tolerance
    for stream in ("gradient", "validation"):
        _, key, *rest = getattr(got, f"rng_{stream}")
        where = f"{prefix}rng_{stream}_"
        yield where + "key", error(key, arrays[where + "key"]), 0.0
        name = where + "pos_hasgauss_cached"
        yield name, error(rest, arrays[name]), 0.0


def counted_anew(rows, before):
    """Trials since a training was taken up `before` that many, in the rows added since then."""
    seen = [row[0] for row in rows]
    first = seen.index(before) + 1 if before else 0
    for row in rows[first:]:
        row[0] -= before


def validates_at_every_check(run):
    return run.is_at_check() and run.iteration <= run.training.max_iter


def at_the_last_check(savefile, n_gradient):
    """The save file of the last check, put in the place of a later one."""
    got = checkpoint.load(savefile)
    if got.costs_history[-1][0] != (got.iteration - 1) * n_gradient:
        os.replace(previous(savefile), savefile)
        got = checkpoint.load(savefile)
    return got


def with_functions(params, own_task, path):
    """The settings, with functions in place of what the fixture says about them."""
    params = {**params, "noise_stream": "original"}
    if params.get("performance"):
        params["performance"] = tasktools.performance_2afc
    described = params.pop("terminate", None) or ""
    if path.name.startswith("train_terminate"):
        params["terminate"] = lambda history: len(history) >= 4
    elif "function terminate" in described:
        params["terminate"] = own_task.terminate
    return params
