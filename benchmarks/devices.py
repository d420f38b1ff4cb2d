"""The torch networks on a CPU core and on a GPU, in turns: python -m benchmarks.devices

Each learns random images of MNIST's size with the settings of the protocol `improved`, from the
same seed on both devices. Printed are ms of wall time an iteration of a short context, with what is
fitted at its end, and how far apart the two are after the first iterations: single precision rounds
differently on a GPU, and training magnifies it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks import command
from benchmarks.results import Goal
from benchmarks.timing import in_turns
from torch_dgr import GAN, ConditionalGAN, ConditionalVAE, LSTMClassifier

DEVICES = ("cpu", "cuda")
BATCH = {"lstm": 128}
ITERATIONS, EARLY = 200, 5  # of a context, in turns; before the two are compared
ROUNDS, QUICK_ROUNDS = 5, 1
NETWORKS: dict[str, Callable[..., Any]] = {
    "conditional_vae": ConditionalVAE,
    "conditional_gan": ConditionalGAN,
    "gan": GAN,
    "lstm": partial(
        LSTMClassifier, learning_rate=6e-3, schedule="one_cycle", max_gradient_norm=1.0
    ),
}


def data(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Random images and targets of two classes."""
    rng = np.random.default_rng(0)
    images = rng.random((n, 28, 28), dtype=np.float32)
    return images, np.eye(10, dtype=np.float32)[np.arange(n) % 2]


def learn(network: Any, iterations: int, batch: int) -> None:
    """Train for a whole context of so many iterations."""
    rng = np.random.default_rng(1)
    network.fit(*data(iterations * batch), iterations=iterations, rng=rng, batch_size=batch)


def apart(name: str) -> float:
    """The largest difference of what the two make, images or probabilities, both in [0, 1]."""
    made = []
    for device in DEVICES:
        network = NETWORKS[name](seed=1, device=device)
        learn(network, EARLY, BATCH.get(name, 64))
        if hasattr(network, "sample"):
            made.append(network.sample(64, np.random.default_rng(2)))
        else:
            made.append(network.predict(data(64)[0]))
    made = [one[0] if isinstance(one, tuple) else one for one in made]
    return float(np.abs(made[0] - made[1]).max())


def loop(name: str, device: str) -> Callable[[int], None]:
    """A call that trains a new network for ITERATIONS."""

    def train(seed: int) -> None:
        learn(NETWORKS[name](seed=seed, device=device), ITERATIONS, BATCH.get(name, 64))
        torch.cuda.synchronize()

    return train


def measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Goal]]:
    if not torch.cuda.is_available():
        raise SystemExit("torch finds no GPU here: this benchmark compares one with a CPU core")
    torch.set_num_threads(1)
    numbers: dict[str, Any] = {"gpu": torch.cuda.get_device_name(), "networks": {}}
    for name in NETWORKS:
        rounds = QUICK_ROUNDS if arguments.quick else ROUNDS
        times = in_turns({device: loop(name, device) for device in DEVICES}, rounds, 0.0)
        ms = {device: timed.wall.median / ITERATIONS for device, timed in times.items()}
        numbers["networks"][name] = {**ms, "apart": apart(name)}
    return numbers, []


def lines(numbers: dict[str, Any]) -> str:
    rows = [
        f"{name:16} {of['cpu']:6.2f} ms an iteration on a core, {of['cuda']:6.2f} on the GPU; "
        f"apart by {of['apart']:.1e} after {EARLY}"
        for name, of in numbers["networks"].items()
    ]
    return "\n".join([numbers["gpu"], *rows])


if __name__ == "__main__":
    command.run("devices", measure, lines, __doc__)
