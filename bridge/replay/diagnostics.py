"""How good a replay is, judged with real images. Nothing here is used to train or to choose.

    quantity                meaning
    share of class c        share of a generator's samples that look like class c
    effective classes       exp(entropy of those shares); 1 is a single mode
    diversity               mean pairwise distance of samples over that of real images
    collapsed               1 where a seen class has almost gone, or samples are all alike
    label drift             share of samples that the solver labels otherwise than the judge
    old called new          share of old test images called a class of the newest context

The judge of what an image looks like is a 3-nearest-neighbour classifier on real training images
of the classes seen so far.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from bridge.data import Contexts, Labelled
from bridge.networks import Solver

JUDGE_IMAGES = 5000
LOST_SHARE = 0.1  # a class below this part of its fair share is lost
LEAST_DIVERSITY = 0.5


class Judge:
    """Says which of `classes` an image looks like."""

    def __init__(self, real: Labelled):
        from sklearn.neighbors import KNeighborsClassifier  # slow to import

        real = real.first(JUDGE_IMAGES)
        self.diversity_of_real = spread(real.images)
        self._neighbours = KNeighborsClassifier(n_neighbors=3)
        self._neighbours.fit(real.images.reshape(len(real.labels), -1), real.labels)

    def labels(self, images: np.ndarray) -> np.ndarray:
        """(trial,) labels of images (trial, 28, 28)."""
        return self._neighbours.predict(images.reshape(len(images), -1))


@lru_cache(maxsize=4)
def judge_of(contexts: Contexts, k: int) -> Judge:
    """The judge for the classes of contexts 1..k."""
    return Judge(contexts.data.train.of(contexts.seen(k)))


def spread(images: np.ndarray) -> float:
    """Mean Euclidean distance between images (trial, 28, 28) and their shifted neighbours."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    return float(
        np.mean(
            [
                np.linalg.norm(flat - np.roll(flat, shift, axis=0), axis=1).mean()
                for shift in (1, 2, 3, 5, 8)
            ]
        )
    )


def of_generator(samples: np.ndarray, judge: Judge, classes: Sequence[int]) -> dict[str, float]:
    """Class shares, effective classes, diversity and collapse of samples (trial, 28, 28)."""
    labels = judge.labels(samples)
    share = np.array([(labels == c).mean() for c in classes])
    held = share[share > 0]
    diversity = spread(samples) / judge.diversity_of_real
    collapsed = share.min() < LOST_SHARE / len(classes) or diversity < LEAST_DIVERSITY
    return {
        **{f"share of class {c}": float(s) for c, s in zip(classes, share, strict=True)},
        "effective classes": float(np.exp(-(held * np.log(held)).sum())),
        "diversity": diversity,
        "collapsed": float(collapsed),
    }


def label_drift(samples: np.ndarray, solver: Solver, judge: Judge) -> float:
    """Share of samples to which `solver` gives another label than the judge."""
    return float((solver.predict(samples).argmax(axis=1) != judge.labels(samples)).mean())


def old_called_new(solver: Solver, contexts: Contexts, k: int) -> float:
    """Share of test images of contexts 1..k-1 that `solver` calls a class of context k."""
    old = contexts.test(contexts.seen(k - 1))
    called = solver.predict(old.images).argmax(axis=1)
    return float(np.isin(called, contexts.classes[k - 1]).mean())
