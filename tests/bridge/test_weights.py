"""Weights cross between the backends without loss, keep their constraint, and leave as files."""

import json
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.crosscheck.weights import (
    certify,
    exported,
    objective_of,
    parameters_of,
    raw_from_effective,
    twin,
    violations,
    weights_of,
)
from bridge.errors import ArchiveError, MissingBackendError, SettingError
from bridge.files import export, read_export
from pycog_dgr.config import settings as pycog_settings
from pycog_dgr.network import effective_weights
from pycog_dgr.symbolic import optimisers
from pycog_dgr.training import TrainingStep
from torch_dgr.errors import StateError
from torch_dgr.lstm import LSTMClassifier
from torch_dgr.rate_rnn.step import train_step

from .networks import random_batch, small_start, starts


def assert_same(one, other):
    for name, mine, own in zip(one._fields, one, other, strict=True):
        assert (mine is None) == (own is None), name
        if mine is not None:
            np.testing.assert_array_equal(mine, own, err_msg=name)


@given(starts())
@settings(max_examples=25, deadline=None)
def test_raw_and_effective_weights_cross_to_the_last_bit(start):
    net = twin(start.network, start.parameters)
    assert_same(parameters_of(net), start.parameters)
    assert_same(weights_of(net), effective_weights(start.parameters, start.network))


@given(starts())
@settings(max_examples=25, deadline=None)
def test_effective_weights_lead_back_to_raw_ones_that_give_the_same_network(start):
    weights = effective_weights(start.parameters, start.network)
    raw = raw_from_effective(weights, start.network)
    assert_same(effective_weights(raw, start.network), weights)


def optimiser_of(name, net):
    parameters = net.trained().values()
    return {
        "SGD": lambda: torch.optim.SGD(parameters, lr=5.0),
        "momentum": lambda: torch.optim.SGD(parameters, lr=1.0, momentum=0.9),
        "Adam": lambda: torch.optim.Adam(parameters, lr=0.5),
        "AdamW": lambda: torch.optim.AdamW(parameters, lr=0.5, weight_decay=0.1),
        "RMSprop": lambda: torch.optim.RMSprop(parameters, lr=0.1),
    }[name]()


@given(
    starts(), st.sampled_from(["SGD", "momentum", "Adam", "AdamW", "RMSprop"]), st.integers(1, 6)
)
@settings(max_examples=25, deadline=None)
def test_signs_zeros_and_fixed_weights_survive_any_optimiser_in_torch(start, optimiser, updates):
    net, objective = twin(start.network, start.parameters), objective_of(start.training)
    stepper = optimiser_of(optimiser, net)
    rng = np.random.default_rng(0)
    with torch.no_grad():  # as wild as any optimiser may leave them, masked entries included
        for parameter in net.trained().values():
            parameter.add_(torch.as_tensor(rng.normal(size=parameter.shape)))
    for _ in range(updates):
        train_step(net, stepper, random_batch(start, rng), objective)
    if all(torch.isfinite(one).all() for one in net.parameters()):  # large steps may overflow
        assert net.violations() == []
        assert violations(weights_of(net), start.network) == []


@pytest.mark.parametrize("optimiser", [None, optimisers.adam(0.5), optimisers.sgd(5.0)])
@pytest.mark.parametrize("change", [{}, {"ei": None}, {"ei_positive_func": "abs"}])
def test_signs_zeros_and_fixed_weights_survive_any_optimiser_in_pytensor(optimiser, change):
    start = small_start(**change)
    step = TrainingStep(*start, optimiser=optimiser)
    rng = np.random.default_rng(0)
    for _ in range(10):
        step.update(random_batch(start, rng))
    assert not np.array_equal(step.parameters.Wrec, start.parameters.Wrec)
    assert violations(step.weights, start.network) == []


@pytest.mark.parametrize(
    ("name", "place", "value", "words"),
    [
        ("Wrec", (0, 7), 0.3, r"Wrec \[0, 7\] = 0.3 is against the sign of its unit"),
        ("Wrec", (2, 0), -0.3, r"Wrec \[2, 0\] = -0.3 is against the sign"),
        ("Wrec", (3, 3), 0.1, r"Wrec \[3, 3\] = 0.1 is not zero where no connection"),
        ("Wrec", (0, 1), 0.9, r"Wrec \[0, 1\] = 0.9 differs from its fixed weight"),
        ("Win", (4, 0), -0.1, r"Win \[4, 0\] = -0.1 is against the sign"),
        ("Win", (5, 1), 0.1, r"Win \[5, 1\] = 0.1 differs from its fixed weight 0.3"),
        ("Win", (1, 0), 0.1, r"Win \[1, 0\] = 0.1 is not zero"),
        ("Wout", (1, 6), -0.1, r"Wout \[1, 6\] = -0.1 is not zero"),
        ("x0", (2,), np.nan, r"x0 \[2\] = nan is not finite"),
    ],
)
def test_the_certificate_names_what_is_broken_in_both_backends(name, place, value, words):
    start = small_start()
    weights = effective_weights(start.parameters, start.network)
    assert violations(weights, start.network) == []
    getattr(weights, name)[place] = value
    with pytest.raises(SettingError, match=words):
        certify(weights, start.network)
    net = twin(start.network, start.parameters)
    assert net.violations() == []
    (sentence,) = net.violations(weights._asdict())
    assert sentence.startswith(name)
    assert name not in ("Win", "Wrec", "Wout") or f"[{place[0]}, {place[1]}]" in sentence


def test_the_certificate_sees_absent_and_misshapen_matrices():
    start = small_start()
    weights = effective_weights(start.parameters, start.network)
    assert violations(weights._replace(Wout=None), start.network) == [
        "Wout is absent, expected shape (3, 8)"
    ]
    assert "shape (2, 8)" in violations(weights._replace(Wout=weights.Wout[:2]), start.network)[0]


def test_effective_weights_that_break_the_constraint_do_not_become_raw_ones():
    start = small_start()
    weights = effective_weights(start.parameters, start.network)
    weights.Wrec[2, 0] = -1
    with pytest.raises(SettingError, match="against the sign"):
        raw_from_effective(weights, start.network)


def test_a_state_dict_of_the_twin_can_be_loaded_into_another():
    start = small_start()
    one, other = (twin(start.network, start.parameters) for _ in range(2))
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.add_(0.25)
    other.load_state_dict(one.state_dict())
    assert_same(parameters_of(other), parameters_of(one))


def test_parameters_of_another_shape_are_refused_by_the_twin():
    start = small_start()
    net = twin(start.network, start.parameters)
    with pytest.raises(StateError, match="Wout has shape"):
        net.load_raw(start.parameters._replace(Wout=np.zeros((2, 8)))._asdict())
    assert_same(parameters_of(net), start.parameters)


def test_a_network_without_outputs_has_no_twin():
    start = small_start()
    network, _ = pycog_settings(N=8)
    with pytest.raises(SettingError, match="Nout = 0"):
        twin(network, start.parameters)


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_any_solver_is_exported_and_read_back(tmp_path, ending):
    start = small_start()
    for number, net in enumerate(
        (
            TrainingStep(*start),
            twin(start.network, start.parameters),
            LSTMClassifier(4, 3, 2, seed=0),
        )
    ):
        arrays, path = exported(net), tmp_path / f"{number}{ending}"
        export(path, arrays, solver=type(net).__name__)
        held, notes = read_export(path)
        assert notes == {"solver": type(net).__name__}
        assert held.keys() == arrays.keys()
        for name, value in arrays.items():
            np.testing.assert_array_equal(held[name], value, err_msg=name)
            assert held[name].dtype == value.dtype


def test_both_biological_networks_export_the_same_arrays():
    start = small_start()
    one, other = exported(TrainingStep(*start)), exported(twin(start.network, start.parameters))
    assert one.keys() == other.keys()
    assert {"raw.Wrec", "effective.Wrec", "effective.x0"} <= one.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(other[name], value, err_msg=name)


def test_files_that_are_none_of_ours_are_refused(tmp_path):
    import safetensors.numpy

    with pytest.raises(SettingError, match=r"\.npz or \.safetensors"):
        export(tmp_path / "weights.pkl", {"a": np.zeros(2)})
    with pytest.raises(ArchiveError, match="no such file"):
        read_export(tmp_path / "absent.safetensors")
    truncated = tmp_path / "truncated.safetensors"
    export(truncated, {"a": np.zeros(100)})
    truncated.write_bytes(truncated.read_bytes()[:-9])
    with pytest.raises(ArchiveError, match="truncated"):
        read_export(truncated)
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(safetensors.numpy.save({"a": np.zeros(2)}))
    with pytest.raises(ArchiveError, match="not written by dgr"):
        read_export(foreign)


@pytest.mark.parametrize("notes", [None, {}, [], [1], "x", 3, {"kind": None}, {"sha256": ""}])
def test_safetensors_whose_notes_are_null_or_no_names_and_values_are_refused(tmp_path, notes):
    """`"__metadata__": null` was a traceback."""
    path = tmp_path / "w.safetensors"
    export(path, {"a": np.zeros(2)})
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    text = json.dumps(json.loads(data[8 : 8 + length]) | {"__metadata__": notes}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    with pytest.raises(ArchiveError, match=r"export it again") as caught:
        read_export(path)
    assert len(str(caught.value)) < 500


def test_a_missing_safetensors_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingBackendError, match="export"):
        export(tmp_path / "a.safetensors", {"a": np.zeros(2)})
    assert list(tmp_path.iterdir()) == []
