"""The cross-check agrees where the backends do, and names the place where one was tampered with.

Tolerances are the cross-check's own: float64 1e-12 forwards, 1e-10 gradients, 1e-8 parameters.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bridge.cli import main
from bridge.crosscheck import cases as crosscases
from bridge.crosscheck import drift
from bridge.crosscheck.backends import BACKENDS, NumpyBackend, PyTensorBackend, TorchBackend
from bridge.crosscheck.comparison import (
    as_json,
    compare,
    crosscheck,
    difference,
    label_agreement,
    table,
)
from bridge.errors import SettingError
from pycog_dgr.data import Batch
from torch_dgr.rate_rnn import objective as torch_objective

from .networks import case_of, random_batch, small_start, starts

TWO = {"PyTensor fast": BACKENDS["PyTensor fast"], "torch": TorchBackend}
THREE = {"numpy": NumpyBackend, **TWO}


@pytest.fixture(scope="module")
def case():
    return case_of(small_start())


# -- the backends agree --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_all_four_agree_on_a_network_with_every_kind_of_constraint(case, dtype):
    report = crosscheck(case, steps=12, dtype=dtype)
    assert report.agrees, table(report)
    assert report.first is None
    compared = {one.quantity: one.backends for one in report.differences}
    assert compared["x"] == tuple(BACKENDS)
    assert compared["dOmega/dWrec"] == ("PyTensor scan", "PyTensor fast", "torch")
    for quantity in (
        "Wrec",
        "r",
        "z",
        "loss",
        "error",
        "D",
        "grad Win",
        "grad Wrec",
        "grad Wout",
        "grad brec",
        "grad bout",
        "grad x0",
        "Omega",
        "nelems",
        "gradient norm",
        "Wrec after 1",
        "Wrec after 10",
        "x0 after 12",
    ):
        assert quantity in compared


@given(starts(), st.integers(1, 8), st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_numpy_and_torch_agree_forwards_on_random_networks(start, times, trials, seed):
    batch = random_batch(start, np.random.default_rng(seed), times, trials)
    told = {
        "numpy": NumpyBackend(start, "float64").quantities(batch),
        "torch": TorchBackend(start, "float64").quantities(batch),
    }
    both = {name: {key: held[key] for key in told["numpy"]} for name, held in told.items()}
    worst = max(compare(both, "float64"), key=lambda one: one.relative / one.tolerance)
    assert worst.agrees, worst


@given(starts(), st.sampled_from(["scan", "fast"]), st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_pytensor_and_torch_agree_on_gradients_and_updates_of_random_networks(start, way, seed):
    case = case_of(start, seed=seed)
    pair = {
        "PyTensor": lambda start, dtype: PyTensorBackend(start, dtype, way),
        "torch": TorchBackend,
    }
    report = crosscheck(case, steps=3, backends=pair)
    assert report.agrees, table(report)


# -- one of them is tampered with ----------------------------------------------------------------


@pytest.fixture(scope="module")
def truth(case):
    """What the four backends tell of one batch."""
    batch = next(iter(case.batches()))
    return batch, {
        name: make(case.start, "float64").quantities(batch) for name, make in BACKENDS.items()
    }


class PerturbedTorch(TorchBackend):
    def __init__(self, start, dtype):
        super().__init__(start, dtype)
        with torch.no_grad():
            self.net.raw("Wrec")[3, 5] += 1e-6


class PerturbedPyTensor(PyTensorBackend):
    def __init__(self, start, dtype):
        Wrec = start.parameters.Wrec.copy()
        Wrec[3, 5] += 1e-6
        raw = start.parameters._replace(Wrec=Wrec)
        super().__init__(start._replace(parameters=raw), dtype, "fast")


class MasklessTorch(TorchBackend):
    def __init__(self, start, dtype):
        super().__init__(start, dtype)
        self.net.parametrizations.Wout[0].plastic.fill_(1)
        with torch.no_grad():  # at the start raw weights under the mask are zero by themselves
            self.net.raw("Wout")[1, 7] = 0.02


class FlippedOmega(TorchBackend):
    def quantities(self, batch):
        with pytest.MonkeyPatch.context() as patch:
            right = torch_objective.vanishing_gradient_penalty
            patch.setattr(
                torch_objective,
                "vanishing_gradient_penalty",
                lambda *given: (lambda Omega, n: (-Omega, n))(*right(*given)),
            )
            return super().quantities(batch)


class FlippedOmegaGradient(TorchBackend):
    def __init__(self, start, dtype):
        super().__init__(start, dtype)
        self.objective = replace(self.objective, lambda_Omega=-self.objective.lambda_Omega)


class ForgetsTrialMask(TorchBackend):
    def quantities(self, batch):
        return super().quantities(Batch(*batch)._replace(mask=np.ones(batch.mask.shape)))


class LateNoise(TorchBackend):
    def quantities(self, batch):
        noise = np.array(batch.noise)
        noise[3, 1, 4] += 1e-6
        return super().quantities(batch._replace(noise=noise))


class FaultyNumpy(NumpyBackend):
    def _penalty(self, r):
        return super()._penalty(r) + 1e-9


@pytest.mark.parametrize(
    ("name", "faulty", "quantity", "words"),
    [
        ("torch", PerturbedTorch, "Wrec", "[3, 5]"),
        ("PyTensor fast", PerturbedPyTensor, "Wrec", "[3, 5]"),
        ("torch", MasklessTorch, "Wout", "[1, 7]"),
        ("torch", FlippedOmega, "Omega", ""),
        ("torch", FlippedOmegaGradient, "gradient norm", ""),
        ("torch", ForgetsTrialMask, "loss", ""),
        ("torch", LateNoise, "x", "time step 4, trial 1, unit 4"),
        ("numpy", FaultyNumpy, "loss", ""),
    ],
)
def test_a_fault_is_named_with_its_tensor_place_and_backend(
    case, truth, name, faulty, quantity, words
):
    batch, told = truth
    found = compare({**told, name: faulty(case.start, "float64").quantities(batch)}, "float64")
    first = next(one for one in found if not one.agrees)
    assert (first.quantity, first.apart) == (quantity, name)
    assert first.place.startswith(words)


def test_of_two_backends_neither_is_blamed(case, truth):
    batch, told = truth
    pair = {
        "numpy": told["numpy"],
        "torch": PerturbedTorch(case.start, "float64").quantities(batch),
    }
    shared = {name: {key: held[key] for key in pair["numpy"]} for name, held in pair.items()}
    assert compare(shared, "float64")[1].apart == "numpy or torch"


def test_a_wrong_update_shows_in_the_parameters_after_it(case):
    class Hasty(TorchBackend):
        def __init__(self, start, dtype):
            super().__init__(start, dtype)
            for group in self.optimiser.param_groups:
                group["lr"] *= 1.001

    report = crosscheck(case, steps=2, backends={**TWO, "hasty torch": Hasty})
    assert report.first.quantity.endswith("after 1")
    assert report.first.apart == "hasty torch"
    assert "FIRST DIFFERENCE" in table(report)


# -- comparing one tensor ------------------------------------------------------------------------


def test_differences_are_relative_to_the_largest_entry():
    found = difference(
        "z", {"a": np.full((2, 1, 1), 4.0), "b": np.full((2, 1, 1), 4.0 + 4e-13)}, 1e-12
    )
    assert found.agrees
    assert found.relative == pytest.approx(1e-13, rel=1e-2)


def test_the_backward_pass_is_searched_from_its_end():
    right, wrong = np.ones((5, 2, 3)), np.ones((5, 2, 3))
    wrong[1:4, 0, 2] += 1
    forwards, backwards = (
        difference(name, {"a": right, "b": right, "c": wrong}, 1e-12) for name in ("x", "D")
    )
    assert forwards.place.startswith("time step 2, trial 0, unit 2")
    assert backwards.place.startswith("time step 4, trial 0, unit 2")
    assert forwards.apart == backwards.apart == "c"


@pytest.mark.parametrize(("mine", "agrees"), [(np.nan, True), (1.0, False), (np.inf, False)])
def test_nan_agrees_with_nan_alone(mine, agrees):
    values = {"a": np.array(np.nan), "b": np.array(mine)}
    assert difference("Omega", values, 1e-10).agrees is agrees


def test_infinities_of_one_sign_agree():
    values = {"a": np.array([np.inf, 1.0]), "b": np.array([np.inf, 1.0])}
    assert difference("gradient norm", values, 1e-10).agrees
    values["b"][0] = -np.inf
    assert not difference("gradient norm", values, 1e-10).agrees


def test_zeros_agree_with_zeros_alone():
    zero, tiny = np.zeros(3), np.full(3, 1e-300)
    assert difference("grad x0", {"a": zero, "b": zero}, 1e-10).agrees
    assert not difference("grad x0", {"a": zero, "b": tiny}, 1e-10).agrees


# -- labels, drift, command ----------------------------------------------------------------------


def classifying_case():
    start = small_start(output_activation="softmax")
    case = case_of(start)

    def images():
        rng = np.random.default_rng(5)
        return [random_batch(start, rng, trials=20) for _ in range(3)]

    return replace(case, images=images)


def test_networks_trained_in_one_backend_label_alike_in_every_other():
    report = crosscheck(classifying_case(), steps=5)
    assert report.agrees
    spelt = {one.comparison for one in report.labels}
    assert {
        "trained in PyTensor fast, run in torch",
        "trained in torch, run in PyTensor fast",
        "trained in PyTensor fast and in torch",
    } <= spelt
    assert all((one.alike, one.images) == (60, 60) for one in report.labels)


def test_a_backend_that_labels_otherwise_is_seen():
    class Contrary(NumpyBackend):
        def outputs(self, batch):
            return -super().outputs(batch)

    case = classifying_case()
    trained = {"torch": TorchBackend(case.start, "float64")}
    (labels,) = label_agreement(
        case, trained, "float64", {"numpy": Contrary, "torch": TorchBackend}
    )
    assert labels.comparison == "trained in torch, run in numpy"
    assert not labels.agrees


def test_drift_in_float32_is_that_of_rounding(case, tmp_path):
    rows = drift.drift(case, 20)
    assert rows.shape == (20, len(drift.COLUMNS))
    np.testing.assert_array_equal(rows[:, 0], np.arange(1, 21))
    assert rows[:, 1].max() < 1e-12
    assert (rows[:, 2:] > 1e-9).all()
    assert rows[:, 2:].max() < 1e-4
    paths = drift.draw(rows, "small", tmp_path / "drift")
    assert [path.name for path in paths] == ["drift.png", "drift.pdf"]
    assert all(path.stat().st_size > 5000 for path in paths)
    lines = drift.as_csv(rows).decode().splitlines()
    assert lines[0] == ",".join(drift.COLUMNS)
    assert len(lines) == 21


@pytest.fixture
def small_default(monkeypatch, case):
    monkeypatch.setattr(crosscases, "default_cases", lambda data, root: [case])
    return case


def run_command(folder, *words):
    status = main(["crosscheck", "--steps", "2", "--out", str(folder), *words])
    return status, json.loads((folder / "crosscheck.json").read_text())


def test_the_command_writes_its_findings_and_returns_zero(small_default, tmp_path, capsys):
    status, held = run_command(tmp_path, "--drift", "3")
    assert status == 0
    assert held["agrees"] is True
    assert held["cases"][0]["differences"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "crosscheck.json",
        "drift.csv",
        "drift.png",
        "drift.pdf",
    }
    told = capsys.readouterr().out
    assert "all agree" in told
    assert "dOmega/dWrec" in told


@pytest.mark.parametrize("faulty", [PerturbedTorch, FlippedOmega, ForgetsTrialMask])
def test_the_command_returns_one_where_a_backend_is_faulty(
    small_default, tmp_path, capsys, monkeypatch, faulty
):
    monkeypatch.setitem(BACKENDS, "torch", faulty)
    status, held = run_command(tmp_path, "--drift", "0")
    assert status == 1
    assert held["agrees"] is False
    assert held["cases"][0]["first"]["apart"] == "torch"
    assert "FIRST DIFFERENCE" in capsys.readouterr().out


def test_bad_requests_are_one_clear_error(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["crosscheck", "--task", "rdm_fixd", "--out", str(tmp_path)]) == 2
    assert "did you mean 'rdm_fixed'" in capsys.readouterr().err
    assert main(["crosscheck", "--weights", str(tmp_path / "absent.npz")]) == 2
    assert "no such file" in capsys.readouterr().err
    with pytest.raises(SettingError, match="float16"):
        crosscheck(case, dtype="float16")
    with pytest.raises(SettingError, match="steps"):
        crosscheck(case, steps=0)
    assert list(tmp_path.iterdir()) == []


def test_reports_become_json_even_where_a_difference_is_infinite(case):
    class Nowhere(NumpyBackend):
        def quantities(self, batch):
            return {**super().quantities(batch), "loss": np.nan}

    report = crosscheck(case, steps=1, backends={**THREE, "numpy": Nowhere})
    assert report.first.quantity == "loss"
    text = json.dumps(as_json([report]), allow_nan=False)
    assert '"relative": "inf"' in text


def test_where_the_digits_are_not_installed_random_images_stand_in_and_are_named(
    monkeypatch, caplog
):
    monkeypatch.setattr(crosscases.importlib.util, "find_spec", lambda name: None)
    first = crosscases.default_cases(None, None)[0]
    assert first.name == "thesis (random images)"
    assert "pip install 'dgr[digits]'" in caplog.text
    batch = next(first.batches())
    assert batch.inputs.shape == (28, 64, 28) and batch.targets[-1].sum() == 64
    report = crosscheck(first, 2, "float64", TWO)
    assert report.agrees
