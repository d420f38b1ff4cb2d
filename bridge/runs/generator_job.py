"""The generators of one seed, context after context."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bridge.files import archive
from bridge.networks import Generator, save_network
from bridge.replay import check_labels, diagnostics, draw_samples, generator_data, segments
from bridge.runs.config import RunConfig
from bridge.runs.job_state import JobState
from bridge.runs.jobs import Advance, Row
from bridge.runs.paths import RunPaths
from bridge.runs.samples import SAMPLES
from bridge.runs.setting import GENERATOR, JUDGED, REPLAY, Setting

SHOWN_SAMPLES = 2000  # generated images kept for figures and judged
SEGMENTS = 5  # of a generator's training, for one of a solver's


@dataclass(frozen=True)
class GeneratorJob:
    """Generators of contexts 1..n-1; they serve every solver."""

    seed: int

    @property
    def name(self) -> str:
        """Of its folder under work/."""
        return f"generators-{self.seed}"

    @property
    def waits_for(self) -> None:
        """Nothing."""
        return None

    def folders(self, paths: RunPaths) -> tuple[Path, ...]:
        """Where it alone writes."""
        return (paths.job(self.name), paths.samples_of(self.seed))

    def iterations(self, setting: Setting) -> int:
        """Updates in all."""
        plan = setting.protocol.generator
        return sum(
            setting.budget.generator(plan.iterations_of(k)) for k in range(1, len(setting.contexts))
        )

    def decided_by(self, config: RunConfig) -> dict[str, Any]:
        """Return the settings of a run that decide these generators; the data are not in it."""
        plan, n = config.protocol.generator, len(config.contexts)
        return {
            "data": config.data,
            "contexts": config.contexts,
            "generator": plan,
            "generator_data": config.protocol.generator_data,
            "evaluations": config.protocol.evaluations,
            "iterations": [config.budget.generator(plan.iterations_of(k)) for k in range(1, n)],
        }

    def files(self, paths: RunPaths, n_contexts: int) -> list[Path]:
        """Return where a run keeps what these generators leave; the state comes last."""
        learnt = range(1, n_contexts)
        return [
            *(paths.generator(self.seed, k) for k in learnt),
            *(paths.generated(self.seed, k) for k in learnt),
            paths.state(self.name),
        ]

    def run(self, setting: Setting, state: JobState, advance: Advance) -> None:
        """Do what is left to do."""
        for k in range(state.notes.get("context", 1), len(setting.contexts)):
            self._learn(setting, state, k, advance)
        state.save(finished=True)

    def tabulated(self, rows: list[Row]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Its rows with the names of their tables."""
        for row in rows:
            yield row["table"], {key: value for key, value in row.items() if key != "table"}

    def _learn(self, setting: Setting, state: JobState, k: int, advance: Advance) -> None:
        seed, plan = self.seed, setting.protocol.generator
        last = setting.generator(seed, k - 1) if k > 1 else None
        data = generator_data(
            setting.protocol, setting.contexts, k, last, setting.rng(seed, REPLAY, k)
        )
        generator = last if plan.keeps_weights else None
        if generator is None:
            generator = setting.new_generator(seed, k)
        check_labels(setting.protocol.labels, generator)
        state.count_skipped_updates(generator)
        rng = setting.rng(seed, GENERATOR, k)
        total = setting.budget.generator(plan.iterations_of(k))
        done = 0
        if state.state("generator"):
            generator.load_state(state.state("generator"))
            rng, done = state.rng(rng), state.notes["done"]
        elif plan.keeps_weights:
            generator.begin_context(iterations=total, rng=rng)
        lengths = segments(total, SEGMENTS * setting.protocol.evaluations)
        for i in range(done, len(lengths)):
            losses = Losses()
            generator.fit(
                data.images,
                data.targets,
                iterations=lengths[i],
                rng=rng,
                on_iteration=losses.add,
                batch_size=plan.batch_size,
            )
            state.rows.append(
                {
                    "table": "generator",
                    "seed": seed,
                    "context": k,
                    "iteration": sum(lengths[: i + 1]),
                    **losses.means(),
                    "n_real": data.n_real,
                    "n_replayed": data.n_replayed,
                }
            )
            state.save(
                {"generator": generator.state()}, context=k, done=i + 1, rng=rng.bit_generator.state
            )
            advance(lengths[i])
        self._judge(setting, state, generator, k)
        options = setting.generator_options
        save_network(setting.paths.generator(seed, k), generator, plan.kind, options)
        state.save(context=k + 1, done=0)

    def _judge(self, setting: Setting, state: JobState, generator: Generator, k: int) -> None:
        judge = diagnostics.judge_of(setting.contexts, k)
        samples = draw_samples(generator, SHOWN_SAMPLES, setting.rng(self.seed, JUDGED, k))
        measured = diagnostics.of_generator(samples, judge, setting.contexts.seen(k))
        state.rows.extend(diagnostic_rows(measured, "", self.seed, k))
        archive.save(
            setting.paths.generated(self.seed, k),
            SAMPLES,
            {"images": samples, "labels": judge.labels(samples)},
        )


def diagnostic_rows(
    measured: Mapping[str, float], solver: str, seed: int, k: int
) -> Iterator[dict[str, Any]]:
    """Rows of the table of diagnostics; `solver` is empty for a generator's."""
    for quantity, value in measured.items():
        yield {
            "table": "diagnostics",
            "solver": solver,
            "seed": seed,
            "context": k,
            "quantity": quantity,
            "value": value,
        }


class Losses:
    """The losses of a segment, by name."""

    def __init__(self) -> None:
        self._reports: list[dict[str, float]] = []

    def add(self, iteration: int, report: dict[str, float]) -> None:
        """Take in the report of one iteration."""
        self._reports.append(report)

    def means(self) -> dict[str, float]:
        """The mean of each loss."""
        names = self._reports[0]
        return {name: float(np.mean([report[name] for report in self._reports])) for name in names}
