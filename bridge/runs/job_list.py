"""Which jobs a configuration stands for."""

from pathlib import Path

from bridge.runs.audits import AUDITED_SOLVER, JOINT_VARIANTS
from bridge.runs.config import RunConfig
from bridge.runs.generator_job import GeneratorJob
from bridge.runs.job_state import JobState
from bridge.runs.jobs import Job
from bridge.runs.joint_job import JointJob
from bridge.runs.paths import RunPaths
from bridge.runs.sequential_job import SequentialJob


def jobs_of(config: RunConfig) -> list[Job]:
    """All jobs, in the order in which they had best be started.

    Parameters
    ----------
    config
        What is run.

    Returns
    -------
    list of Job
        Each depends on earlier ones at the most.
    """
    generators = [GeneratorJob(seed) for seed in config.seeds if "generative" in config.replays]
    return [*generators, *_solver_jobs(config), *_audit_jobs(config)]


def state_of(job: Job, folder: Path) -> JobState:
    """The job's state on disk.

    Parameters
    ----------
    job
        A job.
    folder
        The run folder.

    Returns
    -------
    JobState
        Empty where the job has not begun.
    """
    return JobState(RunPaths(folder).state(job.name))


def _solver_jobs(config: RunConfig) -> list[Job]:
    jobs: list[Job] = []
    for seed in config.seeds:
        for solver in config.solvers:
            jobs += [
                SequentialJob(solver, replay, seed)
                for replay in config.replays
                if replay != "joint"
            ]
            if "joint" in config.replays:
                epochs = config.protocol.solvers[solver].joint_epochs
                jobs.append(JointJob(solver, seed, epochs, answers=_answered(config, solver, seed)))
    return jobs


def _audit_jobs(config: RunConfig) -> list[Job]:
    """The audits' own runs, all of the first seed."""
    if AUDITED_SOLVER not in config.solvers:
        return []
    seed = config.seeds[0]
    jobs: list[Job] = []
    answered = _answered(config, AUDITED_SOLVER, seed) if "joint" in config.replays else ()
    if "joint" in config.audits:
        epochs = config.protocol.solvers[AUDITED_SOLVER].joint_epochs
        jobs += [
            JointJob(AUDITED_SOLVER, seed, epochs, variant, options)
            for variant, options in JOINT_VARIANTS.items()
            if variant not in answered
        ]
    if "warmstart" in config.audits:
        jobs.append(SequentialJob(AUDITED_SOLVER, "generative", seed, force_radius=True))
    return jobs


def _answered(config: RunConfig, solver: str, seed: int) -> tuple[str, ...]:
    """The variants of the joint audit that a solver's own joint run is, by its very options."""
    if solver != AUDITED_SOLVER or seed != config.seeds[0] or "joint" not in config.audits:
        return ()
    options = config.protocol.solvers[solver].options
    return tuple(variant for variant, its in JOINT_VARIANTS.items() if its == options)
