"""What the replay recipe adds to the network gives the same numbers in PyTensor and in torch."""

import numpy as np
import pytest

from bridge.crosscheck.backends import BACKENDS, Start
from bridge.crosscheck.weights import objective_of, parameters_of, twin, violations, weights_of
from pycog_dgr.training.options import make_optimiser
from pycog_dgr.training.step import TrainingStep
from tests.pycog_dgr import small
from torch_dgr.rate_rnn.step import projected_adam, train_step

TAU = np.array([30.0, 40.0, 50.0, 60.0, 80.0, 120.0])  # ms
TRAINED = {"train_tau": True, "tau": TAU, "tau_bounds": (25, 400), "train_brec": True}
UPDATES = 30


@pytest.mark.parametrize("backend", ["scan", "fast"])
@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_projected_adam_on_trained_tau_walks_the_same_way(backend, schedule):
    first = small.step(backend=backend, output_activation="softmax", **TRAINED)
    optimiser = make_optimiser("projected_adam", 0.02, schedule)
    step = TrainingStep(
        first.network, first.training, first.parameters, "float64", backend, optimiser
    )
    if schedule == "one_cycle":
        step.load_state({**step.state(), "cycle_updates": np.asarray(UPDATES)})
    net = twin(first.network, first.parameters)
    torchs = projected_adam(
        net,
        0.02,
        schedule=schedule,
        steps=UPDATES,
        max_gradient_norm=first.training.max_gradient_norm,
    )
    for seed in range(UPDATES):
        batch = small.batch(first.network, seed=seed)
        mine, theirs = (
            step.update(batch),
            train_step(net, torchs, batch, objective_of(first.training)),
        )
        assert theirs.loss == pytest.approx(mine.loss, rel=1e-9)
    for name, value in step.parameters._asdict().items():
        np.testing.assert_allclose(
            getattr(parameters_of(net), name), value, rtol=0, atol=1e-9, err_msg=name
        )
    tau = weights_of(net).tau
    assert np.abs(tau - TAU).min() > 0.01
    assert violations(weights_of(net), first.network) == []


def test_all_backends_tell_the_same_of_a_network_whose_tau_is_trained():
    step = small.step(**TRAINED)
    batch = small.batch(step.network)
    start = Start(step.network, step.training, step.parameters)
    told = {name: make(start, "float64").quantities(batch) for name, make in BACKENDS.items()}
    expected = told["PyTensor scan"]
    assert "grad alpha_logit" in expected
    assert "tau" in expected
    assert told["torch"].keys() == expected.keys()
    for name, quantities in told.items():
        for quantity, value in quantities.items():
            scale = np.abs(expected[quantity]).max()
            np.testing.assert_allclose(
                value, expected[quantity], rtol=0, atol=1e-11 * scale, err_msg=f"{name}: {quantity}"
            )
