"""Task tools beyond what the golden fixtures pin (tests/golden_kinds/tools.py)."""

import copy

import numpy as np
import pytest

from pycog_dgr import TaskError, tasktools


def test_epochs_are_open_on_the_left_and_closed_on_the_right():
    t = np.array([10.0, 20.0, 30.0])
    assert tasktools.get_idx(t, (10, 30)) == [1, 2]


def test_a_trial_without_duration_is_refused():
    with pytest.raises(TaskError, match="'T'"):
        tasktools.get_epochs_idx(10, {"stimulus": (0, 10)})
    with pytest.raises(TaskError, match="no step"):
        tasktools.get_epochs_idx(10, {"T": 5})


def test_a_share_of_excitatory_units_above_one_is_refused():
    with pytest.raises(TaskError, match="pE"):
        tasktools.generate_ei(10, 1.2)


def test_an_unbalanced_row_is_refused_unless_the_originals_nan_is_wanted():
    ei, _, _ = tasktools.generate_ei(10)
    with pytest.raises(TaskError, match="raise p_inh"):
        tasktools.generate_Crec(ei, p_inh=0.1)
    assert np.isnan(tasktools.generate_Crec(ei, p_inh=0.1, strict=False)).any()


def test_rows_of_a_random_connectivity_balance_and_have_norm_one():
    ei, EXC, INH = tasktools.generate_ei(20)
    C = tasktools.generate_Crec(ei, p_exc=0.5, p_inh=0.9, seed=3)
    np.testing.assert_allclose(C[:, EXC].sum(1), C[:, INH].sum(1), rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(C, axis=1), 1, rtol=1e-12)
    assert not C.diagonal().any()
    assert tasktools.generate_Crec(ei, seed=3, allow_self=True).diagonal().all()


def test_durations_are_multiples_of_dt_and_impossible_limits_do_not_loop_forever():
    rng = np.random.RandomState(1)
    for draw in (
        tasktools.uniform(rng, 20, 100, 500),
        tasktools.truncated_exponential(rng, 20, 330, 80, 1500),
        tasktools.truncated_normal(rng, 20, 200, 100, 0, 400),
    ):
        assert draw % 20 == 0
    with pytest.raises(TaskError, match="no duration"):
        tasktools.truncated_normal(rng, 20, 200, 100, 400, 400)


CONDITIONS = {"coh": [1, 2, 4], "side": [1, -1]}


def test_overriding_a_condition_leaves_the_random_stream_alone():
    free, fixed = np.random.RandomState(5), np.random.RandomState(5)
    tasktools.choose_condition(free, {"name": "test", "catch": False}, CONDITIONS, 0.1)
    params = {"name": "test", "catch": False, "coh": 4, "side": -1}
    chosen = tasktools.choose_condition(fixed, params, CONDITIONS, 0.1)
    assert chosen == {"coh": 4, "side": -1}
    assert free.rand() == fixed.rand()


def test_validation_steps_through_every_condition_once_after_a_catch_trial():
    chosen = [
        tasktools.choose_condition(
            None, {"name": "validation", "minibatch_index": b}, CONDITIONS, 0.1
        )
        for b in range(14)
    ]
    assert chosen[0] is None and chosen[7] is None
    assert len({tuple(one.values()) for one in chosen[1:7]}) == 6
    assert chosen[1:7] == chosen[8:14]
    assert [one["coh"] for one in chosen[1:4]] == [1, 2, 4]  # the first condition runs fastest


def test_an_unknown_purpose_is_refused():
    with pytest.raises(TaskError, match="not 'practice'"):
        tasktools.choose_condition(None, {"name": "practice"}, CONDITIONS, 0.1)


def test_choice_targets_ask_for_nothing_between_fixation_and_decision():
    t, e = tasktools.get_epochs_idx(10, {"fixation": (0, 20), "decision": (40, 60), "T": 60})
    outputs, mask = tasktools.choice_targets(t, e, 1)
    np.testing.assert_array_equal(mask[:, 0], [1, 1, 0, 0, 1, 1])
    np.testing.assert_array_equal(outputs[4], [0.2, 1])
    catch, everywhere = tasktools.choice_targets(t, e, None)
    assert (catch == 0.2).all() and everywhere.all()


def trial(choice, steps, **info):
    return {"t": np.arange(steps), "info": {"choice": choice, **info}}


def test_performance_reads_each_trial_at_its_own_end():
    z = np.zeros((3, 2, 2))
    z[1, 0] = [1, 0]  # the first trial ends at step 1; later steps are padding
    z[2, 0] = [0, 1]
    z[2, 1] = [0, 1]
    assert tasktools.performance_2afc([trial(0, 2), trial(1, 3)], z) == 100
    assert tasktools.performance_2afc([trial(1, 2), trial(1, 3)], z) == 50
    assert tasktools.performance_2afc_min_condition([trial(1, 2), trial(1, 3, coh=2)], z) == 0


def test_performance_on_catch_trials_alone_is_refused():
    with pytest.raises(TaskError, match="catch"):
        tasktools.performance_2afc([{"t": [1], "info": {}}], np.zeros((1, 1, 2)))


def test_bias_correction_shows_the_neglected_choice_more_often():
    z = np.zeros((1, 3, 2))
    z[0, :, 1] = [1, 1, -1]  # choices 1, 1, 0
    trials = [trial(0, 1)] * 3
    assert tasktools.correct_2afc_bias(trials, z, 0, 1) == pytest.approx([2 / 3, 1 / 3])
    assert tasktools.correct_2afc_bias(trials, z) == [0.55, pytest.approx(0.45)]
    z[0, :, 1] = -1  # never choice 1: the original divided by zero
    assert tasktools.correct_2afc_bias(trials, z) == [0.45, 0.55]


def test_a_condition_is_built_once_for_every_value():
    built = []

    @tasktools.built_once
    def build(dt, coh):
        built.append((dt, coh))
        return {"t": np.arange(3) * dt, "info": {"coh": coh}}

    assert build(20, 1) is build(20, 1)
    assert build(20, 2)["info"] == {"coh": 2}
    assert build(10, 1)["t"][-1] == 20
    assert built == [(20, 1), (20, 2), (10, 1)]


def test_a_trial_built_once_cannot_be_changed_but_its_copies_can():
    own = np.zeros(3)
    trial = tasktools.built_once(lambda: {"t": own, "info": {"coh": 1}})()
    for change in (
        lambda: trial.update(t=0),
        lambda: trial["info"].pop("coh"),
        lambda: trial["info"].__setitem__("coh", 2),
    ):
        with pytest.raises(TaskError, match="change a copy"):
            change()
    with pytest.raises(ValueError, match="read-only"):
        trial["t"][0] = 1
    own[0] = 7  # what the task does with its own array does not reach the trial
    assert trial == {"t": trial["t"], "info": {"coh": 1}} and not trial["t"].any()
    for copied in ({**trial}, copy.copy(trial), copy.deepcopy(trial)):
        assert type(copied) is dict
        copied["t"] = None


def test_a_condition_is_drawn_as_by_choice_whatever_is_overridden():
    conditions = {"coh": [1, 2, 4], "in_out": [1, -1]}
    rng, by_hand, overridden = (np.random.RandomState(4) for _ in range(3))
    for _ in range(20):
        drawn = tasktools.choose_condition(rng, {"name": "test"}, conditions, 0.3)
        caught = by_hand.rand() < 0.3
        if caught:
            assert drawn is None
        else:
            assert drawn == {
                name: values[by_hand.choice(len(values))] for name, values in conditions.items()
            }
        params = {"name": "test", "coh": 9}
        given = tasktools.choose_condition(overridden, params, conditions, 0.3)
        assert given == (None if caught else {**drawn, "coh": 9})
    assert rng.rand() == by_hand.rand() == overridden.rand()


def test_quick_choices_are_numpys_and_leave_its_stream_where_it_would_be():
    def chosen(rng, n):
        return tasktools.choose_condition(rng, {"name": "test"}, {"x": range(n)}, 0)["x"]

    quick, plain = np.random.RandomState(8), np.random.RandomState(8)
    for n in (*range(1, 40), 1000, 2**16, 2**16 + 1, 2**31, 2**31 + 1, 2**40):
        for _ in range(20):
            plain.random_sample()  # whether it is a catch trial
            assert chosen(quick, n) == plain.randint(n)
        assert quick.normal() == plain.normal()
    quick, plain = (np.random.RandomState(np.random.PCG64(8)) for _ in range(2))
    plain.random_sample()
    assert chosen(quick, 9) == plain.randint(9)
