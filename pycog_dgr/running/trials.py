"""Many simulated trials as arrays: what every analysis reads, and the file they are kept in.

    trials = simulate_trials(rnn, model.task, n_trials=4000, seed=1, dt_save=20)
    trials.save("trials.npz")
    trials = Trials.load("trials.npz")

    name      shape               unit
    t         (time,)             ms, from 0
    inputs    (trial, time, Nin)  dimensionless, with baseline and noise; Nin may be 0
    rates     (trial, time, N)    dimensionless
    outputs   (trial, time, Nout) dimensionless
    targets   (trial, time, Nout) dimensionless, NaN where the task asks for nothing
    lengths   (trial,)            samples; what lies beyond a trial's own length is NaN
    info      name -> (trial,)    conditions; NaN or "" where a trial has no such entry, as a catch
                                  trial does
    epochs    name -> (trial, 2)  start and end in ms, start < t <= end; NaN where a trial has none

The file is an npz as files/npz.py describes it, with the digest of the whole. It is not compressed:
noise takes longer to compress than to simulate.
"""

import functools
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pycog_dgr.errors import CheckpointError, TaskError
from pycog_dgr.files import load_tree, npz, save_tree
from pycog_dgr.files.schema import SchemaError, array, mapping, record

logger = logging.getLogger(__name__)

KIND = "pycog_dgr trials"
SCHEMA = record({
    "t": array("f", ndim=1), "lengths": array("iu", ndim=1),
    "inputs": array("f", ndim=3), "rates": array("f", ndim=3),
    "outputs": array("f", ndim=3), "targets": array("f", ndim=3),
    "info": mapping(array("biufU", ndim=1)), "epochs": mapping(array("f", shape=(None, 2))),
})  # fmt: skip
TRIALS_AT_ONCE = 500  # kept at full resolution while simulating
NOT_AN_EPOCH = "T"  # the duration, in pycog's dictionary of epochs


@dataclass(frozen=True)
class Trials:
    """Simulated trials of one task; see the table at the head of this file."""

    t: np.ndarray
    inputs: np.ndarray
    rates: np.ndarray
    outputs: np.ndarray
    targets: np.ndarray
    lengths: np.ndarray
    info: dict
    epochs: dict

    def __len__(self):
        return len(self.lengths)

    def column(self, name):
        """info[name] (trial,); TaskError lists the known names where there is no such column."""
        if name not in self.info:
            known = ", ".join(self.info) or "none"
            raise TaskError(f"trials have no condition {name!r}; known are {known}")
        return self.info[name]

    def epoch(self, name):
        """epochs[name] (trial, 2) in ms; TaskError lists the known names where there is none."""
        if name not in self.epochs:
            known = ", ".join(self.epochs) or "none"
            raise TaskError(f"trials have no epoch {name!r}; known are {known}")
        return self.epochs[name]

    def during(self, name):
        """Which samples lie in an epoch, (trial, time) of bool: start < t <= end."""
        start, end = self.epoch(name).T[:, :, np.newaxis]
        return (self.t > start) & (self.t <= end) & self.present()

    def present(self):
        """Which samples belong to their trial, (trial, time) of bool."""
        return np.arange(len(self.t)) < self.lengths[:, np.newaxis]

    def select(self, which):
        """Some of the trials: indices, or (trial,) of bool."""
        rows = {name: value[which] for name, value in vars(self).items() if name not in _NOT_ROWS}
        return Trials(
            t=self.t,
            info={name: column[which] for name, column in self.info.items()},
            epochs={name: span[which] for name, span in self.epochs.items()},
            **rows,
        )

    def save(self, path):
        """Write the trials to `path`, whole or not at all.

        CheckpointError where they are too many for one file or it cannot be written.
        """
        size = sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))
        if size > npz.MAX_BYTES:
            raise CheckpointError(
                f"{path}: {len(self)} trials of {len(self.t)} samples take {size} bytes, more than "
                f"the {npz.MAX_BYTES} of one file; simulate fewer, or with a larger dt_save"
            )
        save_tree(path, KIND, vars(self), compress=False, keep=False)

    @classmethod
    def load(cls, path, max_bytes: int = npz.MAX_BYTES):
        """Read trials that `save` wrote.

        CheckpointError where the file is missing, larger than `max_bytes`, damaged, of another
        format or of a newer version. Nothing in the file is executed.
        """
        if not Path(path).exists():
            raise CheckpointError(f"{path}: no such file; simulate the trials first")
        try:
            return load_tree(path, KIND, _from_tree, max_bytes)
        except CheckpointError as error:
            raise type(error)(f"{error}; simulate the trials again") from error


def _from_tree(where: str, tree: Any) -> Trials:
    """The Trials in a tree of plain values; SchemaError where there are none."""
    trials = Trials(**SCHEMA(where, tree))
    count, steps = len(trials.lengths), len(trials.t)
    expected = dict.fromkeys(("inputs", "rates", "outputs", "targets"), (count, steps))
    for name, shape in expected.items():
        if getattr(trials, name).shape[:2] != shape:
            raise SchemaError(f"{name}: expected {count} trials of {steps} samples")
    for name, column in (*trials.info.items(), *trials.epochs.items()):
        if len(column) != count:
            raise SchemaError(f"{npz.shortened(name)}: {len(column)} entries for {count} trials")
    if count and not 0 < trials.lengths.min() <= trials.lengths.max() <= steps:
        raise SchemaError(f"lengths: expected 1 to {steps} samples")
    if trials.outputs.shape != trials.targets.shape:
        raise SchemaError("targets: expected as many as outputs")
    return trials


_NOT_ROWS = ("t", "info", "epochs")


# -- simulating ---------------------------------------------------------------------------------


def simulate_trials(rnn, task, n_trials, seed, dt_save=None, **given):
    """Run `n_trials` trials of `task`, conditions drawn at random, as Trials.

    rnn      pycog_dgr.RNN
    task     object with generate_trial, as Model(...).task
    seed     of everything that is drawn, as by rnn.run_trials
    dt_save  ms between the samples that are kept; all of them where it is None
    given    entries of generate_trial's params: {'name': 'test', 'catch': False} where nothing
             else is said, so that there are no catch trials; coh=16 fixes a condition

    TaskError where dt_save is not a multiple of the network's dt, or info holds something else
    than numbers and text.
    """
    if n_trials < 1:
        raise TaskError(f"simulate_trials: n_trials must be at least 1, not {n_trials}")
    every = _stride(rnn.p["dt"], dt_save)
    shown, generate_trial = _remembering(task.generate_trial)
    params = {"name": "test", "catch": False, **given, "target_output": True}
    rng = np.random.RandomState(seed)
    kept = []
    while len(kept) < n_trials:
        some = [
            {**params, "minibatch_index": i}
            for i in range(len(kept), min(len(kept) + TRIALS_AT_ONCE, n_trials))
        ]
        runs = rnn.run_trials(generate_trial, some, rng=rng)
        kept.extend(
            _sampled(run, *targets, every) for run, targets in zip(runs, shown, strict=True)
        )
        shown.clear()
        logger.debug("%d of %d trials", len(kept), n_trials)
    return _collected(kept)


def _stride(dt, dt_save):
    """Samples from one that is kept to the next."""
    if dt_save is None:
        return 1
    every = round(dt_save / dt)
    if every < 1 or not np.isclose(every * dt, dt_save):
        raise TaskError(f"dt_save = {dt_save} ms is not a multiple of the network's dt = {dt} ms")
    return every


def _remembering(generate_trial):
    """A list, and generate_trial that appends (targets, mask) of every trial to it."""
    shown = []

    @functools.wraps(generate_trial)
    def remembered(rng, dt, params):
        trial = generate_trial(rng, dt, params)
        if isinstance(trial, dict):  # anything else is refused by the network that runs it
            shown.append((trial.get("outputs"), trial.get("mask")))
        return trial

    return shown, remembered


def _sampled(run, outputs, mask, every):
    """One trial's arrays, time first, as copies of every so many samples."""
    targets = np.full((len(run.t), len(run.z)), np.nan)
    if np.shape(outputs) == targets[1:].shape:
        targets[1:] = outputs if mask is None else np.where(np.asarray(mask) > 0, outputs, np.nan)
    u = np.empty((0, len(run.t))) if run.u is None else run.u
    arrays = {"inputs": u.T, "rates": run.r.T, "outputs": run.z.T, "targets": targets}
    kept = {name: array[::every].astype(np.float32) for name, array in arrays.items()}
    return run.t[::every], kept, run.info or {}


def _collected(kept):
    """Trials from a list of (t, arrays, info)."""
    times, arrays, infos = zip(*kept, strict=True)
    lengths = np.array([len(t) for t in times])
    stacked = {}
    for name, first in arrays[0].items():
        whole = np.full((len(kept), lengths.max(), first.shape[1]), np.nan, np.float32)
        for i, one in enumerate(arrays):
            whole[i, : lengths[i]] = one[name]
        stacked[name] = whole
    epochs = [one.get("epochs") or {} for one in infos]
    names = dict.fromkeys(name for one in epochs for name in one if name != NOT_AN_EPOCH)
    keys = dict.fromkeys(key for one in infos for key in one if key != "epochs")
    return Trials(
        t=np.array(times[lengths.argmax()], np.float64),
        lengths=lengths,
        info={key: _column(key, [one.get(key) for one in infos]) for key in keys},
        epochs={
            name: np.array([one.get(name, (np.nan, np.nan)) for one in epochs], np.float64)
            for name in names
        },
        **stacked,
    )


def _column(key, values):
    """One entry of every trial's info as an array; None becomes NaN or ""."""
    present = [value for value in values if value is not None]
    if all(isinstance(value, str) for value in present):
        return np.array(["" if value is None else value for value in values])
    try:
        column = np.array([np.nan if value is None else value for value in values])
    except ValueError:
        column = None
    if column is None or column.dtype.kind not in "bif" or column.ndim != 1:
        kinds = sorted({type(value).__name__ for value in present})
        raise TaskError(
            f"info[{key!r}] must be a number in every trial, or text in every trial, to be a "
            f"condition; found {', '.join(kinds)}"
        )
    return column
