"""Checks that take minutes: PyTensor's own compilers, and the command's default cases."""

import json

import numpy as np
import pytest

from bridge.cli import main
from bridge.crosscheck.comparison import compare
from pycog_dgr.symbolic import scan as network
from pycog_dgr.training import TrainingStep

from .networks import random_batch, small_start

LINKERS = {"numba": "numba", "C": "cvm", "jax": "jax"}


def told_by(linker, start, batch):
    """Error, states, outputs and gradients of the reference graph, compiled by a linker."""
    import pytensor
    from pytensor.compile.mode import Mode, get_mode

    graph = TrainingStep(*start, backend="scan").graph
    wanted = {
        "x": graph.states.x,
        "z": graph.z,
        "error": graph.error,
        "Omega": graph.Omega.value,
        "dOmega/dWrec": graph.omega_gradient,
    }
    wanted |= {f"grad {name}": one for name, one in graph.gradients.items()}
    mode = get_mode(linker.upper()) if linker in ("numba", "jax") else Mode(linker, "fast_run")
    compiled = pytensor.function(
        graph.batch, list(wanted.values()), mode=mode, on_unused_input="ignore"
    )
    return dict(zip(wanted, compiled(*batch), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", LINKERS)
def test_pytensors_own_compilers_give_the_same_numbers(name, monkeypatch):
    if name == "jax":
        pytest.importorskip("jax")
    start = small_start()
    step = TrainingStep(*start, backend="scan")
    batch = random_batch(start, np.random.default_rng(0))
    found = step.gradients(batch)
    own = {
        "x": found["x"],
        "z": found["z"],
        "error": found["error"],
        "Omega": found["Omega"],
        "dOmega/dWrec": found["omega_gradient"],
    }
    own |= {f"grad {one}": found[f"grad_{one}"] for one in start.network.trained}
    # The loop over time is compiled by the linker under test too, not by the package's own mode.
    monkeypatch.setattr(network, "numpy_mode", lambda loops: None)
    differences = compare(
        {"numpy mode": own, name: told_by(LINKERS[name], start, batch)}, "float64"
    )
    assert all(one.agrees for one in differences), [one for one in differences if not one.agrees]


@pytest.mark.slow
def test_the_default_cases_agree(tmp_path):
    assert main(["crosscheck", "--out", str(tmp_path), "--drift", "100"]) == 0
    held = json.loads((tmp_path / "crosscheck.json").read_text())
    assert [case["case"] for case in held["cases"]] == [
        "thesis (mnist5k)",
        "sinewave",
        "rdm_fixed",
        "no Dale",
        "vector tau",
        "trained tau",
        "fixed weights",
    ]
