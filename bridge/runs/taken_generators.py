"""Generators of another run, taken where the same settings decide them.

A variation that leaves the generator alone need not train it again: the finished job, with its
state, its networks and its samples, is copied, and keeps the commit that it was trained at.
"""

from pathlib import Path

from bridge.errors import ResultsError
from bridge.files import write_whole
from bridge.runs.config import RunConfig, read_config, read_json
from bridge.runs.folder import lock
from bridge.runs.generator_job import GeneratorJob
from bridge.runs.job_list import jobs_of, state_of
from bridge.runs.manifest import Manifest
from bridge.runs.paths import RunPaths
from bridge.runs.setting import Setting


def take_generators(source: Path, config: RunConfig, setting: Setting) -> None:
    """Copy the finished generators of `source` that a run asks for and does not have yet.

    Parameters
    ----------
    source
        Another run folder, with its work/.
    config
        What is asked for.
    setting
        The run that takes them.

    Raises
    ------
    ResultsError
        `source` is no run, was run on other data, by other settings that decide its generators,
        or has not finished those of a seed; or another process trains them.
    """
    jobs = [job for job in jobs_of(config) if isinstance(job, GeneratorJob)]
    wanted = [job for job in jobs if not state_of(job, setting.paths.folder).finished]
    if not wanted:
        return
    theirs, digest = read_config(source), setting.contexts.data.digest()
    if read_json(RunPaths(source).manifest, Manifest).data_sha256 != digest:
        raise ResultsError(f"{source} was run on other images or labels: its generators differ")
    for job in wanted:
        held, asked = job.decided_by(theirs), job.decided_by(config)
        if differing := [name for name in asked if held[name] != asked[name]]:
            raise ResultsError(
                f"the generators of {source} were trained by other settings (they differ in "
                f"{', '.join(differing)}): leave --generators-of out, and they are trained anew"
            )
        if not state_of(job, source).finished:
            raise ResultsError(
                f"{source} holds no finished generators of seed {job.seed}: finish that run, or "
                "leave --generators-of out"
            )
        n = len(config.contexts)
        pairs = zip(job.files(RunPaths(source), n), job.files(setting.paths, n), strict=True)
        with lock(setting.paths.job(job.name), "works on these generators"):
            for old, new in pairs:
                write_whole(new, old.read_bytes())
