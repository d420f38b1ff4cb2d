"""Where replayed examples come from: a generator, noise, or a memory of real images.

    source(n, rng)  ->  n Examples of the earlier contexts

Generated images and noise are labelled by the last solver, or by the class that the generator
was asked for, or half and half; see `LABELS`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bridge.data import N_CLASSES, Examples, Labelled, check_images, examples, labelled, one_hot
from bridge.errors import unknown
from bridge.networks import Generator, Solver
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


def noise_replay(solver: Solver, labels: str, classes: Sequence[int] = ()) -> Source:
    """Control: uniform noise in place of samples, labelled alike.

    Parameters
    ----------
    solver
        Whose probabilities make the targets.
    labels
        A name in LABELS.
    classes
        Those of the earlier contexts.

    Returns
    -------
    callable
        (n, rng) -> Examples.
    """

    def draw(n: int, rng: np.random.Generator) -> Examples:
        images = rng.random((n, 28, 28), dtype=np.float32)
        asked = rng.permutation(np.resize(np.array(classes), n)) if classes else None
        return label(images, solver, labels, {"replay": "noise"}, asked)

    return draw


def exact_replay(earlier: Labelled) -> Source:
    """Control: real images of the earlier contexts with their true labels (a memory).

    Parameters
    ----------
    earlier
        Real images and labels of the earlier contexts.

    Returns
    -------
    callable
        (n, rng) -> Examples.
    """

    def draw(n: int, rng: np.random.Generator) -> Examples:
        chosen = rng.choice(len(earlier.labels), n, replace=n > len(earlier.labels))
        return examples(
            earlier.images[chosen], one_hot(earlier.labels[chosen], N_CLASSES), replay="exact"
        )

    return draw
