"""Accuracies (%) of a solver. Test images are for reporting: nothing here chooses anything.

R[i, j]   accuracy on the classes of context j after context i     (Lopez-Paz, Ranzato 2017)
"""

from typing import NamedTuple

import numpy as np

from bridge.data import Contexts, Examples
from bridge.networks import Solver


class Accuracies(NamedTuple):
    """Test accuracy (%) on all classes so far, on the newest context's, on the earlier ones'."""

    overall: float
    new: float
    old: float | None


def accuracy(solver: Solver, images: np.ndarray, labels: np.ndarray) -> float:
    """Share (%) of images (trial, 28, 28) that `solver` gives their label (trial,)."""
    return 100 * float((solver.predict(images).argmax(axis=1) == labels).mean())


def agreement(solver: Solver, batch: Examples) -> float:
    """Weighted share (%) of a batch on which the solver's winner is the target's winner."""
    right = solver.predict(batch.images).argmax(axis=1) == batch.targets.argmax(axis=1)
    return 100 * float(np.average(right, weights=batch.weights))


def accuracies(solver: Solver, contexts: Contexts, k: int) -> Accuracies:
    """Test accuracy after context k on all classes so far, on the newest, and on the earlier."""
    test = contexts.test(contexts.seen(k))
    right = solver.predict(test.images).argmax(axis=1) == test.labels
    new = np.isin(test.labels, contexts.classes[k - 1])
    old = 100 * float(right[~new].mean()) if k > 1 else None
    return Accuracies(100 * float(right.mean()), 100 * float(right[new].mean()), old)


def accuracy_by_context(solver: Solver, contexts: Contexts) -> list[float]:
    """The present row of the accuracy matrix: test accuracy (%) on every context's classes."""
    test = contexts.digits.test
    right = solver.predict(test.images).argmax(axis=1) == test.labels
    return [100 * float(right[np.isin(test.labels, group)].mean()) for group in contexts.classes]
