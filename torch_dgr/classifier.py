"""What classifiers of images in torch share: training by Adam over contexts, prediction, state.

    loss = sum_n w_n ( -sum_k q_nk log p_nk ) / sum_n w_n      over a batch,  p = softmax(network)

| symbol | name    | shape                | range         |
|--------|---------|----------------------|---------------|
| q      | targets | (trial, class)       | probabilities |
| w      | weights | (trial,)             | at least 0    |
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from torch_dgr.checks import (
    checked_count,
    checked_device,
    checked_images,
    checked_number,
    checked_targets,
    checked_weights,
    minibatches,
    named,
)
from torch_dgr.errors import TrainingDivergedError
from torch_dgr.schedules import SCHEDULES, Position
from torch_dgr.state import adam, load_numpy_state, numpy_state, take

__all__ = ["Classifier", "OnIteration"]

OnIteration = Callable[[int, dict[str, float]], None]


class Classifier:
    """A network of class logits, its Adam moments, and where its learning rate stands.

    Subclasses give a network that maps images (trial, row, column) to logits (trial, class).

    Parameters
    ----------
    network
        The network, with its initial weights.
    name, part
        What messages call it, and the part of its state's names.
    shape
        (row, column) of the images; None matches anything.
    n_classes
        Classes.
    learning_rate, betas
        Of Adam.
    schedule
        What the learning rate is multiplied by over a context: a name of schedules.SCHEDULES.
    max_gradient_norm
        The global norm to which a larger gradient is scaled; None never scales.
    device
        Where it computes, e.g. 'cpu' or 'cuda'.

    Raises
    ------
    SettingError
        A size, number, name or device that is none.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        name: str,
        part: str,
        shape: tuple[int | None, int | None],
        n_classes: int,
        learning_rate: float,
        betas: tuple[float, float],
        schedule: str,
        max_gradient_norm: float | None,
        device: str | torch.device,
    ):
        if max_gradient_norm is not None:
            checked_number(max_gradient_norm, "max_gradient_norm", above=0)
        self._schedule = named(SCHEDULES, schedule, "schedule")
        self.learning_rate, self.betas = learning_rate, betas
        self.device = checked_device(device)
        self.name, self.part, self.shape, self.n_classes = name, part, shape, n_classes
        self.max_gradient_norm = max_gradient_norm
        self.network = network.to(self.device)
        self._adam = adam(self.network, learning_rate, betas)
        self._position: Position | None = None

    def __repr__(self) -> str:
        count = sum(parameter.numel() for parameter in self.network.parameters())
        kind = type(self).__name__
        return f"{kind}({count:,} parameters, {self.n_classes} classes, on {self.device})"

    def begin_context(self, *, iterations: int) -> None:
        """Begin a context of so many iterations: Adam's moments and the schedule start anew.

        Without it Adam's moments go on from call to call, and the learning rate is constant.
        """
        self._position = Position(checked_count(iterations, "iterations"))
        self._adam = adam(self.network, self.learning_rate, self.betas)

    def fit(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        iterations: int,
        rng: np.random.Generator,
        on_iteration: OnIteration | None = None,
        batch_size: int = 64,
        penalty: Callable[[nn.Module], Tensor] | None = None,
        check_input: bool = True,
    ) -> None:
        """Go on training from the present weights for a number of iterations (batches).

        Parameters
        ----------
        images
            (trial, row, column) in [0, 1].
        targets
            Class probabilities (trial, class).
        weights
            (trial,); None for ones. Trials of weight 0 take no part.
        iterations
            At most as many as a context that was begun has left.
        rng
            The source of all random numbers. Trials are shuffled once per pass, so calls of whole
            passes each equal one long call with the same rng.
        on_iteration
            Called after each update with its number, from 1, and {'loss'}.
        penalty
            A term of the loss, given the network (ewc.py).
        check_input
            False leaves out the checks, for arrays that were checked before.

        Raises
        ------
        ExamplesError
            Images, targets or weights of a wrong shape or range.
        SettingError
            A wrong iterations, batch_size or rng.
        TrainingDivergedError
            A loss or a gradient that is not finite.
        """
        if check_input:
            u = checked_images(images, self.shape)
            q = checked_targets(targets, len(u), self.n_classes)
            w = checked_weights(weights, len(u))
        else:
            weights = np.ones(len(images)) if weights is None else weights
            u, q, w = (
                torch.from_numpy(np.asarray(part, np.float32))
                for part in (images, targets, weights)
            )
        iterations = checked_count(iterations, "iterations", least=0)
        batch_size = checked_count(batch_size, "batch_size")
        used = torch.nonzero(w > 0)[:, 0]
        position = self._position
        if position is not None:
            position.check(iterations)
        batches = minibatches(len(used), batch_size, iterations, rng)
        for iteration, batch in enumerate(batches, start=1):
            if position is not None:
                factor = self._schedule(position.done, position.iterations)
                self._adam.param_groups[0]["lr"] = self.learning_rate * factor
                position.done += 1
            trials = used[batch]
            images_now, targets_now, weights_now = (
                part[trials].to(self.device) for part in (u, q, w)
            )
            loss = self._update(images_now, targets_now, weights_now, penalty)
            if not np.isfinite(loss):
                raise TrainingDivergedError(
                    f"the {self.name}'s loss or gradient is not finite at iteration {iteration}: "
                    "load an earlier state and lower learning_rate or set max_gradient_norm"
                )
            if on_iteration is not None:
                on_iteration(iteration, {"loss": loss})

    def predict(self, images: np.ndarray, batch_size: int = 1024) -> np.ndarray:
        """Return class probabilities (trial, class), float32, for images (trial, row, column)."""
        u = checked_images(images, self.shape)
        batch_size = checked_count(batch_size, "batch_size")
        with torch.inference_mode():
            logits = [self.network(part.to(self.device)) for part in u.split(batch_size)]
            return torch.softmax(torch.cat(logits), dim=1).cpu().numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of weights, Adam moments, step counts and position, by name."""
        position = {} if self._position is None else self._position.arrays()
        weights = numpy_state({self.part: (self.network, self._adam)})
        return weights | {f"context.{name}": number for name, number in position.items()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned, on whatever device it was saved.

        Raises StateError, and changes nothing, where it does not fit.
        """
        weights, position = dict(state), None
        if any(name.startswith("context.") for name in weights):
            position = Position.from_arrays(take(weights, "context", ("iterations", "done")))
        load_numpy_state({self.part: (self.network, self._adam)}, weights)
        self._position = position

    def _update(
        self, u: Tensor, q: Tensor, w: Tensor, penalty: Callable[[nn.Module], Tensor] | None
    ) -> float:
        """Descend once; return the loss before the update; NaN, and no update, if not finite."""
        losses = cross_entropy(self.network(u), q, reduction="none")
        loss = (w * losses).sum() / w.sum()
        if penalty is not None:
            loss = loss + penalty(self.network)
        if not torch.isfinite(loss):
            return np.nan
        self._adam.zero_grad()
        loss.backward()
        if self.max_gradient_norm is not None:
            norm = clip_grad_norm_(self.network.parameters(), self.max_gradient_norm)
            if not torch.isfinite(norm):
                return np.nan
        self._adam.step()
        return loss.item()
