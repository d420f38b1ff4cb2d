"""A sweep through a real batch system: a Slurm of one node, and a running job cancelled in between.

`make test-cluster`. Skipped, with the reason, where Slurm cannot be started.
"""

import csv
import subprocess
import sys
import time

import pytest

from tests import slurm
from tests.bridge.sweeps.test_sweep import write

pytestmark = pytest.mark.cluster
CLUSTER = """
[cluster]
jobs = 2
cores = 1
memory = "1GB"
walltime = "00:20:00"
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment of a Slurm that runs here."""
    if reason := slurm.missing():
        pytest.skip(reason)
    pytest.importorskip("dask_jobqueue")
    with slurm.running(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


def table(folder):
    with (folder / "table.csv").open() as file:
        return list(csv.DictReader(file))


def running_jobs(environment):
    return slurm.told(["squeue", "-h", "-t", "R", "-o", "%i"], environment).split()


def done(folder):
    return len(list(folder.glob("cells/*/result.json")))


def test_a_sweep_through_slurm_with_a_job_cancelled_is_that_of_a_serial_run(tmp_path, environment):
    path = write(tmp_path, seeds=6)
    path.write_text(path.read_text() + CLUSTER)
    dgr = [sys.executable, "-m", "bridge", "sweep", str(path)]
    subprocess.run([*dgr, "--workers", "0", "--out", "serial"], cwd=tmp_path, check=True)

    sweep = subprocess.Popen(
        [*dgr, "--cluster", "slurm", "--out", "slurm"], cwd=tmp_path, env=environment
    )
    deadline = time.monotonic() + 300
    while done(tmp_path / "slurm") < 4 or not running_jobs(environment):
        assert sweep.poll() is None, "the sweep ended before a job could be cancelled"
        assert time.monotonic() < deadline, "no cell was finished"
        time.sleep(0.1)
    job = running_jobs(environment)[0]
    subprocess.run(["scancel", job], env=environment, check=True)
    assert sweep.wait(timeout=500) == 0

    assert len(table(tmp_path / "slurm")) == 24
    assert table(tmp_path / "slurm") == table(tmp_path / "serial")
    again = subprocess.run(
        [*dgr, "--cluster", "slurm", "--out", "slurm"],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert "24 cells: 24 done" in again.stdout
