"""The training step: backends agree, gradients are right, the guard holds, states go round."""

import numpy as np
import pytensor.tensor as pt
import pytest

from pycog_dgr.config import HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS, Connectivity
from pycog_dgr.errors import BackendError, BatchError, SettingError
from pycog_dgr.network import Parameters, simulate
from pycog_dgr.symbolic import adam
from pycog_dgr.training import step as step_module
from tests.pycog_dgr import small

BETWEEN_BACKENDS = 1e-12  # float64, relative to the largest entry
FINITE_DIFFERENCE = 1e-6  # relative; steps of 1e-6, central
PENALTIES = {f"lambda{k}_{name}": 0.1 * k for k in (1, 2) for name in ("in", "rec", "out")}
CASES = [
    *({"hidden_activation": name} for name in HIDDEN_ACTIVATIONS),
    *({"output_activation": name} for name in OUTPUT_ACTIVATIONS),
    {"ei": None},
    {"ei_positive_func": "abs"},
    {"Nin": 0},
    {"tau": np.linspace(30, 90, 6)},
    {"train_brec": True, "train_bout": True, "brec": 0.1, "bout": -0.1},
    {"train_x0": False},
    {"mode": "continuous"},
    PENALTIES | {"lambda2_r": 0.3},
    {"lambda_Omega": 0},
    {"tau": 20},
    {"penalties": (lambda raw, states: pt.mean(states.x**2),)},
    {"Crec": Connectivity(1 - np.eye(6), np.eye(6) * 0.2)},
]


def close(got, expected, tolerance):
    finite = np.abs(expected)[np.isfinite(expected)]
    largest = np.max(finite) if finite.size else 0
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * max(largest, 1e-300))


# PyTensor takes seconds to prepare a scan: the other cases run with `make test-slow`, and the
# golden fixtures hold both backends to the original.
QUICK = ("ei", "tau", "lambda1_in", "Crec")
BY_SCAN = [
    pytest.param(case, marks=() if next(iter(case)) in QUICK else pytest.mark.slow)
    for case in CASES
]


@pytest.mark.parametrize("changes", BY_SCAN, ids=lambda changes: "-".join(changes))
def test_fast_and_scan_give_the_same_numbers(changes):
    same_numbers("fast", "scan", changes)


@pytest.mark.parametrize("changes", CASES, ids=lambda changes: "-".join(changes))
def test_fast_and_numpy_give_the_same_numbers(changes):
    same_numbers("fast", "numpy", changes)


def same_numbers(backend, reference, changes):
    """Every quantity of a step, and three updates, within BETWEEN_BACKENDS."""
    one, other = (small.step(backend=name, **changes) for name in (backend, reference))
    batch = small.batch(one.network)
    expected = other.gradients(batch)
    for name, value in one.gradients(batch).items():
        close(value, expected[name], BETWEEN_BACKENDS)
    for _ in range(3):
        close(one.update(batch), other.update(batch), BETWEEN_BACKENDS)
    for got, wanted in zip(one.parameters, other.parameters, strict=True):
        if wanted is not None:
            close(got, wanted, BETWEEN_BACKENDS)


@pytest.mark.usefixtures("without_numba")
def test_without_numba_the_numpy_backend_runs_and_the_log_says_why(caplog):
    step = small.step(backend="auto")
    assert step.backend == "numpy"
    assert "Numba cannot run here (ModuleNotFoundError" in caplog.text
    step.update(small.batch(step.network))
    with pytest.raises(BackendError, match="use backend='numpy'"):
        small.step(backend="fast")


def test_what_a_step_returns_is_not_written_again():
    step = small.step()
    batch = small.batch(step.network)
    first = step.evaluate(batch).z
    kept = first.copy()
    step.update(batch)
    step.evaluate(batch._replace(inputs=batch.inputs + 1))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("array", ["inputs", "noise"])
def test_arrays_in_any_order_and_read_only_ones_serve(array):
    step = small.step()
    batch = small.batch(step.network)
    expected = step.evaluate(batch).z
    turned = np.asfortranarray(getattr(batch, array))
    turned.flags.writeable = False
    np.testing.assert_array_equal(step.evaluate(batch._replace(**{array: turned})).z, expected)


@pytest.mark.parametrize("changes", CASES, ids=lambda changes: "-".join(changes))
def test_gradients_are_the_slopes_of_loss_and_penalties(changes):
    step = small.step(**changes)
    batch = small.batch(step.network)
    gradients, start = step.gradients(batch), step.parameters
    rng, h = np.random.default_rng(1), 1e-6
    for name in step.network.trained:
        direction = rng.normal(size=getattr(start, name).shape)
        costs = []
        for sign in (1, -1):
            moved = getattr(start, name) + sign * h * direction
            step.parameters = start._replace(**{name: moved})
            costs.append(step.evaluate(batch).loss)
        slope = (costs[0] - costs[1]) / (2 * h)
        by_hand = np.sum(gradients[f"grad_{name}"] * direction)
        assert by_hand == pytest.approx(slope, rel=FINITE_DIFFERENCE, abs=1e-8), name


@pytest.mark.parametrize("tau", [50.0, np.linspace(30, 90, 6)], ids=["scalar", "vector"])
def test_D_is_the_slope_by_a_nudge_of_the_state(tau):
    """D_t = d loss / d x_t: a nudge of x_t is a nudge of the noise by 1 / alpha."""
    step = small.step(tau=tau)
    batch = small.batch(step.network)
    D, alpha = step.gradients(batch)["D"], np.broadcast_to(step.network.alpha, 6)
    for t, trial, unit in [(0, 0, 0), (3, 1, 4), (6, 3, 2)]:
        costs = []
        for sign in (1, -1):
            noise = batch.noise.copy()
            noise[t, trial, unit] += sign * 1e-6 / alpha[unit]
            costs.append(step.evaluate(batch._replace(noise=noise)).loss)
        assert D[t, trial, unit] == pytest.approx((costs[0] - costs[1]) / 2e-6, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("changes", CASES, ids=lambda changes: "-".join(changes))
def test_states_and_outputs_equal_the_plain_numpy_network(changes):
    step = small.step(**changes)
    batch = small.batch(step.network)
    rng = np.random.default_rng(2)  # raw values also where weights are fixed or absent
    step.parameters = Parameters(
        *(
            None if raw is None else raw + 0.1 * rng.normal(size=raw.shape)
            for raw in step.parameters
        )
    )
    got = step.gradients(batch)
    network = step.network
    expected = simulate(
        step.weights, batch.inputs, batch.noise, network.alpha,
        hidden_activation=network.hidden_activation, output_activation=network.output_activation,
    )  # fmt: skip
    close(got["x"], expected.x, 1e-13)
    close(got["z"], expected.z, 1e-12)


def test_float32_stays_float32_everywhere():
    step = small.step("float32", optimiser=adam(1e-3), lambda2_r=0.1, lambda1_rec=0.1)
    batch = small.batch(step.network)
    step.update(batch)
    assert {value.dtype for value in step.state().values()} == {np.dtype("float32")}
    assert {value.dtype for value in step.gradients(batch).values()} == {np.dtype("float32")}


# --- the guard ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["empty mask", "infinite", "too long"])
def test_an_unsound_gradient_moves_only_Wrec_which_shrinks(case):
    step = small.step()
    batch = small.batch(step.network)
    if case == "empty mask":
        batch = batch._replace(mask=np.zeros_like(batch.mask))
    elif case == "infinite":
        batch = batch._replace(inputs=batch.inputs * 1e200)
    else:
        batch = batch._replace(inputs=batch.inputs * 1e9)
    before = step.parameters
    report = step.update(batch)
    after = step.parameters
    assert not report.gnorm <= 1e10
    shrunk = before.Wrec - step.training.learning_rate * (np.float32(0.02) * before.Wrec)
    np.testing.assert_array_equal(after.Wrec, shrunk)
    for name in ("Win", "Wout", "x0"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


def test_one_time_step_has_no_Omega_but_trains():
    step = small.step()
    before = step.parameters
    report = step.update(small.batch(step.network, n_time=1))
    assert np.isnan(report.Omega) and report.nelems == 0
    assert np.isfinite(report.gnorm) and report.gnorm > 0
    assert not np.array_equal(before.Wout, step.parameters.Wout)


def test_a_gradient_longer_than_the_limit_is_scaled_to_it():
    step = small.step(max_gradient_norm=1e-3, learning_rate=1.0)
    before = step.parameters
    report = step.update(small.batch(step.network))
    moved = [
        getattr(step.parameters, name) - getattr(before, name) for name in step.network.trained
    ]
    assert report.gnorm > 1e-3
    length = np.sqrt(sum(np.sum(change**2) for change in moved))
    assert length == pytest.approx(1e-3, rel=1e-9)


def test_a_step_goes_down_the_gradient_of_loss_and_Omega():
    step = small.step(lambda_Omega=3, max_gradient_norm=np.inf, learning_rate=0.01)
    batch = small.batch(step.network)
    gradients, before = step.gradients(batch), step.parameters
    step.update(batch)
    down = gradients["grad_Wrec"] + 3 * gradients["omega_gradient"]
    assert gradients["omega_gradient"].any()
    np.testing.assert_allclose(step.parameters.Wrec, before.Wrec - 0.01 * down, rtol=1e-13)


# --- what training must not touch -----------------------------------------------------------------


def test_training_keeps_dales_signs_fixed_weights_and_zeros():
    kind = np.random.default_rng(5).integers(3, size=(6, 6))
    Crec = Connectivity(kind == 1, (kind == 2) * 0.3)
    step = small.step(Crec=Crec, learning_rate=0.5)
    before = step.weights
    for seed in range(20):
        step.update(small.batch(step.network, seed=seed))
    after = step.weights
    assert (after.Wrec * step.network.ei >= 0).all() and (after.Win >= 0).all()
    np.testing.assert_array_equal(after.Wrec[kind != 1], before.Wrec[kind != 1])
    assert not np.array_equal(after.Wrec[kind == 1], before.Wrec[kind == 1])


def test_untrained_parameters_stay():
    step = small.step(brec=0.2, bout=0.1, train_x0=False)
    before = step.parameters
    step.update(small.batch(step.network))
    for name in ("brec", "bout", "x0"):
        np.testing.assert_array_equal(getattr(step.parameters, name), getattr(before, name))


# --- the mask -------------------------------------------------------------------------------------


def test_what_the_mask_hides_does_not_matter():
    step = small.step()
    batch = small.batch(step.network)
    hidden = np.where(batch.mask == 0, 17.0, batch.targets)
    first, second = step.gradients(batch), step.gradients(batch._replace(targets=hidden))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_a_real_mask_weighs_trials_as_repeating_them_would():
    step = small.step()
    batch = small.batch(step.network, n_trial=2)
    mask = np.ones_like(batch.mask)
    weighted = batch._replace(mask=mask * np.array([2.0, 1.0])[:, np.newaxis])
    repeated = type(batch)(*(array[:, [0, 0, 1]] for array in batch._replace(mask=mask)))
    first, second = step.gradients(weighted), step.gradients(repeated)
    for name in ("loss", "error", "grad_Win", "grad_Wrec", "grad_Wout", "grad_x0"):
        np.testing.assert_allclose(first[name], second[name], rtol=1e-12, atol=1e-15)


# --- state, errors, the self-check ----------------------------------------------------------------


@pytest.mark.parametrize("optimiser", [None, "adam"])
def test_training_goes_on_from_a_state_as_if_never_interrupted(optimiser):
    def make():
        return small.step(optimiser=adam(0.01) if optimiser else None)

    whole, first, second = make(), make(), make()
    batches = [small.batch(whole.network, seed=seed) for seed in range(6)]
    for batch in batches:
        whole.update(batch)
    for batch in batches[:3]:
        first.update(batch)
    second.load_state(first.state())
    for batch in batches[3:]:
        second.update(batch)
    for name, value in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], value)


def test_parameters_weights_and_state_are_copies():
    step = small.step(train_tau=True)
    for values in (step.parameters, step.weights, step.state().values()):
        for value in values:
            if value is not None:  # what this network does not have
                value[...] = 99
    assert all((value != 99).all() for value in step.state().values())


def test_a_state_that_does_not_fit_changes_nothing():
    step = small.step()
    before, state = step.state(), step.state()
    state["Wrec"] = np.zeros((2, 2))
    with pytest.raises(SettingError, match=r"Wrec: expected shape \(6, 6\), got shape \(2, 2\)"):
        step.load_state(state)
    with pytest.raises(SettingError, match=r"\['x0'\] differ"):
        step.load_state({name: value for name, value in before.items() if name != "x0"})
    for name, value in step.state().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_batch_that_does_not_fit_is_one_clear_error():
    step = small.step()
    batch = small.batch(step.network)
    for name, wrong in (
        ("inputs", batch.inputs[..., :1]),
        ("mask", batch.mask[:3]),
        ("targets", batch.targets[0]),
        ("noise", batch.noise[:, :0]),
    ):
        with pytest.raises(BatchError, match="has shape"):
            step.update(batch._replace(**{name: wrong}))


def test_impossible_options_are_refused():
    for changes, told in (
        ({"floatX": "float16"}, "floatX"),
        ({"backend": "theano"}, "'auto', 'fast', 'numpy', 'scan'"),
    ):
        with pytest.raises(SettingError, match=told):
            small.step(**changes)
    step = small.step()
    with pytest.raises(SettingError, match="parameter Win: expected"):
        step.parameters = Parameters(None, *step.parameters[1:])


@pytest.mark.parametrize(
    ("floatX", "backend"),
    [("float64", "fast"), ("float32", "fast"), ("float64", "numpy"), ("float64", "scan")],
)
def test_the_self_check_passes(floatX, backend, caplog):
    caplog.set_level("INFO")
    step = small.step(floatX, backend)
    step.update(small.batch(step.network))
    assert "agrees with numpy" in caplog.text


@pytest.mark.parametrize("factor", [1 + 1e-9, np.nan])
def test_the_self_check_finds_a_backend_that_disagrees(monkeypatch, factor):
    def wrong(*arguments, **options):
        run = simulate(*arguments, **options)
        return run._replace(z=run.z * factor)

    monkeypatch.setattr(step_module, "simulate", wrong)
    step = small.step()
    with pytest.raises(BackendError, match="disagrees with the plain numpy"):
        step.update(small.batch(step.network))
    unchecked = small.step(self_check=False)
    unchecked.update(small.batch(unchecked.network))
