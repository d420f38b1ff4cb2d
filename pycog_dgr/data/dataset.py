"""From a task to batches: generate trials, pad them, add noise.

A batch is drawn in this order; a draw is skipped where its variance is 0:

    1. every trial, by the task
    2. input noise      (time, trial, Nin)
    3. recurrent noise  (time, trial, N)

The noise, and the two streams it may come from, are those of noise.py. Either way all that is
drawn follows from the state of one RandomState, `rng`, when the batch is begun. Padding after a
short trial has mask 0 but receives baseline and noise like everything else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data.noise import input_noise, normal_stream, recurrent_noise_sampler
from pycog_dgr.data.on_demand import NoiseOnDemand, noise_of_batch
from pycog_dgr.data.source import user_call
from pycog_dgr.data.trial import (
    Task,
    Trial,
    checked_trial,
    empty_epochs,
    own_copy,
    same_trial,
    task_name,
)
from pycog_dgr.errors import TaskError

logger = logging.getLogger(__name__)


class Batch(NamedTuple):
    """What a network is trained on, every array (time, trial, ...) and dimensionless."""

    inputs: NDArray  # (time, trial, Nin), baseline and noise included
    targets: NDArray  # (time, trial, Nout)
    mask: NDArray  # (time, trial, Nout), weights of the targets in the loss
    # of the recurrent units, (time, trial, N); of large batches drawn where it is read
    noise: NDArray | NoiseOnDemand


class Dataset:
    """An endless supply of batches.

    `dataset(best_costs, callback_results)` is the next minibatch, `get_trials()` the trials in it,
    `ntrials` how many trials were handed out, `trial_idx` where in the stored batch it begins;
    `rng` is the random stream, a numpy RandomState, which save files keep.

    Parameters
    ----------
    size : int
        Trials in a minibatch.
    task : Task
        Object or module with generate_trial(rng, dt, params).
    floatX : str
        Number type of the batches, 'float32' or 'float64'.
    network : NetworkConfig
        Gives Nin, N, Nout, dt and tau.
    training : TrainingConfig
        Gives tau_in, var_in, var_rec, baseline_in, rectify_inputs and noise_stream.
    batch_size : int, optional
        Trials generated at once (default: size); minibatches are cut from them until too few are
        left, and the rest is dropped.
    seed : int
        Of the random stream.
    name : str
        'gradient', 'validation' or 'test', handed to the task.
    needs_targets : bool
        Whether a minibatch without any target (mask 0 everywhere) is an error.

    Raises
    ------
    TaskError
        A stored batch holds no minibatch, or, when a batch is drawn, a trial is faulty.
    """

    def __init__(
        self,
        size: int,
        task: Task,
        floatX: str,
        network: NetworkConfig,
        training: TrainingConfig,
        batch_size: int | None = None,
        seed: int = 1,
        name: str = "gradient",
        needs_targets: bool = True,
    ) -> None:
        self.minibatch_size = size
        self.batch_size = size if batch_size is None else batch_size
        if self.batch_size < size:
            raise TaskError(
                f"dataset {name!r}: a stored batch of {self.batch_size} trials holds no minibatch "
                f"of {size}; raise {name}_batch_size or lower n_{name}"
            )
        self.task = task
        self._task_name = task_name(task)
        self.floatX = floatX
        self.network = network
        self.training = training
        self.name = name
        self.needs_targets = needs_targets and network.Nout > 0
        self.rng = np.random.RandomState(seed)
        self.ntrials = 0
        self._trials: list[Trial] = []
        self._stored: Batch | None = None
        self.trial_idx = self.batch_size

    def has_output_mask(self) -> bool:
        """Whether the task gives masks; draws a trial from this dataset's own stream, twice.

        The log says so where the same state of the stream gives two different trials: such a task
        draws elsewhere, or keeps a state of its own.
        """
        state = self.rng.get_state()
        trial = self._generate({"target_output": True, "name": self.name})
        self.rng.set_state(state)
        if not same_trial(self._generate({"target_output": True, "name": self.name}), trial):
            logger.warning(
                "task %r: the same random state gives different trials. It draws from something "
                "else than `rng`, or keeps a state of its own; a training that is taken up again "
                "will not give the same numbers. Draw from the rng that generate_trial is given",
                self._task_name,
            )
        return "mask" in trial

    def __call__(
        self,
        best_costs: Sequence[float] = (),
        callback_results: Any = None,
        update: bool = True,
    ) -> Batch:
        """The next minibatch; with update=False the present one again.

        best_costs and callback_results are passed to the task with every trial.
        """
        if update or self._stored is None:
            self._advance(list(best_costs), callback_results)
            self.ntrials += self.minibatch_size
        here = slice(self.trial_idx, self.trial_idx + self.minibatch_size)
        assert self._stored is not None
        batch = self._stored
        if self.minibatch_size < self.batch_size:
            batch = Batch(*(array[:, here] for array in batch))
        if self.needs_targets and not batch.mask.any():
            raise TaskError(self._without_targets())
        return batch

    def _without_targets(self) -> str:
        """What to say of a minibatch whose mask is 0 everywhere."""
        empty = {epoch: None for trial in self.get_trials() for epoch in empty_epochs(trial)}
        reason = (
            f"no time step lies in its epochs {', '.join(empty)} (dt is {self.network.dt:g} ms); "
            "lengthen them or lower dt"
            if empty
            else "ask for some output in every minibatch"
        )
        return (
            f"task {self._task_name!r}, {self.name}: 'mask' is 0 in all of a minibatch of "
            f"{self.minibatch_size} trials, so it has no loss: {reason}"
        )

    def get_trials(self) -> list[Trial]:
        """The task's trials in the present minibatch."""
        return self._trials[self.trial_idx : self.trial_idx + self.minibatch_size]

    def _advance(self, best_costs: list[float], callback_results: Any) -> None:
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

    def _generate(self, params: dict[str, Any]) -> Trial:
        network = self.network
        number = params.get("minibatch_index", 0)
        what = f"task {self._task_name!r}, trial {number} for {self.name!r}"
        trial = user_call(what, self.task.generate_trial, self.rng, network.dt, params)
        crossentropy = network.output_activation in ("sigmoid", "softmax")
        probabilities = crossentropy and self.training.loss is None
        checked_trial(
            trial, network.Nin, network.Nout, self.task, params, self.floatX, probabilities
        )
        return own_copy(trial)

    def _batch(self) -> Batch:
        """All stored trials as one padded Batch with noise."""
        network, training = self.network, self.training
        inputs, targets, mask = self._padded()
        stream = normal_stream(training.noise_stream, self.rng)
        if network.Nin:
            noise = input_noise(
                stream, inputs.shape,
                tau_in=training.tau_in, dt=network.dt, var_in=training.var_in,
            )  # fmt: skip
            inputs += training.baseline_in + (0 if noise is None else noise)
        if training.rectify_inputs:
            np.maximum(inputs, 0, out=inputs)
        sampler = recurrent_noise_sampler(tau=network.tau, dt=network.dt, var_rec=training.var_rec)
        shape = (*inputs.shape[:2], network.N)
        return Batch(inputs, targets, mask, noise_of_batch(sampler, stream, shape, self.floatX))

    def _padded(self) -> tuple[NDArray, NDArray, NDArray]:
        """Inputs, targets and mask of the stored trials, with zeros after the short ones."""
        Nin, Nout = self.network.Nin, self.network.Nout
        n_time = max(len(trial["t"]) for trial in self._trials)
        inputs, targets, mask = (
            np.zeros((n_time, self.batch_size, size), self.floatX) for size in (Nin, Nout, Nout)
        )
        for b, trial in enumerate(self._trials):
            steps = len(trial["t"])
            if Nin:
                inputs[:steps, b] = trial["inputs"]
            if Nout:
                targets[:steps, b] = trial["outputs"]
            mask[:steps, b] = trial.get("mask", 1)
        return inputs, targets, mask
