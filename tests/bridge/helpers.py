"""Small real things for the bridge's tests: digits, a solver and a generator that learn at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from bridge.data import Contexts, ImageData, Labelled, one_hot
from bridge.replay import TEXT, Budget, Protocol
from bridge.runs import RunPaths, Setting


def tiny_digits(n: int = 40, n_classes: int = 10) -> ImageData:
    """Images whose class is the row that is lit, with some noise; `n` a class for training."""
    rng = np.random.default_rng(0)

    def part(per_class: int) -> Labelled:
        labels = np.tile(np.arange(n_classes), per_class)
        images = 0.2 * rng.random((len(labels), 28, 28), dtype=np.float32)
        images[np.arange(len(labels)), 2 * labels] += 0.8
        return Labelled(images, labels.astype(np.int64))

    return ImageData("tiny", part(n), part(10), part(10))


def tiny_contexts(*classes: tuple[int, ...]) -> Contexts:
    return Contexts(tiny_digits(), classes or ((0, 1), (2, 3), (4, 5)))


def tiny_setting(folder: Path, protocol: Protocol = TEXT) -> Setting:
    """Three contexts, a handful of iterations, three evaluations each."""
    return Setting(
        RunPaths(folder), tiny_contexts(), replace(protocol, evaluations=3), Budget(0.005, 0.001)
    )


class Prototypes:
    """A solver that keeps the mean image of each class: enough to follow what replay does."""

    def __init__(self, n_classes: int = 10):
        self.sums = np.zeros((n_classes, 28 * 28))
        self.counts = np.zeros(n_classes)

    def fit(self, images, targets, weights=None, **_):
        weights = np.ones(len(images)) if weights is None else weights
        weighted = targets * weights[:, None]
        self.sums += weighted.T @ images.reshape(len(images), -1)
        self.counts += weighted.sum(axis=0)

    def predict(self, images):
        means = self.sums / np.maximum(self.counts, 1e-9)[:, None]
        distance = ((images.reshape(len(images), 1, -1) - means) ** 2).sum(axis=2)
        distance[:, self.counts == 0] = np.inf
        if not self.counts.any():
            return np.full((len(images), len(self.counts)), 1 / len(self.counts))
        return one_hot(distance.argmin(axis=1), len(self.counts))

    def state(self):
        return {"sums": self.sums.copy(), "counts": self.counts.copy()}

    def load_state(self, state):
        self.sums, self.counts = state["sums"].copy(), state["counts"].copy()


class Memory:
    """A generator that samples from the images it was last shown."""

    conditional, classes = False, ()

    def fit(self, images, targets=None, *, iterations, rng, on_iteration=None, batch_size=64):
        self.images = images.copy()

    def sample(self, n, rng, classes=None):
        return self.images[rng.integers(len(self.images), size=n)]
