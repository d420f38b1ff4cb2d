"""What a context teaches: real images of that context alone, and replayed ones of the earlier."""

from dataclasses import dataclass

import numpy as np

from bridge.data import Contexts, Examples, Labelled, examples, mix, one_hot
from bridge.networks import Generator
from bridge.replay.protocol import Mix, Protocol
from bridge.replay.sources import Source, draw_samples

VALIDATION_REPLAY = 500  # held-out replayed images on which a network is chosen


@dataclass(frozen=True)
class TrainingData:
    """A training set, and a held-out set to choose on."""

    train: Examples
    validation: Examples


def training_data(
    contexts: Contexts, k: int, mix_of_k: Mix, source: Source | None, rng: np.random.Generator
) -> TrainingData:
    """The training data of context k. Reads real images of context k and of no other.

    `source=None` (first context, or no replay) leaves the real images alone.

    Parameters
    ----------
    contexts
        Their data.
    k
        Number of the context, from 0.
    mix_of_k
        How many real and replayed images, and their weights.
    source
        (n, rng) -> Examples, or None.
    rng
        What is drawn from.

    Returns
    -------
    TrainingData
        Checked.
    """
    n_classes = contexts.data.n_classes
    real = _share(contexts.train(k), mix_of_k.real_share)
    new, new_held_out = (
        examples(part.images, one_hot(part.labels, n_classes), context=k)
        for part in (real, contexts.validation(k))
    )
    if source is None or k == 1:
        return TrainingData(new, new_held_out)
    n = round(mix_of_k.replayed * len(new))
    old = source(n, rng)
    old_held_out = source(VALIDATION_REPLAY, rng)
    share = len(new) / (len(new) + n)
    r = share if mix_of_k.real_weight is None else mix_of_k.real_weight
    return TrainingData(mix(new, old, r), mix(new_held_out, old_held_out, r))


@dataclass(frozen=True)
class GeneratorData:
    """Images (trial, row, column) and targets (trial, class); how many of them are replayed."""

    images: np.ndarray
    targets: np.ndarray
    n_replayed: int = 0

    @property
    def n_real(self) -> int:
        """How many are real."""
        return len(self.images) - self.n_replayed


def generator_data(
    protocol: Protocol, contexts: Contexts, k: int, last: Generator | None, rng: np.random.Generator
) -> GeneratorData:
    """What the generator of context k learns: real images, and samples of the last generator.

    Parameters
    ----------
    protocol
        What the generator learns from.
    contexts
        Their data.
    k
        Number of the context, from 0.
    last
        The last generator, None in the first context.
    rng
        What samples are drawn from.

    Returns
    -------
    GeneratorData
        Images and, for a conditional generator, targets.
    """
    n_classes = contexts.data.n_classes
    if protocol.generator_data == "real":  # the notebooks' leak, under its own name
        parts = [contexts.train(j) for j in range(1, k + 1)]
        real = Labelled(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
        return GeneratorData(real.images, one_hot(real.labels, n_classes))
    mix_of_k = protocol.generator.mix_of(k)
    real = _share(contexts.train(k), mix_of_k.real_share)
    targets = one_hot(real.labels, n_classes)
    n = round(mix_of_k.replayed * len(real.labels))
    if last is None or n == 0:
        return GeneratorData(real.images, targets)
    replayed = draw_samples(last, n, rng)
    unknown = np.full((n, n_classes), 1 / n_classes, dtype=np.float32)
    return GeneratorData(
        np.concatenate([real.images, replayed]), np.concatenate([targets, unknown]), n
    )


def _share(real: Labelled, share: float) -> Labelled:
    return real.first(max(1, round(share * len(real.labels))))
