"""What an iteration of the GAN costs, beside the loop one writes first: python -m benchmarks.gan

The loops train the same networks on the same data in turns. 'loader' is the notebook's way: a
DataLoader that rescales image by image, torch's dropout, Adam parameter by parameter. 'eager' is
the same with batches sliced from memory. 'torch_dgr' is torch_dgr/generators/gan.py.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from benchmarks import command
from benchmarks.results import Goal
from benchmarks.timing import in_turns
from torch_dgr.generators.gan import GAN

N_IMAGES = 6_400
BATCH = 64
ROUNDS, QUICK_ROUNDS = 12, 2
ITERATIONS = 50  # of one loop before the next one's turn


class Images(Dataset):
    """Images rescaled one at a time, as data sets with transforms do it."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return torch.from_numpy(self.images[index]).flatten() * 2 - 1


def perceptron(sizes):
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(0.2), nn.Dropout(0.3)]
    return nn.Sequential(*layers[:-2])


class FirstDraft:
    """The game as one writes it first: two passes of the discriminator, no gradient withheld."""

    def __init__(self):
        self.generator = nn.Sequential(perceptron([100, 32, 64, 128, 784]), nn.Tanh())
        self.discriminator = perceptron([784, 128, 64, 32, 1])
        self.adam_g = torch.optim.Adam(self.generator.parameters(), lr=0.002)
        self.adam_d = torch.optim.Adam(self.discriminator.parameters(), lr=0.002)
        self.entropy = nn.BCEWithLogitsLoss()

    def iterate(self, real):
        n = len(real)
        self.adam_d.zero_grad()
        generated = self.generator(torch.rand(n, 100) * 2 - 1)
        loss = self.entropy(self.discriminator(real), torch.full((n, 1), 0.9))
        loss = loss + self.entropy(self.discriminator(generated), torch.zeros(n, 1))
        loss.backward()
        self.adam_d.step()
        self.adam_g.zero_grad()
        generated = self.generator(torch.rand(n, 100) * 2 - 1)
        self.entropy(self.discriminator(generated), torch.ones(n, 1)).backward()
        self.adam_g.step()


def loops() -> dict[str, Callable[[int], None]]:
    """Each runs ITERATIONS iterations."""
    images = np.random.default_rng(0).random((N_IMAGES, 28, 28), dtype=np.float32)
    pixels = torch.from_numpy(images).flatten(1) * 2 - 1
    rng = np.random.default_rng(1)
    gan, with_loader, sliced = GAN(seed=1), FirstDraft(), FirstDraft()
    loader = DataLoader(Images(images), batch_size=BATCH, shuffle=True)
    batches = itertools.chain.from_iterable(itertools.repeat(loader))

    def loader_loop(_: int) -> None:
        for real in itertools.islice(batches, ITERATIONS):
            with_loader.iterate(real)

    def eager_loop(_: int) -> None:
        for _ in range(ITERATIONS):
            sliced.iterate(pixels[torch.randint(N_IMAGES, (BATCH,))])

    def dgr_loop(_: int) -> None:
        gan.fit(images[: ITERATIONS * BATCH], iterations=ITERATIONS, rng=rng, batch_size=BATCH)

    return {"loader": loader_loop, "eager": eager_loop, "torch_dgr": dgr_loop}


def measure(arguments: argparse.Namespace) -> tuple[dict[str, Any], list[Goal]]:
    torch.set_num_threads(1)
    times = in_turns(loops(), QUICK_ROUNDS if arguments.quick else ROUNDS)
    ms = {
        name: {
            "cpu": [quantile / ITERATIONS for quantile in timed.cpu[:3]],
            "wall": [quantile / ITERATIONS for quantile in timed.wall[:3]],
        }
        for name, timed in times.items()
    }
    faster = ms["eager"]["cpu"][0] / ms["torch_dgr"]["cpu"][0]
    goal = Goal("GAN iteration against the plain eager loop, batch 64", "at least", 2, faster)
    return {"ms_an_iteration_median_q1_q3": ms}, [goal]


def lines(numbers: dict[str, Any]) -> str:
    return "\n".join(
        f"{name:10} {cpu[0]:6.2f} CPU ms an iteration ({cpu[1]:.2f} to {cpu[2]:.2f})"
        for name, cpu in (
            (name, ms["cpu"]) for name, ms in numbers["ms_an_iteration_median_q1_q3"].items()
        )
    )


if __name__ == "__main__":
    command.run("gan", measure, lines, __doc__)
