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
    """Share (%) of images (trial, 28, 28) that `solver` gives their label (trial,).

    Parameters
    ----------
    solver
        The network.
    images
        (trial, row, column) in [0, 1].
    labels
        (trial,).

    Returns
    -------
    float
        Per cent.
    """
    return 100 * float((solver.predict(images).argmax(axis=1) == labels).mean())


def agreement(solver: Solver, batch: Examples) -> float:
    """Weighted share (%) of a batch on which the solver's winner is the target's winner.

    Parameters
    ----------
    solver
        The network.
    batch
        Examples.

    Returns
    -------
    float
        Per cent.
    """
    right = solver.predict(batch.images).argmax(axis=1) == batch.targets.argmax(axis=1)
    return 100 * float(np.average(right, weights=batch.weights))


def accuracies(solver: Solver, contexts: Contexts, k: int) -> Accuracies:
    """Test accuracy after context k on all classes so far, on the newest, and on the earlier.

    Parameters
    ----------
    solver
        The network after context k.
    contexts
        Their data.
    k
        Number of the context, from 0.

    Returns
    -------
    Accuracies
        In per cent; `old` is None in the first context.
    """
    test = contexts.test(contexts.seen(k))
    right = solver.predict(test.images).argmax(axis=1) == test.labels
    new = np.isin(test.labels, contexts.classes[k - 1])
    old = 100 * float(right[~new].mean()) if k > 1 else None
    return Accuracies(100 * float(right.mean()), 100 * float(right[new].mean()), old)


def accuracy_by_context(solver: Solver, contexts: Contexts) -> list[float]:
    """The present row of the accuracy matrix: test accuracy (%) on every context's classes.

    Parameters
    ----------
    solver
        The network.
    contexts
        Their data.

    Returns
    -------
    list of float
        Per cent, one for every context, learnt or not.
    """
    test = contexts.digits.test
    right = solver.predict(test.images).argmax(axis=1) == test.labels
    return [100 * float(right[np.isin(test.labels, group)].mean()) for group in contexts.classes]
