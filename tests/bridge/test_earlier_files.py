"""Files of bridge that were written before its folders were rearranged (35b99cd) still open."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from bridge.data import load_examples
from bridge.files import archive, read_export
from bridge.networks import SOLVERS, read_network
from bridge.runs import SAMPLES, JobState, load_results, run_config
from bridge.runs.config import differences

COMPAT = Path(__file__).parents[1] / "compat"
RESULTS = Path(__file__).parents[2] / "results"


def test_networks_batches_samples_and_weights_open():
    network, name, options = read_network(COMPAT / "solver.npz", SOLVERS)
    assert name in SOLVERS and isinstance(options, dict)
    assert all(np.isfinite(array).all() for array in network.state().values())
    batch = load_examples(COMPAT / "batch.npz")
    np.testing.assert_allclose(batch.targets.sum(axis=1), 1, atol=1e-4)
    arrays, _ = archive.load(COMPAT / "samples.npz", SAMPLES)
    assert {"images", "labels"} <= set(arrays)
    for file in ("weights.npz", "weights.safetensors"):
        exported, _ = read_export(COMPAT / file)
        assert exported


def test_a_jobs_state_opens_and_can_be_saved_again(tmp_path):
    for file in ("state.npz", "state.npz.previous"):
        shutil.copy(COMPAT / file, tmp_path / file)
    state = JobState(tmp_path / "state.npz")
    assert list(state.arrays) == ["a"] and state.finished
    state.save(done=1)
    assert JobState(tmp_path / "state.npz").notes["done"] == 1


@pytest.mark.parametrize("protocol", ["text", "notebooks"])
def test_a_run_of_the_thesis_protocols_is_the_run_that_this_version_would_make(protocol):
    held = load_results(RESULTS / f"mnist-{protocol}").config
    now = run_config(
        data="mnist", protocol=protocol, seeds=held.seeds, solvers=held.solvers,
        replays=held.replays, audits=held.audits,
    )  # fmt: skip
    assert differences(held, now) == []
