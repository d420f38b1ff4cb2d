"""Tasks and runs of networks that make no sense."""

import numpy as np

from pycog_dgr import RNN, datatools, tasktools
from pycog_dgr.config import settings
from pycog_dgr.errors import PycogDgrError, TaskError
from pycog_dgr.tasks.model import Model
from pycog_dgr.training import train
from tests.hostile.case import Case, call
from tests.pycog_dgr import tiny


def tasks():
    whole = tiny.generate_trial(np.random.RandomState(0), 20, {"name": "test"})
    steps = len(whole["t"])
    for name, change, words in (
        ("no trial", None, ["dictionary"]),
        ("a list", [whole], ["dictionary"]),
        ("no time step", {"t": np.zeros(0)}, ["'t'"]),
        ("no time axis", {"t": None}, ["'t'"]),
        ("times of two dimensions", {"t": np.zeros((steps, 2))}, ["'t'"]),
        ("inputs of the wrong width", {"inputs": np.ones((steps, 3))}, ["inputs", f"({steps}, 3)"]),
        ("inputs of the wrong length", {"inputs": np.ones((steps + 1, 1))}, ["inputs"]),
        ("inputs of NaN", {"inputs": np.full((steps, 1), np.nan)}, ["inputs", "finite"]),
        ("inputs of text", {"inputs": np.full((steps, 1), "x")}, ["inputs"]),
        ("infinite outputs", {"outputs": np.full((steps, 2), np.inf)}, ["outputs", "finite"]),
        ("outputs of objects", {"outputs": np.full((steps, 2), None)}, ["outputs"]),
        ("flat outputs", {"outputs": np.ones(steps)}, ["outputs"]),
        ("a mask of the wrong shape", {"mask": np.ones((2, 2, 2))}, ["mask"]),
        ("a mask of NaN", {"mask": np.full((steps, 2), np.nan)}, ["mask"]),
    ):
        trial = {**whole, **change} if isinstance(change, dict) else change

        def prepare(folder, trial=trial):
            model = Model(**tiny.SETTINGS, generate_trial=lambda *_: trial)
            return lambda: model.train(folder / "a.npz")

        yield Case(f"a task that returns {name}", prepare, PycogDgrError, tuple(words))

    def small_store(folder):
        model = Model(
            **{**tiny.SETTINGS, "gradient_batch_size": 2}, generate_trial=tiny.generate_trial
        )
        return lambda: model.train(folder / "a.npz")

    yield Case("a stored batch smaller than a minibatch", small_store, PycogDgrError, ("batch",))
    yield Case(
        "training into a folder that is not there",
        lambda folder: (
            lambda: Model(**tiny.SETTINGS, generate_trial=tiny.generate_trial).train(
                folder / "no" / "a.npz"
            )
        ),
        PycogDgrError,
        ("folder",),
    )
    yield call(
        "a network without outputs to train",
        train,
        None,
        *settings(**{**tiny.SETTINGS, "Nout": 0}),
        "a.npz",
        error=PycogDgrError,
        words=["Nout"],
    )
    yield call(
        "a task without generate_trial",
        Model,
        **tiny.SETTINGS,
        error=TaskError,
        words=["generate_trial"],
    )
    yield call(
        "a trial shorter than a step",
        tasktools.get_epochs_idx,
        20,
        {"T": 10},
        error=TaskError,
        words=["T = 10"],
    )
    yield call("epochs without T", tasktools.get_epochs_idx, 20, {}, error=TaskError, words=["'T'"])
    yield call(
        "a share of 2 excitatory units", tasktools.generate_ei, 6, 2, error=TaskError, words=["pE"]
    )
    yield call(
        "only inhibitory units to balance",
        tasktools.generate_Crec,
        [-1] * 4,
        error=TaskError,
        words=["units"],
    )
    yield call(
        "no validation trial but catch trials",
        tasktools.performance_2afc,
        [],
        np.ones((1, 0, 2)),
        error=TaskError,
        words=["catch"],
    )
    for name, changes in (
        ("dt above tau", {"dt": 200}),
        ("dt of zero", {"dt": 0}),
        ("a negative threshold", {"threshold": -1}),
        ("sigma0 of NaN", {"sigma0": np.nan}),
        ("an unknown setting", {"dtt": 1}),
    ):
        yield call(
            f"a network to run with {name}",
            RNN,
            None,
            changes,
            error=PycogDgrError,
            words=[next(iter(changes))],
        )
    yield call("a run without task and duration", RNN().run, error=PycogDgrError, words=["T"])
    yield call(
        "no bins", datatools.partition, [1, 2], [1, 2], 0, error=PycogDgrError, words=["0 bins"]
    )
    yield call(
        "falling edges",
        datatools.partition,
        [1],
        [1],
        None,
        [2, 1],
        error=PycogDgrError,
        words=["rise"],
    )
    yield call(
        "bins of NaN",
        datatools.partition,
        [1, np.nan],
        [1, 2],
        1,
        error=PycogDgrError,
        words=["finite"],
    )


CASES = [*tasks()]
