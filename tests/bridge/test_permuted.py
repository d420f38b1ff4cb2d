"""Contexts made by permutations of the pixels."""

import numpy as np
import pytest

from bridge.data import ImageData, Labelled, PermutedContexts
from bridge.errors import DataError


def digits():
    """Nine images of three classes of 4 x 2 pixels, all different, in each part."""
    rng = np.random.default_rng(1)
    parts = [Labelled(rng.random((9, 4, 2), dtype=np.float32), np.arange(9) % 3) for _ in range(3)]
    return ImageData("small", *parts)


def test_every_context_shows_the_same_pixels_in_an_order_of_its_own():
    contexts = PermutedContexts(digits(), 4, seed=2)
    plain = contexts.data.train.images.reshape(9, -1)
    seen = [contexts.train(k).images.reshape(9, -1) for k in range(1, 5)]
    np.testing.assert_array_equal(seen[0], plain)
    for k, images in enumerate(seen, start=1):
        np.testing.assert_array_equal(images, plain[:, contexts.permutation(k)])
        np.testing.assert_array_equal(np.sort(images), np.sort(plain))
        np.testing.assert_array_equal(contexts.train(k).labels, contexts.data.train.labels)
    assert len({images.tobytes() for images in seen}) == 4


def test_training_and_test_images_of_a_context_are_seen_alike():
    contexts = PermutedContexts(digits(), 2, seed=2)
    order = contexts.permutation(2)
    for part, seen in (
        (contexts.data.validation, contexts.validation(2)),
        (contexts.data.test, contexts.test(2)),
    ):
        np.testing.assert_array_equal(
            seen.images.reshape(9, -1), part.images.reshape(9, -1)[:, order]
        )


def test_a_condition_is_a_context_and_a_class():
    contexts = PermutedContexts(digits(), 4, seed=2)
    labels = contexts.train(1).labels
    conditions = [contexts.conditions(k, labels) for k in range(1, 5)]
    assert set(np.concatenate(conditions)) == set(range(contexts.n_conditions)) == set(range(12))
    for condition in conditions:
        np.testing.assert_array_equal(contexts.classes(condition), labels)


def test_another_seed_is_another_order():
    one, same, other = (PermutedContexts(digits(), 2, seed).permutation(2) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("n", [0, -1, 2.0, True])
def test_fewer_than_one_context_is_refused(n):
    with pytest.raises(DataError, match="whole number of contexts, at least 1"):
        PermutedContexts(digits(), n, seed=1)


@pytest.mark.parametrize("k", [0, 3])
def test_a_context_that_does_not_exist_is_refused(k):
    with pytest.raises(DataError, match=f"no context {k}; contexts are 1 to 2"):
        PermutedContexts(digits(), 2, seed=1).train(k)
