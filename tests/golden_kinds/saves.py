"""Original save files (saves/*.pkl): they open, convert, and hold what was trained.

NAME_init.pkl holds the initial weights, which are drawn again here. tiny_CASE_seedS.pkl is the last
save of the training whose numbers are in train_CASE_seedS_f32.npz.
"""

import tempfile
from pathlib import Path

import numpy as np

from pycog_dgr import checkpoint, legacy
from pycog_dgr.config import settings
from pycog_dgr.initialisation import initial_parameters
from tests.golden_kinds.tasks_common import error

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
