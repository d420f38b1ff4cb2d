"""What may cross between scholars, and that the weights mean r L(real) + (1 - r) L(replayed)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.data import Examples, examples, load_examples, mix, one_hot, save_examples
from bridge.errors import ArchiveError, BatchError


def some(n, seed=0, n_classes=10):
    rng = np.random.default_rng(seed)
    return examples(
        rng.random((n, 28, 28), dtype=np.float32),
        one_hot(rng.integers(n_classes, size=n), n_classes),
        seed=seed,
    )


@given(n_real=st.integers(1, 40), n_replayed=st.integers(1, 40), r=st.floats(0.01, 0.99))
def test_weighted_mean_loss_is_the_mixture_of_mean_losses(n_real, n_replayed, r):
    losses = np.random.default_rng(0).random(n_real + n_replayed)
    w = mix(some(n_real), some(n_replayed, 1), r).weights.astype(float)
    expected = r * losses[:n_real].mean() + (1 - r) * losses[n_real:].mean()
    assert np.average(losses, weights=w) == pytest.approx(expected, rel=1e-6)
    assert w.mean() == pytest.approx(1, rel=1e-6)


def test_without_a_weight_every_trial_counts_alike():
    np.testing.assert_allclose(mix(some(3), some(9), None).weights, 1, rtol=1e-6)


def test_without_replay_the_real_examples_are_returned():
    real = some(3)
    assert mix(real, None, 0.5) is real and mix(real, some(0), 0.5) is real


def test_a_batch_survives_its_file(tmp_path):
    batch = mix(some(3), some(5, 1), 0.1)
    save_examples(tmp_path / "batch.npz", batch)
    read = load_examples(tmp_path / "batch.npz", n_classes=10)
    for name in ("images", "targets", "weights"):
        np.testing.assert_array_equal(getattr(read, name), getattr(batch, name))
    assert read.origin == batch.origin and read.origin["real"] == {"seed": 0}


def test_a_file_for_another_number_of_classes_is_refused(tmp_path):
    save_examples(tmp_path / "batch.npz", some(3, n_classes=4))
    with pytest.raises(BatchError, match=r"batch\.npz.*4 classes, the network has 10"):
        load_examples(tmp_path / "batch.npz", n_classes=10)


def test_a_foreign_file_is_refused(tmp_path):
    np.savez(tmp_path / "batch.npz", images=np.zeros(3))
    with pytest.raises(ArchiveError, match=r"batch\.npz"):
        load_examples(tmp_path / "batch.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.full((2, 28, 28), np.nan, np.float32)}, "NaN"),
        ({"images": np.full((2, 28, 28), 255, np.float32)}, "divide 8-bit pixels by 255"),
        ({"images": np.zeros((2, 28, 28), np.uint8)}, "floats"),
        ({"images": np.zeros((2, 784), np.float32)}, "trial, row, column"),
        ({"targets": np.full((2, 10), 0.2, np.float32)}, "do not sum to 1"),
        ({"targets": np.zeros((3, 10), np.float32)}, "expected"),
        ({"targets": np.array([[2.0, -1.0], [0, 1]], np.float32)}, "not negative"),
        ({"weights": np.array([1.0, np.inf], np.float32)}, "finite"),
        ({"weights": np.ones(3, np.float32)}, "expected"),
    ],
)
def test_what_breaks_the_contract_is_named(change, message):
    good = {
        "images": np.zeros((2, 28, 28), np.float32),
        "targets": one_hot([0, 1], 10),
        "weights": np.ones(2, np.float32),
    }
    with pytest.raises(BatchError, match=message):
        Examples(**{**good, **change})


def test_labels_out_of_range_are_refused():
    with pytest.raises(BatchError, match="10 classes"):
        one_hot([3, 10], 10)
