"""Latents are drawn from the law of their class, and a mixture finds the law they came from."""

import numpy as np
import pytest

from torch_dgr.errors import ExamplesError, StateError
from torch_dgr.generators.latents import ClassMixtures, StandardNormal


def crescent(n, seed=0):
    """A curved cloud (trial, 2), which no single Gaussian describes."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, np.pi, n)
    radius = 3 + 0.1 * rng.standard_normal(n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)


def test_drawn_latents_follow_the_fitted_cloud():
    laws = ClassMixtures(2).with_mixture(7, crescent(2000), np.random.default_rng(1))
    drawn = laws.draw(np.full(4000, 7), np.random.default_rng(2))
    assert drawn.dtype == np.float32
    radius = np.linalg.norm(drawn, axis=1)
    assert radius.mean() == pytest.approx(3, abs=0.05)
    assert radius.std() < 0.4  # 1.0 for one Gaussian
    np.testing.assert_allclose(drawn.mean(axis=0), crescent(2000).mean(axis=0), atol=0.15)


def test_each_label_draws_from_its_own_class():
    rng, laws = np.random.default_rng(0), ClassMixtures(2)
    for label in (5, 2):
        laws = laws.with_mixture(label, crescent(200) + 100 * label, rng)
    assert laws.classes == (2, 5)
    labels = np.array([5, 2, 2, 5])
    drawn = laws.draw(labels, rng)
    np.testing.assert_array_equal((drawn.mean(axis=1) / 100).round(), labels)
    assert ClassMixtures(2).draw(np.zeros(0, int), rng).shape == (0, 2)


def test_components_are_drawn_as_often_as_their_weights_say():
    law = ClassMixtures(
        1,
        3,
        (0,),
        np.array([[0.2, 0.5, 0.3]], np.float32),
        np.array([[[0.0], [1.0], [2.0]]], np.float32),
        np.zeros((1, 3, 1, 1), np.float32),
    )
    drawn = law.draw(np.zeros(20000, int), np.random.default_rng(0))[:, 0]
    shares = [(drawn == value).mean() for value in (0, 1, 2)]
    np.testing.assert_allclose(shares, [0.2, 0.5, 0.3], atol=0.01)


def test_factors_turn_standard_normals_into_the_covariance():
    factor = np.array([[2.0, 0.0], [1.0, 0.5]], np.float32)
    law = ClassMixtures(
        2,
        1,
        (0,),
        np.ones((1, 1), np.float32),
        np.zeros((1, 1, 2), np.float32),
        factor[None, None],
    )
    drawn = law.draw(np.zeros(50000, int), np.random.default_rng(0))
    np.testing.assert_allclose(np.cov(drawn.T), factor @ factor.T, atol=0.05)


def test_the_same_rng_fits_and_draws_the_same():
    drawn = []
    for _ in range(2):
        laws = ClassMixtures(2).with_mixture(0, crescent(300), np.random.default_rng(4))
        drawn.append(laws.draw(np.zeros(5, int), np.random.default_rng(0)))
    np.testing.assert_array_equal(*drawn)


def test_arrays_bring_the_laws_back():
    laws = ClassMixtures(2).with_mixture(3, crescent(300), np.random.default_rng(0))
    again = ClassMixtures(2).with_arrays(laws.arrays())
    for one, other in zip(laws.arrays().values(), again.arrays().values(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert StandardNormal(2).with_arrays({"classes": np.array([1, 4])}).classes == (1, 4)
    assert ClassMixtures(2).with_arrays(ClassMixtures(2).arrays()).classes == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": np.array([3, 4])}, "latents.weights has shape"),
        ({"means": np.zeros((1, 10, 3), np.float32)}, "latents.means has shape"),
        ({"factors": np.full((1, 10, 2, 2), np.nan, np.float32)}, "latents.factors"),
        ({"weights": np.zeros((1, 10), int)}, "latents.weights"),
        ({"classes": np.array([-1])}, "rising order"),
        ({"classes": np.array([0.5])}, "rising order"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    arrays = ClassMixtures(2).with_mixture(3, crescent(300), np.random.default_rng(0)).arrays()
    with pytest.raises(StateError, match=message):
        ClassMixtures(2).with_arrays({**arrays, **change})


def test_too_few_latents_are_refused():
    with pytest.raises(ExamplesError, match=r"class 3 has 4 images; .* at least 10"):
        ClassMixtures(2).with_mixture(3, crescent(4), np.random.default_rng(0))
