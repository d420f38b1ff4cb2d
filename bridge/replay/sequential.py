"""Deep generative replay: scholars that teach the next one in their dreams.

    scholar_t = (generator_t, solver_t)
    generator_t  learns  real images of context t  +  dreams of generator_{t-1}
    solver_t     learns  r L(real, context t) + (1 - r) L(dreams of generator_{t-1},
                                                         labelled by solver_{t-1})

Source: Shin, Lee, Kim and Kim (2017), Continual learning with deep generative replay. A solver
keeps its weights from context to context; a generator starts afresh. Training advances in
stretches between evaluations, and all of its state is in a `Progress`, so that a run can be
taken up after any stretch and gives the same numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.data.datasets import N_CLASSES, Contexts, Labelled
from bridge.data.examples import Examples, check_images, examples, mix, one_hot
from bridge.errors import unknown
from bridge.networks.registry import Generator, Solver
from bridge.replay.protocols import Mix, Plan, Protocol

VALIDATION_REPLAY = 500  # held-out dreams on which a network is chosen
Replay = Callable[[int, np.random.Generator], Examples]


def label(
    images: np.ndarray, solver: Solver, kind: str, origin: Mapping[str, Any] | None = None
) -> Examples:
    """Images with the labels that `solver` gives them: 'soft' probabilities or 'hard' winners.

    `origin` says what the images are, for the batch to carry.
    """
    targets = solver.predict(images)
    if kind == "hard":
        targets = one_hot(targets.argmax(axis=1), targets.shape[1])
    elif kind != "soft":
        raise unknown("kind of labels", kind, ("hard", "soft"))
    return examples(images, targets, **{"labels": kind, **(origin or {})})


def dream(generator: Generator, n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` checked samples (n, 28, 28): BatchError where they hold NaN or leave [0, 1]."""
    images = generator.sample(n, rng)
    check_images(images, "the generator's samples")
    return images


def generative_replay(
    generator: Generator, solver: Solver, labels: str, origin: Mapping[str, Any] | None = None
) -> Replay:
    """The last scholar's dreams. `origin` says which scholar's, for the batch to carry."""

    def sample(n: int, rng: np.random.Generator) -> Examples:
        images = dream(generator, n, rng)
        return label(images, solver, labels, {"replay": "generative", **(origin or {})})

    return sample


def noise_replay(solver: Solver, labels: str) -> Replay:
    """Control: uniform noise in place of dreams, labelled by the last solver."""

    def sample(n: int, rng: np.random.Generator) -> Examples:
        images = rng.random((n, 28, 28), dtype=np.float32)
        return label(images, solver, labels, {"replay": "noise"})

    return sample


def exact_replay(earlier: Labelled) -> Replay:
    """Control: real images of the earlier contexts with their true labels (a memory)."""

    def sample(n: int, rng: np.random.Generator) -> Examples:
        chosen = rng.choice(len(earlier.labels), n, replace=n > len(earlier.labels))
        return examples(
            earlier.images[chosen], one_hot(earlier.labels[chosen], N_CLASSES), replay="exact"
        )

    return sample


@dataclass(frozen=True)
class Material:
    """What one context teaches: a training set, and a held-out set to choose on."""

    train: Examples
    validation: Examples


def gather(
    contexts: Contexts, k: int, recipe: Mix, replay: Replay | None, rng: np.random.Generator
) -> Material:
    """The material of context k. Reads real images of context k and of no other.

    `replay=None` (first context, or no replay) leaves the real images alone.
    """
    real = contexts.train(k)
    real = real.first(max(1, round(recipe.real_share * len(real.labels))))
    held_out = contexts.validation(k)
    new = examples(real.images, one_hot(real.labels, N_CLASSES), context=k)
    new_held_out = examples(held_out.images, one_hot(held_out.labels, N_CLASSES), context=k)
    if replay is None or k == 1:
        return Material(new, new_held_out)
    n = round(recipe.replayed * len(new))
    old = replay(n, rng)
    old_held_out = replay(VALIDATION_REPLAY, rng)
    r = len(new) / (len(new) + n) if recipe.real_weight is None else recipe.real_weight
    return Material(mix(new, old, r), mix(new_held_out, old_held_out, r))


def accuracy(solver: Solver, images: np.ndarray, labels: np.ndarray) -> float:
    """Share (%) of `images` that `solver` gives their label."""
    return 100 * float((solver.predict(images).argmax(axis=1) == labels).mean())


def agreement(solver: Solver, batch: Examples) -> float:
    """Weighted share (%) of a batch on which the solver's winner is the target's winner."""
    right = solver.predict(batch.images).argmax(axis=1) == batch.targets.argmax(axis=1)
    return 100 * float(np.average(right, weights=batch.weights))


def test_accuracy(solver: Solver, contexts: Contexts, k: int) -> dict[str, float | None]:
    """Test accuracy (%) on all classes of contexts 1..k, on the newest, and on the earlier."""
    test = contexts.test(contexts.seen(k))
    right = solver.predict(test.images).argmax(axis=1) == test.labels
    new = np.isin(test.labels, contexts.classes[k - 1])
    old = 100 * float(right[~new].mean()) if k > 1 else None
    return {"overall": 100 * float(right.mean()), "new": 100 * float(right[new].mean()), "old": old}


def selection_score(
    protocol: Protocol,
    solver: Solver,
    material: Material,
    contexts: Contexts,
    k: int,
    seed: int,
    done: int,
) -> float:
    """The number by which the network that goes on is chosen (larger is better).

    `done`: stretches of training so far, which is the score where the last network goes on.
    """
    if protocol.selection == "validation":
        return agreement(solver, material.validation)
    if protocol.selection == "test":  # the notebooks' leak, under its own name
        test = contexts.test(contexts.seen(k))
        n = min(protocol.selection_images, len(test.labels))
        chosen = np.random.default_rng([seed, k]).choice(len(test.labels), n, replace=False)
        return accuracy(solver, test.images[chosen], test.labels[chosen])
    if protocol.selection == "last":
        return float(done)
    raise unknown("selection", protocol.selection, ("last", "validation", "test"))


def stretches(iterations: int, evaluations: int) -> list[int]:
    """Cut `iterations` into at most `evaluations` stretches of almost equal length."""
    parts = max(1, min(evaluations, iterations))
    edges = np.linspace(0, iterations, parts + 1).round().astype(int)
    return np.diff(edges).tolist()


@dataclass
class Learning:
    """A solver in the middle of a context: what a run on disk has to keep."""

    solver: Solver
    rng: np.random.Generator
    done: int = 0  # stretches
    best_score: float = -np.inf
    best_state: dict[str, np.ndarray] | None = None


def learn_context(
    learning: Learning,
    material: Material,
    plan: Plan,
    iterations: int,
    protocol: Protocol,
    contexts: Contexts,
    k: int,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Train on context k; after every stretch yield a row of accuracies.

    The caller may store `learning` at each yield. On exhaustion the solver holds the selected
    weights ('last' keeps the last ones).
    """
    lengths = stretches(iterations, protocol.evaluations)
    if learning.done == 0:
        yield {"iteration": 0, **test_accuracy(learning.solver, contexts, k)}
    for i in range(learning.done, len(lengths)):
        batch = material.train
        learning.solver.fit(
            batch.images,
            batch.targets,
            batch.weights,
            iterations=lengths[i],
            rng=learning.rng,
            batch_size=plan.batch_size,
        )
        learning.done = i + 1
        score = selection_score(protocol, learning.solver, material, contexts, k, seed, i + 1)
        if score > learning.best_score:
            learning.best_score = score
            learning.best_state = learning.solver.state()
        yield {
            "iteration": sum(lengths[: i + 1]),
            "score": score,
            **test_accuracy(learning.solver, contexts, k),
        }
    learning.solver.load_state(learning.best_state)


def generator_material(
    protocol: Protocol, contexts: Contexts, k: int, last: Generator | None, rng: np.random.Generator
) -> tuple[np.ndarray, int, int]:
    """Images for the generator of context k, and how many of them are real and replayed."""
    if protocol.generator_data == "real":  # the notebooks' leak, under its own name
        images = np.concatenate([contexts.train(j).images for j in range(1, k + 1)])
        return images, len(images), 0
    recipe = protocol.generator.mix_of(k)
    real = contexts.train(k).images
    real = real[: max(1, round(recipe.real_share * len(real)))]
    if last is None:
        return real, len(real), 0
    replayed = dream(last, round(recipe.replayed * len(real)), rng)
    return np.concatenate([real, replayed]), len(real), len(replayed)
