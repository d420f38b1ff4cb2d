"""What batches and trials cost: python -m benchmarks.batches

A minibatch beside the train step that it feeds: of the thesis' solver, of the Dataset where every
image is a task's trial of its own, and of rdm_fixed; `RNN.run_trials` beside `RNN.run` trial by
trial, on rdm_fixed.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import command
from benchmarks.results import Goal
from benchmarks.timing import ROOT, in_turns
from pycog_dgr import tasktools
from pycog_dgr.config import NetworkConfig, TrainingConfig, settings
from pycog_dgr.data import Dataset
from pycog_dgr.network import initial_parameters
from pycog_dgr.running.rnn import RNN
from pycog_dgr.tasks.model import Model
from pycog_dgr.training import THESIS, RateRNNClassifier, TrainingStep

RDM_FIXED = ROOT / "examples" / "tasks" / "rdm_fixed.py"
ROUNDS, QUICK_ROUNDS = 20, 2
TRIALS, ONE_BY_ONE = 200, 4  # together, and one after another
RUN_DT = (20, 0.5)  # ms: the training's, and a fine one for analyses


class Images:
    """Images as a task for the Dataset: rows are time steps, the class is read at the last."""

    def __init__(self, n_images: int = 1000):
        rng = np.random.RandomState(3)
        self.images = rng.randint(256, size=(n_images, 28, 28)).astype(float)
        self.targets = np.repeat(np.eye(10)[rng.randint(10, size=n_images), np.newaxis], 28, axis=1)
        self.mask = np.zeros((28, 10))
        self.mask[-1] = 1

        self.build_trial = tasktools.built_once(self.build_trial)

    def generate_trial(self, rng, dt, params):
        return self.build_trial(dt, rng.randint(len(self.images)))

    def build_trial(self, dt, i):
        return {
            "t": dt * np.arange(1, 29),
            "epochs": {},
            "info": {"image": i},
            "inputs": self.images[i],
            "outputs": self.targets[i],
            "mask": self.mask,
        }


def minibatches(
    task: Any, network: NetworkConfig, training: TrainingConfig, rounds: int
) -> dict[str, dict[str, Any]]:
    """A minibatch and a train step in turns, CPU and wall ms."""
    dataset = Dataset(
        training.n_gradient, task, "float32", network, training,
        batch_size=training.gradient_batch_size, seed=11,
    )  # fmt: skip
    parameters, network = initial_parameters(network, 1)
    step = TrainingStep(network, training, parameters, "float32")
    made = [dataset() for _ in range(4)]
    calls = {
        "minibatch": lambda i: dataset(),
        "step": lambda i: step.update(made[i % len(made)]),
    }
    return in_ms(in_turns(calls, rounds))


def in_ms(times: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: {"cpu": timed.cpu._asdict(), "wall": timed.wall._asdict()}
        for name, timed in times.items()
    }


def classifier_minibatches(rounds: int) -> dict[str, dict[str, Any]]:
    """A minibatch of the thesis' solver and its train step in turns, CPU and wall ms."""
    solver, rng = RateRNNClassifier(seed=1), np.random.default_rng(2)
    images, weights = rng.random((64, 28, 28), dtype=np.float32), np.ones(64)
    targets = np.eye(10)[rng.integers(10, size=64)]
    batch = solver.minibatch(images, targets, weights, rng)
    calls = {
        "minibatch": lambda _: solver.minibatch(images, targets, weights, rng),
        "step": lambda _: solver.step.update(batch),
    }
    return in_ms(in_turns(calls, rounds))


def trials(model: Model, dt: float, rounds: int) -> dict[str, Any]:
    """One trial by `run` and by `run_trials`, in turns, CPU and wall ms."""
    with tempfile.TemporaryDirectory() as folder:
        savefile = Path(folder) / "network.npz"
        training = dataclasses.replace(model.training, max_iter=1, n_validation=20)
        brief = Model(RDM_FIXED)
        brief.training = training
        brief.train(savefile)
        rnn = RNN(savefile, {"dt": dt})
    params = {"name": "test", "catch": False}
    generate_trial = model.task.generate_trial

    def one_by_one(_: int) -> None:
        for seed in range(ONE_BY_ONE):
            rnn.run(inputs=(generate_trial, params), seed=seed)

    def together(_: int) -> None:
        rnn.run_trials(generate_trial, [params] * TRIALS, seed=1)

    times = in_turns({"run": one_by_one, "run_trials": together}, rounds)
    sizes = {"run": ONE_BY_ONE, "run_trials": TRIALS}
    return {
        name: {
            "cpu_ms_a_trial": timed.cpu.median / sizes[name],
            "wall_ms_a_trial": timed.wall.median / sizes[name],
        }
        for name, timed in times.items()
    }


def measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Goal]]:
    rounds = QUICK_ROUNDS if arguments.quick else ROUNDS
    model = Model(RDM_FIXED)
    made = {
        "thesis": classifier_minibatches(rounds),
        "thesis as a task of single images": minibatches(Images(), *settings(**THESIS), rounds),
        "rdm_fixed": minibatches(model.task, model.network, model.training, rounds),
    }
    ran = {str(dt): trials(model, dt, max(2, rounds // 4)) for dt in RUN_DT}
    goals = []
    for name, times in made.items():
        share = 100 * times["minibatch"]["cpu"]["median"] / times["step"]["cpu"]["median"]
        goals.append(Goal(f"minibatch / train step, {name}", "at most", 15, share, " %"))
    return {
        "minibatches_ms": made,
        "trials": ran,
    }, goals


def lines(numbers: dict[str, Any]) -> str:
    text = [
        f"{name:10} minibatch {times['minibatch']['cpu']['median']:.3f}, "
        f"step {times['step']['cpu']['median']:.3f} CPU ms"
        for name, times in numbers["minibatches_ms"].items()
    ]
    text += [
        f"dt {dt:>4} ms  run {times['run']['cpu_ms_a_trial']:.3f}, "
        f"run_trials {times['run_trials']['cpu_ms_a_trial']:.3f} CPU ms a trial"
        for dt, times in numbers["trials"].items()
    ]
    return "\n".join(text)


if __name__ == "__main__":
    command.run("batches", measure, lines, __doc__)
