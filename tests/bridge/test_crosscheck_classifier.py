"""A classifier trained on one side labels images on the other just as it did at home."""

import numpy as np
import pytest

from bridge.crosscheck import cases as crosscases
from bridge.crosscheck.backends import NumpyBackend, Start, TorchBackend
from bridge.crosscheck.comparison import label_agreement
from bridge.crosscheck.weights import violations
from pycog_dgr.network import Parameters
from pycog_dgr.tasks import bundled_tasks
from pycog_dgr.training.classifier import RateRNNClassifier
from pycog_dgr.training.step import TrainingStep


@pytest.fixture(scope="module")
def thesis():
    return crosscases.thesis("mnist5k")


def one_pass(case, n=5):
    return [batch for _, batch in zip(range(n), case.batches(), strict=False)]


def test_the_digits_are_real_and_end_in_one_marked_step(thesis):
    batch = next(iter(thesis.batches()))
    assert batch.inputs.shape == (28, 64, 28)
    assert 250 < batch.inputs.max() < 258
    assert batch.inputs.min() >= 0
    assert batch.mask[:-1].sum() == 0
    assert (batch.mask[-1] == 1).all()
    assert (batch.targets.sum(axis=2) == 1).all()
    labels = np.concatenate([one.targets[-1].argmax(axis=1) for one in thesis.images()])
    assert len(labels) == 1000
    np.testing.assert_array_equal(np.bincount(labels), 100)


def test_batches_start_afresh_each_time(thesis):
    one, other = (next(iter(thesis.batches())) for _ in range(2))
    for mine, own in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, own)


def test_a_network_trained_in_pytensor_labels_alike_in_torch_and_back(thesis):
    step = TrainingStep(*thesis.start)
    net = TorchBackend(thesis.start, "float64")
    for batch in one_pass(thesis):
        step.update(batch)
        net.update(batch)

    class Trained:
        """The PyTensor step as a backend whose outputs come from its own `evaluate`."""

        def outputs(self, batch):
            return step.evaluate(batch).z

        def parameters(self):
            return step.parameters

    found = label_agreement(
        thesis,
        {"PyTensor": Trained(), "torch": net},
        "float64",
        {"numpy": NumpyBackend, "torch": TorchBackend},
    )
    assert {one.comparison for one in found} == {
        "trained in PyTensor and in torch",
        "trained in PyTensor, run in numpy",
        "trained in PyTensor, run in torch",
        "trained in torch, run in numpy",
    }
    assert all((one.alike, one.images) == (1000, 1000) for one in found)


def test_the_solver_itself_predicts_as_its_twin_does(thesis):
    solver = RateRNNClassifier(seed=3, floatX="float64")
    rng = np.random.default_rng(0)
    images, labels = rng.uniform(size=(200, 28, 28)), rng.integers(0, 10, 200)
    solver.fit(images, np.eye(10)[labels], iterations=4, rng=rng)
    state = solver.state()
    raw = {name: state.get(name) for name in Parameters._fields}
    raw = Parameters(**raw)
    assert violations(solver.weights, solver.network) == []
    start = Start(solver.network, solver.training, raw)
    batch = crosscases.image_batch(images, labels, start)
    outputs = TorchBackend(start, "float64").outputs(batch)[-1]
    np.testing.assert_allclose(outputs, solver.predict(images), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("change", ["vector_tau", "fixed_weights"])
def test_changed_tasks_are_what_they_are_called(change):
    case = crosscases.task("rdm_fixed", change, getattr(crosscases, change))
    network = case.start.network
    if change == "vector_tau":
        assert network.tau.shape == (network.N,)
        assert len(np.unique(network.tau)) == network.N
    else:
        assert network.Crec.nfixed == network.Cin.nfixed == network.N // 5


def test_a_save_file_is_run_on_its_task_or_on_random_batches(tmp_path):
    from pycog_dgr.tasks.model import Model

    file = tmp_path / "sine.npz"
    path = tmp_path / "sine.py"
    path.write_text(
        bundled_tasks()["sinewave"].read_text() + "\nN = 10\n"
        "ei, EXC, INH = tasktools.generate_ei(N)\nmax_iter = 1\nn_validation = 1\n"
        "__name__ = 'sine'\n"
    )
    Model(path).train(file)
    for task in (str(path), None):
        case = crosscases.saved(str(file), task)
        assert case.start.network.N == 10
        batch = next(iter(case.batches()))
        assert batch.noise.shape[2] == 10
        assert batch.targets.shape[2] == 1
