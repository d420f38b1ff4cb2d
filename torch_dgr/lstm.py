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

from typing import cast

import torch
from torch import Tensor, nn

from torch_dgr.checks import checked_count, checked_number
from torch_dgr.classifier import Classifier
from torch_dgr.state import seeded

__all__ = [
    "LSTMClassifier",
    "LSTMNetwork",
]


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


class LSTMClassifier(Classifier):
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
    track_path
        Whether `path_integral` is kept, as a part of the state (synaptic intelligence).

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
        track_path: bool = False,
    ):
        self.n_inputs = checked_count(n_inputs, "n_inputs")
        n_classes = checked_count(n_classes, "n_classes")
        n_hidden = checked_count(n_hidden, "n_hidden")
        with seeded(seed):
            network = LSTMNetwork(self.n_inputs, n_hidden, n_classes)
        biases = cast(nn.Parameter, network.lstm.bias_hh_l0)
        with torch.no_grad():  # the order of the gates is input, forget, cell, output
            biases[n_hidden : 2 * n_hidden] += checked_number(forget_bias, "forget_bias")
        super().__init__(
            network,
            name="LSTM",
            part="lstm",
            shape=(None, self.n_inputs),
            n_classes=n_classes,
            learning_rate=learning_rate,
            betas=betas,
            schedule=schedule,
            max_gradient_norm=max_gradient_norm,
            device=device,
            track_path=track_path,
        )
