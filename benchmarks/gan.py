"""What an iteration of the GAN costs, beside the loop one writes first.

    python benchmarks/gan.py [--threads 1] [--rounds 15] [--iterations 40]

The three loops train the same networks on the same data and take turns, so that a busy machine
slows all of them; medians over rounds are printed. 'loader' is the notebook's way: a DataLoader
that rescales image by image, torch's dropout, Adam parameter by parameter. 'eager' is the same
with batches sliced from memory. 'torch_dgr' is torch_dgr/gan.py.
"""

import argparse
import itertools
import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from torch_dgr.gan import GAN

N_IMAGES = 6_400
BATCH = 64


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--iterations", type=int, default=40, help="of each loop in each round")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    images = np.random.default_rng(0).random((N_IMAGES, 28, 28), dtype=np.float32)
    pixels = torch.from_numpy(images).flatten(1) * 2 - 1
    rng = np.random.default_rng(1)
    gan, with_loader, sliced = GAN(seed=1), FirstDraft(), FirstDraft()
    loader = DataLoader(Images(images), batch_size=BATCH, shuffle=True)

    def loader_loop(n):
        for real in itertools.islice(itertools.cycle(loader), n):
            with_loader.iterate(real)

    def eager_loop(n):
        for _ in range(n):
            sliced.iterate(pixels[torch.randint(N_IMAGES, (BATCH,))])

    def dgr_loop(n):
        gan.fit(images[: n * BATCH], iterations=n, rng=rng, batch_size=BATCH)

    loops = {"loader": loader_loop, "eager": eager_loop, "torch_dgr": dgr_loop}
    times = {name: [] for name in loops}
    for round_ in range(arguments.rounds + 1):
        for name, loop in loops.items():
            start = time.perf_counter()
            loop(arguments.iterations)
            if round_ > 0:  # the first round warms up
                times[name].append((time.perf_counter() - start) / arguments.iterations)
    slowest = statistics.median(times["loader"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(
            f"{name:10} {1e3 * median:6.2f} ms an iteration "
            f"({1e3 * min(seconds):.2f} to {1e3 * max(seconds):.2f}), "
            f"{slowest / median:.1f} times the loader loop's speed"
        )


if __name__ == "__main__":
    main()
