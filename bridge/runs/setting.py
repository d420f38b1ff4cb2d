"""What all jobs of one run share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.data import Contexts
from bridge.networks import (
    GENERATORS,
    SOLVERS,
    Generator,
    load_network,
    make_generator,
    sizes,
)
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
        return make_generator(self.protocol.generator.kind, first, **self.generator_options)

    @property
    def generator_options(self) -> dict[str, Any]:
        """The plan's, and the sizes of images that are not the generator's own."""
        plan = self.protocol.generator
        return self._sizes(GENERATORS, plan.kind) | dict(plan.options)

    def solver_options(self, solver: str) -> dict[str, Any]:
        """The plan's of a solver, and the sizes of images that are not the solver's own."""
        return self._sizes(SOLVERS, solver) | dict(self.protocol.solvers[solver].options)

    def _sizes(self, table: Mapping[str, tuple[str, str]], name: str) -> dict[str, Any]:
        data = self.contexts.data
        return sizes(table, name, data.image_shape, data.n_classes)
