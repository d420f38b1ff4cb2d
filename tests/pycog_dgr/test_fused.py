"""The step by kernels alone beside the graph, which is its definition."""

import numpy as np
import pytest

from pycog_dgr.config import HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS, Connectivity
from pycog_dgr.data import Batch
from pycog_dgr.symbolic.optimisers import (
    adam,
    chain,
    keep_at_least,
    one_cycle,
    path_integral,
    sgd,
)
from pycog_dgr.training.dropout import RecurrentDropout
from pycog_dgr.training.step import TrainingStep
from tests.pycog_dgr import small
from tests.pycog_dgr.test_step import CASES, close

EQUAL = 1e-12  # float64, relative to the largest entry
NOT_STANDARD = ("lambda1_in", "penalties")  # what only the graph computes
TAU = {"train_tau": True, "tau": np.linspace(30, 90, 6), "tau_bounds": (25, 400)}
STANDARD = [
    *(case for case in CASES if next(iter(case)) not in NOT_STANDARD),
    TAU,
    TAU | {"lambda_Omega": 0, "hidden_activation": "tanh"},
    {"tau": np.linspace(30, 90, 6), "lambda_Omega": 0},
]
OPTIMISERS = {
    "sgd": None,
    "adam": adam(0.01),
    "schedule": adam(lambda n: 0.1 / (n + 1)),
    "recipe": chain(adam(0.01), one_cycle(5), keep_at_least(1e-6, "Win", "Wrec", "Wout")),
    "path": path_integral(sgd(0.01)),
}


def by_graph(step):
    """The same step, computed by the graph."""
    step.__dict__["_fused"] = None
    return step


def with_dropout(step):
    return TrainingStep(
        step.network, step.training, step.parameters, step.floatX, step.backend,
        dropout=RecurrentDropout(0.5, 1),
    )  # fmt: skip


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("changes", [{}, TAU], ids=["", "train_tau"])
def test_every_optimiser_takes_the_same_step(changes, name):
    fused, graph = (small.step(optimiser=OPTIMISERS[name], **changes) for _ in range(2))
    same_updates(fused, by_graph(graph))


@pytest.mark.parametrize("optimiser", [None, adam(0.01)], ids=["sgd", "adam"])
@pytest.mark.parametrize("backend", ["fast", "numpy"])
@pytest.mark.parametrize("changes", STANDARD, ids=lambda changes: "-".join(changes))
def test_kernels_and_graph_take_the_same_step(changes, backend, optimiser):
    fused, graph = (small.step(backend=backend, optimiser=optimiser, **changes) for _ in range(2))
    same_updates(fused, by_graph(graph))


@pytest.mark.parametrize("backend", ["fast", "numpy"])
def test_under_dropout_too(backend):
    fused, graph = (with_dropout(small.step(backend=backend)) for _ in range(2))
    same_updates(fused, by_graph(graph))


@pytest.mark.parametrize("dale", [True, False], ids=["dale", "no dale"])
def test_of_few_connections_too(dale):
    N, rng = 220, np.random.default_rng(7)
    C = 0.3 * (rng.uniform(size=(N, N)) < np.where(np.arange(N) < 176, 0.1, 0.5))
    fixed = 0.1 * ((C == 0) & (rng.uniform(size=C.shape) < 0.01))
    changes = {
        "N": N, "Crec": Connectivity(C, fixed),
        "ei": np.where(np.arange(N) < 176, 1, -1) if dale else None,
    }  # fmt: skip
    fused, graph = (small.step(**changes) for _ in range(2))
    assert fused._fused.connections is not None
    same_updates(fused, by_graph(graph), n_trial=11)


@pytest.mark.parametrize("seed", range(30))
def test_compiled_kernels_take_the_step_of_numpys_at_any_size(seed):
    rng = np.random.default_rng(seed)
    changes = any_settings(rng)
    compiled, numpys = (
        small.step(backend=name, self_check=False, **changes) for name in ("fast", "numpy")
    )
    n_time, n_trial = int(rng.choice([1, 2, 7, 20])), int(rng.choice([1, 2, 3, 8, 9, 20, 33]))
    same_updates(compiled, numpys, n_trial, n_time)


def any_settings(rng):
    """Sizes on both sides of what fills whole vectors, and every kind of connections."""
    N = int(rng.choice([3, 5, 15, 16, 17, 31, 33, 48, 64, 65, 100, 127, 129, 150, 220]))
    ei = np.where(np.arange(N) < max(0.8 * N, 2), 1, -1)
    changes = {
        "N": N, "Nin": int(rng.integers(0, 4)), "Nout": int(rng.integers(1, 9)),
        "ei": None if rng.uniform() < 0.3 else ei,
        "hidden_activation": str(rng.choice(list(HIDDEN_ACTIVATIONS))),
        "output_activation": str(rng.choice(list(OUTPUT_ACTIVATIONS))),
        "mode": str(rng.choice(["batch", "continuous"])),
        "tau": rng.uniform(30, 90, N) if rng.uniform() < 0.3 else 50,
        "lambda_Omega": float(rng.choice([0, 2])),
        "train_brec": bool(rng.uniform() < 0.3), "train_x0": bool(rng.uniform() < 0.8),
    }  # fmt: skip
    if N > 10 and rng.uniform() < 0.6:
        share = np.where(ei > 0, rng.choice([0.1, 0.2, 0.5]), rng.choice([0.2, 0.6]))
        plastic = 0.3 * (rng.uniform(size=(N, N)) < share)
        fixed = 0.1 * ((plastic == 0) & (rng.uniform(size=(N, N)) < rng.choice([0, 0.01, 0.3])))
        changes["Crec"] = Connectivity(plastic, fixed)
    return changes


def same_updates(fused, graph, n_trial=4, n_time=7):
    assert fused._fused is not None
    for seed in range(3):
        batch = small.batch(fused.network, n_time, n_trial, seed)
        for got, expected in zip(fused.evaluate(batch), graph.evaluate(batch), strict=True):
            close(got, expected, EQUAL)
        close(fused.update(batch), graph.update(batch), EQUAL)
    state = fused.state()
    assert state.keys() == graph.state().keys()
    for name, expected in graph.state().items():
        close(state[name], expected, EQUAL)


@pytest.mark.parametrize(
    "changes",
    [
        {"lambda2_r": 0.3},
        {"Nout": 0},
        {"loss": lambda z, target: abs(z - target)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_not_standard_is_the_graphs(changes):
    assert small.step(**changes)._fused is None


def test_kernels_and_graph_can_go_on_from_each_others_state():
    fused, graph = (small.step(optimiser=adam(0.01)) for _ in range(2))
    by_graph(graph)
    batch = small.batch(fused.network)
    for _ in range(2):
        fused.update(batch)
    graph.load_state(fused.state())
    close(fused.update(batch), graph.update(batch), EQUAL)


def test_evaluation_of_many_trials_is_that_of_each():
    step = small.step()
    batch = small.batch(step.network, n_trial=150)
    z = step.evaluate(batch).z
    for first in (0, 63, 64, 149):
        alone = step.evaluate(Batch(*(array[:, first : first + 1] for array in batch)))
        close(z[:, first : first + 1], alone.z, EQUAL)
