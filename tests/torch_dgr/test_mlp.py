"""The perceptron solver: what it computes, and that it goes on to the bit."""

import numpy as np
import pytest

from torch_dgr.errors import SettingError
from torch_dgr.mlp import MLPClassifier

RNG = np.random.default_rng


def rows(n=60):
    """Images whose class is the row that is lit."""
    labels = np.arange(n) % 10
    images = 0.1 * RNG(0).random((n, 28, 28), dtype=np.float32)
    images[np.arange(n), 2 * labels] += 0.8
    return images, np.eye(10, dtype=np.float32)[labels], labels


def test_it_is_two_rectified_layers_and_a_softmax():
    net = MLPClassifier(seed=1, hidden=(5, 4))
    images, _, _ = rows(3)
    weights = [p.detach().numpy() for p in net.network.parameters()]
    h = images.reshape(3, -1)
    for W, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        h = np.maximum(h @ W.T + b, 0)
    logits = h @ weights[-2].T + weights[-1]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(net.predict(images), expected, atol=1e-6)


def test_it_learns_and_goes_on_to_the_bit_within_a_context():
    images, targets, labels = rows()
    whole, pieces = (MLPClassifier(seed=1, schedule="one_cycle") for _ in range(2))
    for net in (whole, pieces):
        net.begin_context(iterations=40)
    rng = RNG(3)
    whole.fit(images, targets, iterations=40, rng=rng, batch_size=60)
    rng = RNG(3)
    pieces.fit(images, targets, iterations=15, rng=rng, batch_size=60)
    resumed = MLPClassifier(seed=2, schedule="one_cycle")
    resumed.load_state(pieces.state())
    resumed.fit(images, targets, iterations=25, rng=rng, batch_size=60)
    for name, value in whole.state().items():
        np.testing.assert_array_equal(resumed.state()[name], value)
    assert (whole.predict(images).argmax(axis=1) == labels).all()


def test_unchecked_input_trains_to_the_same_weights():
    images, targets, _ = rows()
    weights = np.where(np.arange(60) % 3 == 0, 0.0, 1.0).astype(np.float32)
    checked, unchecked = MLPClassifier(seed=1), MLPClassifier(seed=1)
    checked.fit(images, targets, weights, iterations=3, rng=RNG(0))
    unchecked.fit(images, targets, weights, iterations=3, rng=RNG(0), check_input=False)
    for name, value in checked.state().items():
        np.testing.assert_array_equal(unchecked.state()[name], value)


def test_a_size_of_nothing_is_refused():
    with pytest.raises(SettingError, match="hidden"):
        MLPClassifier(seed=1, hidden=(0,))
