"""From a task to batches: generate trials, pad them, add noise.

A batch is drawn from one random stream, in this order; a draw is skipped where its variance is 0:

    1. every trial, by the task
    2. input noise      sqrt(2 tau_in/dt var_in) N(0, 1)           (time, trial, Nin)
    3. recurrent noise  sqrt(tau) sqrt(2/dt var_rec) N(0, 1)       (time, trial, N)

so that the noise integrated with step dt has variance var whatever dt is (Song, Yang & Wang, PLoS
Comput. Biol. 12, e1004792, 2016, eqs. 8 and 9). A 2-D variance is a covariance matrix. Padding
after a short trial has mask 0 but receives baseline and noise like everything else.

    symbol    setting       shape                   unit
    dt, tau   dt, tau       (), () or (N,)          ms
    tau_in    tau_in        ()                      ms
    var_in    var_in        (), (Nin,), (Nin, Nin)  dimensionless
    var_rec   var_rec       (), (N,), (N, N)        dimensionless
"""

from typing import NamedTuple, Protocol

import numpy as np

from .errors import TaskError


class Batch(NamedTuple):
    """What a network is trained on; time, trial first.

    inputs (time, trial, Nin), targets (time, trial, Nout), mask (time, trial, Nout) real-valued
    weights of the targets in the loss, noise (time, trial, N) recurrent noise.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray
    noise: np.ndarray


class Task(Protocol):
    """Anything with pycog's generate_trial, a module for instance (see tasktools)."""

    def generate_trial(self, rng, dt, params): ...


def input_noise(rng, shape, *, tau_in, dt, var_in):
    """Input noise (*shape, Nin); None, and nothing drawn, where all variances are 0."""
    return _noise(rng, shape, 2 * tau_in / dt * np.asarray(var_in))


def recurrent_noise(rng, shape, *, tau, dt, var_rec):
    """Recurrent noise (*shape, N); None, and nothing drawn, where all variances are 0."""
    noise = _noise(rng, shape, 2 / dt * np.asarray(var_rec))
    return None if noise is None else np.sqrt(tau) * noise


def _noise(rng, shape, variance):
    """Normal noise of a variance (), (unit,) or a covariance (unit, unit)."""
    if variance.ndim == 2:
        return rng.multivariate_normal(np.zeros(shape[-1]), variance, shape[:-1])
    if not np.any(variance > 0):
        return None
    return np.sqrt(variance) * rng.normal(size=shape)


class Dataset:
    """An endless supply of batches.

    size        trials in a minibatch
    task        object or module with generate_trial(rng, dt, params)
    floatX      dtype of the batches
    p           mapping with Nin, N, Nout, dt, tau, tau_in, var_in, var_rec, baseline_in and
                rectify_inputs
    batch_size  trials generated at once (default: size); minibatches are cut from them until too
                few are left, and the rest is dropped
    seed        of the random stream `rng`, a numpy RandomState, which save files keep
    name        'gradient', 'validation' or 'test', handed to the task

    `dataset(best_costs, callback_results)` is the next minibatch, `get_trials()` the trials in it,
    `ntrials` how many trials were handed out, `trial_idx` where in the stored batch it begins.
    """

    def __init__(self, size, task, floatX, p, batch_size=None, seed=1, name="gradient"):
        self.minibatch_size = size
        self.batch_size = size if batch_size is None else batch_size
        if self.batch_size < size:
            raise TaskError(
                f"dataset {name!r}: a stored batch of {self.batch_size} trials holds no minibatch "
                f"of {size}; raise {name}_batch_size or lower n_{name}"
            )
        self.task = task
        self.floatX = floatX
        self.p = p
        self.name = name
        self.rng = np.random.RandomState(seed)
        self.ntrials = 0
        self._trials = []
        self._stored = None
        self.trial_idx = self.batch_size

    def has_output_mask(self):
        """Whether the task gives masks; draws one trial from this dataset's own stream."""
        return "mask" in self._generate({"target_output": True, "name": self.name})

    def __call__(self, best_costs=(), callback_results=None, update=True):
        """The next minibatch, a Batch; with update=False the present one again.

        best_costs and callback_results are passed to the task with every trial.
        """
        if update or self._stored is None:
            self._advance(list(best_costs), callback_results)
            self.ntrials += self.minibatch_size
        here = slice(self.trial_idx, self.trial_idx + self.minibatch_size)
        return Batch(*(array[:, here] for array in self._stored))

    def get_trials(self):
        """The task's trials in the present minibatch."""
        return self._trials[self.trial_idx : self.trial_idx + self.minibatch_size]

    def _advance(self, best_costs, callback_results):
        self.trial_idx += self.minibatch_size
        if self.trial_idx + self.minibatch_size > self.batch_size:
            self.trial_idx = 0
            self._trials = [
                self._generate(
                    {
                        "target_output": True,
                        "minibatch_index": index,
                        "best_costs": best_costs,
                        "callback_results": callback_results,
                        "name": self.name,
                    }
                )
                for index in range(self.batch_size)
            ]
            self._stored = self._batch()

    def _generate(self, params):
        trial = self.task.generate_trial(self.rng, self.p["dt"], params)
        return checked(trial, self.p["Nin"], self.p["Nout"], self.task, params)

    def _batch(self):
        """All stored trials as one padded Batch with noise."""
        p = self.p
        n_time = max(len(trial["t"]) for trial in self._trials)
        inputs, targets, mask, noise = (
            np.zeros((n_time, self.batch_size, size), self.floatX)
            for size in (p["Nin"], p["Nout"], p["Nout"], p["N"])
        )
        for b, trial in enumerate(self._trials):
            steps = len(trial["t"])
            if p["Nin"]:
                inputs[:steps, b] = trial["inputs"]
            if p["Nout"]:
                targets[:steps, b] = trial["outputs"]
            mask[:steps, b] = trial.get("mask", 1)
        if p["Nin"]:
            drawn = input_noise(
                self.rng, inputs.shape, tau_in=p["tau_in"], dt=p["dt"], var_in=p["var_in"]
            )
            inputs += p["baseline_in"] + (0 if drawn is None else drawn)
        drawn = recurrent_noise(
            self.rng, noise.shape, tau=p["tau"], dt=p["dt"], var_rec=p["var_rec"]
        )
        if drawn is not None:
            noise[:] = drawn
        if p["rectify_inputs"]:
            np.maximum(inputs, 0, out=inputs)
        return Batch(inputs, targets, mask, noise)


# -- checks -------------------------------------------------------------------------------------


def task_name(task):
    """How messages call a task: its __name__, or its class."""
    return getattr(task, "__name__", type(task).__name__)


def checked(trial, Nin, Nout, task, params):
    """`trial` if it has every key a network of this size needs, in the right shapes.

    TaskError names the task, the key, the shape it has and the shape it should have.
    """
    where = f"task {task_name(task)!r}, trial for {params.get('name')!r}"
    if not isinstance(trial, dict):
        got = type(trial).__name__
        raise TaskError(f"{where}: generate_trial returned {got}, expected a dictionary")
    if np.ndim(trial.get("t")) != 1 or not len(trial["t"]):
        raise TaskError(f"{where}: 't' must be a time axis (time,) of one step or more")
    steps = len(trial["t"])
    needed = {"inputs": Nin, "outputs": Nout if params.get("target_output") else 0}
    for key, size in needed.items():
        if size and key not in trial:
            raise TaskError(f"{where}: {key!r} is missing; expected shape ({steps}, {size})")
        _check_array(where, trial, key, (steps, size))
    if needed["outputs"]:
        _check_array(where, trial, "mask", (steps, Nout))
    return trial


def _check_array(where, trial, key, shape):
    """Finite numbers of the given shape (length 1 stands for any); absent keys and sizes pass."""
    if key not in trial or not shape[1]:
        return
    value = np.asarray(trial[key])
    if value.dtype.kind not in "biuf":
        raise TaskError(f"{where}: {key!r} holds {value.dtype}, expected numbers")
    if value.ndim != 2 or any(n not in (1, m) for n, m in zip(value.shape, shape, strict=True)):
        raise TaskError(f"{where}: {key!r} has shape {value.shape}, expected {shape}")
    if not np.isfinite(value).all():
        step = int(np.argwhere(~np.isfinite(value))[0, 0])
        raise TaskError(f"{where}: {key!r} is not finite at time step {step}")
