"""The torch twin gives the numbers of the original, computed by running it on Theano.

Tolerances, relative to the largest entry of each array: float64 1e-10 at a step, 1e-8 after 50
updates (100 on MNIST); float32 1e-4 at a step and 1e-3 after them.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from torch_dgr.rate_rnn.network import Masks, RateRNN
from torch_dgr.rate_rnn.objective import (
    Objective,
    evaluate,
    gradients,
)
from torch_dgr.rate_rnn.omega import vanishing_gradient_penalty
from torch_dgr.rate_rnn.step import clipped_sgd, train_step

GOLDEN = Path(__file__).parents[2] / "golden"
STEPS = sorted(path.stem for path in GOLDEN.glob("step_*.npz"))
MNIST = sorted(path.stem for path in GOLDEN.glob("mnist_[al]*_seed*_f*.npz"))
MATRICES = {"Win": "Cin", "Wrec": "Crec", "Wout": "Cout"}


def load(name):
    with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def decoded(entry):
    """Undo the fixtures' JSON encoding of arrays."""
    if isinstance(entry, dict):
        if "__array__" in entry:
            return np.array(entry["__array__"], dtype=entry.get("dtype"))
        return {key: decoded(value) for key, value in entry.items()}
    return entry


def masks_of(fixture, params):
    """Masks of the matrices; fixed weights are read off the effective matrix."""
    masks = {}
    for name, setting in MATRICES.items():
        if f"init_{name}" not in fixture:
            continue
        effective = fixture[f"eff_{name}_"].astype(float)
        plastic = np.ones(effective.shape)
        given = params.get(setting)
        if given is not None:
            given = given["mask_plastic"] if isinstance(given, dict) else given
            plastic = (np.asarray(given) != 0).astype(float)
        elif name == "Wrec":
            plastic -= np.eye(len(effective))
        signs = 1 if params.get("ei") is None or name == "Win" else params["ei"]
        masks[name] = Masks(plastic, np.where(plastic == 0, effective * signs, 0))
    return masks


def network_of(fixture, floatX):
    settings = decoded(json.loads(str(fixture["settings"])))
    params = settings["params"]
    parameters = {
        name: fixture.get(f"init_{name}", fixture.get(f"eff_{name}"))
        for name in ("Win", "Wrec", "Wout", "brec", "bout", "x0")
    }
    network = RateRNN(
        parameters,
        tau=params.get("tau", 100),
        dt=settings.get("dt", params.get("dt")),
        masks=masks_of(fixture, params),
        ei=params.get("ei"),
        ei_positive_func=params.get("ei_positive_func", "rectify"),
        hidden_activation=params.get("hidden_activation", "rectify"),
        output_activation=params.get("output_activation", "linear"),
        trained=[name for name in parameters if f"init_{name}" in fixture],
        dtype=getattr(torch, floatX),
    )
    arguments = settings.get(
        "train_step_args[alpha,lambda_Omega,lr,maxnorm,bound]", settings.get("args")
    )
    _, lambda_Omega, learning_rate, max_gradient_norm, bound = arguments
    lambdas = {
        key: value for key, value in params.items() if key.startswith(("lambda1_", "lambda2_"))
    }
    objective = Objective(lambda_Omega=lambda_Omega, bound=bound, **lambdas)
    return network, objective, clipped_sgd(network, learning_rate, max_gradient_norm)


def batch_of(u, y, N):
    n_out = y.shape[2] // 2
    return SimpleNamespace(
        inputs=u[..., :-N], noise=u[..., -N:], targets=y[..., :n_out], mask=y[..., n_out:]
    )


def assert_close(mine, golden, tolerance, name):
    mine, golden = np.asarray(mine, dtype=float), np.asarray(golden, dtype=float)
    assert mine.shape == golden.shape, name
    finite = np.isfinite(golden)  # what overflowed is infinite or NaN by order of summation
    np.testing.assert_array_equal(np.isfinite(mine), finite, err_msg=name)
    mine, golden = mine[finite], golden[finite]
    scale = np.abs(golden).max(initial=0)
    np.testing.assert_allclose(mine, golden, rtol=0, atol=tolerance * scale, err_msg=name)


def check_instant(network, objective, batch, fixture, prefix, tolerance, trials=None):
    """Compare one forward and backward pass with everything the fixture holds about it."""
    found = gradients(network, batch, objective)
    D = torch.cat([found.D, torch.zeros_like(found.D[:1])])  # g_t = (1 - alpha) D_{t+1}
    mine = {
        "loss": found.loss,
        "regs": found.penalty,
        "error": found.error,
        "x": found.trajectory.x[:, :trials],
        "z": found.trajectory.z,
        "g_x": ((1 - network.alpha) * D)[:, :trials],
        "Omega": found.Omega,
        "nelems": found.nelems,
        "dOmega_dWrec": found.dOmega_dWrec,
    } | {f"grad_{name}": value for name, value in found.parameters.items()}
    compared = [key for key in mine if f"{prefix}_{key}" in fixture]
    assert {"x", "z", "g_x", "grad_Wrec", "dOmega_dWrec"} <= set(compared)
    for key in compared:
        if key == "dOmega_dWrec" and found.nelems == 0:
            assert not found.dOmega_dWrec.any()  # the original reports NaN, and trains as with 0
            continue
        assert_close(mine[key], fixture[f"{prefix}_{key}"], tolerance, f"{prefix}_{key}")


def check_parameters(network, fixture, prefix, tolerance):
    for name in network.trained():
        assert_close(
            network.raw_values()[name], fixture[f"{prefix}_{name}"], tolerance, f"{prefix}_{name}"
        )


@pytest.mark.parametrize("name", STEPS)
def test_fifty_updates_give_the_numbers_of_the_original(name):
    fixture = load(name)
    floatX = "float64" if name.endswith("f64") else "float32"
    source = fixture if "u0" in fixture else load(name.replace("f32", "f64"))
    at_a_step, after_all = (1e-10, 1e-8) if floatX == "float64" else (1e-4, 1e-3)
    network, objective, optimiser = network_of(fixture, floatX)
    batches = [batch_of(source[f"u{i}"], source[f"y{i}"], network.N) for i in range(5)]

    check_instant(network, objective, batches[0], fixture, "p0", at_a_step)
    before = evaluate(network, batches[0], objective)
    assert_close([before.loss, before.error], fixture["fcost0"], at_a_step, "fcost0")
    history = []
    for step in range(1, 51):
        report = train_step(network, optimiser, batches[(step - 1) % 5], objective)
        history.append(tuple(report))
        if step in (1, 2, 10, 50):
            tolerance = at_a_step if step <= 10 else after_all
            check_parameters(network, fixture, f"after{step}", tolerance)
        if step == 10 and "p10_x" in fixture:
            check_instant(network, objective, batches[1], fixture, "p10", at_a_step)
    assert_close(history[:10], fixture["hist"][:10], at_a_step, "hist, first ten")
    assert_close(history, fixture["hist"], after_all, "hist")
    for matrix in MATRICES:
        if matrix in network.names:
            assert_close(
                network.effective_values()[matrix],
                fixture[f"after50_eff_{matrix}_"],
                after_all,
                f"after50_eff_{matrix}_",
            )
    assert network.violations() == []


@pytest.mark.parametrize("name", MNIST)
def test_a_hundred_updates_of_the_thesis_network_give_the_numbers_of_the_original(name):
    fixture, data = load(name), load("mnist_data_seed1234")
    floatX = "float64" if name.endswith("f64") else "float32"
    at_a_step, after_all = (1e-10, 1e-8) if floatX == "float64" else (1e-4, 1e-3)
    network, objective, optimiser = network_of(fixture, floatX)
    times, trials = data["u"].shape[:2]
    mask = np.ones((times, trials, 10))
    if "last" in name:
        mask[:-1] = 0
    targets = np.broadcast_to(np.eye(10)[data["labels"]], (times, trials, 10))
    batch = SimpleNamespace(
        inputs=data["u"][..., :-64], noise=data["u"][..., -64:], targets=targets, mask=mask
    )
    check_instant(network, objective, batch, fixture, "p0", at_a_step, trials=4)
    history = []
    for step in range(1, 101):
        history.append(tuple(train_step(network, optimiser, batch, objective)))
        if step in (1, 10, 100):
            check_parameters(
                network, fixture, f"after{step}", at_a_step if step <= 10 else after_all
            )
    assert_close(history, fixture["hist"], after_all, "hist")
    after = evaluate(network, batch, objective)
    assert_close([after.loss, after.error], fixture["fcost_after100"], after_all, "fcost_after100")
    assert_close(after.trajectory.z[-1], fixture["z_last_after100"], after_all, "z_last_after100")


def test_a_guarded_step_is_exact():
    fixture = load("step_nan_maskzero_seed1234_f64")
    network, objective, optimiser = network_of(fixture, "float64")
    batch = batch_of(fixture["u0"], fixture["y0"], network.N)
    train_step(network, optimiser, batch, objective)
    check_parameters(network, fixture, "after1", 1e-15)


def test_every_kind_of_step_is_among_the_fixtures():
    kinds = {name.removeprefix("step_").split("_seed")[0] for name in STEPS}
    assert {"a_ei", "b_nodale", "e_fixed_nodale", "vectau", "out_softmax_ei", "nan_T1"} <= kinds
    assert MNIST


def test_pairing_omega_with_the_wrong_time_step_would_be_seen():
    fixture = load("step_a_ei_seed1234_f64")
    network, objective, _ = network_of(fixture, "float64")
    batch = batch_of(fixture["u0"], fixture["y0"], network.N)
    found = gradients(network, batch, objective)
    shifted = torch.roll(found.D, 1, dims=0)
    wrong, _ = vanishing_gradient_penalty(network, found.trajectory.x, shifted, objective.bound)
    assert abs(wrong.item() / fixture["p0_Omega"] - 1) > 1e-3
