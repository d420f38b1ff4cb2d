"""The biological solver: the solver's contract, noise, trial weights, errors."""

import numpy as np
import pytest

from pycog_dgr.config import Connectivity
from pycog_dgr.errors import BatchError, SettingError
from pycog_dgr.network import spectral_radius
from pycog_dgr.training import RateRNNClassifier

SMALL = {"Nin": 4, "N": 10, "Nout": 3, "ei": [1] * 8 + [-1] * 2, "n_gradient": 8}


def classifier(**options):
    return RateRNNClassifier(**(SMALL | {"seed": 3} | options))


def images_of(labels, rng):
    """Rows that light one column a class, (trial, 6, 4)."""
    images = rng.uniform(0, 0.1, size=(len(labels), 6, 4))
    images[np.arange(len(labels)), :, labels] += 0.8
    return images


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=60)
    return images_of(labels, rng), np.eye(3)[labels], labels


def same(first, second):
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name]) for name in first
    )


def test_the_defaults_are_the_thesis():
    solver = RateRNNClassifier()
    network, training = solver.network, solver.training
    assert (network.Nin, network.N, network.Nout) == (28, 64, 10)
    assert (network.ei > 0).sum() == 51 and network.alpha == 0.02
    assert network.Crec.p_plastic == 63 / 64
    assert network.trained == ("Win", "Wrec", "Wout", "x0")
    assert (training.learning_rate, training.lambda_Omega, training.n_gradient) == (1e-3, 2, 64)
    assert (training.var_in, training.var_rec, training.tau_in) == (1e-4, 1e-4, 100)
    assert (training.baseline_in, training.rectify_inputs, training.seed) == (0.2, True, 100)
    assert spectral_radius(solver.weights.Wrec) == pytest.approx(1.5, rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [{"optimiser": "adam"}, {"optimiser": "adam", "loss_steps": "all"}, {"learning_rate": 0.05}],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_it_learns_to_tell_columns_apart(examples, options):
    images, targets, labels = examples
    solver = classifier(**({"learning_rate": 0.01} | options))
    solver.fit(images, targets, iterations=300, rng=np.random.default_rng(1))
    probabilities = solver.predict(images)
    assert probabilities.shape == (60, 3) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == labels).mean() > 0.9


def test_fit_depends_on_state_data_and_rng_alone(examples):
    images, targets, _ = examples
    first, second, other = classifier(), classifier(), classifier()
    for solver, seed in ((first, 5), (second, 5), (other, 6)):
        solver.fit(images, targets, iterations=5, rng=np.random.default_rng(seed))
    assert same(first.state(), second.state())
    assert not same(first.state(), other.state())


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_training_goes_on_from_a_stored_state(examples, optimiser):
    images, targets, _ = examples
    whole, part = classifier(optimiser=optimiser), classifier(optimiser=optimiser)
    rng = np.random.default_rng(5)
    for _ in range(2):  # two calls of one whole pass each
        whole.fit(images, targets, iterations=8, rng=rng)
    rng = np.random.default_rng(5)
    part.fit(images, targets, iterations=8, rng=rng)
    again = classifier(optimiser=optimiser, seed=99)
    again.load_state(part.state())
    again.fit(images, targets, iterations=8, rng=rng)
    assert same(again.state(), whole.state())
    np.testing.assert_array_equal(again.predict(images), whole.predict(images))


def test_predictions_carry_no_noise_and_change_nothing(examples):
    images, _, _ = examples
    solver = classifier()
    before = solver.state()
    np.testing.assert_array_equal(solver.predict(images), solver.predict(images))
    assert same(before, solver.state())


def test_predictions_in_pieces_equal_those_one_by_one(examples, monkeypatch):
    images, _, _ = examples
    solver = classifier(floatX="float64")
    whole = solver.predict(images)
    monkeypatch.setattr("pycog_dgr.training.classifier.TRIALS_AT_ONCE", 7)
    np.testing.assert_allclose(solver.predict(images), whole, rtol=1e-12)


def test_the_last_step_alone_is_compared_by_default(examples):
    images, targets, _ = examples
    rng = np.random.default_rng(0)
    for loss_steps, steps in (("last", 1), ("all", 6)):
        batch = classifier(loss_steps=loss_steps).minibatch(images, targets, np.arange(60.0), rng)
        assert (batch.mask[-1] == np.arange(60.0)[:, np.newaxis]).all()
        assert (batch.mask != 0).any(axis=(1, 2)).sum() == steps


def test_inputs_are_grey_values_with_baseline_and_noise_rectified(examples):
    images, targets, _ = examples
    solver = classifier(var_in=0, var_rec=0)
    batch = solver.minibatch(images, targets, np.ones(60), np.random.default_rng(0))
    np.testing.assert_allclose(batch.inputs, 255 * images.transpose(1, 0, 2) + 0.2, rtol=1e-5)
    assert not batch.noise.any()
    noisy = classifier(var_in=1.0).minibatch(images, targets, np.ones(60), np.random.default_rng(0))
    assert noisy.inputs.min() == 0


def test_the_noise_has_the_stated_size():
    solver = classifier()
    many = np.zeros((2000, 6, 4))
    batch = solver.minibatch(many, np.eye(3)[np.zeros(2000, int)], np.ones(2000),
                          np.random.default_rng(0))  # fmt: skip
    assert batch.noise.std() == pytest.approx(np.sqrt(2 * 50 * 1e-4), rel=0.02)
    above = batch.inputs[batch.inputs > 0.2] - 0.2
    assert np.sqrt(np.mean(above**2)) == pytest.approx(np.sqrt(2 * 100 * 1e-4), rel=0.02)


def test_trials_of_weight_zero_take_no_part(examples):
    images, targets, _ = examples
    weights = np.r_[np.ones(30), np.zeros(30)]
    first, second = classifier(), classifier()
    first.fit(images, targets, weights, iterations=4, rng=np.random.default_rng(1))
    second.fit(images[:30], targets[:30], iterations=4, rng=np.random.default_rng(1))
    assert same(first.state(), second.state())


def test_weights_matter_by_their_ratios(examples):
    images, targets, _ = examples
    states = []
    for weights in (
        np.r_[np.full(30, 3.0), np.ones(30)],
        np.r_[np.full(30, 0.75), np.full(30, 0.25)],
    ):
        solver = classifier(floatX="float64")
        solver.fit(images, targets, weights, iterations=4, rng=np.random.default_rng(1))
        states.append(solver.state())
    for name in states[0]:
        np.testing.assert_allclose(states[0][name], states[1][name], rtol=1e-10, atol=1e-14)


def test_progress_is_reported_after_every_update(examples):
    images, targets, _ = examples
    seen = []
    classifier().fit(
        images, targets, iterations=3, rng=np.random.default_rng(1),
        on_iteration=lambda i, report: seen.append((i, sorted(report))),
    )  # fmt: skip
    assert seen == [(i, ["Omega", "gnorm", "loss"]) for i in (1, 2, 3)]


def test_the_spectral_radius_can_be_forced_back(examples):
    images, targets, _ = examples
    solver = classifier(optimiser="adam", learning_rate=0.01, floatX="float64")
    solver.fit(images, targets, iterations=20, rng=np.random.default_rng(1))
    before = solver.state()
    assert spectral_radius(solver.weights.Wrec) != pytest.approx(1.5, rel=1e-3)
    solver.force_spectral_radius()
    assert spectral_radius(solver.weights.Wrec) == pytest.approx(1.5, rel=1e-10)
    np.testing.assert_array_equal(solver.state()["Win"], before["Win"])
    np.testing.assert_array_equal(solver.state()["adam_mean_Wrec"], before["adam_mean_Wrec"])


def test_fixed_weights_travel_with_the_state(examples):
    images, targets, _ = examples
    Crec = Connectivity(1 - np.eye(10), np.eye(10) * 0.1)
    first, second = (classifier(Crec=Crec, floatX="float64", seed=seed) for seed in (1, 2))
    first.fit(images, targets, iterations=3, rng=np.random.default_rng(1))
    first.force_spectral_radius()
    assert spectral_radius(first.weights.Wrec) == pytest.approx(1.5, rel=1e-10)
    second.load_state(first.state())
    np.testing.assert_array_equal(second.weights.Wrec, first.weights.Wrec)


GOOD = (np.zeros((2, 6, 4)), np.eye(3)[:2])


@pytest.mark.parametrize(
    ("images", "targets", "weights", "told"),
    [
        (np.zeros((0, 6, 4)), np.zeros((0, 3)), None, "at least one"),
        (np.zeros((2, 0, 4)), GOOD[1], None, "no example"),
        (np.zeros((2, 6, 5)), GOOD[1], None, r"give \(2, time, 4\)"),
        (np.zeros((3, 6, 4)), GOOD[1], None, "images have shape"),
        (np.full((2, 6, 4), np.nan), GOOD[1], None, "finite"),
        (np.full((2, 6, 4), 255.0), GOOD[1], None, "divide 8-bit ones by 255"),
        (np.full((2, 6, 4), "a"), GOOD[1], None, "real numbers"),
        ([[1, 2], [3]], GOOD[1], None, "not one array"),
        (GOOD[0], np.zeros((2, 4)), None, "targets have shape"),
        (GOOD[0], np.zeros((2, 3)), None, "trial 0 sum to 0"),
        (GOOD[0], np.full((2, 3), np.nan), None, "probabilities"),
        (GOOD[0], np.array([[2.0, -1, 0], [1, 0, 0]]), None, "probabilities"),
        (*GOOD, np.ones(3), "weights have shape"),
        (*GOOD, np.zeros(2), "above 0 for some trial"),
        (*GOOD, np.array([1, np.inf]), "weights must be finite"),
    ],
)
def test_wrong_examples_are_one_clear_error_before_any_training(images, targets, weights, told):
    solver = classifier()
    before = solver.state()
    with pytest.raises(BatchError, match=told):
        solver.fit(images, targets, weights, iterations=1, rng=np.random.default_rng(0))
    assert same(before, solver.state())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"optimiser": "sdg"}, "did you mean 'sgd'"),
        ({"schedule": "onecycle"}, "did you mean 'one_cycle'"),
        ({"initialisation": "spectrum"}, "'thesis', 'spectrum_matched'"),
        ({"input_gain": 0}, "input_gain"),
        ({"loss_steps": "first"}, "loss_steps"),
        ({"lambda_omega": 1}, "did you mean 'lambda_Omega'"),
        ({"output_activation": "linear"}, "softmax"),
        ({"var_in": np.eye(4)}, "no covariance"),
    ],
)
def test_unknown_options_are_refused(options, told):
    with pytest.raises(SettingError, match=told):
        classifier(**options)


def test_wrong_loop_arguments_are_refused(examples):
    images, targets, _ = examples
    solver = classifier()
    rng = np.random.default_rng(0)
    for arguments, told in (
        ({"iterations": -1, "rng": rng}, "iterations"),
        ({"iterations": 1, "rng": 3}, "rng"),
        ({"iterations": 1, "rng": rng, "batch_size": 0}, "batch_size"),
    ):
        with pytest.raises(SettingError, match=told):
            solver.fit(images, targets, **arguments)
    for iterations in (0, 2.5, True):
        with pytest.raises(SettingError, match="iterations"):
            solver.begin_context(iterations=iterations)


def test_a_state_of_another_network_changes_nothing():
    solver = classifier()
    before = solver.state()
    with pytest.raises(SettingError, match="Crec_fixed"):
        solver.load_state({})
    with pytest.raises(SettingError, match="expected shape"):
        solver.load_state(before | {"Win": np.zeros((2, 2))})
    assert same(before, solver.state())
