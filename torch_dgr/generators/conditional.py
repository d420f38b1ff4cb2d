"""Class-conditional generators that go on from context to context: what all of them share.

A *sampler* passes from context to context: a decoder and the distributions of its latents, class
by class. While a new context is learnt the sampler stays as it is. For each of its classes c it
draws pairs (z, y) of a latent and the image that it decodes from it, and the new decoder learns to
decode the same z and c to the same y (alignment), beside the real images of the new classes.
Generated images are never encoded again. At the end the moving average of the new decoder, with
distributions for its classes, is the next sampler.

    context 1:   real images of classes 0, 1                                     ->  sampler 1
    context 2:   real images of classes 2, 3   +   pairs of sampler 1            ->  sampler 2
    ...

Conditions follow van de Ven, Siegelmann and Tolias 2020; a decoder that is kept close to its
predecessor's output at the same latent is Wu et al. 2018, Memory replay GANs.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.checks import (
    checked_count,
    checked_device,
    checked_images,
    checked_rng,
    checked_targets,
    named,
)
from torch_dgr.errors import ExamplesError, SettingError, shown
from torch_dgr.generators.context import (
    REPLAYS,
    Batch,
    Context,
    Learner,
    Sampler,
    as_data,
)
from torch_dgr.generators.interface import OnIteration
from torch_dgr.state import Parts, load_numpy_state, numpy_state, prefixed, seeded, take

__all__ = ["ConditionalGenerator"]

S = TypeVar("S", bound=Sampler)

DRAWN_AT_ONCE = 4096  # images


class ConditionalGenerator(ABC, Generic[S]):
    """The training of a context, sampling and state; subclasses add their networks and losses.

    seed: of the first decoder's weights. replay: a name of REPLAYS. replayed: drawn from the last
    sampler for every batch. averaging: of the moving average of weights, at least 0, below 1.
    device: where the networks live; random numbers come from numpy, on every device the same.
    """

    conditional = True

    def __init__(
        self,
        sampler: Callable[[], S],
        *,
        seed: int,
        n_classes: int,
        image_shape: tuple[int, int],
        replay: str,
        replayed: int,
        averaging: float,
        device: str | torch.device,
    ):
        named(REPLAYS, replay, "replay")
        if not isinstance(averaging, (int, float)) or not 0 <= averaging < 1:
            raise SettingError(f"averaging is {shown(averaging)}; give a number in [0, 1)")
        self.device = checked_device(device)
        self.n_classes, self.image_shape = n_classes, image_shape
        self.replay = replay
        self.replayed = checked_count(replayed, "replayed", least=0)
        self.averaging = averaging
        with seeded(seed):
            self.sampler = sampler()
        self.sampler.decoder.to(self.device).requires_grad_(False)
        self.context: Context | None = None

    @abstractmethod
    def _learners(self, decoder: nn.Module) -> dict[str, Learner]:
        """Return what a new context trains: the decoder, and networks made anew beside it."""

    @abstractmethod
    def _update(
        self, context: Context, batch: Batch, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """Descend once with every learner; return the losses by name."""

    @abstractmethod
    def _learnt(
        self, context: Context, images: Tensor, condition: Tensor, rng: np.random.Generator
    ) -> S:
        """Return the sampler that passes on: with distributions of the classes just learnt."""

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes of all finished contexts."""
        return self.sampler.latents.classes

    @property
    def stored_bytes(self) -> int:
        """The bytes that pass from context to context: decoder and distributions of latents."""
        weights = self.sampler.decoder.parameters()
        distributions = self.sampler.distributions().values()
        return sum(weight.nbytes for weight in weights) + sum(
            distribution.nbytes for distribution in distributions
        )

    def begin_context(self, *, iterations: int, rng: np.random.Generator) -> None:
        """Begin to learn new classes, for a number of iterations in all.

        The decoder goes on from the sampler's; encoder, discriminator, Adam's moments and the
        moving average start anew. A context that was under way is given up.
        """
        iterations = checked_count(iterations, "iterations")
        self.context = self._begun(iterations, rng)

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
        """Learn a context from its real images, or go on with the one under way.

        Where none is under way, one of this many iterations begins. With its last iteration a
        context is finished: its classes can be sampled, and the next call begins another.

        Parameters
        ----------
        images
            (trial, row, column) in [0, 1], of classes that no earlier context held.
        targets
            Class probabilities (trial, class), one-hot for labels.
        iterations
            Batches, at most as many as the context has left.
        rng
            The source of all random numbers.
        on_iteration
            Called after each iteration with its number, from 1, and its losses by name.

        Raises
        ------
        ExamplesError
            Images or targets of a wrong shape or range, or of a class learnt before.
        SettingError
            A wrong iterations, batch_size or rng.
        TrainingDivergedError
            A loss that is not finite.
        """
        iterations = checked_count(iterations, "iterations")
        batch_size = checked_count(batch_size, "batch_size")
        checked_rng(rng)
        pixels, condition = self._checked_examples(images, targets)
        context = self.context or self._begun(iterations, rng)
        context.position.check(iterations)
        for iteration in range(1, iterations + 1):
            chosen = torch.from_numpy(context.next_trials(len(pixels), batch_size, rng))
            pairs = self.sampler.draw(self._random_labels(self.replayed, rng), rng)
            batch = REPLAYS[self.replay](pixels[chosen], condition[chosen], pairs)
            losses = self._update(context, batch, rng)
            context.move_average(self.averaging)
            context.position.done += 1
            if on_iteration is not None:
                on_iteration(iteration, {name: loss.item() for name, loss in losses.items()})
        if context.position.finished:
            self._finish(context, pixels, condition, rng)

    def sample(
        self, n: int, rng: np.random.Generator, classes: np.ndarray | None = None
    ) -> np.ndarray:
        """Return images (n, row, column), float32 in [0, 1].

        Parameters
        ----------
        classes
            The class of each image (n,); None draws each at random from `classes`.

        Raises
        ------
        SettingError
            A class of no finished context, or not one class for each image.
        """
        n = checked_count(n, "n", least=0)
        checked_rng(rng)
        if not self.classes:
            raise SettingError("this generator has learnt no class yet: fit a whole context first")
        labels = self._random_labels(n, rng) if classes is None else self._checked(classes, n)
        images = np.empty((n, *self.image_shape), dtype=np.float32)
        for start in range(0, n, DRAWN_AT_ONCE):
            chosen = images[start : start + DRAWN_AT_ONCE]
            drawn = self.sampler.images(labels[start : start + DRAWN_AT_ONCE], rng)
            chosen[:] = drawn.reshape(chosen.shape)
        return images

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all that training goes on from, by name.

        Between contexts that is what passes from one to the next; within a context also the
        decoder under training, the networks beside it, Adam's moments and the position.
        """
        state = numpy_state(_parts(self.sampler, self.context))
        context = {} if self.context is None else prefixed("context", self.context.arrays())
        return state | self.sampler.distributions() | context

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned; StateError (and no change) where it does not fit.

        A state saved between contexts loads on every device, one saved within a context on the
        kind of device that it was saved on.
        """
        weights = dict(state)
        sampler = self.sampler.restored(copy.deepcopy(self.sampler.decoder), weights)
        context = None
        if any(name.startswith("context.") for name in weights):
            context = self._new_context(iterations=1, seed=0)
            context.resume(take(weights, "context", context.arrays()))
        load_numpy_state(_parts(sampler, context), weights)
        self.sampler, self.context = sampler, context

    def _begun(self, iterations: int, rng: np.random.Generator) -> Context:
        """Return a new context, its networks' first weights drawn from the rng."""
        return self._new_context(iterations, seed=int(rng.integers(2**31)))

    def _new_context(self, iterations: int, seed: int) -> Context:
        with seeded(seed):
            decoder = copy.deepcopy(self.sampler.decoder).requires_grad_(True)
            return Context.begin(iterations, decoder, self._learners(decoder))

    def _finish(
        self, context: Context, images: Tensor, condition: Tensor, rng: np.random.Generator
    ) -> None:
        """Pass on the average and the distributions of latents; drop the rest of the context."""
        if self.replay == "as_data":  # the latents of the old classes have moved too
            n = len(images) // len(np.unique(condition.argmax(dim=1).cpu()))
            old = self.sampler.draw(np.repeat(self.classes, n).astype(np.int64), rng)
            images, condition, _ = as_data(images, condition, old)
        self.sampler = self._learnt(context, images, condition, rng)
        self.context = None

    def _random_labels(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n labels drawn from the learnt classes; none where nothing is learnt."""
        classes = np.array(self.classes, dtype=np.int64)
        return rng.choice(classes, n if len(classes) else 0)

    def _checked(self, classes: np.ndarray, n: int) -> np.ndarray:
        """Return the classes asked for as labels (n,), or raise SettingError."""
        labels = np.asarray(classes)
        if labels.shape != (n,) or labels.dtype.kind not in "iu":
            raise SettingError(
                f"classes have shape {labels.shape} and dtype {labels.dtype}; give the class of "
                f"each of the {n} images, whole numbers of shape ({n},)"
            )
        unlearnt = sorted(set(labels.tolist()) - set(self.classes))
        if unlearnt:
            raise SettingError(
                f"class {unlearnt[0]} has not been learnt; this generator has learnt "
                f"{', '.join(map(str, self.classes))}"
            )
        return labels.astype(np.int64)

    def _checked_examples(
        self, images: np.ndarray, targets: np.ndarray | None
    ) -> tuple[Tensor, Tensor]:
        """Return pixels (trial, pixel) and conditions (trial, class) on the device."""
        pixels = checked_images(images, self.image_shape).flatten(1)
        if targets is None:
            raise ExamplesError(
                f"targets are missing: {type(self).__name__} learns images class by class; give "
                f"class probabilities ({len(pixels)}, {self.n_classes})"
            )
        condition = checked_targets(targets, len(pixels), self.n_classes)
        again = sorted(set(condition.argmax(dim=1).tolist()) & set(self.classes))
        if again:
            raise ExamplesError(
                f"class {again[0]} was learnt in an earlier context; give only images of new "
                "classes (a class that comes again in another form is a class of its own)"
            )
        return pixels.to(self.device), condition.to(self.device)


def _parts(sampler: Sampler, context: Context | None) -> Parts:
    """Return every network by the name that its state goes under."""
    within = {} if context is None else context.parts()
    return {"decoder": (sampler.decoder, None)} | {
        f"context.{name}": part for name, part in within.items()
    }
