"""What replayed images are labelled with."""

from collections.abc import Callable, Mapping

import numpy as np

from bridge.data import one_hot
from bridge.errors import SettingError
from bridge.networks import Generator


def _condition(probabilities: np.ndarray, condition: np.ndarray | None) -> np.ndarray:
    if condition is None:
        raise SettingError(
            "these labels take the class that the generator was asked for, but its images have "
            "none: choose labels 'hard' or 'soft', or a conditional generator"
        )
    return condition


LABELS: Mapping[str, Callable[[np.ndarray, np.ndarray | None], np.ndarray]] = {
    "hard": lambda p, condition: one_hot(p.argmax(axis=1), p.shape[1]),
    "soft": lambda p, condition: p,
    "condition": _condition,
    "mixed": lambda p, condition: 0.5 * (p + _condition(p, condition)),
}
"""Targets (trial, class) of replayed images, out of the last solver's probabilities p and the
one-hot classes that the generator was asked for (None where it was not): the solver's winner; its
probabilities; the condition; half of each."""

CONDITIONED = ("condition", "mixed")  # those that take the class that was asked for


def check_labels(labels: str, generator: Generator) -> None:
    """Refuse labels by condition where the generator has none, before it is trained.

    Parameters
    ----------
    labels
        A name in LABELS.
    generator
        Whose samples are to be labelled.

    Raises
    ------
    SettingError
        The generator cannot be asked for a class.
    """
    if labels in CONDITIONED and not generator.conditional:
        raise SettingError(
            f"labels {labels!r} take the class that the generator was asked for, but a "
            f"{type(generator).__name__} cannot be asked for one: choose labels 'hard' or 'soft', "
            "or a conditional generator"
        )
