"""What a conditional generator learns one context with, and what passes on to the next.

Sampler   a decoder and the distributions of its latents: passes from context to context
Learner   a network under training
Context   the learners, the moving average and the position: dropped once it is learnt
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple, Self, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from torch_dgr.errors import ExamplesError, StateError, TrainingDivergedError, shown
from torch_dgr.generators.latents import Latents
from torch_dgr.schedules import Position, Schedule, one_cycle
from torch_dgr.state import Parts, adam, prefixed, take

__all__ = [
    "REPLAYS",
    "Batch",
    "Context",
    "Learner",
    "Pairs",
    "Sampler",
    "as_data",
    "decoder_schedule",
]


def decoder_schedule(step: int, steps: int) -> float:
    """Return a factor of a decoder's learning rate: one cycle, its peak after a tenth."""
    return one_cycle(step, steps, rise=0.1)


class Pairs(NamedTuple):
    """Latents (trial, latent), conditions (trial, class) and the images (trial, pixel) of both."""

    latent: Tensor
    condition: Tensor
    images: Tensor


class Batch(NamedTuple):
    """What one iteration learns from."""

    images: Tensor  # (trial, pixel) in [0, 1]
    condition: Tensor  # (trial, class)
    pairs: Pairs  # of the last sampler, to be decoded alike; none in the first context


def aligned(images: Tensor, condition: Tensor, pairs: Pairs) -> Batch:
    return Batch(images, condition, pairs)


def as_data(images: Tensor, condition: Tensor, pairs: Pairs) -> Batch:
    images, condition = torch.cat([images, pairs.images]), torch.cat([condition, pairs.condition])
    return _without(images, condition, pairs)


def _without(images: Tensor, condition: Tensor, pairs: Pairs) -> Batch:
    return Batch(images, condition, Pairs(*(part[:0] for part in pairs)))


REPLAYS: dict[str, Callable[[Tensor, Tensor, Pairs], Batch]] = {
    "aligned": aligned,
    "as_data": as_data,
    "none": _without,
}
"""How a batch takes up what the last sampler draws: as pairs to be decoded alike; for comparison,
as images among the real ones (Shin et al. 2017); or not at all."""


D = TypeVar("D", bound=Latents)


@dataclass(frozen=True)
class Sampler(Generic[D]):
    """A decoder, which learns no more, and the distributions of its latents."""

    decoder: nn.Module
    latents: D
    n_classes: int

    @property
    def device(self) -> torch.device:
        """Where the decoder computes."""
        return next(self.decoder.parameters()).device

    def draw(self, labels: np.ndarray, rng: np.random.Generator) -> Pairs:
        """Return a latent and its image for each label (trial,)."""
        condition = np.zeros((len(labels), self.n_classes), dtype=np.float32)
        condition[np.arange(len(labels)), labels] = 1
        latent = self.latents.draw(labels, rng)
        with torch.no_grad():
            z, c = (torch.from_numpy(part).to(self.device) for part in (latent, condition))
            return Pairs(z, c, torch.sigmoid(self.decoder(z, c)))

    def images(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return an image (trial, pixel) in [0, 1], float32, for each label."""
        return self.draw(labels, rng).images.cpu().numpy()

    def distributions(self) -> dict[str, np.ndarray]:
        """Return what a sampler holds beside the decoder, by name."""
        return prefixed("latents", self.latents.arrays())

    def restored(self, decoder: nn.Module, state: dict[str, np.ndarray]) -> Self:
        """Return a sampler with the distributions taken out of a state, or raise StateError."""
        arrays = take(state, "latents", self.latents.arrays())
        return replace(self, decoder=decoder, latents=self.latents.with_arrays(arrays))


class Learner:
    """A network under training: its Adam, its learning rate's course, its clipped gradient."""

    def __init__(
        self,
        network: nn.Module,
        learning_rate: float,
        betas: tuple[float, float],
        schedule: Schedule,
        max_gradient_norm: float = float("inf"),
    ):
        self.network = network
        self.parameters = list(network.parameters())
        self.adam = adam(network, learning_rate, betas)
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.max_gradient_norm = max_gradient_norm

    def descend(self, loss: Tensor, position: Position) -> None:
        """Update the network; TrainingDivergedError, and no update, where a number is not finite.

        Only this network's gradient is computed; others that the loss depends on stay as they are.
        """
        gradients = torch.autograd.grad(loss, self.parameters)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        norm = nn.utils.get_total_norm(gradients)
        if not torch.isfinite(norm) or not torch.isfinite(loss):
            raise TrainingDivergedError(
                f"at iteration {position.done + 1} a generator's loss is {loss.item():g} and the "
                f"norm of its gradient {norm.item():g}: load an earlier state and lower the "
                "learning rate"
            )
        if norm > self.max_gradient_norm:
            nn.utils.clip_grads_with_norm_(self.parameters, self.max_gradient_norm, norm)
        factor = self.schedule(position.done, position.iterations)
        self.adam.param_groups[0]["lr"] = self.learning_rate * factor
        self.adam.step()


@dataclass
class Context:
    """A context under way."""

    position: Position
    decoder: nn.Module  # one of the learners trains it
    learners: Mapping[str, Learner]
    average: nn.Module  # of the decoder's weights over the iterations
    unseen: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """The trials that the present pass through the data has still to come to."""

    def __post_init__(self) -> None:
        self._averaged = list(
            zip(self.average.parameters(), self.decoder.parameters(), strict=True)
        )

    @classmethod
    def begin(
        cls, iterations: int, decoder: nn.Module, learners: Mapping[str, Learner]
    ) -> "Context":
        """Return a context of which nothing is done."""
        average = copy.deepcopy(decoder).requires_grad_(False)
        return cls(Position(iterations), decoder, learners, average)

    def next_trials(self, n_trials: int, batch_size: int, rng: np.random.Generator) -> np.ndarray:
        """Return the trials of a batch; every pass is shuffled, fewer than a batch are left out."""
        batch_size = min(batch_size, n_trials)
        if len(self.unseen) < batch_size:
            self.unseen = rng.permutation(n_trials)
        trials, self.unseen = self.unseen[:batch_size], self.unseen[batch_size:]
        if trials.max() >= n_trials:
            raise ExamplesError(
                f"{n_trials} images are given in the middle of a context of more: give the same "
                "images until the context is learnt"
            )
        return trials

    def move_average(self, averaging: float) -> None:
        """Take the decoder's weights into the average; quickly at first, when it knows few."""
        share = 1 - min(averaging, (1 + self.position.done) / (10 + self.position.done))
        with torch.no_grad():
            for mean, weight in self._averaged:
                mean.lerp_(weight, share)

    def parts(self) -> Parts:
        """Return all networks by name, each with its Adam."""
        learners = {name: (one.network, one.adam) for name, one in self.learners.items()}
        return {"average": (self.average, None), **learners}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return position, unseen trials and the kind of device training runs on, as numbers."""
        device = next(self.average.parameters()).device.type
        return {
            **self.position.arrays(),
            "unseen": self.unseen.copy(),
            "device": np.frombuffer(device.encode(), dtype=np.uint8),
        }

    def resume(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over `arrays`; StateError where they are none, or were saved on another device."""
        position, unseen = Position.from_arrays(arrays), np.asarray(arrays["unseen"])
        if unseen.ndim != 1 or unseen.dtype.kind not in "iu" or (unseen < 0).any():
            raise StateError(
                f"unseen trials of the context are {shown(unseen)}; give their numbers"
            )
        here, saved = self.arrays()["device"], np.asarray(arrays["device"])
        if not np.array_equal(here, saved):
            raise StateError(
                f"the state was saved within a context on device {_text(saved)!r}, this generator "
                f"computes on {_text(here)!r}: resume it on the device it was saved on, or save it "
                "once the context is learnt"
            )
        self.position, self.unseen = position, unseen.astype(np.int64)


def _text(characters: np.ndarray) -> str:
    return bytes(characters.astype(np.uint8).ravel()).decode(errors="replace")
