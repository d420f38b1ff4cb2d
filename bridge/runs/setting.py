"""What all jobs of one run share."""

from dataclasses import dataclass

import numpy as np

from bridge.data import Contexts
from bridge.networks import GENERATORS, Generator, load_network, make_generator
from bridge.replay import Budget, Protocol
from bridge.runs.paths import RunPaths

# Streams of random numbers; a generator is seeded with [seed, stream, context].
GENERATOR, SOLVER, REPLAY, JUDGED, FIRST_WEIGHTS = range(1, 6)


@dataclass(frozen=True)
class Setting:
    """Where a run is, on what, by which protocol, and for how long."""

    paths: RunPaths
    contexts: Contexts
    protocol: Protocol
    budget: Budget

    def rng(self, seed: int, stream: int, *place: int) -> np.random.Generator:
        """The random numbers of one stream at a context (and a segment of it)."""
        return np.random.default_rng([seed, stream, *place])

    def generator(self, seed: int, k: int) -> Generator:
        """The finished generator of context k."""
        return load_network(self.paths.generator(seed, k), GENERATORS)

    def new_generator(self, seed: int, k: int) -> Generator:
        """The untrained generator of context k."""
        first = int(self.rng(seed, FIRST_WEIGHTS, k).integers(2**31))
        plan = self.protocol.generator
        return make_generator(plan.kind, first, **plan.options)
