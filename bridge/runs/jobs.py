"""The jobs a reproduction is made of. Each keeps its state in one file and can be taken up.

    Chain      the generators of contexts 1..n-1 of one seed (they serve every solver)
    Sequence   one solver over all contexts with one kind of replay
    Joint      one solver on all digits at once

A job's state file holds arrays (weights, optimiser, best weights so far) and, in its metadata,
position, random state and the rows of numbers gathered so far: one atomic write keeps them
together.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bridge.data.datasets import N_CLASSES, Contexts
from bridge.data.examples import one_hot
from bridge.errors import ArchiveError, unknown
from bridge.files import archive
from bridge.networks.registry import (
    GENERATORS,
    SOLVERS,
    Generator,
    Solver,
    load_network,
    make_generator,
    make_solver,
    save_network,
)
from bridge.replay import diagnostics
from bridge.replay.protocols import EPOCH, Budget, Protocol
from bridge.replay.sequential import (
    Learning,
    Replay,
    accuracy,
    dream,
    exact_replay,
    gather,
    generative_replay,
    generator_material,
    learn_context,
    noise_replay,
    stretches,
)
from bridge.runs.results import SAMPLES
from pycog_dgr.files import previous

STATE = "dgr job"
SHOWN_SAMPLES = 2000  # generated images kept for figures and judged

# Streams of random numbers; a generator is seeded with [seed, stream, context].
GENERATOR, SOLVER, REPLAY, JUDGED, FIRST_WEIGHTS = range(1, 6)
Advance = Callable[[int], None]  # told how many iterations were just done


@dataclass(frozen=True)
class Setting:
    """What all jobs of one reproduction share."""

    folder: Path
    contexts: Contexts
    protocol: Protocol
    budget: Budget

    def rng(self, seed: int, stream: int, k: int) -> np.random.Generator:
        return np.random.default_rng([seed, stream, k])

    def generator_file(self, seed: int, k: int) -> Path:
        return self.folder / "work" / f"generators-{seed}" / f"generator-{k}.npz"

    def samples_file(self, seed: int, k: int) -> Path:
        return self.folder / "samples" / f"seed-{seed}" / f"generated-context-{k}.npz"

    def generator(self, seed: int, k: int) -> Generator:
        """The finished generator of context k."""
        return load_network(self.generator_file(seed, k), GENERATORS)

    def new_generator(self, seed: int, k: int) -> Generator:
        """The untrained generator of context k."""
        first = int(self.rng(seed, FIRST_WEIGHTS, k).integers(2**31))
        return make_generator("gan", first, **self.protocol.generator.options)


def check_notes(path: Path, notes: Mapping[str, Any]) -> None:
    """ArchiveError unless a job can go on from these notes of its state file."""
    rows = notes.get("rows")
    right = {
        "rows": isinstance(rows, list) and all(isinstance(row, dict) for row in rows),
        "finished": isinstance(notes.get("finished"), bool),
        "context": type(notes.get("context", 1)) is int and notes.get("context", 1) >= 1,
        "done": type(notes.get("done", 0)) is int and notes.get("done", 0) >= 0,
    }
    for name, is_right in right.items():
        if not is_right:
            raise ArchiveError(
                f"{path}: its note '{name}' is {notes.get(name)!r}, which no job "
                "writes: restore the file from a copy, or remove it to start anew"
            )


class Notebook:
    """A job's state file: rows and position in the metadata, states of networks as arrays.

    The file before it is kept; where the newest is damaged that one is used, and the log says so.
    The notes count the seconds that the job has taken and the updates that a guard replaced, over
    all runs of it, up to the last save.
    """

    def __init__(self, path: Path):
        self.path = path
        self.arrays: dict[str, np.ndarray] = {}
        self.notes: dict[str, Any] = {"rows": [], "finished": False}
        if path.exists() or previous(path).exists():
            self.arrays, self.notes = archive.load_newest(path, STATE)
            check_notes(path, self.notes)
        self._watch: Any = None
        self._since = time.monotonic()

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.notes["rows"]

    @property
    def finished(self) -> bool:
        return self.notes["finished"]

    def save(
        self, states: Mapping[str, Mapping[str, np.ndarray]] | None = None, **notes: Any
    ) -> None:
        """Keep the named networks' states and the notes, replacing what was there."""
        self.arrays = {
            f"{who}/{key}": value
            for who, state in (states or {}).items()
            for key, value in state.items()
        }
        now = time.monotonic()
        seconds = self.notes.get("seconds", 0.0) + now - self._since
        self.notes.update(notes, seconds=seconds)
        if self._watch is not None:
            self.notes.update(updates=self._watch.updates, guarded=self._watch.skipped)
        self._since = now
        archive.save(self.path, STATE, self.arrays, keep=True, **self.notes)

    def watch(self, network: Solver | Generator) -> None:
        """Go on counting how often a network's guard against explosions stepped in.

        Its first bad update is kept beside this file. Networks without a guard, torch's, stop with
        an error at their first loss that is not finite.
        """
        self._watch = getattr(network, "monitor", None)
        if self._watch is None:
            self.notes["guarded"] = 0
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._watch.savefile = self.path.with_name("diverged.npz")
        self._watch.updates = self.notes.get("updates", 0)
        self._watch.skipped = self.notes.get("guarded", 0)

    def state(self, who: str) -> dict[str, np.ndarray]:
        """The kept state of the network called `who`; empty where there is none."""
        prefix = f"{who}/"
        return {
            key.removeprefix(prefix): value
            for key, value in self.arrays.items()
            if key.startswith(prefix)
        }


def generator_from(state: Mapping[str, Any]) -> np.random.Generator:
    """A numpy Generator in the stored state."""
    rng = np.random.default_rng()
    rng.bit_generator.state = state
    return rng


@dataclass(frozen=True)
class Chain:
    """Generators of contexts 1..n-1."""

    seed: int

    @property
    def name(self) -> str:
        return f"generators-{self.seed}"

    def iterations(self, setting: Setting) -> int:
        plan = setting.protocol.generator
        return sum(
            setting.budget.generator(plan.iterations_of(k)) for k in range(1, len(setting.contexts))
        )

    def run(self, setting: Setting, notebook: Notebook, advance: Advance) -> None:
        for k in range(notebook.notes.get("context", 1), len(setting.contexts)):
            self._learn(setting, notebook, k, advance)
        notebook.save(finished=True)

    def _learn(self, setting: Setting, notebook: Notebook, k: int, advance: Advance) -> None:
        seed, protocol = self.seed, setting.protocol
        last = setting.generator(seed, k - 1) if k > 1 else None
        images, n_real, n_replayed = generator_material(
            protocol, setting.contexts, k, last, setting.rng(seed, REPLAY, k)
        )
        generator = setting.new_generator(seed, k)
        notebook.watch(generator)
        rng, done = setting.rng(seed, GENERATOR, k), 0
        if notebook.state("generator"):
            generator.load_state(notebook.state("generator"))
            rng, done = generator_from(notebook.notes["rng"]), notebook.notes["done"]
        lengths = stretches(
            setting.budget.generator(protocol.generator.iterations_of(k)), 5 * protocol.evaluations
        )
        for i in range(done, len(lengths)):
            losses: list[dict[str, float]] = []
            generator.fit(
                images,
                iterations=lengths[i],
                rng=rng,
                on_iteration=lambda _, report, losses=losses: losses.append(report),
            )
            mean = {key: float(np.mean([loss[key] for loss in losses])) for key in losses[0]}
            notebook.rows.append(
                {
                    "table": "generator",
                    "seed": seed,
                    "context": k,
                    "iteration": sum(lengths[: i + 1]),
                    **mean,
                    "n_real": n_real,
                    "n_replayed": n_replayed,
                }
            )
            notebook.save(
                {"generator": generator.state()}, context=k, done=i + 1, rng=rng.bit_generator.state
            )
            advance(lengths[i])
        self._judge(setting, notebook, generator, k)
        save_network(setting.generator_file(seed, k), generator, "gan", protocol.generator.options)
        notebook.save(context=k + 1, done=0)

    def _judge(self, setting: Setting, notebook: Notebook, generator: Generator, k: int) -> None:
        judge = diagnostics.judge_of(setting.contexts, k)
        samples = dream(generator, SHOWN_SAMPLES, setting.rng(self.seed, JUDGED, k))
        found = diagnostics.of_generator(samples, judge, setting.contexts.seen(k))
        notebook.rows.extend(
            {
                "table": "diagnostics",
                "solver": "",
                "seed": self.seed,
                "context": k,
                "quantity": quantity,
                "value": value,
            }
            for quantity, value in found.items()
        )
        archive.save(
            setting.samples_file(self.seed, k),
            SAMPLES,
            {"images": samples, "labels": judge.labels(samples)},
        )


@dataclass(frozen=True)
class Sequence:
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
        tail = "-forced-radius" if self.force_radius else ""
        return f"{self.solver}-{self.replay}-{self.seed}{tail}"

    def iterations(self, setting: Setting) -> int:
        plan = setting.protocol.solvers[self.solver]
        return sum(
            setting.budget.solver(plan.iterations_of(k))
            for k in range(1, len(setting.contexts) + 1)
        )

    def make(self, setting: Setting) -> Solver:
        plan = setting.protocol.solvers[self.solver]
        return make_solver(self.solver, self.seed, **plan.options)

    def file(self, setting: Setting, k: int) -> Path:
        """The solver that went on from context k."""
        return setting.folder / "work" / self.name / f"solver-{k}.npz"

    def run(self, setting: Setting, notebook: Notebook, advance: Advance) -> None:
        for k in range(notebook.notes.get("context", 1), len(setting.contexts) + 1):
            self._learn(setting, notebook, k, advance)
        notebook.save(finished=True)

    def _replay(self, setting: Setting, teacher: Solver, k: int) -> Replay | None:
        """The source of old examples for context k. Only `exact` opens earlier real images."""
        labels = setting.protocol.labels
        if self.replay == "none" or k == 1:
            return None
        if self.replay == "noise":
            return noise_replay(teacher, labels)
        if self.replay == "generative":
            return generative_replay(setting.generator(self.seed, k - 1), teacher, labels)
        if self.replay == "exact":
            return exact_replay(setting.contexts.digits.train.of(setting.contexts.seen(k - 1)))
        raise unknown("replay", self.replay, ("none", "noise", "generative", "exact"))

    def _learn(self, setting: Setting, notebook: Notebook, k: int, advance: Advance) -> None:
        protocol, plan = setting.protocol, setting.protocol.solvers[self.solver]
        solver = teacher = self.make(setting)
        if k > 1:
            solver = load_network(self.file(setting, k - 1), SOLVERS)
            teacher = load_network(self.file(setting, k - 1), SOLVERS)
            if self.force_radius:
                solver.force_spectral_radius()
        notebook.watch(solver)
        rng = setting.rng(self.seed, REPLAY, k)
        replay = self._replay(setting, teacher, k)
        material = gather(setting.contexts, k, plan.mix_of(k), replay, rng)
        learning = Learning(solver, setting.rng(self.seed, SOLVER, k))
        if notebook.state("solver"):
            solver.load_state(notebook.state("solver"))
            learning.rng = generator_from(notebook.notes["rng"])
            learning.done = notebook.notes["done"]
            learning.best_score = notebook.notes["best_score"]
            learning.best_state = notebook.state("best")
        iterations = setting.budget.solver(plan.iterations_of(k))
        before = sum(stretches(iterations, protocol.evaluations)[: learning.done])
        for row in learn_context(
            learning, material, plan, iterations, protocol, setting.contexts, k, self.seed
        ):
            notebook.rows.append({"table": "accuracy", "context": k, **row})
            if learning.best_state is not None:
                notebook.save(
                    {"solver": solver.state(), "best": learning.best_state},
                    context=k,
                    done=learning.done,
                    best_score=learning.best_score,
                    rng=learning.rng.bit_generator.state,
                )
            advance(row["iteration"] - before)
            before = row["iteration"]
        self._judge(setting, notebook, solver, teacher, k)
        save_network(self.file(setting, k), solver, self.solver, plan.options)
        notebook.save(context=k + 1, done=0)

    def _judge(
        self, setting: Setting, notebook: Notebook, solver: Solver, teacher: Solver, k: int
    ) -> None:
        if self.replay != "generative" or k == 1:
            return
        samples, _ = archive.load(setting.samples_file(self.seed, k - 1), SAMPLES)
        found = {
            "label drift": diagnostics.label_drift(
                samples["images"], teacher, diagnostics.judge_of(setting.contexts, k - 1)
            ),
            "old called new": diagnostics.old_called_new(solver, setting.contexts, k),
        }
        notebook.rows.extend(
            {
                "table": "diagnostics",
                "solver": self.solver,
                "seed": self.seed,
                "context": k,
                "quantity": quantity,
                "value": value,
            }
            for quantity, value in found.items()
        )


@dataclass(frozen=True)
class Joint:
    """One solver on all digits at once, for `epochs` passes. `variant` names the options."""

    solver: str
    seed: int
    epochs: int
    variant: str = "thesis"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.solver}-joint-{self.seed}-{self.variant}".replace(" ", "-").replace(",", "")

    def iterations(self, setting: Setting) -> int:
        return self.epochs * setting.budget.solver(EPOCH)

    def run(self, setting: Setting, notebook: Notebook, advance: Advance) -> None:
        plan = setting.protocol.solvers[self.solver]
        solver = make_solver(self.solver, self.seed, **{**plan.options, **self.options})
        notebook.watch(solver)
        digits = setting.contexts.digits
        targets = one_hot(digits.train.labels, N_CLASSES)
        rng, done = setting.rng(self.seed, SOLVER, 0), 0
        if notebook.state("solver"):
            solver.load_state(notebook.state("solver"))
            rng, done = generator_from(notebook.notes["rng"]), notebook.notes["done"]
        iterations = setting.budget.solver(EPOCH)
        for epoch in range(done + 1, self.epochs + 1):
            solver.fit(digits.train.images, targets, iterations=iterations, rng=rng)
            notebook.rows.append(
                {
                    "table": "joint",
                    "solver": self.solver,
                    "variant": self.variant,
                    "seed": self.seed,
                    "epoch": epoch,
                    "test": accuracy(solver, *digits.test),
                    "validation": accuracy(solver, *digits.validation),
                }
            )
            notebook.save({"solver": solver.state()}, done=epoch, rng=rng.bit_generator.state)
            advance(iterations)
        notebook.save({"solver": solver.state()}, finished=True)


Job = Chain | Sequence | Joint
