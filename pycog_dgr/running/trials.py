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
    states    (trial, time, N)    x, where they were asked for; otherwise None
    info      name -> (trial,)    conditions; NaN or "" where a trial has no such entry, as a catch
                                  trial does; (trial, ...) where an entry is an array (info.py)
    epochs    name -> (trial, 2)  start and end in ms, start < t <= end; NaN where a trial has none
    origin    the digests of the network and of the task's source, and the seed; {} in older files

The file is an npz as files/npz.py describes it, with the digest of the whole. It is not compressed:
noise takes longer to compress than to simulate.
"""

import functools
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pycog_dgr.data import Task, task_source
from pycog_dgr.errors import CheckpointError, TaskError
from pycog_dgr.files import load_tree, npz, save_tree
from pycog_dgr.files.schema import (
    SchemaError,
    array,
    mapping,
    number,
    optional,
    record,
    text,
    whole,
)
from pycog_dgr.running.info import info_column
from pycog_dgr.running.integrate import Run
from pycog_dgr.running.perturbations import Perturbation
from pycog_dgr.running.rnn import RNN

logger = logging.getLogger(__name__)

KIND = "pycog_dgr trials"
SCHEMA = record({
    "t": array("f", ndim=1), "lengths": array("iu", ndim=1),
    "inputs": array("f", ndim=3), "rates": array("f", ndim=3),
    "outputs": array("f", ndim=3), "targets": array("f", ndim=3),
    "info": mapping(array("biufU")), "epochs": mapping(array("f", shape=(None, 2))),
}, optional={
    "states": optional(array("f", ndim=3)),
    "origin": record({}, optional={
        "network": text, "seed": whole(0), "dt": number,
        "task": record({"name": text, "digest": optional(text)}),
    }),
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
    info: dict[str, np.ndarray]
    epochs: dict[str, np.ndarray]
    states: np.ndarray | None = None
    origin: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        n_units, conditions = self.rates.shape[-1], ", ".join(self.info) or "no conditions"
        return f"Trials({len(self)} of up to {self.t[-1]:g} ms, {n_units} units; {conditions})"

    def __len__(self) -> int:
        return len(self.lengths)

    def column(self, name: str) -> np.ndarray:
        """info[name] (trial,); TaskError lists the known names where there is no such column."""
        if name not in self.info:
            known = ", ".join(self.info) or "none"
            raise TaskError(f"trials have no condition {name!r}; known are {known}")
        return self.info[name]

    def epoch(self, name: str) -> np.ndarray:
        """epochs[name] (trial, 2) in ms; TaskError lists the known names where there is none."""
        if name not in self.epochs:
            known = ", ".join(self.epochs) or "none"
            raise TaskError(f"trials have no epoch {name!r}; known are {known}")
        return self.epochs[name]

    def during(self, name: str) -> np.ndarray:
        """Which samples lie in an epoch, (trial, time) of bool: start < t <= end."""
        start, end = self.epoch(name).T[:, :, np.newaxis]
        return (self.t > start) & (self.t <= end) & self.present()

    def present(self) -> np.ndarray:
        """Which samples belong to their trial, (trial, time) of bool."""
        return np.arange(len(self.t)) < self.lengths[:, np.newaxis]

    def select(self, which: Any) -> "Trials":
        """Some of the trials: indices, or (trial,) of bool."""
        rows: dict[str, Any] = {
            name: None if value is None else value[which]
            for name, value in vars(self).items()
            if name not in _NOT_ROWS
        }
        return Trials(
            t=self.t,
            info={name: column[which] for name, column in self.info.items()},
            epochs={name: span[which] for name, span in self.epochs.items()},
            origin=self.origin,
            **rows,
        )

    def differences(self, rnn: RNN, task: Task | None = None) -> list[str]:
        """What these trials were simulated with that is not so now: 'network', 'task'."""
        found = []
        if self.origin and self.origin["network"] != network_digest(rnn):
            found.append("network")
        if self.origin and task is not None:
            there, here = self.origin["task"]["digest"], task_source(task)["digest"]
            if there and here and there != here:
                found.append("task")
        return found

    def require_of(self, rnn: RNN, task: Task | None, path: str | Path) -> None:
        """CheckpointError where another network made these trials; the log names another task."""
        found = self.differences(rnn, task)
        if "network" in found:
            raise CheckpointError(
                f"{path}: trials of another network than the one that is there now; simulate them "
                "again (the action `trials`)"
            )
        if "task" in found:
            logger.warning("%s: trials of the task as it was; its file has changed since", path)

    def to_xarray(self) -> Any:
        """An xarray.Dataset; see export.trials_dataset. MissingExtraError without [export]."""
        from pycog_dgr.running.export import trials_dataset

        return trials_dataset(self)

    def to_pandas(self, name: str | None = None) -> Any:
        """A pandas.DataFrame: one row a trial with its conditions, or, of 'rates', 'outputs', ...,
        one row a sample. MissingExtraError without the extra [export].
        """
        from pycog_dgr.running.export import conditions_table, samples_table

        return conditions_table(self) if name is None else samples_table(self, name)

    def export(self, path: str | Path) -> None:
        """Write a file for other programs: .nc (netCDF), .mat (MATLAB) or .csv (conditions).

        CheckpointError for another suffix, MissingExtraError without the extra [export].
        """
        from pycog_dgr.running.export import export

        export(self, path)

    def save(self, path: str | Path) -> None:
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
    def load(cls, path: str | Path, max_bytes: int = npz.MAX_BYTES) -> "Trials":
        """Read trials that `save` wrote. Nothing in the file is executed.

        Parameters
        ----------
        path
            The file.
        max_bytes
            The most that its arrays may take.

        Returns
        -------
        Trials
            The trials.

        Raises
        ------
        CheckpointError
            Where the file is missing, larger than `max_bytes`, damaged, of another kind or of a
            newer format.
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
    if trials.states is not None:
        expected["states"] = (count, steps)
    for name, shape in expected.items():
        if getattr(trials, name).shape[:2] != shape:
            raise SchemaError(f"{name}: expected {count} trials of {steps} samples")
    for name, column in (*trials.info.items(), *trials.epochs.items()):
        if column.shape[:1] != (count,):
            raise SchemaError(f"{npz.shortened(name)}: shape {column.shape} for {count} trials")
    if count and not 0 < trials.lengths.min() <= trials.lengths.max() <= steps:
        raise SchemaError(f"lengths: expected 1 to {steps} samples")
    if trials.outputs.shape != trials.targets.shape:
        raise SchemaError("targets: expected as many as outputs")
    return trials


_NOT_ROWS = ("t", "info", "epochs", "origin")


# -- simulating ---------------------------------------------------------------------------------


def simulate_trials(
    rnn: RNN,
    task: Task,
    n_trials: int,
    seed: int,
    dt_save: float | None = None,
    *,
    states: bool = False,
    start: ArrayLike | None = None,
    perturbations: Sequence[Perturbation] = (),
    **given: Any,
) -> Trials:
    """Run `n_trials` trials of `task`, conditions drawn at random, as Trials.

    Parameters
    ----------
    rnn
        The network.
    task
        Object with generate_trial, as Model(...).task.
    n_trials
        At least 1.
    seed
        Of everything that is drawn, as by rnn.run_trials.
    dt_save
        Milliseconds between the samples that are kept; all of them where it is None.
    states
        Whether the trials keep the states x.
    start, perturbations
        As for rnn.run, in every trial.
    **given
        Entries of generate_trial's params: {'name': 'test', 'catch': False} where nothing else is
        said, so that there are no catch trials; coh=16 fixes a condition.

    Returns
    -------
    Trials
        With float32 arrays.

    Raises
    ------
    TaskError
        Where dt_save is not a multiple of the network's dt, or an entry of info is a number in some
        trials and text in others.
    """
    if n_trials < 1:
        raise TaskError(f"simulate_trials: n_trials must be at least 1, not {n_trials}")
    every = _stride(rnn.p["dt"], dt_save)
    asked, generate_trial = _remembering(task.generate_trial)
    params = {"name": "test", "catch": False, **given, "target_output": True}
    rng = np.random.RandomState(seed)
    kept: list = []
    while len(kept) < n_trials:
        some = [
            {**params, "minibatch_index": i}
            for i in range(len(kept), min(len(kept) + TRIALS_AT_ONCE, n_trials))
        ]
        runs = rnn.run_trials(
            generate_trial, some, rng=rng, states=states, start=start, perturbations=perturbations
        )
        kept.extend(
            _sampled(run, outputs, mask, every)
            for run, (outputs, mask) in zip(runs, asked, strict=True)
        )
        asked.clear()
        logger.debug("%d of %d trials", len(kept), n_trials)
    origin = {
        "network": network_digest(rnn),
        "task": task_source(task),
        "seed": int(seed),
        "dt": float(rnn.p["dt"]),
    }
    return replace(_collected(kept), origin=origin)


def network_digest(rnn: RNN) -> str:
    """SHA-256 of a network's weights, biases and initial states."""
    digest = hashlib.sha256()
    for value in rnn.weights:
        if value is not None:
            digest.update(np.ascontiguousarray(value, np.float64).tobytes())
    return digest.hexdigest()


def _stride(dt: float, dt_save: float | None) -> int:
    """Samples from one that is kept to the next."""
    if dt_save is None:
        return 1
    every = round(dt_save / dt)
    if every < 1 or not np.isclose(every * dt, dt_save):
        raise TaskError(f"dt_save = {dt_save} ms is not a multiple of the network's dt = {dt} ms")
    return every


def _remembering(generate_trial: Callable) -> tuple[list, Callable]:
    """A list, and generate_trial that appends (targets, mask) of every trial to it."""
    shown = []

    @functools.wraps(generate_trial)
    def remembered(rng: np.random.RandomState, dt: float, params: dict) -> Any:
        trial = generate_trial(rng, dt, params)
        if isinstance(trial, dict):  # anything else is refused by the network that runs it
            shown.append((trial.get("outputs"), trial.get("mask")))
        return trial

    return shown, remembered


def _sampled(
    run: Run, outputs: Any, mask: Any, every: int
) -> tuple[np.ndarray, dict[str, np.ndarray], dict]:
    """One trial's arrays, time first, as copies of every so many samples."""
    targets = np.full((len(run.t), len(run.z)), np.nan)
    if np.shape(outputs) == targets[1:].shape:
        targets[1:] = outputs if mask is None else np.where(np.asarray(mask) > 0, outputs, np.nan)
    u = np.empty((0, len(run.t))) if run.u is None else run.u
    arrays = {"inputs": u.T, "rates": run.r.T, "outputs": run.z.T, "targets": targets}
    if run.x is not None:
        arrays["states"] = run.x.T
    kept = {name: array[::every].astype(np.float32) for name, array in arrays.items()}
    return run.t[::every], kept, run.info or {}


def _collected(kept: list) -> Trials:
    """Trials from a list of (t, arrays, info)."""
    times, arrays, infos = zip(*kept, strict=True)
    lengths = np.array([len(t) for t in times])
    stacked: dict[str, Any] = {}
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
        info={key: info_column(key, [one.get(key) for one in infos]) for key in keys},
        epochs={
            name: np.array([one.get(name, (np.nan, np.nan)) for one in epochs], np.float64)
            for name in names
        },
        **stacked,
    )
