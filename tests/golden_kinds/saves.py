"""Original save files (saves/*.pkl): they open, convert, run, are drawn, and train on.

NAME_init.pkl holds the initial weights, which are drawn again here. tiny_CASE_seedS.pkl is the last
save of the training whose numbers are in train_CASE_seedS_f32.npz.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from pycog_dgr import RNN
from pycog_dgr.config import settings
from pycog_dgr.files import checkpoint, legacy
from pycog_dgr.network import initial_parameters
from pycog_dgr.training import train
from tests.golden_kinds.tasks_common import TASK_BY_INPUTS, error, same, task

EXACT = 0.0
INITIAL = 1e-7  # one rounding to float32


def reads(path):
    return path.suffix == ".pkl"


def check(path):
    """Yield (what, error, tolerance)."""
    save = legacy.load(path)
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / "converted.npz"
        checkpoint.save(converted, save)
        again = checkpoint.load(converted)
        yield from runs_and_is_drawn(path, converted, Path(folder))
        if save.settings["Nin"] in TASK_BY_INPUTS:
            yield from trains_on(path, save, Path(folder))
    for name in ("parameters", "best"):
        ours, theirs = (flat(getattr(one, name)) for one in (again, save))
        yield f"converted {name}", max(map(error, ours, theirs)), EXACT
    for name in ("costs_history", "Omega_history", "rng_gradient", "rng_validation"):
        ours, theirs = flat(getattr(again, name)), flat(getattr(save, name))
        yield f"converted {name}", max(map(error, ours, theirs), default=0.0), EXACT
    if path.stem.endswith("_init"):
        yield from initial(save)
    fixture = path.parents[1] / f"{path.stem.replace('tiny', 'train')}_f32.npz"
    if path.stem.startswith("tiny_") and fixture.exists():
        yield from trained(save, fixture)


def runs_and_is_drawn(path, converted, folder):
    """The original's file and ours run alike, for 100 ms without inputs."""
    old, new = (RNN(one, {"mode": "batch"}, verbose=False) for one in (path, converted))
    for rnn in (old, new):
        rnn.run(T=100)
    yield "run of the converted file", error(new.z, old.z), EXACT
    figures = [old.plot_structure()]
    if old.costs_history:
        figures.append(old.plot_costs())
    drawn = [figure.save("figure", folder, fmt="png").stat().st_size > 0 for figure in figures]
    yield "figures", same(all(drawn), True), EXACT


def trains_on(path, save, folder):
    """One more update on the task, whose save file is ours; a validation first if none was made."""
    savefile = Path(shutil.copy(path, folder / "again.pkl"))
    given = {**save.settings, "max_iter": save.iteration, "n_validation": 11, "min_error": 0}
    network, training = settings(**given)
    own_task = task(TASK_BY_INPUTS[network.Nin])
    result = train(own_task, network, training, savefile, floatX="float32")
    checks = len(result.checkpoint.costs_history) - len(save.costs_history)
    seen = (save.iteration - 1) * training.n_gradient
    validated = bool(save.costs_history) and save.costs_history[-1][0] == seen
    yield "training on", same([result.iterations, checks], [save.iteration, 1 - validated]), EXACT
    yield "the original kept", same(legacy.is_legacy(f"{savefile}.original"), True), EXACT


def flat(value):
    """The leaves of nested tuples and lists that are not None."""
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in flat(item)]
    return [] if value is None else [value]


def initial(save):
    network, training = settings(**save.settings)
    raw, _ = initial_parameters(network, training.seed)
    for name in save.trained:
        want = getattr(save.parameters, name)
        yield f"initial {name}", error(getattr(raw, name).astype(want.dtype), want), INITIAL


def trained(save, fixture):
    with np.load(fixture, allow_pickle=False) as arrays:
        prefix = "again_" if "again_iter" in arrays.files else ""
        for name in save.trained:
            want = arrays[f"{prefix}current_{name}"]
            yield f"present {name}", error(getattr(save.parameters, name), want), EXACT
        yield "best Wrec", error(save.best.weights.Wrec, arrays[f"{prefix}best_Wrec_"]), EXACT
        yield "best cost", error(save.best.cost, arrays[f"{prefix}best_cost"]), EXACT
        for stream in ("gradient", "validation"):
            key = getattr(save, f"rng_{stream}")[1]
            yield f"stream {stream}", error(key, arrays[f"{prefix}rng_{stream}_key"]), EXACT
