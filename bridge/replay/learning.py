"""Deep generative replay: each context is learnt beside samples of the last generator.

    generator_t  learns  real images of context t  +  samples of generator_{t-1}
    solver_t     learns  r L(real, context t) + (1 - r) L(samples of generator_{t-1},
                                                         labelled by solver_{t-1})

Source: Shin, Lee, Kim and Kim (2017), Continual learning with deep generative replay. Training
advances in segments between evaluations, and all of its state is in a `SolverState`, so that a
run can be taken up after any segment and gives the same numbers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bridge.data import Contexts
from bridge.networks import Solver, State
from bridge.replay.metrics import accuracy, agreement
from bridge.replay.protocol import Plan, Protocol
from bridge.replay.training_data import TrainingData

Score = Callable[[Solver, TrainingData, int], float]
"""What a network is chosen by (larger is better), after so many segments of training."""


def score_of(protocol: Protocol, contexts: Contexts, k: int, seed: int) -> Score:
    """The score that chooses the network that goes on from context k.

    Only the notebooks' selection, which says so in the protocol's `leaks`, holds test images.

    Parameters
    ----------
    protocol
        How networks are chosen.
    contexts
        Their data.
    k
        Number of the context, from 0.
    seed
        Of the selection's random draws.

    Returns
    -------
    callable
        (solver, training data, iteration) -> score, the larger the better.
    """
    if protocol.selection == "validation":
        return lambda solver, data, done: agreement(solver, data.validation)
    if protocol.selection == "last":
        return lambda solver, data, done: float(done)
    test = contexts.test(contexts.seen(k))
    n = min(protocol.selection_images, len(test.labels))
    chosen = np.random.default_rng([seed, k]).choice(len(test.labels), n, replace=False)
    return lambda solver, data, done: accuracy(solver, test.images[chosen], test.labels[chosen])


def segments(iterations: int, evaluations: int) -> list[int]:
    """Cut `iterations` into at most `evaluations` segments of almost equal length.

    Parameters
    ----------
    iterations
        How many in all.
    evaluations
        How many segments at the most.

    Returns
    -------
    list of int
        Iterations of each; they add up to `iterations`.
    """
    parts = max(1, min(evaluations, iterations))
    edges = np.linspace(0, iterations, parts + 1).round().astype(int)
    return np.diff(edges).tolist()


@dataclass
class SolverState:
    """A solver in the middle of a context: what a run on disk has to keep."""

    solver: Solver
    rng: np.random.Generator
    done: int = 0  # segments
    best_score: float = -np.inf
    best_state: State | None = None


class Segment(NamedTuple):
    """What one segment of training came to: updates so far in the context, and the score."""

    iteration: int
    score: float


def learn_context(
    state: SolverState,
    data: Callable[[int], TrainingData],
    plan: Plan,
    lengths: list[int],
    score: Score,
) -> Iterator[Segment]:
    """Train on one context, segment by segment; yield after each.

    The caller may store `state` at each yield. On exhaustion the solver holds the weights of the
    highest score.

    Parameters
    ----------
    state
        The solver, and how far it has come.
    data
        The training data of each segment, from 0.
    plan
        Of the solver.
    lengths
        Updates in each segment, as of `segments`.
    score
        By which a network is chosen.
    """
    for i in range(state.done, len(lengths)):
        lesson = data(i)
        batch = lesson.train
        state.solver.fit(
            batch.images,
            batch.targets,
            batch.weights,
            iterations=lengths[i],
            rng=state.rng,
            batch_size=plan.batch_size,
            check_input=False,  # an Examples is checked
        )
        state.done = i + 1
        reached = score(state.solver, lesson, state.done)
        if reached > state.best_score:
            state.best_score, state.best_state = reached, state.solver.state()
        yield Segment(sum(lengths[: i + 1]), reached)
    if state.best_state is not None:
        state.solver.load_state(state.best_state)
