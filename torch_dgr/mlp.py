"""A perceptron as a classifier of images: the unconstrained control.

    h_1 = max(W_1 u + b_1, 0)        h_2 = max(W_2 h_1 + b_2, 0)        p = softmax(W_3 h_2 + b_3)

Two layers of 400 units are the network of the published comparisons of generative replay (van de
Ven, Siegelmann and Tolias 2020).

| symbol | name   | shape                                  | range  |
|--------|--------|----------------------------------------|--------|
| u      | images | (trial, 28, 28), flattened to 784      | [0, 1] |
| h      |        | (trial, 400)                           |        |
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from torch_dgr.checks import checked_count, checked_image_shape, checked_sizes
from torch_dgr.classifier import Classifier
from torch_dgr.state import seeded

__all__ = [
    "MLPClassifier",
]


class MLPClassifier(Classifier):
    """The perceptron solver.

    Parameters
    ----------
    seed
        Of the initial weights (torch's defaults).
    image_shape, hidden, n_classes
        Sizes.
    learning_rate, betas, schedule, max_gradient_norm, device, track_path
        As of torch_dgr.classifier.Classifier.

    Raises
    ------
    SettingError
        A size, number, name or device that is none.
    """

    def __init__(
        self,
        *,
        seed: int,
        image_shape: tuple[int, int] = (28, 28),
        hidden: Sequence[int] = (400, 400),
        n_classes: int = 10,
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        schedule: str = "constant",
        max_gradient_norm: float | None = None,
        device: str | torch.device = "cpu",
        track_path: bool = False,
    ):
        shape = checked_image_shape(image_shape)
        n_classes = checked_count(n_classes, "n_classes")
        sizes = [math.prod(shape), *checked_sizes(hidden, "hidden")]
        layers: list[nn.Module] = [nn.Flatten()]
        with seeded(seed):
            for n_in, n_out in pairwise(sizes):
                layers += [nn.Linear(n_in, n_out), nn.ReLU()]
            layers.append(nn.Linear(sizes[-1], n_classes))
        super().__init__(
            nn.Sequential(*layers),
            name="perceptron",
            part="mlp",
            shape=shape,
            n_classes=n_classes,
            learning_rate=learning_rate,
            betas=betas,
            schedule=schedule,
            max_gradient_norm=max_gradient_norm,
            device=device,
            track_path=track_path,
        )
