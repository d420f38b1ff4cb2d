"""Samples are given the residuals' principal directions, each class its own."""

import numpy as np
import pytest

from tests.torch_dgr.generators.stripes import small, stripes
from torch_dgr.errors import StateError
from torch_dgr.generators.textures import ClassTextures


def residuals(n=4000, seed=0):
    """Residuals (trial, 5) that vary along two directions, by 3 and by 1, and hardly otherwise."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    deviations = np.array([3.0, 1.0, 0.01, 0.01, 0.01])
    return (rng.standard_normal((n, 5)) * deviations) @ directions.T + 7.0


def test_a_texture_at_full_strength_has_the_covariance_of_the_residuals():
    textures = ClassTextures.empty(5, 2, 1.0).with_texture(4, residuals())
    (factor,) = textures.factors
    np.testing.assert_allclose(factor @ factor.T, np.cov(residuals().T), atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(factor, axis=0), [3, 1], rtol=0.05)


def test_drawn_textures_vary_in_strength_up_to_the_amplitude():
    textures = ClassTextures.empty(5, 2, 1.5).with_texture(4, residuals())
    drawn = textures.draw(np.full(40000, 4), np.random.default_rng(0))
    assert drawn.dtype == np.float32
    expected = np.cov(residuals().T) * 1.5**2 / 3  # E[a^2] of a ~ U(0, 1.5)
    np.testing.assert_allclose(np.cov(drawn.T), expected, atol=0.15)


def test_each_class_has_its_own_texture_and_rank_0_none():
    textures = ClassTextures.empty(5, 1, 1.0)
    for label, axis in ((6, 0), (2, 3)):
        textures = textures.with_texture(label, np.eye(5)[axis] * residuals()[:, :1])
    drawn = textures.draw(np.array([2, 6, 2]), np.random.default_rng(0))
    np.testing.assert_array_equal(np.abs(drawn).argmax(axis=1), [3, 0, 3])
    none = ClassTextures.empty(5, 0, 1.0).with_texture(1, residuals())
    assert (none.draw(np.array([1, 1]), np.random.default_rng(0)) == 0).all()


def test_a_vae_gives_texture_to_samples_and_not_to_what_is_aligned():
    images, targets = stripes([0, 1])
    labels = np.repeat([0, 1], 20)
    drawn = {}
    for rank in (0, 20):
        vae = small("vae", texture_rank=rank)
        vae.fit(images, targets, iterations=100, rng=np.random.default_rng(0), batch_size=32)
        pairs = vae.sampler.draw(labels, np.random.default_rng(1)).images.numpy()
        drawn[rank] = vae.sample(40, np.random.default_rng(1), labels), pairs
    np.testing.assert_array_equal(drawn[0][1], drawn[20][1])
    assert np.abs(drawn[20][0] - drawn[0][0]).max() > 0.05
    np.testing.assert_allclose(drawn[0][0].reshape(40, -1), drawn[0][1], atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"factors": np.zeros((1, 5, 3), np.float32)},
        {"factors": np.full((1, 5, 2), np.nan, np.float32)},
        {"classes": np.array([1, 2])},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change):
    textures = ClassTextures.empty(5, 2, 1.0).with_texture(1, residuals())
    again = textures.with_arrays(textures.arrays())
    np.testing.assert_array_equal(again.factors, textures.factors)
    with pytest.raises(StateError, match=r"textures\.factors has shape"):
        textures.with_arrays({**textures.arrays(), **change})
