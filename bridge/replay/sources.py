"""Where replayed examples come from: a generator, noise, a memory, or the context's own images.

    source(n, rng)    ->  n Examples that stand for the earlier contexts
    SOURCES[replay]   ->  what makes the source of a kind of replay, from an `Earlier`

Generated images and noise are labelled by the last solver, or by the class that the generator
was asked for, or half and half; see `LABELS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.data import (
    N_CLASSES,
    Contexts,
    Examples,
    Labelled,
    check_images,
    examples,
    labelled,
    one_hot,
)
from bridge.errors import unknown
from bridge.networks import Generator, Solver
from bridge.replay.baselines import PENALTIES
from bridge.replay.labels import LABELS

Source = Callable[[int, np.random.Generator], Examples]


def label(
    images: np.ndarray,
    solver: Solver,
    labels: str,
    origin: Mapping[str, Any] | None = None,
    classes: np.ndarray | None = None,
) -> Examples:
    """Images with the labels that a solver gives them.

    Parameters
    ----------
    images
        (trial, row, column) in [0, 1], checked already.
    solver
        Whose probabilities make the targets.
    labels
        A name in LABELS.
    origin
        What the images are, for the examples to carry.
    classes
        The class that each image was asked for (trial,), where it was.

    Returns
    -------
    bridge.data.Examples
        All weights 1.

    Raises
    ------
    SettingError
        An unknown kind of labels, or one that needs `classes` without them.
    """
    if labels not in LABELS:
        raise unknown("kind of labels", labels, LABELS)
    probabilities = solver.predict(images)
    condition = None if classes is None else one_hot(classes, probabilities.shape[1])
    targets = LABELS[labels](probabilities, condition)
    return labelled(images, targets, labels=labels, **(origin or {}))


def draw_samples(
    generator: Generator,
    n: int,
    rng: np.random.Generator,
    classes: np.ndarray | None = None,
) -> np.ndarray:
    """`n` checked samples (n, 28, 28); BatchError where they hold NaN or leave [0, 1].

    `classes` (n,) are asked for where they are given, of a conditional generator.

    Parameters
    ----------
    generator
        The generator.
    n
        How many images.
    rng
        What they are drawn from.
    classes
        (n,), of a conditional generator.

    Returns
    -------
    ndarray
        (n, row, column), in [0, 1].
    """
    images = generator.sample(n, rng, classes)
    check_images(images, "the generator's samples")
    return images


def generative_replay(
    generator: Generator,
    solver: Solver,
    labels: str,
    origin: Mapping[str, Any] | None = None,
    classes: Sequence[int] = (),
) -> Source:
    """Samples of the last generator, labelled.

    Parameters
    ----------
    generator, solver
        The last ones.
    labels
        A name in LABELS.
    origin
        Which they are, for the examples to carry.
    classes
        Those of the earlier contexts: a conditional generator is asked for each equally often.

    Returns
    -------
    callable
        (n, rng) -> Examples.
    """
    conditional = generator.conditional and bool(classes)

    def draw(n: int, rng: np.random.Generator) -> Examples:
        asked = rng.permutation(np.resize(np.array(classes), n)) if conditional else None
        images = draw_samples(generator, n, rng, asked)
        return label(images, solver, labels, {"replay": "generative", **(origin or {})}, asked)

    return draw


def noise_replay(
    solver: Solver,
    labels: str,
    classes: Sequence[int] = (),
    image_shape: tuple[int, int] = (28, 28),
) -> Source:
    """Control: uniform noise in place of samples, labelled alike.

    Parameters
    ----------
    solver
        Whose probabilities make the targets.
    labels
        A name in LABELS.
    classes
        Those of the earlier contexts.
    image_shape
        (row, column).

    Returns
    -------
    callable
        (n, rng) -> Examples.
    """

    def draw(n: int, rng: np.random.Generator) -> Examples:
        images = rng.random((n, *image_shape), dtype=np.float32)
        asked = rng.permutation(np.resize(np.array(classes), n)) if classes else None
        return label(images, solver, labels, {"replay": "noise"}, asked)

    return draw


def exact_replay(earlier: Labelled, n_classes: int = N_CLASSES, origin: str = "exact") -> Source:
    """Control: real images of the earlier contexts with their true labels (a memory).

    Parameters
    ----------
    earlier
        Real images and labels of the earlier contexts.
    n_classes
        Of the targets.
    origin
        What the examples say of where they come from.

    Returns
    -------
    callable
        (n, rng) -> Examples.
    """

    def draw(n: int, rng: np.random.Generator) -> Examples:
        chosen = _drawn(len(earlier.labels), n, rng)
        targets = one_hot(earlier.labels[chosen], n_classes)
        return examples(earlier.images[chosen], targets, replay=origin)

    return draw


def bounded_replay(earlier: Labelled, images: int, n_classes: int) -> Source:
    """A memory of the first few images of each class, whose order is random (Rolnick et al. 2019).

    Parameters
    ----------
    earlier
        Real images and labels of the earlier contexts.
    images
        How many of each class are kept.
    n_classes
        Of the targets.

    Returns
    -------
    callable
        (n, rng) -> Examples.
    """
    kept = [np.flatnonzero(earlier.labels == c)[:images] for c in np.unique(earlier.labels)]
    places = np.concatenate(kept)
    stored = Labelled(earlier.images[places], earlier.labels[places])
    return exact_replay(stored, n_classes, "memory")


def own_images(real: Labelled, solver: Solver) -> Source:
    """Learning without forgetting: the context's own images, labelled by the last solver.

    Its probabilities are the targets, at temperature 1 (Li and Hoiem 2017). No earlier image is
    used.

    Parameters
    ----------
    real
        Real images of the present context.
    solver
        The last one.

    Returns
    -------
    callable
        (n, rng) -> Examples.
    """

    def draw(n: int, rng: np.random.Generator) -> Examples:
        chosen = _drawn(len(real.labels), n, rng)
        return label(real.images[chosen], solver, "soft", {"replay": "lwf"})

    return draw


def _drawn(held: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Places of `n` of the images that are held, each once where there are enough."""
    return rng.choice(held, n, replace=n > held)


@dataclass(frozen=True)
class Earlier:
    """What there is of the earlier contexts as context k, from the second on, begins.

    Parameters
    ----------
    contexts, k
        The data; `k` counts from 1.
    solver
        The last one.
    generator
        Loads the last one.
    labels
        A name in LABELS.
    memory
        How many images of each class a bounded memory keeps.
    """

    contexts: Contexts
    k: int
    solver: Solver
    generator: Callable[[], Generator]
    labels: str
    memory: int

    @property
    def classes(self) -> tuple[int, ...]:
        """Those of contexts 1 to k - 1."""
        return self.contexts.seen(self.k - 1)

    def images(self) -> Labelled:
        """Real training images of the earlier contexts, which only a memory may hold."""
        return self.contexts.data.train.of(self.classes)


def _none(_: Earlier) -> None:
    return None


def _noise(earlier: Earlier) -> Source:
    shape = earlier.contexts.data.image_shape
    return noise_replay(earlier.solver, earlier.labels, earlier.classes, shape)


def _generative(earlier: Earlier) -> Source:
    return generative_replay(
        earlier.generator(), earlier.solver, earlier.labels, classes=earlier.classes
    )


def _exact(earlier: Earlier) -> Source:
    return exact_replay(earlier.images(), earlier.contexts.data.n_classes)


def _memory(earlier: Earlier) -> Source:
    n_classes = earlier.contexts.data.n_classes
    return bounded_replay(earlier.images(), earlier.memory, n_classes)


def _lwf(earlier: Earlier) -> Source:
    return own_images(earlier.contexts.train(earlier.k), earlier.solver)


SOURCES: Mapping[str, Callable[[Earlier], Source | None]] = {
    "none": _none,
    "noise": _noise,
    "generative": _generative,
    "exact": _exact,
    "memory": _memory,
    "lwf": _lwf,
    **dict.fromkeys(PENALTIES, _none),
}
