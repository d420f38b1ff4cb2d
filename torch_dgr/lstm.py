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

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from torch_dgr.checks import (
    LARGEST_SEED,
    checked_count,
    checked_images,
    checked_targets,
    checked_weights,
    minibatches,
)
from torch_dgr.errors import SettingError, TrainingDivergedError
from torch_dgr.state import adam, load_numpy_state, numpy_state

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
    """The LSTM solver: the network, its Adam moments, and nothing else.

    seed: of the initial weights (torch's defaults). max_gradient_norm: the global norm to which
    a larger gradient is scaled; None, as in the thesis, never scales. At a learning rate of 0.01
    an unclipped LSTM now and then fails to learn its first context.
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
        max_gradient_norm: float | None = None,
    ):
        if max_gradient_norm is not None and not (
            isinstance(max_gradient_norm, (int, float)) and max_gradient_norm > 0
        ):
            raise SettingError(
                f"max_gradient_norm is {max_gradient_norm!r}; give a number above 0, or None"
            )
        self.n_inputs = checked_count(n_inputs, "n_inputs")
        self.n_classes = checked_count(n_classes, "n_classes")
        self.max_gradient_norm = max_gradient_norm
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(checked_count(seed, "seed", 0, LARGEST_SEED))
            self.network = LSTMNetwork(
                self.n_inputs, checked_count(n_hidden, "n_hidden"), self.n_classes
            )
        self._adam = adam(self.network, learning_rate, betas)

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

        images (trial, time, 28) in [0, 1]; targets (trial, class) probabilities; weights (trial,),
        where trials of weight 0 take no part. Trials are shuffled once per pass, so calls of whole
        passes each equal one long call with the same rng. on_iteration(i, {'loss'}) is called
        after each update, i from 1. `penalty(network)` joins the loss (ewc.py). Raises
        ExamplesError, SettingError, TrainingDivergedError.
        """
        u = checked_images(images, (None, self.n_inputs))
        q = checked_targets(targets, len(u), self.n_classes)
        w = checked_weights(weights, len(u))
        iterations = checked_count(iterations, "iterations", least=0)
        batch_size = checked_count(batch_size, "batch_size")
        u, q, w = u[w > 0], q[w > 0], w[w > 0]
        batches = minibatches(len(u), batch_size, iterations, rng)
        for iteration, batch in enumerate(batches, start=1):
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
            logits = torch.cat([self.network(part) for part in u.split(batch_size)])
            return torch.softmax(logits, dim=1).numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all weights, Adam moments and step counts, by name."""
        return numpy_state({"lstm": (self.network, self._adam)})

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state` returned; StateError (and no change) where it does not fit."""
        load_numpy_state({"lstm": (self.network, self._adam)}, state)

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
