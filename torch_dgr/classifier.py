"""What classifiers of images in torch share: training by Adam over contexts, prediction, state.

    loss = sum_n w_n ( -sum_k q_nk log p_nk ) / sum_n w_n      over a batch,  p = softmax(network)

| symbol | name    | shape                | range         |
|--------|---------|----------------------|---------------|
| q      | targets | (trial, class)       | probabilities |
| w      | weights | (trial,)             | at least 0    |
"""

from collections.abc import Callable, Mapping, Sequence

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
from torch_dgr.errors import SettingError, TrainingDivergedError
from torch_dgr.ewc import EWCState, elastic_weight_consolidation, fisher_information, trained
from torch_dgr.path_integral import PathIntegral
from torch_dgr.schedules import SCHEDULES, Position
from torch_dgr.state import (
    adam,
    denormals_flushed,
    load_numpy_state,
    numpy_state,
    prefixed,
    take,
)

__all__ = ["Classifier", "OnIteration", "Penalty"]

OnIteration = Callable[[int, dict[str, float]], None]
Penalty = Callable[[nn.Module], Tensor]


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
    track_path
        Whether `path_integral` is kept, as a part of the state.

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
        track_path: bool = False,
    ):
        if max_gradient_norm is not None:
            checked_number(max_gradient_norm, "max_gradient_norm", above=0)
        self._schedule = named(SCHEDULES, schedule, "schedule")
        self.learning_rate, self.betas = learning_rate, betas
        self.device = checked_device(device)
        self.name, self.part, self.shape, self.n_classes = name, part, shape, n_classes
        self.max_gradient_norm = max_gradient_norm
        self.network = network.to(self.device)
        self._path = PathIntegral(self.network) if track_path else None
        self._held: tuple[Penalty, ...] = ()
        self._adam = self._new_adam()
        self._position: Position | None = None

    def _new_adam(self) -> torch.optim.Adam:
        made = adam(self.network, self.learning_rate, self.betas)
        if self._path is not None:
            self._path.watch(made)
        return made

    def __repr__(self) -> str:
        count = sum(parameter.numel() for parameter in self.network.parameters())
        kind = type(self).__name__
        return f"{kind}({count:,} parameters, {self.n_classes} classes, on {self.device})"

    def begin_context(self, *, iterations: int) -> None:
        """Begin a context of so many iterations: Adam's moments and the schedule start anew.

        Without it Adam's moments go on from call to call, and the learning rate is constant.
        """
        self._position = Position(checked_count(iterations, "iterations"))
        self._adam = self._new_adam()

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
        penalty: Penalty | None = None,
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
            A term of the loss, given the network (ewc.py), beside those of `hold`.
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
        penalties = self._held if penalty is None else (*self._held, penalty)
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
            loss = self._update(images_now, targets_now, weights_now, penalties)
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
        path = {} if self._path is None else prefixed("path", self._path.arrays())
        return weights | path | {f"context.{name}": number for name, number in position.items()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned, on whatever device it was saved.

        Raises StateError, and changes nothing, where it does not fit.
        """
        weights, position = dict(state), None
        if any(name.startswith("context.") for name in weights):
            position = Position.from_arrays(take(weights, "context", ("iterations", "done")))
        path = {}
        if self._path is not None:
            path = take(weights, "path", self._path.arrays())
        load_numpy_state({self.part: (self.network, self._adam)}, weights)
        if self._path is not None:
            self._path.load(path)
        self._position = position

    # --- holding on to what earlier contexts depend on ------------------------------------------

    def trained_parameters(self) -> dict[str, np.ndarray]:
        """Return copies of the parameters that are trained, by name."""
        return {
            name: theta.detach().cpu().numpy().copy()
            for name, theta in trained(self.network).items()
        }

    def fisher_information(self, images: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
        """Return the diagonal Fisher information at the present parameters, by name (ewc.py).

        Parameters
        ----------
        images
            (trial, row, column) in [0, 1].
        targets
            Class probabilities (trial, class).
        """
        u = checked_images(images, self.shape).to(self.device)
        q = checked_targets(targets, len(u), self.n_classes).to(self.device)
        losses = (cross_entropy(self.network(u[n : n + 1]), q[n : n + 1]) for n in range(len(u)))
        return fisher_information(self.network, losses)

    def path_integral(self) -> dict[str, np.ndarray]:
        """Return P of path_integral.py since the first update, by name.

        Raises SettingError where the solver was not made with `track_path`.
        """
        if self._path is None:
            raise SettingError(f"this {self.name} keeps no path integral: make it with track_path")
        return self._path.arrays()

    def hold(self, states: Sequence[EWCState], strength: float) -> None:
        """Let quadratic penalties join every later loss, in place of those that were held.

        Parameters
        ----------
        states
            theta_star and the importance of each parameter, one pair a penalty.
        strength
            lambda of ewc.py, at least 0.
        """
        states = [EWCState(*state) for state in states]
        self._held = (elastic_weight_consolidation(states, strength),) if states else ()

    @denormals_flushed()
    def _update(self, u: Tensor, q: Tensor, w: Tensor, penalties: Sequence[Penalty]) -> float:
        """Descend once; return the loss before the update; NaN, and no update, if not finite."""
        losses = cross_entropy(self.network(u), q, reduction="none")
        loss = (w * losses).sum() / w.sum()
        for penalty in penalties:
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
