"""How long a protocol trains on each data set: protocols give the lengths for full MNIST."""

from dataclasses import dataclass

from bridge.errors import SettingError

LARGEST_SCALE = 1000  # times the published length, which takes hours
EPOCH = 860  # iterations: one pass over MNIST's 55,000 training images, 64 at a time


@dataclass(frozen=True)
class Budget:
    """How a protocol's iterations shrink for smaller data: times `scale`, at least `floor`.

    The generator has a floor of its own: the thesis' GAN shows a single mode for its first two
    thousand iterations and a short run of it says nothing.
    """

    solver_scale: float = 1.0
    generator_scale: float = 1.0
    generator_floor: int = 0

    def times(self, factor: float) -> "Budget":
        """The budget, `factor` times as long; SettingError unless the factor is positive."""
        if not 0 < factor <= LARGEST_SCALE:
            raise SettingError(
                f"scale is {factor}; it must be above 0, and at most {LARGEST_SCALE:,}"
            )
        return Budget(
            self.solver_scale * factor,
            self.generator_scale * factor,
            round(self.generator_floor * factor),
        )

    def solver(self, iterations: int) -> int:
        """Iterations of a solver where the protocol says `iterations`."""
        return max(1, round(iterations * self.solver_scale))

    def generator(self, iterations: int) -> int:
        """Iterations of a generator where the protocol says `iterations`."""
        return max(1, self.generator_floor, round(iterations * self.generator_scale))


THESIS_BUDGETS = {
    "mnist5k": Budget(solver_scale=0.25, generator_scale=0.15, generator_floor=5000),
}
