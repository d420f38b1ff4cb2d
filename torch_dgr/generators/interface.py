"""What every generator of images offers, whichever it is."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

__all__ = ["Generator", "OnIteration"]

OnIteration = Callable[[int, dict[str, float]], None]


class Generator(Protocol):
    """A model of images that is trained on one context after the other.

    It is a deterministic function of its state, its data and the numpy generator handed in, on
    one kind of device: on the CPU the same numbers to the last bit, however the training of a
    context is divided into calls, with or without `state` and `load_state` between them.
    """

    @property
    def conditional(self) -> bool:
        """Whether `fit` learns from targets and `sample` takes classes."""

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes that `sample` knows: those of all finished contexts."""

    def begin_context(self, *, iterations: int, rng: np.random.Generator) -> None:
        """Prepare to learn new images for a number of iterations in all.

        What goes on from the last context and what is made anew is each generator's own.
        """

    def fit(
        self,
        images: np.ndarray,
        targets: np.ndarray | None = None,
        *,
        iterations: int,
        rng: np.random.Generator,
        on_iteration: OnIteration | None = None,
        batch_size: int = 64,
    ) -> None:
        """Go on training for a number of iterations (batches).

        Parameters
        ----------
        images
            Real images (trial, row, column) in [0, 1], of the present context alone.
        targets
            Class probabilities (trial, class); None for a generator without conditions.
        on_iteration
            Called with the number of each iteration, from 1, and its losses by name.
        """

    def sample(
        self, n: int, rng: np.random.Generator, classes: np.ndarray | None = None
    ) -> np.ndarray:
        """Return images (n, row, column), float32 in [0, 1].

        classes: the class of each image (n,); None draws it at random from `classes`.
        """

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all that training goes on from, by name."""

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state` returned; StateError, and no change, where it does not fit."""
