"""From a task to batches: generate trials, pad them, add noise.

A batch is drawn in this order; a draw is skipped where its variance is 0:

    1. every trial, by the task
    2. input noise      (time, trial, Nin)
    3. recurrent noise  (time, trial, N)

The noise, and the two streams it may come from, are those of noise.py. Either way all that is
drawn follows from the state of one RandomState, `rng`, when the batch is begun. Padding after a
short trial has mask 0 but receives baseline and noise like everything else.
"""

from typing import NamedTuple

import numpy as np

from pycog_dgr.data.noise import input_noise, normal_stream, recurrent_noise
from pycog_dgr.data.trial import checked_trial
from pycog_dgr.errors import TaskError


class Batch(NamedTuple):
    """What a network is trained on; time, trial first.

    inputs (time, trial, Nin), targets (time, trial, Nout), mask (time, trial, Nout) real-valued
    weights of the targets in the loss, noise (time, trial, N) recurrent noise.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray
    noise: np.ndarray


class Dataset:
    """An endless supply of batches.

    size        trials in a minibatch
    task        object or module with generate_trial(rng, dt, params)
    floatX      dtype of the batches
    p           mapping with Nin, N, Nout, dt, tau, tau_in, var_in, var_rec, baseline_in,
                rectify_inputs, and noise_stream ('original' where it is absent, as in settings
                that are older than the choice)
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
        return checked_trial(trial, self.p["Nin"], self.p["Nout"], self.task, params)

    def _batch(self):
        """All stored trials as one padded Batch with noise."""
        p = self.p
        n_time = max(len(trial["t"]) for trial in self._trials)
        inputs, targets, mask = (
            np.zeros((n_time, self.batch_size, size), self.floatX)
            for size in (p["Nin"], p["Nout"], p["Nout"])
        )
        for b, trial in enumerate(self._trials):
            steps = len(trial["t"])
            if p["Nin"]:
                inputs[:steps, b] = trial["inputs"]
            if p["Nout"]:
                targets[:steps, b] = trial["outputs"]
            mask[:steps, b] = trial.get("mask", 1)
        stream = normal_stream(p.get("noise_stream", "original"), self.rng)
        if p["Nin"]:
            drawn = input_noise(
                stream, inputs.shape, tau_in=p["tau_in"], dt=p["dt"], var_in=p["var_in"]
            )
            inputs += p["baseline_in"] + (0 if drawn is None else drawn)
        shape = (*inputs.shape[:2], p["N"])
        drawn = recurrent_noise(stream, shape, tau=p["tau"], dt=p["dt"], var_rec=p["var_rec"])
        if drawn is None:
            drawn = np.zeros(shape)
        if p["rectify_inputs"]:
            np.maximum(inputs, 0, out=inputs)
        return Batch(inputs, targets, mask, drawn.astype(self.floatX, copy=False))
