"""One solver on all classes at once: what it reaches where nothing has to be kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.data import augment, examples, one_hot
from bridge.networks import make_solver
from bridge.replay import accuracy
from bridge.runs.job_state import JobState
from bridge.runs.jobs import Advance, Row
from bridge.runs.paths import RunPaths
from bridge.runs.setting import REPLAY, SOLVER, Setting

MAIN = "thesis"  # the variant with the protocol's own options


@dataclass(frozen=True)
class JointJob:
    """One solver on all classes at once, for `epochs` passes.

    `variant` names the options; `answers` are the audits whose very options these are.
    """

    solver: str
    seed: int
    epochs: int
    variant: str = MAIN
    options: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of its folder under work/."""
        return f"{self.solver}-joint-{self.seed}-{self.variant}".replace(" ", "-").replace(",", "")

    @property
    def waits_for(self) -> None:
        """Nothing."""
        return None

    def folders(self, paths: RunPaths) -> tuple[Path, ...]:
        """Where it alone writes."""
        return (paths.job(self.name),)

    def iterations(self, setting: Setting) -> int:
        """Updates in all."""
        plan = setting.protocol.solvers[self.solver]
        return self.epochs * setting.budget.solver(plan.joint_iterations)

    def run(self, setting: Setting, state: JobState, advance: Advance) -> None:
        """Do what is left to do."""
        plan = setting.protocol.solvers[self.solver]
        solver = make_solver(
            self.solver, self.seed, **{**setting.solver_options(self.solver), **self.options}
        )
        state.count_skipped_updates(solver)
        data = setting.contexts.data
        every = examples(data.train.images, one_hot(data.train.labels, data.n_classes))
        rng, done = setting.rng(self.seed, SOLVER, 0), 0
        if state.state("solver"):
            solver.load_state(state.state("solver"))
            rng, done = state.rng(rng), state.notes["done"]
        elif plan.restart_optimiser:
            solver.begin_context(iterations=self.iterations(setting))
        iterations = setting.budget.solver(plan.joint_iterations)
        augmentation = setting.protocol.augmentation
        for epoch in range(done + 1, self.epochs + 1):
            shown = every
            if augmentation is not None:
                stream = setting.rng(self.seed, REPLAY, 0, epoch)
                shown = every.with_images(augment(every.images, augmentation, stream))
            solver.fit(
                shown.images,
                shown.targets,
                iterations=iterations,
                rng=rng,
                batch_size=plan.joint_batch_size,
                check_input=False,  # an Examples is checked
            )
            state.rows.append(
                {
                    "table": "joint",
                    "solver": self.solver,
                    "variant": self.variant,
                    "seed": self.seed,
                    "epoch": epoch,
                    "test": accuracy(solver, *data.test),
                    "validation": accuracy(solver, *data.validation),
                }
            )
            state.save({"solver": solver.state()}, done=epoch, rng=rng.bit_generator.state)
            advance(iterations)
        state.save({"solver": solver.state()}, finished=True)

    def tabulated(self, rows: list[Row]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Its rows with the name of their table, once for each audit that they answer."""
        for variant in (self.variant, *self.answers):
            for row in rows:
                cells = {key: value for key, value in row.items() if key != "table"}
                yield row["table"], {**cells, "variant": variant}
