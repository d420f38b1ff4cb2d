"""Augmented images are changed as described, each by draws of its own, and stay images."""

import numpy as np
import pytest

from bridge.data.augment import Augmentation, augment
from bridge.errors import BatchError, SettingError

NOTHING = {"blur": 0.0, "contrast": 1.0, "shift": 0}


def images(n=50, seed=0):
    return np.random.default_rng(seed).random((n, 6, 7), dtype=np.float32)


def augmented(given, seed=1, **changes):
    return augment(given, Augmentation(**{**NOTHING, **changes}), np.random.default_rng(seed))


def test_without_any_change_images_come_back_as_copies():
    given = images()
    out = augmented(given)
    np.testing.assert_array_equal(out, given)
    assert not np.shares_memory(out, given)


def test_images_stay_in_the_unit_interval_and_their_source_as_it_was():
    given = images().astype(np.float64)
    kept = given.copy()
    out = augment(given, Augmentation(), np.random.default_rng(0))
    assert out.dtype == np.float32
    assert out.shape == given.shape
    assert out.min() >= 0
    assert out.max() <= 1
    np.testing.assert_array_equal(given, kept)


def test_blur_is_the_binomial_kernel_with_nothing_beyond_the_border():
    point = np.zeros((1, 5, 5))
    point[0, 2, 0] = 1
    out = augmented(point, blur=1.0)[0]
    expected = np.outer([0, 1, 2, 1, 0], [2, 1, 0, 0, 0]) / 16
    np.testing.assert_allclose(out, expected, atol=1e-7)


def test_about_as_many_images_are_blurred_as_asked_for():
    given = images(4000)
    changed = (augmented(given, blur=0.3) != given).any(axis=(1, 2))
    assert changed.mean() == pytest.approx(0.3, abs=0.03)


def test_contrast_stretches_each_image_by_its_own_factor_up_to_the_largest():
    grey = np.full((5000, 2, 2), 0.45)
    out = augmented(grey, contrast=3.0)
    factors = (out[:, 0, 0] - 0.5) / -0.05
    assert factors.min() == pytest.approx(1, abs=0.01)
    assert factors.max() == pytest.approx(3, abs=0.01)
    assert factors.mean() == pytest.approx(1 + 2 / 3, abs=0.03)  # 1 + 2 E[u^2]


def test_every_image_moves_by_its_own_whole_pixels_and_zeros_move_in():
    given = np.zeros((900, 5, 5))
    given[:, 2, 2] = 1
    out = augmented(given, shift=1)
    _, rows, columns = np.nonzero(out)
    assert len(rows) == 900
    seen, counts = np.unique(np.stack([rows, columns]), axis=1, return_counts=True)
    assert seen.shape[1] == 9  # every one of the nine places
    assert counts.min() > 60  # 100 expected
    border = augmented(np.ones((200, 4, 4)), shift=1)
    assert set(border.sum(axis=(1, 2)).tolist()) == {16, 12, 9}


def test_the_same_rng_changes_images_alike():
    settings = Augmentation()
    outs = [augment(images(), settings, np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(*outs)
    assert (augment(images(), settings, np.random.default_rng(4)) != outs[0]).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blur": 1.5}, "blur is 1.5"),
        ({"blur": float("nan")}, "blur is nan"),
        ({"contrast": 0.5}, "contrast is 0.5"),
        ({"contrast": float("inf")}, "contrast is inf"),
        ({"shift": -1}, "shift is -1"),
        ({"shift": 0.5}, "shift is 0.5"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(SettingError, match=message):
        Augmentation(**{**NOTHING, **change})


def test_bad_images_are_refused():
    with pytest.raises(BatchError, match="leave"):
        augmented(images() * 255)
    with pytest.raises(SettingError, match="shift is 6 pixels"):
        augmented(images(), shift=6)
