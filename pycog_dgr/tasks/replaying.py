"""Replayed trials: inputs that a generator draws, and what a network that learnt before answers.

    z* = network(u + baseline),   u from a generator of time courses

    both = with_replay(model, inputs, "first.npz")     # half of its trials, half replayed ones
    both.train("second.npz", start="first.npz")

Replayed trials are a task like every other, and are mixed with the next one to be learnt: no
training loop knows of replay, and nothing of the task they stand for is touched. Targets count at
every time step. For images: H. Shin, J. K. Lee, J. Kim and J. Kim, NeurIPS 2017.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import NetworkConfig, TrainingConfig
from pycog_dgr.data import Trial
from pycog_dgr.errors import TaskError
from pycog_dgr.files import open_save
from pycog_dgr.network import Weights, alpha_of, simulate
from pycog_dgr.tasks.interleaving import interleaved
from pycog_dgr.tasks.model import Model

AT_ONCE = 250  # trials, which bounds the memory that simulating them takes


class Replayed:
    """A task whose trials are given inputs with a network's outputs as targets.

    Parameters
    ----------
    inputs
        Time courses, each (time, Nin), without baseline and noise; a generator's samples.
    weights
        Effective weights of the network that answers.
    network
        Its settings: the time constant, the activations, and dt, in ms.
    training
        Gives the baseline of the inputs and whether they are rectified. The network answers
        without noise.

    Attributes
    ----------
    trials
        All of them, as generate_trial returns them.

    Raises
    ------
    TaskError
        Where there are no inputs, or one is not (time, Nin) finite numbers.
    """

    def __init__(
        self,
        inputs: Sequence[NDArray],
        weights: Weights[NDArray],
        network: NetworkConfig,
        training: TrainingConfig,
    ) -> None:
        if not len(inputs):
            raise TaskError("replayed trials: no inputs; draw at least one time course")
        for number, shown in enumerate(inputs):
            if np.ndim(shown) != 2 or np.shape(shown)[1] != network.Nin or not len(shown):
                raise TaskError(
                    f"replayed trials: inputs {number} have shape {np.shape(shown)}; expected "
                    f"(time, {network.Nin}), one time step or more"
                )
            if not np.isfinite(shown).all():
                raise TaskError(f"replayed trials: inputs {number} are not finite")
        self.dt = network.dt
        self.trials: list[Trial] = []
        for start in range(0, len(inputs), AT_ONCE):
            part = inputs[start : start + AT_ONCE]
            answers = _answers(part, weights, network, training)
            self.trials += [self._trial(u, z) for u, z in zip(part, answers, strict=True)]
        self.source = f"replayed {self._digest()}"  # of what is shown, in place of a file

    def _digest(self) -> str:
        sha = hashlib.sha256()
        for trial in self.trials:
            for name in ("inputs", "outputs"):
                sha.update(np.ascontiguousarray(trial[name], float).data)
        return sha.hexdigest()

    def _trial(self, inputs: NDArray, outputs: NDArray) -> Trial:
        t = self.dt * np.arange(1, len(inputs) + 1)
        return {"t": t, "epochs": {"T": t[-1]}, "info": {}, "inputs": inputs, "outputs": outputs}

    def generate_trial(self, rng: np.random.RandomState, dt: float, params: dict) -> Trial:
        """One of the trials, drawn at random; TaskError where dt is not the network's."""
        if dt != self.dt:
            raise TaskError(
                f"replayed trials have a time step of {self.dt:g} ms, not {dt:g} ms: draw them "
                "with a network of that dt"
            )
        return self.trials[rng.randint(len(self.trials))]

    @staticmethod
    def performance(trials: Sequence[Trial], z: NDArray) -> float:
        """Percentage of trials whose largest output at the end is the answering network's.

        Parameters
        ----------
        trials
            Replayed trials.
        z
            Outputs (time, trial, Nout).

        Returns
        -------
        float
            In percent.
        """
        agree = [
            np.argmax(z[len(trial["t"]) - 1, i]) == np.argmax(trial["outputs"][-1])
            for i, trial in enumerate(trials)
        ]
        return 100 * float(np.mean(agree))


def with_replay(
    model: Model, inputs: Sequence[NDArray], savefile: str | Path, **changes: Any
) -> Model:
    """A Model that learns its own task in half of the trials, and in half keeps what was learnt.

    Parameters
    ----------
    model
        Of the next task.
    inputs
        Time courses, each (time, Nin), of earlier tasks, without baseline and noise; a generator's
        samples.
    savefile
        Of the network that has learnt these tasks; its best network answers.
    **changes
        Settings other than the model's, as max_iter or n_gradient.

    Returns
    -------
    Model
        Of the mixture; its performance is the worse of the task's and of the agreement with the
        network that answers.

    Raises
    ------
    SettingError
        Where the model has no performance.
    TaskError
        Where there are no inputs, or one is not (time, Nin) finite numbers.
    """
    weights = open_save(savefile).selected.weights
    old = Replayed(inputs, weights, model.network, model.training)
    sizes = {name: getattr(model.network, name) for name in ("Nin", "N", "Nout")}
    replayed = Model(task=old, performance=old.performance, **sizes)
    return interleaved({"new": model, "replayed": replayed}, **changes)


def _answers(
    inputs: Sequence[NDArray],
    weights: Weights[NDArray],
    network: NetworkConfig,
    training: TrainingConfig,
) -> list[NDArray]:
    """Outputs (time, Nout) of the network, without noise, for each time course."""
    longest = max(len(shown) for shown in inputs)
    padded = np.zeros((longest, len(inputs), network.Nin))
    for i, shown in enumerate(inputs):
        padded[: len(shown), i] = shown
    padded += training.baseline_in
    if training.rectify_inputs:
        np.maximum(padded, 0, out=padded)
    z = simulate(
        weights, padded, np.zeros((longest, len(inputs), network.N)), alpha_of(weights, network),
        hidden_activation=network.hidden_activation, output_activation=network.output_activation,
    ).z  # fmt: skip
    return [z[: len(shown), i] for i, shown in enumerate(inputs)]
