"""A reproduction: which jobs it has, which row is selected, and that a killed one goes on."""

import csv
import os
import signal
import subprocess
import sys
import time

import pytest

from bridge.errors import SettingError
from bridge.runs import GeneratorJob, JointJob, jobs_of, run_config
from bridge.runs.audits import JOINT_VARIANTS
from bridge.runs.sequential_job import selected


def test_generative_sequences_wait_for_their_generators_and_no_other():
    jobs = jobs_of(run_config(seeds=(3,)))
    assert jobs[0] == GeneratorJob(3)
    waiting = [job for job in jobs if job.waits_for]
    assert all(
        job.replay == "generative" and job.waits_for == GeneratorJob(3).name for job in waiting
    )
    assert len(waiting) == 3  # two solvers, and the audit of the warm start


def test_the_generators_of_a_seed_serve_both_solvers():
    jobs = jobs_of(run_config(seeds=(1, 2, 3)))
    assert sum(isinstance(job, GeneratorJob) for job in jobs) == 3


def test_job_names_are_different_folders():
    names = [job.name for job in jobs_of(run_config())]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() for name in names)


def test_the_audit_has_each_optimiser_and_loss_and_trains_none_twice():
    jobs = jobs_of(run_config())
    joint = [job for job in jobs if isinstance(job, JointJob) and job.solver == "biornn"]
    answered = [variant for job in joint for variant in (job.variant, *job.answers)]
    assert sorted(answered) == sorted(["thesis", "thesis", *JOINT_VARIANTS])  # two seeds
    assert len(joint) == 2 + len(JOINT_VARIANTS) - 1  # the protocol's options are not run again


@pytest.mark.parametrize(
    "wrong",
    [
        {"seeds": ()},
        {"seeds": (1, 1)},
        {"seeds": (-1,)},
        {"solvers": ("gru",)},
        {"data": "emnist"},
        {"scale": -1},
    ],
)
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(SettingError):
        run_config(**wrong)


def test_the_first_of_the_best_scores_is_selected():
    rows = [
        {"context": 1, "iteration": 0},
        {"context": 1, "iteration": 1, "score": 60.0},
        {"context": 1, "iteration": 2, "score": 70.0},
        {"context": 1, "iteration": 3, "score": 70.0},
    ]
    assert selected(rows) == {(1, 2)}


def command(folder):
    return [
        sys.executable,
        "-m",
        "bridge",
        "reproduce",
        "--contexts",
        "01,23,45",
        "--solvers",
        "lstm",
        "--replays",
        "none,generative",
        "--seeds",
        "1",
        "--no-audit",
        "--scale",
        "0.05",
        "--out",
        str(folder),
    ]


@pytest.mark.slow
def test_sigkill_in_the_second_context_changes_no_number(tmp_path):
    subprocess.run(command(tmp_path / "whole"), check=True)
    folder = tmp_path / "killed"
    process = subprocess.Popen(command(folder), start_new_session=True)
    state = folder / "work" / "generators-1" / "generator-1.npz"
    while not state.exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(1)  # its workers end by themselves
    subprocess.run(command(folder), check=True)
    for table in ("accuracy", "generator", "diagnostics"):
        one, other = (
            list(csv.reader((tmp_path / run / "tables" / f"{table}.csv").open()))
            for run in ("whole", "killed")
        )
        assert one == other and len(one) > 2
    before = (folder / "manifest.json").stat().st_mtime_ns
    subprocess.run(command(folder), check=True)
    assert (folder / "manifest.json").stat().st_mtime_ns == before  # nothing was repeated
    table = folder / "tables" / "accuracy.csv"
    was = table.read_text()
    table.unlink()
    (folder / "manifest.json").unlink()  # as if killed before the tables were written
    subprocess.run(command(folder), check=True)
    assert table.read_text() == was
