"""A reproduction: which jobs it has, which row is selected, and that a killed one goes on."""

import csv
import os
import signal
import subprocess
import sys
import time

import pytest

from bridge.errors import SettingError
from bridge.runs.jobs import Chain, Joint
from bridge.runs.reproduce import JOINT_AUDIT, Plan, audits_of, selected_rows, waits_for


def test_generative_sequences_wait_for_their_chain_and_no_other():
    jobs = Plan(seeds=(3,)).jobs()
    assert jobs[0] == Chain(3)
    waiting = [job for job in jobs if waits_for(job)]
    assert all(job.replay == "generative" and waits_for(job) == Chain(3).name for job in waiting)
    assert len(waiting) == 3  # two solvers, and the audit of the warm start


def test_one_chain_of_a_seed_serves_both_solvers():
    assert sum(isinstance(job, Chain) for job in Plan(seeds=(1, 2, 3)).jobs()) == 3


def test_job_names_are_different_folders():
    names = [job.name for job in Plan().jobs()]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() for name in names)


def test_the_audit_has_each_optimiser_and_loss_and_trains_none_twice():
    plan = Plan()
    joint = [job for job in plan.jobs() if isinstance(job, Joint) and job.solver == "biornn"]
    answered = [name for job in joint for name in [job.variant, *audits_of(job, plan)]]
    assert sorted(answered) == sorted(["thesis", "thesis", *JOINT_AUDIT])  # two seeds
    assert len(joint) == 2 + len(JOINT_AUDIT) - 1  # the thesis' own options are not run again


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
def test_an_impossible_plan_is_refused(wrong):
    with pytest.raises(SettingError):
        Plan(**wrong)


def test_the_first_of_the_best_scores_is_selected():
    rows = [
        {"context": 1, "iteration": 0},
        {"context": 1, "iteration": 1, "score": 60.0},
        {"context": 1, "iteration": 2, "score": 70.0},
        {"context": 1, "iteration": 3, "score": 70.0},
    ]
    assert selected_rows(rows) == [rows[2]]


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
