"""Batches beyond what the golden fixtures pin (tests/golden_kinds/data.py)."""

import types

import numpy as np
import pytest

from pycog_dgr import Dataset, TaskError
from pycog_dgr.config import settings
from pycog_dgr.data import trial as trial_module
from pycog_dgr.tasktools import built_once

P = {
    "Nin": 1, "N": 3, "Nout": 2, "dt": 10, "tau": 50, "tau_in": 100,
    "var_in": 0.0, "var_rec": 0.0, "baseline_in": 0.2, "rectify_inputs": True,
    "noise_stream": "original",
}  # fmt: skip


def trial(steps=3, **parts):
    made = {
        "t": np.arange(1, steps + 1) * 10,
        "inputs": np.ones((steps, 1)),
        "outputs": np.ones((steps, 2)),
    }
    made |= parts
    return {key: value for key, value in made.items() if value is not None}


def task(*trials):
    """A task that returns the trials in turn."""
    trials = list(trials)
    seen = []

    def generate_trial(rng, dt, params):
        seen.append(params)
        return trials[(len(seen) - 1) % len(trials)]

    return types.SimpleNamespace(generate_trial=generate_trial, __name__="pulse", seen=seen)


def dataset(*trials, size=2, p=None, **options):
    network, training = settings(**{**P, **(p or {})})
    return Dataset(size, task(*trials), "float64", network, training, **options)


def test_padding_is_masked_but_receives_baseline():
    batch = dataset(trial(2), trial(4))([])
    assert batch.inputs.shape == (4, 2, 1) and batch.noise.shape == (4, 2, 3)
    np.testing.assert_array_equal(batch.mask[:, 0, 0], [1, 1, 0, 0])
    np.testing.assert_array_equal(batch.inputs[:, 0, 0], [1.2, 1.2, 0.2, 0.2])
    np.testing.assert_array_equal(batch.targets[2:, 0], 0)


def test_a_real_valued_mask_of_one_column_weighs_all_outputs():
    batch = dataset(trial(mask=np.full((3, 1), 0.25)))([])
    np.testing.assert_array_equal(batch.mask, 0.25)


def test_negative_inputs_are_rectified_only_on_request():
    negative = trial(inputs=np.full((3, 1), -1.0))
    assert not dataset(negative)([]).inputs.any()
    kept = dataset(negative, p={"rectify_inputs": False})([])
    np.testing.assert_allclose(kept.inputs, -0.8)


def test_minibatches_use_up_the_stored_trials_and_drop_the_rest():
    data = dataset(trial(), size=4, batch_size=10)
    starts = []
    for _ in range(3):
        data([])
        starts.append(data.trial_idx)
    assert starts == [0, 4, 0]
    assert data.ntrials == 12 and len(data.task.seen) == 20 and len(data.get_trials()) == 4


def test_a_stored_batch_is_used_to_its_last_trial():
    data = dataset(trial(), size=4, batch_size=8)
    starts = []
    for _ in range(3):
        data([])
        starts.append(data.trial_idx)
    assert starts == [0, 4, 0]


def test_the_task_is_told_what_for_and_how_training_goes():
    data = dataset(trial(), name="validation")
    data([0.5], callback_results=[0.4, 0.6])
    assert data.task.seen[1] == {
        "target_output": True,
        "minibatch_index": 1,
        "best_costs": [0.5],
        "callback_results": [0.4, 0.6],
        "name": "validation",
    }


def test_the_present_minibatch_can_be_had_again():
    data = dataset(trial(), p={"var_rec": 0.1})
    first = data([])
    np.testing.assert_array_equal(data([], update=False).noise, first.noise)
    assert data.ntrials == 2


def test_masks_are_found_on_one_trial():
    assert dataset(trial(mask=np.ones((3, 2)))).has_output_mask()
    assert not dataset(trial()).has_output_mask()


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (trial(inputs=np.ones((3, 2))), r"'inputs' has shape \(3, 2\), expected \(3, 1\)"),
        (trial(inputs=None), "'inputs' is missing"),
        (trial(outputs=np.ones((4, 2))), "'outputs' has shape"),
        (trial(outputs=np.full((3, 2), np.nan)), "'outputs' is not finite at time step 0"),
        (trial(mask=np.array([["a", "b"]] * 3)), "'mask' holds"),
        (trial(t=np.zeros(0)), "'t' must be a time axis"),
        ([1, 2], "returned list"),
    ],
)
def test_a_faulty_trial_is_named_by_task_key_and_shape(faulty, message):
    with pytest.raises(TaskError, match=message) as raised:
        dataset(faulty)([])
    assert "task 'pulse'" in str(raised.value) and "'gradient'" in str(raised.value)


def test_a_stored_batch_smaller_than_a_minibatch_is_refused():
    with pytest.raises(TaskError, match="gradient_batch_size"):
        dataset(trial(), size=4, batch_size=3)


def test_a_batch_follows_from_the_state_of_the_tasks_stream():
    p = {"var_in": 0.2, "var_rec": 0.1, "noise_stream": "fast"}
    first, again = dataset(trial(), p=p), dataset(trial(), p=p)
    first([])
    again.rng.set_state(first.rng.get_state())
    for one, other in zip(first([]), again([]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_two_streams_draw_other_numbers():
    noise = {"var_in": 0.2, "var_rec": 0.1}
    original, fast = (
        dataset(trial(), p={**noise, "noise_stream": stream})([]) for stream in ("original", "fast")
    )
    assert (original.noise != fast.noise).any() and (original.inputs != fast.inputs).any()


def test_a_trial_built_once_is_checked_once_and_serves_every_batch(monkeypatch):
    build = built_once(lambda condition: trial(inputs=np.full((3, 1), condition)))
    shown = types.SimpleNamespace(
        generate_trial=lambda rng, dt, params: build(float(rng.randint(2)))
    )
    checked = []
    original = trial_module._check_array
    monkeypatch.setattr(
        trial_module,
        "_check_array",
        lambda where, trial, key, *more: checked.append(key) or original(where, trial, key, *more),
    )
    batch = Dataset(50, shown, "float64", *settings(**P))([])
    assert sorted(checked) == sorted(["inputs", "outputs", "mask"] * 2)
    np.testing.assert_array_equal(np.unique(batch.inputs), [0.2, 1.2])


def test_a_faulty_trial_built_once_is_refused_every_time():
    build = built_once(lambda: trial(outputs=np.full((3, 2), np.inf)))
    faulty = types.SimpleNamespace(generate_trial=lambda rng, dt, params: build())
    data = Dataset(1, faulty, "float64", *settings(**P))
    for _ in range(2):
        with pytest.raises(TaskError, match="not finite"):
            data([])


@pytest.mark.parametrize("floatX", ["float32", "float64"])
def test_numbers_that_are_infinite_in_the_type_they_are_used_in_are_refused(floatX):
    large = trial(inputs=np.array([[1.0], [1.0], [1e39]]))
    network, training = settings(**P)
    data = Dataset(1, task(large), floatX, network, training)
    if floatX == "float64":
        assert data([]).inputs.max() == 1e39
        return
    with pytest.raises(TaskError, match=r"'inputs' is not finite at time step 2: 1e.39"):
        data([])


@pytest.mark.parametrize("output_activation", ["softmax", "sigmoid"])
def test_targets_of_a_cross_entropy_lie_in_0_to_1_where_they_count(output_activation):
    outputs = np.full((3, 2), 0.5)
    outputs[1, 1] = 1.5
    p = {"output_activation": output_activation}
    with pytest.raises(TaskError, match=r"'outputs' is 1.5 at time step 1, output 1; .*\[0, 1\]"):
        dataset(trial(outputs=outputs), p=p)([])
    mask = np.ones((3, 2))
    mask[1, 1] = 0
    assert dataset(trial(outputs=outputs, mask=mask), p=p)([]).targets.max() == 1.5
    assert dataset(trial(outputs=outputs))([]).targets.max() == 1.5  # squared error


def test_a_mask_below_zero_is_refused():
    with pytest.raises(TaskError, match=r"'mask' holds -0\.5; weights of targets are 0 or more"):
        dataset(trial(mask=np.full((3, 2), -0.5)))([])


def test_ragged_inputs_are_one_clear_error():
    with pytest.raises(TaskError, match=r"rows of 'inputs' are not equally long, .*\(3, 1\)"):
        dataset(trial(inputs=[[1.0], [1.0, 2.0], [1.0]]))([])


def test_a_minibatch_without_targets_names_the_epoch_that_holds_no_time_step():
    silent = trial(
        mask=np.zeros((3, 2)), epochs={"fixation": (0, 20), "decision": (20, 29), "T": 30}
    )
    with pytest.raises(TaskError, match=r"epochs 'decision' \(20 to 29 ms\) \(dt is 10 ms\)"):
        dataset(silent)([])
    with pytest.raises(TaskError, match="'mask' is 0 in all of a minibatch of 2 trials"):
        dataset(trial(mask=np.zeros((3, 2))))([])
    assert dataset(silent, trial())([]).mask.any()  # one trial with targets is enough
    assert not dataset(silent, needs_targets=False)([]).mask.any()


def test_a_task_that_uses_its_arrays_again_does_not_change_earlier_trials():
    shown = trial(info={"n": 0})

    def generate_trial(rng, dt, params):
        shown["inputs"] += 1
        shown["info"]["n"] += 1
        return shown

    network, training = settings(**P | {"baseline_in": 0})
    reusing = types.SimpleNamespace(generate_trial=generate_trial)
    data = Dataset(3, reusing, "float64", network, training)
    np.testing.assert_array_equal(data([]).inputs[0, :, 0], [2, 3, 4])
    assert [one["info"]["n"] for one in data.get_trials()] == [1, 2, 3]
    assert [one["inputs"][0, 0] for one in data.get_trials()] == [2, 3, 4]


def test_randomness_outside_rng_is_said_once(caplog):
    outside = np.random.RandomState(1)

    def generate_trial(rng, dt, params):
        return trial(inputs=np.full((3, 1), outside.rand() + 0 * rng.rand()))

    network, training = settings(**P)
    data = Dataset(
        2, types.SimpleNamespace(generate_trial=generate_trial), "float64", network, training
    )
    data.has_output_mask()
    data([])
    assert caplog.text.count("the same random state gives different trials") == 1


def test_a_task_that_draws_from_rng_alone_is_not_suspected(caplog):
    data = Dataset(
        2,
        types.SimpleNamespace(
            generate_trial=lambda rng, dt, params: trial(inputs=rng.rand(3, 1), mask=None)
        ),
        "float64",
        *settings(**P),
    )
    data.has_output_mask()
    assert not caplog.text
