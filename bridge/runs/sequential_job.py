"""One solver over all contexts, with one kind of replay."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bridge.data import augment
from bridge.errors import unknown
from bridge.files import archive
from bridge.networks import SOLVERS, Solver, load_network, make_solver, save_network
from bridge.replay import (
    SOURCES,
    Earlier,
    Penalty,
    Plan,
    SolverState,
    Source,
    TrainingData,
    accuracies,
    accuracy_by_scenario,
    confusion,
    diagnostics,
    holding,
    learn_context,
    score_of,
    segments,
    training_data,
)
from bridge.runs.audits import AUDITED_SOLVER, FORCED_RADIUS, KEPT
from bridge.runs.generator_job import GeneratorJob, diagnostic_rows
from bridge.runs.held import load_held, save_held
from bridge.runs.job_state import JobState
from bridge.runs.jobs import Advance, Row
from bridge.runs.paths import RunPaths
from bridge.runs.samples import SAMPLES
from bridge.runs.setting import REPLAY, SOLVER, Setting


@dataclass(frozen=True)
class SequentialJob:
    """One solver over all contexts.

    `force_radius` is an audit: before each context but the first the biological network's
    recurrent weights are rescaled to their initial spectral radius, as in the thesis' code.
    """

    solver: str
    replay: str
    seed: int
    force_radius: bool = False

    @property
    def name(self) -> str:
        """Of its folder under work/."""
        tail = "-forced-radius" if self.force_radius else ""
        return f"{self.solver}-{self.replay}-{self.seed}{tail}"

    @property
    def waits_for(self) -> str | None:
        """The generators that it replays."""
        return GeneratorJob(self.seed).name if self.replay == "generative" else None

    def folders(self, paths: RunPaths) -> tuple[Path, ...]:
        """Where it alone writes."""
        return (paths.job(self.name),)

    def iterations(self, setting: Setting) -> int:
        """Updates in all."""
        plan = setting.protocol.solvers[self.solver]
        return sum(
            setting.budget.solver(plan.iterations_of(k))
            for k in range(1, len(setting.contexts) + 1)
        )

    def run(self, setting: Setting, state: JobState, advance: Advance) -> None:
        """Do what is left to do."""
        for k in range(state.notes.get("context", 1), len(setting.contexts) + 1):
            self._learn(setting, state, k, advance)
        state.save(finished=True)

    def tabulated(self, rows: list[Row]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Its rows with the names of their tables."""
        chosen = selected(rows)
        names = {"solver": self.solver, "replay": self.replay, "seed": self.seed}
        variant = FORCED_RADIUS if self.force_radius else KEPT
        audited = self.solver == AUDITED_SOLVER and self.replay == "generative"
        for row in rows:
            table = row["table"]
            cells = {key: value for key, value in row.items() if key not in ("table", "score")}
            if table != "accuracy":
                if not self.force_radius:
                    yield table, cells
                continue
            is_chosen = (row["context"], row["iteration"]) in chosen
            if not self.force_radius:
                yield table, {**names, **cells, "selected": int(is_chosen)}
            if is_chosen and audited:
                shown = {key: value for key, value in cells.items() if key != "iteration"}
                where = {"solver": self.solver, "variant": variant, "seed": self.seed}
                yield "warmstart", {**where, **shown}

    def _learn(self, setting: Setting, state: JobState, k: int, advance: Advance) -> None:
        protocol, plan = setting.protocol, setting.protocol.solvers[self.solver]
        solver, last = self._solvers(setting, k)
        state.count_skipped_updates(solver)
        lengths = segments(setting.budget.solver(plan.iterations_of(k)), protocol.evaluations)
        progress = SolverState(solver, setting.rng(self.seed, SOLVER, k))
        if state.state("solver"):
            _resume(progress, state)
        elif plan.restart_optimiser:
            solver.begin_context(iterations=sum(lengths))
        if progress.done == 0:
            state.rows.append(self._row(setting, solver, k, 0))
            if k == 1:
                untrained = accuracy_by_scenario(solver, setting.contexts)
                state.rows.extend(self._scenarios(untrained, 0))
        before = sum(lengths[: progress.done])
        for segment in learn_context(
            progress,
            self._data(setting, plan, last, k),
            plan,
            lengths,
            score_of(protocol, setting.contexts, k, self.seed),
        ):
            row = self._row(setting, solver, k, segment.iteration)
            state.rows.append({**row, "score": segment.score})
            state.save(
                {"solver": solver.state(), "best": progress.best_state or {}},
                context=k,
                done=progress.done,
                best_score=progress.best_score,
                rng=progress.rng.bit_generator.state,
            )
            advance(segment.iteration - before)
            before = segment.iteration
        self._finish(setting, state, solver, last, k)
        options = self._options(setting)
        save_network(setting.paths.solver(self.name, k), solver, self.solver, options)
        state.save(context=k + 1, done=0)

    def _solvers(self, setting: Setting, k: int) -> tuple[Solver, Solver]:
        """The solver that learns context k, and a copy of it as the context begins."""
        if k == 1:
            options = self._options(setting)
            new, last = (make_solver(self.solver, self.seed, **options) for _ in range(2))
            return new, last
        file = setting.paths.solver(self.name, k - 1)
        solver, last = (load_network(file, SOLVERS) for _ in range(2))
        if self.force_radius:
            solver.force_spectral_radius()
        if (penalty := self._penalty(setting)) is not None:
            held = load_held(setting.paths.held(self.name, k - 1))
            holding(solver).hold(held, penalty.strength)
        return solver, last

    def _options(self, setting: Setting) -> dict[str, Any]:
        """Of the solver: the run's, and those that its penalty needs."""
        penalty = self._penalty(setting)
        return setting.solver_options(self.solver) | dict(penalty.solver_options if penalty else {})

    def _penalty(self, setting: Setting) -> Penalty | None:
        """What holds the solver to the earlier contexts, where its kind of replay is a penalty."""
        return setting.protocol.baselines.penalties.get(self.replay)

    def _source(self, setting: Setting, last: Solver, k: int) -> Source | None:
        """Where old examples of context k come from; none in the first."""
        if self.replay not in SOURCES:
            raise unknown("replay", self.replay, SOURCES)
        if k == 1:
            return None
        earlier = Earlier(
            setting.contexts,
            k,
            last,
            lambda: setting.generator(self.seed, k - 1),
            setting.protocol.labels,
            setting.protocol.baselines.memory.images,
        )
        return SOURCES[self.replay](earlier)

    def _data(
        self, setting: Setting, plan: Plan, last: Solver, k: int
    ) -> Callable[[int], TrainingData]:
        """The training data of each segment: drawn once, or anew every time."""
        protocol, source = setting.protocol, self._source(setting, last, k)

        def drawn(*segment: int) -> TrainingData:
            rng = setting.rng(self.seed, REPLAY, k, *segment)
            data = training_data(setting.contexts, k, plan.mix_of(k), source, rng)
            if protocol.augmentation is None:
                return data
            images = augment(data.train.images, protocol.augmentation, rng)
            return TrainingData(data.train.with_images(images), data.validation)

        if protocol.fresh_samples:
            return drawn
        once = drawn()
        return lambda segment: once

    def _row(self, setting: Setting, solver: Solver, k: int, iteration: int) -> Row:
        reached = accuracies(solver, setting.contexts, k)
        return {"table": "accuracy", "context": k, "iteration": iteration, **reached._asdict()}

    def _finish(
        self, setting: Setting, state: JobState, solver: Solver, last: Solver, k: int
    ) -> None:
        """Rows about the network that goes on: the accuracy matrix, and what replay did to it."""
        names = {"solver": self.solver, "replay": self.replay, "seed": self.seed, "context": k}
        scenarios = accuracy_by_scenario(solver, setting.contexts)
        for j, reached in enumerate(scenarios["class"], start=1):
            state.rows.append({"table": "matrix", **names, "tested": j, "accuracy": reached})
        state.rows.extend(self._scenarios(scenarios, k))
        if k == len(setting.contexts):
            state.rows.extend(self._confusion(confusion(solver, setting.contexts, k), k))
        self._consolidate(setting, solver, last, k)
        if self.replay != "generative" or k == 1:
            return
        samples, _ = archive.load(setting.paths.generated(self.seed, k - 1), SAMPLES)
        judge = diagnostics.judge_of(setting.contexts, k - 1)
        measured = {
            "label drift": diagnostics.label_drift(samples["images"], last, judge),
            "old called new": diagnostics.old_called_new(solver, setting.contexts, k),
        }
        state.rows.extend(diagnostic_rows(measured, self.solver, self.seed, k))

    def _scenarios(self, scenarios: Mapping[str, list[float]], k: int) -> Iterator[Row]:
        names = {"solver": self.solver, "replay": self.replay, "seed": self.seed, "context": k}
        for scenario, row in scenarios.items():
            for j, reached in enumerate(row, start=1):
                cells = {"tested": j, "scenario": scenario, "accuracy": reached}
                yield {"table": "scenarios", **names, **cells}

    def _confusion(self, counts: np.ndarray, k: int) -> Iterator[Row]:
        names = {"solver": self.solver, "replay": self.replay, "seed": self.seed, "context": k}
        for (true, named), images in np.ndenumerate(counts):
            cells = {"true": true, "named": named, "images": int(images)}
            yield {"table": "confusion", **names, **cells}

    def _consolidate(self, setting: Setting, solver: Solver, last: Solver, k: int) -> None:
        """Keep what will hold the solver to this context, where a penalty does."""
        penalty = self._penalty(setting)
        if penalty is None or k == len(setting.contexts):
            return
        held = load_held(setting.paths.held(self.name, k - 1)) if k > 1 else []
        real = setting.contexts.train(k)
        save_held(setting.paths.held(self.name, k), penalty.consolidate(held, last, solver, real))


def selected(rows: list[Row]) -> set[tuple[int, int]]:
    """(context, iteration) of the weights that went on: the first of each highest score."""
    best: dict[int, Row] = {}
    for row in rows:
        k = row["context"]
        if "score" in row and (k not in best or row["score"] > best[k]["score"]):
            best[k] = row
    return {(row["context"], row["iteration"]) for row in best.values()}


def _resume(progress: SolverState, state: JobState) -> None:
    progress.solver.load_state(state.state("solver"))
    progress.rng = state.rng(progress.rng)
    progress.done = state.notes["done"]
    progress.best_score = state.notes["best_score"]
    progress.best_state = state.state("best")
