"""Recurrent dropout: what an update sees, what nothing else sees, and how training resumes."""

import numpy as np
import pytest

from pycog_dgr.config import settings
from pycog_dgr.errors import SettingError
from pycog_dgr.network import initial_parameters, simulate
from pycog_dgr.training import RateRNNClassifier, RecurrentDropout, TrainingStep, train
from tests.pycog_dgr import small, tiny

BETWEEN_BACKENDS = 1e-12  # float64, relative to the largest entry


def dropping(p=0.5, seed=0, backend="auto", **changes):
    """The network of `small.step`, with dropout."""
    network, training = settings(**(small.SETTINGS | changes))
    raw, network = initial_parameters(network, 1)
    return TrainingStep(network, training, raw, backend=backend, dropout=RecurrentDropout(p, seed))


def test_a_mask_silences_units_with_probability_p_and_keeps_the_mean():
    dropout = RecurrentDropout(p=0.3, seed=1)
    masks = np.array([dropout.mask(50, drawn) for drawn in range(400)])
    assert set(np.unique(masks)) == {0, 1 / 0.7}
    assert (masks == 0).mean() == pytest.approx(0.3, abs=0.01)  # 20,000 draws: sd 0.003
    assert len({mask.tobytes() for mask in masks}) == 400
    np.testing.assert_array_equal(dropout.mask(50, 7), RecurrentDropout(0.3, 1).mask(50, 7))
    assert not np.array_equal(dropout.mask(50, 7), RecurrentDropout(0.3, 2).mask(50, 7))


def test_every_update_sees_a_network_in_which_other_units_are_not_heard():
    dropout = RecurrentDropout(0.5, seed=3)
    step = dropping(0.5, 3, lambda_Omega=0, max_gradient_norm=np.inf)
    batch = small.batch(step.network)
    for drawn in range(5):
        mask, before, weights = dropout.mask(6, drawn), step.parameters, step.weights
        z = simulate(
            weights._replace(Wrec=weights.Wrec * mask), batch.inputs, batch.noise,
            step.network.alpha, hidden_activation="rectify", output_activation="linear",
        ).z  # fmt: skip
        loss = np.sum((z - batch.targets) ** 2 * batch.mask) / np.sum(batch.mask)
        assert step.update(batch).loss == pytest.approx(loss, rel=1e-12)
        change = step.parameters.Wrec - before.Wrec
        silent = mask == 0
        assert 0 < silent.sum() < 6
        assert not change[:, silent].any() and change[:, ~silent].any()
        assert (step.parameters.Wout != before.Wout)[:, silent].any()  # still read out


def test_with_p_zero_nothing_differs_by_a_bit():
    plain, without = small.step(), dropping(p=0)
    for seed in range(3):
        batch = small.batch(plain.network, seed=seed)
        assert plain.update(batch) == without.update(batch)
    assert plain.state().keys() == without.state().keys()
    for name, value in plain.state().items():
        np.testing.assert_array_equal(without.state()[name], value)


def test_only_updates_have_dropout():
    plain, step = small.step(), dropping()
    batch = small.batch(plain.network)
    for _ in range(3):
        step.update(batch)
        plain.parameters = step.parameters
        expected, got = plain.evaluate(batch), step.evaluate(batch)
        np.testing.assert_array_equal(got.z, expected.z)
        assert got[:2] == expected[:2]
        for name, value in plain.gradients(batch).items():
            np.testing.assert_array_equal(step.gradients(batch)[name], value)


def test_fast_and_scan_agree_under_dropout():
    fast, scan = (dropping(seed=5, backend=backend) for backend in ("fast", "scan"))
    for seed in range(3):
        batch = small.batch(fast.network, seed=seed)
        np.testing.assert_allclose(fast.update(batch), scan.update(batch), rtol=BETWEEN_BACKENDS)
    for name in fast.network.shapes:
        got, wanted = getattr(fast.parameters, name), getattr(scan.parameters, name)
        largest = np.abs(wanted).max()
        np.testing.assert_allclose(got, wanted, rtol=0, atol=BETWEEN_BACKENDS * largest + 1e-300)


def test_training_goes_on_from_a_state_with_the_masks_of_an_uninterrupted_one():
    whole, first, second = (dropping(seed=2) for _ in range(3))
    batches = [small.batch(whole.network, seed=seed) for seed in range(6)]
    reports = [whole.update(batch) for batch in batches]
    for batch in batches[:3]:
        first.update(batch)
    assert first.state()["dropout_count"] == 3
    second.load_state(first.state())
    assert [second.update(batch) for batch in batches[3:]] == reports[3:]
    for name, value in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], value)


def test_a_state_without_dropouts_count_does_not_fit():
    step = dropping()
    with pytest.raises(SettingError, match=r"\['dropout_count'\] differ"):
        step.load_state(small.step().state())


def test_dales_law_holds_under_dropout():
    step = dropping(learning_rate=0.5)
    for seed in range(20):
        step.update(small.batch(step.network, seed=seed))
    assert (step.weights.Wrec * step.network.ei >= 0).all()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"p": 1}, "below 1, not 1"),
        ({"p": -0.1}, "at least 0"),
        ({"p": np.nan}, "at least 0"),
        ({"p": "half"}, "not 'half'"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"seed": 1.5}, "whole number, not 1.5"),
    ],
)
def test_impossible_dropout_is_refused(settings, told):
    with pytest.raises(SettingError, match=told):
        RecurrentDropout(**settings)


def test_a_trainer_goes_on_with_penalty_and_masks_of_an_uninterrupted_one(tmp_path):
    """Both reach the step through `train`, and what they remember is in the save file."""

    def go(name, max_iter):
        configs = settings(**(tiny.SETTINGS | {"max_iter": max_iter}))
        return train(
            tiny, *configs, tmp_path / name, floatX="float64", dropout=RecurrentDropout(0.5, 3),
            penalties=(lambda raw, states: 0.1 * (raw.Wrec**2).sum(),),
        )  # fmt: skip

    whole = go("whole.npz", 6).checkpoint
    go("parts.npz", 2)
    resumed = go("parts.npz", 6).checkpoint
    np.testing.assert_equal(resumed.parameters._asdict(), whole.parameters._asdict())
    configs = settings(**(tiny.SETTINGS | {"max_iter": 6}))
    plain = train(tiny, *configs, tmp_path / "plain.npz", floatX="float64").checkpoint
    assert not np.array_equal(plain.parameters.Wrec, whole.parameters.Wrec)


def test_the_classifier_takes_both():
    images, targets = np.random.default_rng(0).uniform(size=(4, 5, 3)), np.eye(4)[:, :4]
    given = {"Nin": 3, "Nout": 4, "N": 5, "ei": [1, 1, 1, 1, -1], "n_gradient": 4}
    weights = []
    for options in (
        {},
        {"dropout": RecurrentDropout(0.5, 1)},
        {"penalties": (lambda raw, states: (raw.Wrec**2).sum(),)},
    ):
        solver = RateRNNClassifier(seed=1, floatX="float64", **given, **options)
        solver.fit(images, targets, iterations=2, rng=np.random.default_rng(2))
        weights.append(solver.weights.Wrec)
    assert not np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
