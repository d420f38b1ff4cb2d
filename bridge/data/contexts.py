"""A data set cut into contexts: what a learner may see is decided here, one context at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bridge.data.datasets import ImageData, Labelled
from bridge.errors import DataError, SettingError


@dataclass(frozen=True, eq=False)
class Contexts:
    """A data set cut into contexts of classes that are learnt one after the other.

    Raises DataError where contexts overlap, are empty, or name classes the data do not hold.
    """

    data: ImageData
    classes: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        held = set(np.unique(self.data.train.labels).tolist())
        seen: set[int] = set()
        if not self.classes:
            raise DataError("no contexts: give at least one, e.g. 01,23")
        for k, group in enumerate(self.classes, 1):
            if not group:
                raise DataError(f"context {k} is empty: give each context at least one class")
            absent = set(group) - held
            if absent:
                raise DataError(
                    f"context {k} names classes {sorted(absent)}, but "
                    f"{self.data.name} holds {sorted(held)}"
                )
            again = seen & set(group) or {c for c in group if group.count(c) > 1}
            if again:
                raise DataError(
                    f"context {k} repeats classes {sorted(again)}: contexts must not overlap"
                )
            seen |= set(group)

    def __len__(self) -> int:
        return len(self.classes)

    def seen(self, k: int) -> tuple[int, ...]:
        """All classes of contexts 1..k."""
        return tuple(c for group in self.classes[:k] for c in group)

    def train(self, k: int) -> Labelled:
        """Real training images of context k alone (1-based)."""
        return self.data.train.of(self.classes[k - 1])

    def validation(self, k: int) -> Labelled:
        """Real held-out training images of context k alone."""
        return self.data.validation.of(self.classes[k - 1])

    def test(self, classes: Sequence[int]) -> Labelled:
        """Test images of the given classes: for reporting, never for choosing."""
        return self.data.test.of(classes)


def parse_contexts(text: str) -> tuple[tuple[int, ...], ...]:
    """'01,23' -> ((0, 1), (2, 3)). SettingError unless digits and commas.

    Parameters
    ----------
    text
        Digits of each context, contexts parted by commas.

    Returns
    -------
    tuple of tuple of int
        The classes of each context.
    """
    groups = text.split(",")
    if not all(group.strip().isdecimal() for group in groups):
        raise SettingError(
            f"contexts '{text}': write the digits of each context together and "
            "separate contexts by commas, e.g. 01,23,45,67,89"
        )
    return tuple(tuple(int(c) for c in group.strip()) for group in groups)
