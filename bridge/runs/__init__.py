"""Runs on disk: what is asked for, the jobs it takes, their state, their tables, and once more.

Reading a run (`load_results`) loads no backend; running one (`reproduce`, `rerun`) loads those
that its jobs ask for.
"""

from bridge.runs.audits import AUDITS, FORCED_RADIUS, KEPT
from bridge.runs.config import RunConfig, claim, read_config, read_json, run_config
from bridge.runs.execution import setting_of
from bridge.runs.executors import CLUSTERS, executor, local_processes, read_resources
from bridge.runs.folder import PACKAGES, lock, log_into
from bridge.runs.generator_job import GeneratorJob
from bridge.runs.job_list import jobs_of, state_of
from bridge.runs.job_state import STATE, JobState
from bridge.runs.jobs import Job
from bridge.runs.joint_job import MAIN, JointJob
from bridge.runs.manifest import Calls, Manifest, manifest
from bridge.runs.paths import RunPaths
from bridge.runs.reproduce import reproduce
from bridge.runs.rerun import Compared, circumstances, compare, finished_manifest, rerun
from bridge.runs.results import Results, load_results
from bridge.runs.samples import SAMPLES, LabelledImages, Structure
from bridge.runs.sequential_job import SequentialJob
from bridge.runs.setting import Setting
from bridge.runs.tables import TABLES, MissingResults, Table, write_table

__all__ = [
    "AUDITS",
    "CLUSTERS",
    "FORCED_RADIUS",
    "KEPT",
    "MAIN",
    "PACKAGES",
    "SAMPLES",
    "STATE",
    "TABLES",
    "Calls",
    "Compared",
    "GeneratorJob",
    "Job",
    "JobState",
    "JointJob",
    "LabelledImages",
    "Manifest",
    "MissingResults",
    "Results",
    "RunConfig",
    "RunPaths",
    "SequentialJob",
    "Setting",
    "Structure",
    "Table",
    "circumstances",
    "claim",
    "compare",
    "executor",
    "finished_manifest",
    "jobs_of",
    "load_results",
    "local_processes",
    "lock",
    "log_into",
    "manifest",
    "read_config",
    "read_json",
    "read_resources",
    "reproduce",
    "rerun",
    "run_config",
    "setting_of",
    "state_of",
    "write_table",
]
