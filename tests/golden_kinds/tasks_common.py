"""What the kinds data, train, run and saves share: fixtures' JSON, example tasks, errors."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from pycog_dgr.tasks.model import load_model_file

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"
TASK_BY_INPUTS = {0: "sinewave", 2: "rdm_fixed", 3: "rdm_varstim"}  # of the trained fixtures


def load(path):
    """All arrays of a fixture, and its decoded meta."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, decoded(json.loads(str(arrays.pop("meta"))))


def decoded(value):
    """Undo the fixtures' JSON encoding of arrays."""
    if isinstance(value, dict):
        if "__array__" in value:
            return np.array(value["__array__"], value["dtype"])
        return {key: decoded(item) for key, item in value.items()}
    return [decoded(item) for item in value] if isinstance(value, list) else value


def plain(value):
    """As JSON would give it back: tuples as lists, numpy numbers as numbers."""
    return json.loads(json.dumps(value, default=lambda array: array.tolist()))


@cache
def task(name):
    """The example task that stands for the original's model file of this name."""
    return load_model_file(EXAMPLES / f"{name.removeprefix('model_')}.py")


def error(got, want):
    """Largest difference relative to the largest entry; infinite where shape or NaNs differ."""
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape:
        return np.inf
    if np.array_equal(got, want, equal_nan=want.dtype.kind in "fc"):
        return 0.0
    known = np.isfinite(want)
    if not np.array_equal(known, np.isfinite(got)) or not np.array_equal(
        got[~known], want[~known], equal_nan=True
    ):
        return np.inf
    largest = np.max(np.abs(want[known]))
    return float(np.max(np.abs(got[known] - want[known])) / largest) if largest else np.inf


def same(got, want):
    """0 where two plain values agree, infinite where they do not."""
    return 0.0 if plain(got) == plain(want) else np.inf
