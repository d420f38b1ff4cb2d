"""The thesis' LSTM as a classifier of image sequences: one image row a step, read out at the end.

    v_t      = V u_t + b_V
    i, f, o  = s(W_i [v_t, h_{t-1}]), s(W_f [...]), s(W_o [...])        gates, biases left out
    c_t      = f c_{t-1} + i tanh(W_c [v_t, h_{t-1}])                    c_0 = h_0 = 0
    h_t      = o tanh(c_t)
    p        = softmax( A max(h_T, 0) + b_A )
    loss     = sum_n w_n ( -sum_k q_nk log p_nk ) / sum_n w_n            over a batch

Hochreiter and Schmidhuber 1997 (with forget gates, Gers et al. 2000); sizes, Adam at 0.01 and the
rectified last state from the thesis (Prasad 2020).

| symbol | name    | shape                                  | range           |
|--------|---------|----------------------------------------|-----------------|
| u      | images  | (trial, 28, 28): row t is the input u_t | [0, 1]          |
| v      |         | (time, trial, 64)                      |                 |
| h, c   |         | (time, trial, 64)                      |                 |
| q      | targets | (trial, class)                         | probabilities   |
| w      | weights | (trial,)                               | at least 0      |
"""

from collections.abc import Callable, Mapping
from typing import cast

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
from torch_dgr.state import adam, load_numpy_state, numpy_state, seeded, take

OnIteration = Callable[[int, dict[str, float]], None]


class LSTMNetwork(nn.Module):
    """Linear, LSTM, rectified last state, linear."""

    def __init__(self, n_inputs: int, n_hidden: int, n_classes: int):
        super().__init__()
        self.encoder = nn.Linear(n_inputs, n_hidden)
        self.lstm = nn.LSTM(n_hidden, n_hidden)
        self.decoder = nn.Linear(n_hidden, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map (trial, time, input) to logits (trial, class)."""
        h, _ = self.lstm(self.encoder(images.transpose(0, 1)))
        return self.decoder(torch.relu(h[-1]))


class LSTMClassifier:
    """The LSTM solver: the network, its Adam moments, and where its learning rate stands.

    Parameters
    ----------
    n_inputs, n_hidden, n_classes
        Sizes.
    seed
        Of the initial weights (torch's defaults).
    learning_rate, betas
        Of Adam.
    schedule
        What the learning rate is multiplied by over a context: a name of schedules.SCHEDULES.
    max_gradient_norm
        The global norm to which a larger gradient is scaled; None, as in the thesis, never scales.
        At a learning rate of 0.01 an unclipped LSTM now and then fails to learn its first context.
    forget_bias
        Added to the initial biases of the forget gates (Jozefowicz et al. 2015 recommend 1).
    device
        Where it computes, e.g. 'cpu' or 'cuda'.

    Raises
    ------
    SettingError
        A size, number, name or device that is none.
    """

    def __init__(
        self,
        n_inputs: int = 28,
        n_hidden: int = 64,
        n_classes: int = 10,
        *,
        seed: int,
        learning_rate: float = 0.01,
        betas: tuple[float, float] = (0.9, 0.999),
        schedule: str = "constant",
        max_gradient_norm: float | None = None,
        forget_bias: float = 0.0,
        device: str | torch.device = "cpu",
    ):
        if max_gradient_norm is not None:
            checked_number(max_gradient_norm, "max_gradient_norm", above=0)
        self._schedule = named(SCHEDULES, schedule, "schedule")
        self.learning_rate, self.betas = learning_rate, betas
        self.device = checked_device(device)
        self.n_inputs = checked_count(n_inputs, "n_inputs")
        self.n_classes = checked_count(n_classes, "n_classes")
        self.max_gradient_norm = max_gradient_norm
        n_hidden = checked_count(n_hidden, "n_hidden")
        with seeded(seed):
            network = LSTMNetwork(self.n_inputs, n_hidden, self.n_classes)
        biases = cast(nn.Parameter, network.lstm.bias_hh_l0)
        with torch.no_grad():  # the order of the gates is input, forget, cell, output
            biases[n_hidden : 2 * n_hidden] += checked_number(forget_bias, "forget_bias")
        self.network = network.to(self.device)
        self._adam = adam(self.network, learning_rate, betas)
        self._position: Position | None = None

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
    ) -> None:
        """Go on training from the present weights for a number of iterations (batches).

        Parameters
        ----------
        images
            (trial, time, 28) in [0, 1].
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

        Raises
        ------
        ExamplesError
            Images, targets or weights of a wrong shape or range.
        SettingError
            A wrong iterations, batch_size or rng.
        TrainingDivergedError
            A loss or a gradient that is not finite.
        """
        u = checked_images(images, (None, self.n_inputs))
        q = checked_targets(targets, len(u), self.n_classes)
        w = checked_weights(weights, len(u))
        iterations = checked_count(iterations, "iterations", least=0)
        batch_size = checked_count(batch_size, "batch_size")
        u, q, w = (part[w > 0].to(self.device) for part in (u, q, w))
        position = self._position
        if position is not None:
            position.check(iterations)
        batches = minibatches(len(u), batch_size, iterations, rng)
        for iteration, batch in enumerate(batches, start=1):
            if position is not None:
                factor = self._schedule(position.done, position.iterations)
                self._adam.param_groups[0]["lr"] = self.learning_rate * factor
                position.done += 1
            loss = self._update(u[batch], q[batch], w[batch], penalty)
            if not np.isfinite(loss):
                raise TrainingDivergedError(
                    f"the LSTM's loss or its gradient is not finite at iteration {iteration}: load "
                    "an earlier state and lower learning_rate or set max_gradient_norm"
                )
            if on_iteration is not None:
                on_iteration(iteration, {"loss": loss})

    def predict(self, images: np.ndarray, batch_size: int = 1024) -> np.ndarray:
        """Return class probabilities (trial, class), float32, for images (trial, time, 28)."""
        u = checked_images(images, (None, self.n_inputs))
        batch_size = checked_count(batch_size, "batch_size")
        with torch.inference_mode():
            logits = [self.network(part.to(self.device)) for part in u.split(batch_size)]
            return torch.softmax(torch.cat(logits), dim=1).cpu().numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of weights, Adam moments, step counts and position, by name."""
        position = {} if self._position is None else self._position.arrays()
        weights = numpy_state({"lstm": (self.network, self._adam)})
        return weights | {f"context.{name}": number for name, number in position.items()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` returned, on whatever device it was saved.

        Raises StateError, and changes nothing, where it does not fit.
        """
        weights, position = dict(state), None
        if any(name.startswith("context.") for name in weights):
            position = Position.from_arrays(take(weights, "context", ("iterations", "done")))
        load_numpy_state({"lstm": (self.network, self._adam)}, weights)
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
