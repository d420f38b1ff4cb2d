"""Elastic weight consolidation: F by brute force, the penalty's gradient, what must not count."""

import numpy as np
import pytest

from pycog_dgr.config import Connectivity, settings
from pycog_dgr.data import Batch
from pycog_dgr.errors import BatchError, SettingError
from pycog_dgr.training import (
    EWCState,
    RecurrentDropout,
    TrainingStep,
    consolidate,
    elastic_weight_consolidation,
    fisher_information,
)
from tests.pycog_dgr import small

EXACT = 1e-12  # relative, float64
FINITE_DIFFERENCE = 1e-6  # relative to the largest entry; central, steps of 1e-5


def trial(batch, n):
    return Batch(*(array[:, n : n + 1] for array in batch))


def moved(step, seed=3, by=0.1):
    """The step's parameters, each nudged at random."""
    rng = np.random.default_rng(seed)
    return type(step.parameters)(
        *(None if raw is None else raw + by * rng.normal(size=raw.shape) for raw in step.parameters)
    )


@pytest.mark.parametrize("output_activation", ["linear", "softmax", "sigmoid"])
def test_fisher_information_is_the_mean_square_of_each_trials_slopes(output_activation):
    step = small.step(output_activation=output_activation, train_brec=True, train_bout=True)
    batch = small.batch(step.network, n_trial=3)
    start, h = step.parameters, 1e-5
    found = fisher_information(step, batch)
    assert set(found) == {"Win", "Wrec", "Wout", "brec", "bout", "x0"}
    for name, F in found.items():
        by_hand = np.zeros(F.shape)
        for place in np.ndindex(F.shape):
            losses = []
            for sign in (1, -1):
                value = getattr(start, name).copy()
                value[place] += sign * h
                step.parameters = start._replace(**{name: value})
                losses.append([step.evaluate(trial(batch, n)).loss for n in range(3)])
            slopes = np.subtract(*losses) / (2 * h)
            by_hand[place] = np.mean(slopes**2)
        np.testing.assert_allclose(F, by_hand, rtol=0, atol=FINITE_DIFFERENCE * by_hand.max())
        assert F.any(), name


def test_penalties_dropout_and_Omega_of_the_step_play_no_part_in_F():
    plain = small.step()
    batch = small.batch(plain.network)
    extra = {"lambda2_rec": 3.0, "lambda1_in": 2.0, "lambda2_r": 1.0, "lambda_Omega": 50}
    _, training = settings(**(small.SETTINGS | extra))
    burdened = TrainingStep(
        plain.network, training, plain.parameters,
        penalties=(lambda raw, _: 7 * raw.Wout.sum(),), dropout=RecurrentDropout(0.5),
    )  # fmt: skip
    expected, before = fisher_information(plain, batch), burdened.state()
    for name, F in fisher_information(burdened, batch).items():
        np.testing.assert_array_equal(F, expected[name])
    for name, value in burdened.state().items():
        np.testing.assert_array_equal(value, before[name])


def test_weights_that_are_absent_or_fixed_matter_to_no_task():
    kind = np.random.default_rng(5).integers(3, size=(6, 6))
    step = small.step(Crec=Connectivity(kind == 1, (kind == 2) * 0.3))
    F = fisher_information(step, small.batch(step.network))["Wrec"]
    assert not F[kind != 1].any() and F[kind == 1].any()


def test_the_penaltys_gradient_is_lambda_F_times_the_distance():
    plain = small.step()
    network = plain.network
    states = [consolidate(plain, small.batch(network))]
    plain.parameters = moved(plain)
    states.append(consolidate(plain, small.batch(network, seed=1)))
    held = small.step(penalties=(elastic_weight_consolidation(states, 40),))
    held.parameters = plain.parameters = moved(plain, seed=4)
    batch = small.batch(network, seed=2)
    got, without = held.gradients(batch), plain.gradients(batch)
    value = 0
    for name in network.trained:
        pulls = [
            40 * F[name] * (getattr(plain.parameters, name) - star[name]) for star, F in states
        ]
        value += sum(
            np.sum(20 * F[name] * (getattr(plain.parameters, name) - star[name]) ** 2)
            for star, F in states
        )
        np.testing.assert_allclose(
            got[f"grad_{name}"], without[f"grad_{name}"] + sum(pulls), rtol=EXACT, atol=1e-14
        )
    assert got["penalty"] == pytest.approx(value, rel=EXACT) and value > 0
    assert held.evaluate(batch).loss == pytest.approx(plain.evaluate(batch).loss + value, rel=EXACT)


def test_where_a_task_ended_the_penalty_and_its_gradient_are_nothing():
    step = small.step()
    batch = small.batch(step.network)
    state = consolidate(step, batch)
    held = small.step(penalties=(elastic_weight_consolidation([state], 1e6),))
    got, expected = held.gradients(batch), step.gradients(batch)
    assert got["penalty"] == 0
    np.testing.assert_array_equal(got["grad_Wrec"], expected["grad_Wrec"])


def test_a_strong_penalty_keeps_what_matters_and_lets_the_rest_go():
    step = small.step(learning_rate=1e-3, lambda_Omega=0)
    first, second = small.batch(step.network), small.batch(step.network, seed=8)
    state = consolidate(step, first)
    held = small.step(
        learning_rate=1e-3, lambda_Omega=0,
        penalties=(elastic_weight_consolidation([state], 1e5),),
    )  # fmt: skip
    for one in (step, held):
        for _ in range(200):
            one.update(second)
    star, F = state.theta_star["Wout"], state.fisher["Wout"]
    important = np.median(F) < F
    free, tied = (np.abs(one.parameters.Wout - star)[important].max() for one in (step, held))
    assert tied < 0.2 * free


def test_an_EWC_state_is_a_copy():
    step = small.step()
    batch = small.batch(step.network)
    state = consolidate(step, batch)
    before = state.theta_star["Wrec"].copy()
    step.update(batch)
    np.testing.assert_array_equal(state.theta_star["Wrec"], before)
    assert not np.array_equal(step.parameters.Wrec, before)


def test_float32_networks_consolidate_in_float32():
    step = small.step("float32")
    batch = small.batch(step.network)
    held = small.step(
        "float32", penalties=(elastic_weight_consolidation([consolidate(step, batch)], 500),)
    )
    held.update(batch)
    assert {value.dtype for value in held.gradients(batch).values()} == {np.dtype("float32")}


@pytest.mark.parametrize("strength", [-1, np.nan, np.inf, True])
def test_an_impossible_strength_is_refused(strength):
    with pytest.raises(SettingError, match="strength must be"):
        elastic_weight_consolidation([], strength)


def test_an_EWC_state_that_does_not_fit_is_one_clear_error():
    good = {"Wrec": np.zeros((6, 6))}
    for state, told in (
        (EWCState(good, {}), "give both for the same names"),
        (EWCState(good, {"Wrec": np.zeros((5, 6))}), "of one shape"),
        (EWCState(good, {"Wrec": np.full((6, 6), np.nan)}), "must be finite"),
        (EWCState(good, {"Wrec": np.full((6, 6), -1.0)}), "below 0"),
    ):
        with pytest.raises(SettingError, match=told):
            elastic_weight_consolidation([state], 1)
    foreign = EWCState({"Wrec": np.zeros((5, 5))}, {"Wrec": np.zeros((5, 5))})
    step = small.step(penalties=(elastic_weight_consolidation([foreign], 1),))
    with pytest.raises(SettingError, match=r"Wrec has shape \(5, 5\), this network's \(6, 6\)"):
        step.update(small.batch(step.network))


def test_a_trial_without_any_target_has_no_fisher_information():
    step = small.step()
    batch = small.batch(step.network)
    mask = batch.mask.copy()
    mask[:, 2] = 0
    with pytest.raises(BatchError, match="trial 2"):
        fisher_information(step, batch._replace(mask=mask))
