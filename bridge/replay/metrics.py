"""Accuracies (%) of a solver. Test images are for reporting: nothing here chooses anything.

R[i, j]   accuracy on the classes of context j after context i     (Lopez-Paz, Ranzato 2017)

One network is asked in three ways (van de Ven, Tuytelaars, Tolias 2022):

    class    which class of all?
    task     which class, where the context is given: the readout of its classes alone
    domain   which place within its context, where the context is not given: the readout of all
             classes of a place, added up (with pairs of digits: the first or the second?)

The network was trained to name the class. One that is trained to name the place, from the start,
has a readout of its own for it and is another experiment.
"""

from collections.abc import Callable, Mapping, Sequence
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
    """Share (%) of images (trial, row, column) that `solver` gives their label (trial,).

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
    return accuracy_by_scenario(solver, contexts)["class"]


Groups = Sequence[Sequence[int]]


def _right_class(p: np.ndarray, labels: np.ndarray, groups: Groups) -> np.ndarray:
    return p.argmax(axis=1) == labels


def _right_in_task(p: np.ndarray, labels: np.ndarray, groups: Groups) -> np.ndarray:
    right = np.zeros(len(labels), dtype=bool)
    for group in groups:
        here = np.isin(labels, group)
        right[here] = np.asarray(group)[p[here][:, group].argmax(axis=1)] == labels[here]
    return right


def _right_place(p: np.ndarray, labels: np.ndarray, groups: Groups) -> np.ndarray:
    places = range(max(map(len, groups)))
    of_place = [[group[i] for group in groups if i < len(group)] for i in places]
    q = np.stack([p[:, classes].sum(axis=1) for classes in of_place], axis=1)
    place_of = {c: i for group in groups for i, c in enumerate(group)}
    return q.argmax(axis=1) == np.array([place_of.get(c, -1) for c in labels.tolist()])


SCENARIOS: Mapping[str, Callable[[np.ndarray, np.ndarray, Groups], np.ndarray]] = {
    "class": _right_class,
    "task": _right_in_task,
    "domain": _right_place,
}
"""Whether each trial is right: (probabilities, labels, classes of every context) -> (trial,)."""


def accuracy_by_scenario(solver: Solver, contexts: Contexts) -> dict[str, list[float]]:
    """The present rows of three accuracy matrices: `accuracy_by_context`, asked in three ways.

    Parameters
    ----------
    solver
        The network.
    contexts
        Their data.

    Returns
    -------
    dict
        Name in SCENARIOS -> per cent, one for every context, learnt or not.
    """
    test = contexts.data.test
    p = solver.predict(test.images)
    found = {}
    for name, is_right in SCENARIOS.items():
        right = is_right(p, test.labels, contexts.classes)
        found[name] = [
            100 * float(right[np.isin(test.labels, group)].mean()) for group in contexts.classes
        ]
    return found


def confusion(solver: Solver, contexts: Contexts, k: int) -> np.ndarray:
    """How often test images of each class so far are called what.

    Parameters
    ----------
    solver
        The network after context k.
    contexts
        Their data.
    k
        Number of the context, from 1.

    Returns
    -------
    ndarray
        (class, class) counts: true class, class that the solver names.
    """
    test = contexts.test(contexts.seen(k))
    p = solver.predict(test.images)
    counts = np.zeros((p.shape[1], p.shape[1]), dtype=int)
    np.add.at(counts, (test.labels, p.argmax(axis=1)), 1)
    return counts
