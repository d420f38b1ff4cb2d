"""What replay needs of a network, whichever backend computes it."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

State = dict[str, np.ndarray]
OnIteration = Callable[[int, dict[str, float]], None]


class Network(Protocol):
    """A network whose `state` holds all that its training goes on from, by name."""

    def state(self) -> State:
        """Copies of weights, optimiser moments and positions."""

    def load_state(self, state: State) -> None:
        """Go on from what `state` returned."""


class Solver(Network, Protocol):
    """A classifier of image sequences."""

    def begin_context(self, *, iterations: int) -> None:
        """Begin a context of so many updates: optimiser moments and schedule start anew."""

    def fit(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        iterations: int,
        rng: np.random.Generator,
        batch_size: int = 64,
        on_iteration: OnIteration | None = None,
        check_input: bool = True,
    ) -> None:
        """Go on training for a number of iterations (batches).

        Parameters
        ----------
        images
            (trial, row, column) in [0, 1]; row t is the input of step t.
        targets
            Class probabilities (trial, class).
        weights
            (trial,) of the trials in the loss; None for ones.
        iterations
            Updates of the weights.
        rng
            The source of all random numbers.
        on_iteration
            Called after each update with its number, from 1, and what there is to report.
        check_input
            False leaves out the checks, for arrays that were checked before.
        """

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities (trial, class) of images (trial, row, column)."""


@runtime_checkable
class HoldingSolver(Solver, Protocol):
    """A solver that can be held to what earlier contexts depend on, by penalties in its loss."""

    def trained_parameters(self) -> State:
        """Copies of the parameters that are trained, by name."""

    def fisher_information(self, images: np.ndarray, targets: np.ndarray) -> State:
        """Diagonal Fisher information at the present parameters, by name.

        Parameters
        ----------
        images
            (trial, row, column) in [0, 1].
        targets
            Class probabilities (trial, class).
        """

    def path_integral(self) -> State:
        """What each parameter's way has lowered the loss by, by name; of option `track_path`."""

    def hold(self, states: Sequence[Any], strength: float) -> None:
        """Let quadratic penalties join every later loss, in place of those that were held.

        Parameters
        ----------
        states
            Pairs (theta_star, importance) of names and arrays; one penalty each.
        strength
            lambda in lambda/2 F (theta - theta_star)^2.
        """


class Generator(Network, Protocol):
    """A model of images, of one class at a time where it is conditional."""

    @property
    def conditional(self) -> bool:
        """Whether `fit` learns from targets and `sample` takes classes."""

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes that `sample` knows, of a conditional generator."""

    def begin_context(self, *, iterations: int, rng: np.random.Generator) -> None:
        """Begin a context of so many updates; what was learnt before is kept."""

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
        """Go on training on images (trial, row, column) in [0, 1] and their targets.

        Parameters
        ----------
        images
            (trial, row, column) in [0, 1].
        targets
            Class probabilities (trial, class); generators without condition need none.
        iterations
            Updates of the weights.
        rng
            The source of all random numbers.
        on_iteration
            Called after each update with its number, from 1, and the losses by name.
        """

    def sample(
        self, n: int, rng: np.random.Generator, classes: np.ndarray | None = None
    ) -> np.ndarray:
        """Draw `n` images (n, row, column), float32 in [0, 1].

        Parameters
        ----------
        n
            How many.
        rng
            The source of all random numbers.
        classes
            The class of each image (n,), of conditional generators alone; None leaves it open.
        """
