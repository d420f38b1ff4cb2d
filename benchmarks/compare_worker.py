"""One work of benchmarks.compare, done in whatever checkout this process runs in.

Run as a script, it imports the package of the folder that it is started in, through names that
`benchmarks.batches` and `benchmarks.workloads` of either checkout have. It reads one word a line:
start, block, peak; and answers with one number a line.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORK = (
    "step thesis", "step rdm", "step large", "step rdm_fixed", "step romo", "step lee",
    "step sinewave", "step thesis, adam", "validation rdm_fixed", "validation romo",
    "run_trials dt 20", "run_trials dt 0.5", "run dt 20", "run dt 0.5",
    "minibatch rdm_fixed", "minibatch rdm_fixed, original stream",
)  # fmt: skip
NEWER = ("step replay recipe",)  # what the first checkouts cannot do
BLOCK_SECONDS = 0.15
TRIALS = 64


def prepared(name: str) -> Callable[[int], Any]:
    """The work as a function of the number of the call."""
    kind, _, rest = name.partition(" ")
    if kind == "step":
        return step(rest)
    if kind == "validation":
        return validation(rest)
    if kind == "minibatch":
        task, _, stream = rest.partition(", ")
        return minibatch(task, "original" if stream else "fast")
    return run(kind, float(rest.removeprefix("dt ")))


def recipe() -> Callable[[int], Any]:
    """The update of the network that replays: trained time constants, Adam, a schedule, a floor."""
    import numpy as np

    from bridge.replay.improved import IMPROVED
    from pycog_dgr.training import RateRNNClassifier

    plan, rng = IMPROVED.solvers["biornn"], np.random.default_rng(0)
    solver = RateRNNClassifier(1, **plan.options)
    solver.begin_context(iterations=10_000)
    images, labels = (
        rng.uniform(size=(plan.batch_size, 28, 28)),
        rng.integers(10, size=plan.batch_size),
    )
    batch = solver.minibatch(images, np.eye(10)[labels], np.ones(plan.batch_size), rng)
    return lambda i: solver.step.update(batch)


def step(name: str) -> Callable[[int], Any]:
    if name == "replay recipe":
        return recipe()
    from benchmarks.workloads import SIZES, workload

    size, _, optimiser = name.partition(", ")
    options = {}
    if optimiser:
        from pycog_dgr.symbolic import optimisers  # of this checkout alone

        options["optimiser"] = optimisers.adam(1e-3)
    if size in SIZES:
        made = workload(size)
        network, training, parameters, batches = made[1:]
    else:
        network, training, parameters, batches = of_task(size)
    one = step_class()(network, training, parameters, "float32", **options)
    return lambda i: one.update(batches[i % len(batches)])


def step_class() -> Any:
    from benchmarks.batches import TrainingStep

    return TrainingStep


def of_task(name: str, n_trial: int | None = None, n_batches: int = 2) -> tuple[Any, ...]:
    """Network, training, parameters and minibatches of an example task."""
    from benchmarks.batches import Model, initial_parameters

    model = Model(Path("examples/tasks") / f"{name}.py")
    n_trial = model.training.n_gradient if n_trial is None else n_trial
    dataset = dataset_of(model, n_trial)
    parameters, network = initial_parameters(model.network, 1)
    return network, model.training, parameters, [dataset() for _ in range(n_batches)]


def dataset_of(model: Any, n_trial: int, stream: str = "fast") -> Any:
    import dataclasses

    from benchmarks.batches import Dataset

    training = dataclasses.replace(model.training, noise_stream=stream)
    try:  # the checkout's Dataset takes the two dataclasses...
        return Dataset(n_trial, model.task, "float32", model.network, training, seed=11)
    except TypeError:  # ... or, before, a dictionary
        p = {**vars(model.network), **vars(training)}
        return Dataset(n_trial, model.task, "float32", p, seed=11)


def validation(name: str) -> Callable[[int], Any]:
    from benchmarks.batches import Model

    n_trial = Model(Path("examples/tasks") / f"{name}.py").training.n_validation
    network, training, parameters, batches = of_task(name, n_trial, n_batches=1)
    one = step_class()(network, training, parameters, "float32")
    return lambda i: one.evaluate(batches[0])


def minibatch(name: str, stream: str) -> Callable[[int], Any]:
    from benchmarks.batches import Model

    model = Model(Path("examples/tasks") / f"{name}.py")
    dataset = dataset_of(model, model.training.n_gradient, stream)
    return lambda i: dataset()


def run(kind: str, dt: float) -> Callable[[int], Any]:
    """One trial of rdm_fixed by RNN.run, or TRIALS of them by run_trials."""
    import dataclasses

    from benchmarks.batches import RNN, Model

    path = Path("examples/tasks/rdm_fixed.py")
    with tempfile.TemporaryDirectory() as folder:
        brief = Model(path)
        brief.training = dataclasses.replace(brief.training, max_iter=1, n_validation=20)
        brief.train(Path(folder) / "network.npz")
        rnn = RNN(Path(folder) / "network.npz", {"dt": int(dt) if dt == int(dt) else dt})
    params, generate_trial = {"name": "test", "catch": False}, brief.task.generate_trial
    if kind == "run":
        return lambda i: rnn.run(inputs=(generate_trial, params), seed=i)
    return lambda i: rnn.run_trials(generate_trial, [params] * TRIALS, seed=i)


def main() -> None:
    call, calls = None, 1
    for word in sys.stdin:
        answer = 0.0
        if word.strip() == "start":
            call = prepared(sys.argv[1])
            call(0)
            began = time.process_time()
            call(1)
            calls = max(1, round(BLOCK_SECONDS / (time.process_time() - began)))
        elif word.strip() == "block":
            began = time.process_time()
            for i in range(calls):
                call(i)
            answer = 1e3 * (time.process_time() - began) / calls
        else:
            answer = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(answer, flush=True)


if __name__ == "__main__":
    main()
