"""The pieces of the recipe that replays: spectrum, cycle, projection, contexts, input gain."""

import numpy as np
import pytensor
import pytest

from pycog_dgr.config import Connectivity, settings
from pycog_dgr.network import effective_weights, initial_parameters, spectral_radius
from pycog_dgr.symbolic import adam, chain, keep_at_least, one_cycle, sgd
from pycog_dgr.training import RateRNNClassifier
from tests.pycog_dgr import small

N, EI = 40, np.repeat([1, -1], [32, 8])
SMALL = {"Nin": 4, "N": 10, "Nout": 3, "ei": [1] * 8 + [-1] * 2, "n_gradient": 8}
RECIPE = {
    "optimiser": "projected_adam", "schedule": "one_cycle", "initialisation": "spectrum_matched",
    "input_gain": 30, "learning_rate": 4e-3, "max_gradient_norm": 0.1, "rho0": 1.0, "tau": 10 / 3,
    "train_tau": True, "tau_bounds": (1, 21), "train_brec": True, "train_bout": True,
    "baseline_in": 0, "var_in": 0, "lambda_Omega": 0,
}  # fmt: skip


def recurrent(distribution, seed=3, **changes):
    """The effective initial Wrec of a network of 40 units, and the network."""
    given = {"N": N, "ei": EI, "rho0": 1.0, "distribution_rec": distribution} | changes
    network, _ = settings(**given)
    raw, network = initial_parameters(network, seed)
    return effective_weights(raw, network).Wrec, network


def distance_to_gaussian(W):
    """How far sorted singular values lie from a Gaussian matrix's, both of mean 1."""
    values = np.linalg.svd(W, compute_uv=False)
    gaussian = np.linalg.svd(np.random.default_rng(0).normal(size=W.shape), compute_uv=False)
    return np.abs(values / values.mean() - gaussian / gaussian.mean()).max()


def test_a_matched_spectrum_is_a_gaussian_matrixs_where_gamma_has_one_outlier():
    matched, _ = recurrent("spectrum_matched")
    gamma, _ = recurrent("gamma")
    assert distance_to_gaussian(gamma) > 2
    assert distance_to_gaussian(matched) < 0.5


def test_a_matched_spectrum_keeps_dales_signs_masks_radius_and_fixed_weights():
    rng = np.random.RandomState(5)
    kind = rng.choice(3, size=(N, N), p=(0.3, 0.65, 0.05))
    Crec = Connectivity((kind == 1).astype(float), (kind == 2) * 0.05)
    W, network = recurrent("spectrum_matched", Crec=Crec)
    assert spectral_radius(W) == pytest.approx(1, rel=1e-10)
    assert (W * EI >= 0).all() and not W[kind == 0].any() and (W[kind == 1] != 0).all()
    np.testing.assert_array_equal(W[kind == 2], (network.Crec.mask_fixed * EI)[kind == 2])
    np.testing.assert_array_equal(recurrent("spectrum_matched", Crec=Crec)[0], W)


def test_without_dales_law_the_matched_weights_have_both_signs():
    W, _ = recurrent("spectrum_matched", ei=None)
    assert ((W > 0).any(axis=0) & (W < 0).any(axis=0)).all() and not np.diagonal(W).any()
    assert distance_to_gaussian(W) < 0.5


def factors(transform, updates):
    """What a transform makes of the step 1, update after update."""
    theta = pytensor.shared(np.zeros(()), name="W")
    steps, changes = transform({"W": theta * 0 + 1}, None)
    step = pytensor.function([], steps["W"], updates=changes, mode="FAST_COMPILE")
    return np.array([step() for _ in range(updates)])


@pytest.mark.parametrize("length", [7, 40])
def test_one_cycle_is_torchs(length):
    torch = pytest.importorskip("torch")
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 1.0, total_steps=length, pct_start=0.25, cycle_momentum=False
    )
    expected = []
    for _ in range(length):
        expected.append(schedule.get_last_lr()[0])
        optimiser.step()
        if len(expected) < length:
            schedule.step()
    got = factors(one_cycle(length), length + 3)
    np.testing.assert_allclose(got[:length], expected, rtol=1e-12)
    np.testing.assert_allclose(got[length:], 4e-6, rtol=1e-9)  # and stays at its end


def test_a_cycle_without_length_leaves_steps_alone():
    np.testing.assert_array_equal(factors(one_cycle(), 5), 1)


def test_projection_keeps_weights_above_its_floor_and_no_others():
    floor = 1e-3
    step = small.step(
        optimiser=chain(adam(0.05), keep_at_least(floor, "Win", "Wrec", "Wout")), lambda_Omega=0
    )
    start = step.parameters
    step.parameters = start._replace(**{n: np.abs(getattr(start, n)) for n in ("Win", "Wout")})
    batch = small.batch(step.network)
    lowest = []
    for _ in range(30):
        step.update(batch)
        lowest.append([W.min() for W in step.parameters[:3]])
    np.testing.assert_allclose(np.min(lowest, axis=0), floor, rtol=1e-10)
    assert step.parameters.x0.min() < floor


def test_steps_that_stay_above_the_floor_are_not_changed():
    plain, floored = (
        small.step(optimiser=optimiser)
        for optimiser in (sgd(1e-4), chain(sgd(1e-4), keep_at_least(-1e3, "Wrec")))
    )
    batch = small.batch(plain.network)
    for step in (plain, floored):
        step.update(batch)
    np.testing.assert_array_equal(plain.parameters.Wrec, floored.parameters.Wrec)


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


def test_a_classifier_with_every_piece_learns_within_dales_law_and_the_bounds_of_tau(examples):
    images, targets, labels = examples
    solver = RateRNNClassifier(3, **(SMALL | RECIPE))
    solver.begin_context(iterations=150)
    solver.fit(images, targets, iterations=150, rng=np.random.default_rng(1))
    assert (solver.predict(images).argmax(axis=1) == labels).mean() > 0.95
    weights, ei = solver.weights, solver.network.ei
    assert (weights.Wrec * ei >= 0).all() and (weights.Wout * ei > 0).all()
    assert (weights.Win > 0).all() and not np.diagonal(weights.Wrec).any()
    assert (weights.tau >= 1).all() and (weights.tau <= 21 * (1 + 1e-6)).all()
    assert np.abs(weights.tau - 10 / 3).max() > 0.05


def test_a_context_in_parts_ends_where_it_ends_in_one_also_from_a_stored_state(examples):
    images, targets, _ = examples
    whole, parts = (RateRNNClassifier(3, **(SMALL | RECIPE)) for _ in range(2))
    rng = np.random.default_rng(5)
    whole.begin_context(iterations=16)
    for _ in range(2):  # of a whole pass each
        whole.fit(images, targets, iterations=8, rng=rng)
    rng = np.random.default_rng(5)
    parts.begin_context(iterations=16)
    parts.fit(images, targets, iterations=8, rng=rng)
    again = RateRNNClassifier(99, **(SMALL | RECIPE))
    again.load_state(parts.state())
    again.fit(images, targets, iterations=8, rng=rng)
    assert same(again.state(), whole.state())


def test_a_new_context_forgets_the_moments_and_nothing_else(examples):
    images, targets, _ = examples
    solver = RateRNNClassifier(3, **(SMALL | RECIPE))
    solver.begin_context(iterations=8)
    solver.fit(images, targets, iterations=8, rng=np.random.default_rng(1))
    before = solver.state()
    solver.begin_context(iterations=5)
    after = solver.state()
    assert before["adam_mean_Wrec"].any() and not after["adam_mean_Wrec"].any()
    assert after["cycle_updates"] == 5 and after["cycle_count"] == 0 == after["adam_count"]
    for name in solver.network.shapes:
        np.testing.assert_array_equal(after[name], before[name])


def test_checked_examples_need_no_second_check(examples):
    images, targets, _ = examples
    checked, trusted = (RateRNNClassifier(3, **SMALL) for _ in range(2))
    checked.fit(images, targets, iterations=4, rng=np.random.default_rng(1))
    trusted.fit(images, targets, iterations=4, rng=np.random.default_rng(1), check_input=False)
    assert same(checked.state(), trusted.state())


def test_the_input_gain_multiplies_pixels(examples):
    images, targets, _ = examples
    solver = RateRNNClassifier(3, **(SMALL | {"input_gain": 30, "baseline_in": 0, "var_in": 0}))
    batch = solver.minibatch(images, targets, np.ones(60), np.random.default_rng(0))
    np.testing.assert_allclose(batch.inputs, 30 * images.transpose(1, 0, 2), rtol=1e-6)


def test_matched_settings_balance_both_kinds_in_the_output():
    solver = RateRNNClassifier(3, initialisation="spectrum_matched", rho0=1.0)
    Wout, ei = solver.weights.Wout, solver.network.ei
    assert np.linalg.norm(Wout, axis=1) == pytest.approx(np.full(10, 0.3), rel=0.35)
    excitation, inhibition = Wout[:, ei > 0].sum(), -Wout[:, ei < 0].sum()
    assert excitation == pytest.approx(inhibition, rel=0.25)
    assert solver.weights.Win.mean() == pytest.approx(0.1 / np.sqrt(28), rel=0.1)
