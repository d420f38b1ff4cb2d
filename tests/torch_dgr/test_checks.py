"""Bad examples are refused with one error; minibatches walk through every trial."""

import numpy as np
import pytest

from torch_dgr.checks import (
    checked_count,
    checked_device,
    checked_images,
    checked_number,
    checked_targets,
    checked_weights,
    minibatches,
)
from torch_dgr.errors import ExamplesError, SettingError

IMAGES = np.full((3, 4, 5), 0.5)
TARGETS = np.eye(3)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3, 20)), r"shape \(3, 20\); give \(trial, row, 5\)"),
        (np.zeros((3, 5, 4)), r"shape \(3, 5, 4\)"),
        (np.zeros((0, 4, 5)), "no example"),
        (np.full((3, 4, 5), np.nan), "range over"),
        (np.full((3, 4, 5), 255.0), "divide 8-bit pixels by 255"),
        (np.full((3, 4, 5), -0.01), "within"),
        (np.full((3, 4, 5), "a"), "dtype"),
        ([[[1.0]], [[1.0, 2.0]]], "one array"),
    ],
)
def test_bad_images_are_refused(images, message):
    with pytest.raises(ExamplesError, match=message):
        checked_images(images, (None, 5))


def test_one_nan_among_good_pixels_is_refused():
    images = IMAGES.copy()
    images[1, 2, 3] = np.nan
    with pytest.raises(ExamplesError, match="finite"):
        checked_images(images)


def test_images_are_copied():
    images = np.full((3, 4, 5), 0.5, dtype=np.float32)
    checked_images(images).zero_()
    assert (images == 0.5).all()


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (np.eye(4), r"shape \(4, 4\)"),
        (np.eye(3) * 0.9, "trial 0 sum to 0.9"),
        (np.full((3, 3), np.nan), "finite"),
        (np.array([[1.5, -0.5, 0], [1, 0, 0], [1, 0, 0]]), "within"),
        (np.array([0, 1, 2]), "one-hot"),
    ],
)
def test_bad_targets_are_refused(targets, message):
    with pytest.raises(ExamplesError, match=message):
        checked_targets(targets, 3, 3)


def test_float32_softmax_rows_pass_as_targets():
    logits = np.random.default_rng(0).normal(size=(500, 10)).astype(np.float32)
    rows = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert checked_targets(rows, 500, 10).shape == (500, 10)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(4), r"shape \(4,\)"),
        (np.array([1, -0.1, 1]), "at least 0"),
        (np.zeros(3), "above 0 for some trial"),
        (np.array([1, np.inf, 1]), "finite"),
        (np.array([1, np.nan, 1]), "finite"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ExamplesError, match=message):
        checked_weights(weights, 3)


def test_a_pass_sees_every_trial_once_and_keeps_the_short_batch():
    batches = list(minibatches(10, 4, 6, np.random.default_rng(0)))
    assert [len(batch) for batch in batches] == [4, 4, 2, 4, 4, 2]
    for start in (0, 3):
        seen = np.concatenate([batch.numpy() for batch in batches[start : start + 3]])
        np.testing.assert_array_equal(np.sort(seen), np.arange(10))
    assert not all(
        (a.numpy() == b.numpy()).all() for a, b in zip(batches[:3], batches[3:], strict=True)
    )


def test_iterations_end_in_the_middle_of_a_pass():
    assert len(list(minibatches(10, 4, 5, np.random.default_rng(0)))) == 5


def test_an_rng_that_is_a_seed_is_refused():
    with pytest.raises(SettingError, match="default_rng"):
        next(minibatches(10, 4, 5, 17))


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", 3.5, None])
def test_a_device_that_cannot_compute_here_is_refused(device):
    with pytest.raises(SettingError, match=r"device is .* give 'cpu'"):
        checked_device(device)


@pytest.mark.parametrize("value", [-1, np.inf, np.nan, "1", True, None])
def test_a_number_is_finite_and_large_enough(value):
    with pytest.raises(SettingError, match=r"rate is .* at least 0"):
        checked_number(value, "rate")
    with pytest.raises(SettingError, match="rate is 0; give a finite number above 0"):
        checked_number(0, "rate", above=0)
    assert checked_number(np.float32(0.5), "rate") == 0.5


@pytest.mark.parametrize(
    "value", ["a" * 5000, {"hidden": "a" * 4000}, 10**400, [["a" * 999] * 50] * 50]
)
def test_a_long_value_is_cut_in_the_message(value):
    """A stored network's options may hold anything: the refusal stays short."""
    with pytest.raises(SettingError) as caught:
        checked_count(value, "n_hidden")
    assert len(str(caught.value)) < 250
