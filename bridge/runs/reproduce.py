"""A reproduction: the jobs that the thesis' figures need, run two at a time, and their tables.

Jobs wait only for the chain of generators that they replay. Killed and started again, finished
jobs are not repeated and unfinished ones go on; the numbers are those of an uninterrupted run.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from bridge.data import datasets
from bridge.errors import ResultsError, SettingError, unknown
from bridge.files import archive
from bridge.files.archive import write_json
from bridge.networks.registry import SOLVERS, load_network
from bridge.replay.protocols import BUDGETS, REPLAYS, Budget, protocol_named
from bridge.runs.jobs import Chain, Job, Joint, Notebook, Sequence, Setting
from bridge.runs.results import (
    EXTENDABLE,
    SAMPLES,
    TABLES,
    Calls,
    claim,
    commit,
    lock,
    log_into,
    manifest,
    read_json,
    write_table,
)

logger = logging.getLogger(__name__)

TRUE_DIGITS = 60  # test digits a class, for grids and t-SNE
FORCED_RADIUS = "spectral radius forced back to 1.5"
KEPT = "weights kept"
AUDITS = ("joint", "warmstart")
JOINT_AUDIT = {  # variants of the biological solver's joint training
    "SGD, loss on the last step": {"optimiser": "sgd", "loss_steps": "last"},
    "SGD, loss on all steps": {"optimiser": "sgd", "loss_steps": "all"},
    "Adam, loss on the last step": {"optimiser": "adam", "loss_steps": "last"},
    "Adam, loss on all steps": {"optimiser": "adam", "loss_steps": "all"},
}


@dataclass(frozen=True)
class Plan:
    """What to reproduce. `SettingError` where a name is unknown."""

    data: str = "mnist5k"
    data_root: str | None = None
    protocol: str = "text"
    seeds: tuple[int, ...] = (1, 2)
    solvers: tuple[str, ...] = ("lstm", "biornn")
    replays: tuple[str, ...] = REPLAYS
    contexts: tuple[tuple[int, ...], ...] | None = None
    audits: tuple[str, ...] = AUDITS
    scale: float = 1.0

    def __post_init__(self) -> None:
        for kind, names, known in (
            ("solver", self.solvers, SOLVERS),
            ("replay", self.replays, REPLAYS),
            ("audit", self.audits, AUDITS),
            ("data set", (self.data,), datasets.NAMES),
        ):
            for name in names:
                if name not in known:
                    raise unknown(kind, name, known)
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise SettingError(f"seeds {list(self.seeds)}: give different numbers, none negative")
        protocol_named(self.protocol)
        Budget().times(self.scale)

    @property
    def classes(self) -> tuple[tuple[int, ...], ...]:
        return self.contexts or protocol_named(self.protocol).contexts

    @property
    def budget(self) -> Budget:
        return BUDGETS[self.data].times(self.scale)

    def setting(self, folder: Path) -> Setting:
        """Load the data and put together what the jobs share."""
        digits = datasets.load(self.data, self.data_root)
        contexts = datasets.Contexts(digits, self.classes)
        return Setting(folder, contexts, protocol_named(self.protocol), self.budget)

    def config(self) -> dict[str, Any]:
        """What makes two reproductions the same (the data's place does not)."""
        asked = {
            key: value for key, value in asdict(self).items() if key not in ("data_root", "scale")
        }
        return {
            **asked,
            "contexts": self.classes,
            "protocol": protocol_named(self.protocol).as_dict(),
            "budget": asdict(self.budget),
        }

    def jobs(self) -> list[Job]:
        """All jobs, in the order in which they had best be started."""
        plans = protocol_named(self.protocol).solvers
        found: list[Job] = []
        if "generative" in self.replays:
            found += [Chain(seed) for seed in self.seeds]
        for seed in self.seeds:
            for solver in self.solvers:
                found += [
                    Sequence(solver, replay, seed) for replay in self.replays if replay != "joint"
                ]
                if "joint" in self.replays:
                    found.append(Joint(solver, seed, plans[solver].joint_epochs))
        if "biornn" in self.solvers and "joint" in self.audits:
            found += [
                Joint("biornn", self.seeds[0], plans["biornn"].joint_epochs, name, options)
                for name, options in JOINT_AUDIT.items()
                if options != plans["biornn"].options or "joint" not in self.replays
            ]
        if "biornn" in self.solvers and "warmstart" in self.audits:
            found.append(Sequence("biornn", "generative", self.seeds[0], force_radius=True))
        return found


def waits_for(job: Job) -> str | None:
    """The name of the job that must be finished before `job` starts."""
    if isinstance(job, Sequence) and job.replay == "generative":
        return Chain(job.seed).name
    return None


def reproduce(
    plan: Plan, folder: Path, command: str, workers: int = 2, progress: bool = True
) -> None:
    """Run what is not yet there and write tables, samples and manifest into `folder`.

    A folder that already holds other seeds, solvers or replays of the same configuration keeps
    them. Raises ResultsError where it belongs to another configuration or is in use.
    """
    setting = plan.setting(folder)
    with lock(folder):
        held = claim(folder, plan.config())
        with log_into(folder):
            archive.sweep(folder)
            todo = [job for job in plan.jobs() if not notebook_of(job, folder).finished]
            if todo:
                calls = Calls(folder, command)
                logger.info("%s: %d of %d jobs to do", command, len(todo), len(plan.jobs()))
                _run_all(todo, plan, setting, workers, progress, calls)
            everything = replace(plan, **{key: tuple(held[key]) for key in EXTENDABLE})
            finished = [job for job in everything.jobs() if notebook_of(job, folder).finished]
            if {job.name for job in finished} != _described(folder):
                minutes = (calls if todo else Calls(folder, command)).tick()
                about = {**manifest(command), "data_root": plan.data_root, "minutes": minutes}
                _describe(finished, setting, everything, about)


def _described(folder: Path) -> set[str]:
    """Names of the jobs whose numbers are in the tables, by the manifest that is written last."""
    path = folder / "manifest.json"
    return set(read_json(path)["jobs"]) if path.exists() else set()


def _describe(finished: list[Job], setting: Setting, plan: Plan, about: dict[str, Any]) -> None:
    """Write tables, samples and, last, the manifest with what there is to say of each job.

    What an older version of this program did not note of a job is None.
    """
    folder = setting.folder
    _write_tables(finished, folder, plan)
    _write_samples(finished, setting)
    jobs = {job.name: _about_job(notebook_of(job, folder).notes) for job in finished}
    counted = [job["guarded"] for job in jobs.values() if job["guarded"] is not None]
    write_json(folder / "manifest.json", {**about, "guarded updates": sum(counted), "jobs": jobs})
    logger.info(
        "the guard against explosions stepped in at %d updates of %d jobs",
        sum(counted),
        len(counted),
    )


def _about_job(notes: Mapping[str, Any]) -> dict[str, Any]:
    """The commit a job was begun at, its minutes by the clock, how often its guard stepped in."""
    minutes = round(notes["seconds"] / 60, 2) if "seconds" in notes else None
    return {"commit": notes["commit"], "minutes": minutes, "guarded": notes.get("guarded")}


def notebook_of(job: Job, folder: Path) -> Notebook:
    """The job's state on disk."""
    return Notebook(folder / "work" / job.name / "state.npz")


def _run_all(
    todo: list[Job], plan: Plan, setting: Setting, workers: int, progress: bool, calls: Calls
) -> None:
    context = multiprocessing.get_context("spawn")
    ticks = context.SimpleQueue()
    bar = tqdm(
        total=sum(job.iterations(setting) for job in todo),
        unit="it",
        unit_scale=True,
        disable=None if progress else True,
        desc=setting.folder.name,
        smoothing=0.02,
    )
    threading.Thread(target=_listen, args=(ticks, bar), daemon=True).start()
    waiting = list(todo)
    running: dict[Future, Job] = {}
    with (
        bar,
        ProcessPoolExecutor(
            workers,
            mp_context=context,
            initializer=_begin_worker,
            initargs=(plan, setting.folder, ticks),
        ) as pool,
    ):
        try:
            while waiting or running:
                busy = {job.name for job in [*waiting, *running.values()]}
                ready = [job for job in waiting if waits_for(job) not in busy]
                for job in ready[: workers - len(running)]:
                    waiting.remove(job)
                    running[pool.submit(_run_in_worker, job)] = job
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    job = running.pop(future)
                    future.result()
                    logger.info("finished %s", job.name)
                    calls.tick()
        except BrokenProcessPool:
            raise ResultsError(
                f"{setting.folder}: a worker process died (killed, or out of memory): the same "
                "command goes on from here; --workers 1 needs half the memory"
            ) from None
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        finally:
            ticks.put(None)


def _listen(ticks: Any, bar: tqdm) -> None:
    while (n := ticks.get()) is not None:
        bar.update(n)


_worker: dict[str, Any] = {}


def _begin_worker(plan: Plan, folder: Path, ticks: Any) -> None:
    """In each worker: one thread, an end when the parent ends, and the data."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
    _worker["limits"] = threadpool_limits(1)
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
    _worker.update(setting=plan.setting(folder), ticks=ticks)


def _run_in_worker(job: Job) -> None:
    setting = _worker["setting"]
    notebook = notebook_of(job, setting.folder)
    notebook.notes.setdefault("commit", commit())
    job.run(setting, notebook, _worker["ticks"].put)


def _write_tables(jobs: list[Job], folder: Path, plan: Plan) -> None:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for job in jobs:
        for row in _rows_of(job, notebook_of(job, folder).rows, plan):
            rows[row["table"]].append({key: row[key] for key in TABLES[row["table"]]})
    for name, found in rows.items():
        if found:
            write_table(folder, name, found)


def audits_of(job: Joint, plan: Plan) -> list[str]:
    """The audits that a joint job answers besides being itself: those with its very options."""
    options = protocol_named(plan.protocol).solvers[job.solver].options
    if job.solver != "biornn" or job.variant in JOINT_AUDIT or job.seed != plan.seeds[0]:
        return []
    return [
        name
        for name, audited in JOINT_AUDIT.items()
        if audited == options and "joint" in plan.audits
    ]


def _rows_of(job: Job, rows: list[dict[str, Any]], plan: Plan) -> Iterator[Mapping[str, Any]]:
    """The rows of one job as they stand in the tables."""
    if isinstance(job, Joint):
        names = [job.variant, *audits_of(job, plan)]
        yield from ({**row, "variant": name} for name in names for row in rows)
        return
    if isinstance(job, Chain):
        yield from rows
        return
    accuracy = [row for row in rows if row["table"] == "accuracy"]
    selected = {id(row) for row in selected_rows(accuracy)}
    who = {"solver": job.solver, "replay": job.replay, "seed": job.seed}
    for row in rows:
        if row["table"] != "accuracy":
            if not job.force_radius:
                yield row
            continue
        chosen = id(row) in selected
        if not job.force_radius:
            yield {**row, **who, "selected": int(chosen)}
        if chosen and job.solver == "biornn" and job.replay == "generative":
            variant = FORCED_RADIUS if job.force_radius else KEPT
            yield {**row, **who, "table": "warmstart", "variant": variant}


def selected_rows(accuracy: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The row of each context whose weights went on: the first of the highest score."""
    best: dict[int, dict[str, Any]] = {}
    for row in accuracy:
        k = row["context"]
        if "score" in row and (k not in best or row["score"] > best[k]["score"]):
            best[k] = row
    return list(best.values())


def _write_samples(jobs: list[Job], setting: Setting) -> None:
    """True digits for the figures, and the weights of one trained biological network."""
    test = setting.contexts.digits.test
    chosen = np.concatenate(
        [np.flatnonzero(test.labels == c)[:TRUE_DIGITS] for c in np.unique(test.labels)]
    )
    archive.save(
        setting.folder / "samples" / "true.npz",
        SAMPLES,
        {"images": test.images[chosen], "labels": test.labels[chosen]},
    )
    for job in jobs:
        if isinstance(job, Sequence) and job.solver == "biornn" and not job.force_radius:
            solver = load_network(job.file(setting, len(setting.contexts)), SOLVERS)
            w = solver.weights
            archive.save(
                setting.folder / "samples" / f"structure-seed-{job.seed}.npz",
                SAMPLES,
                {"Win": w.Win, "Wrec": w.Wrec, "Wout": w.Wout, "ei": np.asarray(solver.network.ei)},
            )
            return
