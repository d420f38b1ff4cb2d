"""What the kinds init, step and mnist share: fixtures' JSON -> our configuration and parameters."""

import json

import numpy as np

from pycog_dgr.config import Connectivity, settings
from pycog_dgr.network import Parameters
from tests.golden_kinds.tasks_common import decoded


def load(path):
    """All arrays of a fixture, and its decoded settings."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads(str(arrays.pop("settings")))


def float_type(path):
    """float64 or float32, from the file's name."""
    return {"f64": "float64", "f32": "float32"}[path.stem.rsplit("_", 1)[1]]


def configuration(params, arrays):
    """(NetworkConfig, TrainingConfig) of a fixture."""
    keywords = {}
    for name, value in params.items():
        if isinstance(value, dict) and value.get("__connectivity__"):
            value = Connectivity(arrays[f"given_{name}_C"], arrays.get(f"given_{name}_Cfixed"))
        keywords[name] = decoded(value)
    return settings(**keywords)


def initial_from(arrays, drawn):
    """The original's initial values; those it did not train come from our own draw."""
    return Parameters(
        **{
            name: None if value is None else arrays.get(f"init_{name}", value)
            for name, value in drawn._asdict().items()
        }
    )


class Coverage:
    """Arrays of one file, and which of them have been compared."""

    def __init__(self, arrays):
        self.arrays = arrays
        self.unread = set(arrays)

    def __getitem__(self, name):
        self.unread.discard(name)
        return self.arrays[name]

    def __contains__(self, name):
        return name in self.arrays

    def used(self, *names):
        self.unread.difference_update(names)
