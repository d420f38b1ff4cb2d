"""The LSTM is the thesis' LSTM, learns, and is a deterministic function of (state, data, rng)."""

import numpy as np
import pytest
import torch

from torch_dgr.errors import ExamplesError, SettingError, StateError, TrainingDivergedError
from torch_dgr.lstm import LSTMClassifier


def small(seed=1, **settings):
    return LSTMClassifier(4, 6, 3, seed=seed, **settings)


def examples(n=20, seed=0):
    """Bright row 0, 1 or 2 of a (5, 4) image is its class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    images = 0.2 * rng.random((n, 5, 4))
    images[np.arange(n), labels] += 0.7
    return images, np.eye(3)[labels]


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def by_hand(model, images):
    """The module's equations in plain numpy, float64."""
    weight = {
        name: value.numpy().astype(float) for name, value in model.network.state_dict().items()
    }
    h = c = np.zeros((len(images), 6))
    for t in range(images.shape[1]):
        v = images[:, t] @ weight["encoder.weight"].T + weight["encoder.bias"]
        gates = (
            v @ weight["lstm.weight_ih_l0"].T
            + weight["lstm.bias_ih_l0"]
            + h @ weight["lstm.weight_hh_l0"].T
            + weight["lstm.bias_hh_l0"]
        )
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    logits = np.maximum(h, 0) @ weight["decoder.weight"].T + weight["decoder.bias"]
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def assert_same_state(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_sizes_are_those_of_the_thesis():
    network = LSTMClassifier(seed=1).network
    assert network.encoder.weight.shape == (64, 28)
    assert network.lstm.weight_hh_l0.shape == (4 * 64, 64)
    assert network.decoder.weight.shape == (10, 64)


def test_predictions_are_the_equations_by_hand():
    model, (images, _) = small(), examples()
    np.testing.assert_allclose(
        model.predict(images, batch_size=7), by_hand(model, images), rtol=1e-5
    )


def test_loss_is_the_weighted_mean_cross_entropy():
    model, (images, _) = small(), examples()
    rng = np.random.default_rng(0)
    targets = rng.dirichlet(np.ones(3), size=20)
    weights = rng.uniform(0.1, 3, size=20)
    losses = -(targets * np.log(by_hand(model, images))).sum(axis=1)
    reports = []
    model.fit(
        images,
        targets,
        weights,
        iterations=1,
        rng=rng,
        batch_size=20,
        on_iteration=lambda i, report: reports.append(report["loss"]),
    )
    assert reports == [pytest.approx((weights * losses).sum() / weights.sum(), rel=1e-5)]


def test_scaling_all_weights_changes_nothing():
    images, targets = examples()
    one, other = small(), small()
    one.fit(images, targets, np.full(20, 2.0), iterations=5, rng=np.random.default_rng(0))
    other.fit(images, targets, iterations=5, rng=np.random.default_rng(0))
    assert_same_state(one.state(), other.state())


def test_trials_of_weight_zero_take_no_part():
    images, targets = examples()
    weights = np.ones(20)
    weights[12:] = 0
    one, other = small(), small()
    one.fit(images, targets, weights, iterations=5, rng=np.random.default_rng(0), batch_size=8)
    other.fit(images[:12], targets[:12], iterations=5, rng=np.random.default_rng(0), batch_size=8)
    assert_same_state(one.state(), other.state())


def test_it_learns_which_row_is_bright():
    model = small(seed=3)
    model.fit(*examples(200), iterations=150, rng=np.random.default_rng(0))
    images, targets = examples(300, seed=5)
    assert (model.predict(images).argmax(1) == targets.argmax(1)).mean() > 0.97


def test_a_large_gradient_is_scaled_to_the_maximal_norm():
    images, targets = examples()
    clipped = small(max_gradient_norm=1e-3)
    clipped.fit(images, targets, iterations=1, rng=np.random.default_rng(0))
    free = small()
    free.fit(images, targets, iterations=1, rng=np.random.default_rng(0))

    def gradient_norm(model):  # after one step Adam's first moment is 0.1 g
        state = model.state()
        return 10 * np.sqrt(
            sum((value**2).sum() for name, value in state.items() if ".adam.exp_avg." in name)
        )

    assert gradient_norm(clipped) == pytest.approx(1e-3, rel=1e-3)
    assert gradient_norm(free) > 1e-2


def test_the_same_state_data_and_rng_give_the_same_training():
    one, other = small(), small()
    before = torch.get_rng_state()
    one.fit(*examples(), iterations=7, rng=np.random.default_rng(9), batch_size=8)
    other.fit(*examples(), iterations=3, rng=(rng := np.random.default_rng(9)), batch_size=8)
    other.fit(*examples(), iterations=4, rng=rng, batch_size=8)  # three iterations are a pass
    assert_same_state(one.state(), other.state())
    assert torch.equal(before, torch.get_rng_state())


def test_a_loaded_state_goes_on_as_if_nothing_had_happened():
    one, other = small(), small(seed=77)
    one.fit(*examples(), iterations=6, rng=np.random.default_rng(9), batch_size=8)
    saved = one.state()
    assert saved["lstm.adam.step.encoder.bias"] == 6
    other.load_state(saved)
    for model in (one, other):
        model.fit(*examples(), iterations=4, rng=np.random.default_rng(2), batch_size=8)
    assert_same_state(one.state(), other.state())
    assert saved["lstm.adam.step.encoder.bias"] == 6  # the snapshot stayed what it was


def test_a_state_of_another_size_is_refused():
    with pytest.raises(StateError, match="build it with the sizes"):
        small().load_state(LSTMClassifier(4, 7, 3, seed=1).state())


def test_bad_examples_are_one_clear_error():
    model, (images, targets) = small(), examples()
    rng = np.random.default_rng(0)
    with pytest.raises(ExamplesError, match="images have shape"):
        model.predict(images[:, :, :3])
    with pytest.raises(ExamplesError, match="range over"):
        model.predict(images * np.nan)
    with pytest.raises(ExamplesError, match="no example"):
        model.fit(images[:0], targets[:0], iterations=1, rng=rng)
    with pytest.raises(ExamplesError, match="sum to"):
        model.fit(images, targets / 2, iterations=1, rng=rng)
    with pytest.raises(ExamplesError, match="weights have shape"):
        model.fit(images, targets, np.ones(19), iterations=1, rng=rng)
    with pytest.raises(SettingError, match="max_gradient_norm"):
        small(max_gradient_norm=0)


def test_a_loss_that_is_not_finite_stops_training_before_the_update():
    model = small()
    with torch.no_grad():
        model.network.decoder.bias.fill_(torch.nan)
    before = model.state()
    with pytest.raises(TrainingDivergedError, match="iteration 1"):
        model.fit(*examples(), iterations=3, rng=np.random.default_rng(0))
    assert_same_state(before, model.state())


def test_a_gradient_that_is_not_finite_stops_training_before_the_update():
    model = small(max_gradient_norm=1.0)
    images, targets, *_ = examples(4)
    before = model.state()

    def infinite_slope(network):
        return torch.sqrt((network.decoder.bias * 0).sum())

    with pytest.raises(TrainingDivergedError, match="gradient is not finite at iteration 1"):
        model.fit(
            images, targets, iterations=1, rng=np.random.default_rng(0), penalty=infinite_slope
        )
    np.testing.assert_equal(model.state(), before)


def test_a_penalty_joins_the_loss():
    images, targets, *_ = examples(4)
    losses = []
    for penalty in (None, lambda network: 2 * network.decoder.bias.sum() ** 0):
        small().fit(
            images, targets, iterations=1, rng=np.random.default_rng(0), penalty=penalty,
            on_iteration=lambda i, report: losses.append(report["loss"]),
        )  # fmt: skip
    assert losses[1] == pytest.approx(losses[0] + 2, rel=1e-6)


def one_cycle_in_parts(lengths, through_state):
    model, rng = small(schedule="one_cycle"), np.random.default_rng(9)
    model.begin_context(iterations=9)
    for n in lengths:
        model.fit(*examples(), iterations=n, rng=rng, batch_size=8)
        if through_state:
            state, model = model.state(), small(seed=n, schedule="one_cycle")
            model.load_state(state)
    return model


def test_updates_flush_denormals_and_leave_the_thread_as_it_was():
    def is_flushed():
        return (torch.tensor(2e-38) * 0.1).item() == 0

    within = []

    def penalty(network):
        within.append(is_flushed())
        return torch.zeros(())

    small().fit(*examples(), iterations=1, rng=np.random.default_rng(0), penalty=penalty)
    assert within == [True] and not is_flushed()


def test_a_context_in_parts_equals_one_call_also_in_its_learning_rates():
    whole = one_cycle_in_parts([9], through_state=False)
    parts = one_cycle_in_parts([3, 6], through_state=True)  # three iterations are a pass
    assert_same_state(whole.state(), parts.state())
    constant = small()
    constant.fit(*examples(), iterations=9, rng=np.random.default_rng(9), batch_size=8)
    assert (constant.state()["lstm.encoder.bias"] != whole.state()["lstm.encoder.bias"]).any()


def test_a_context_begins_with_new_moments_and_the_weights_there_are():
    model = small()
    model.fit(*examples(), iterations=3, rng=np.random.default_rng(0))
    before = model.state()
    model.begin_context(iterations=5)
    after = model.state()
    assert after["lstm.adam.step.encoder.bias"] == 0
    np.testing.assert_array_equal(after["lstm.encoder.bias"], before["lstm.encoder.bias"])
    with pytest.raises(SettingError, match="5 of 5 left"):
        model.fit(*examples(), iterations=6, rng=np.random.default_rng(0))


def test_forget_gates_can_start_open():
    plain, opened = small().state(), small(forget_bias=1.0).state()
    added = opened["lstm.lstm.bias_hh_l0"] - plain["lstm.lstm.bias_hh_l0"]
    np.testing.assert_allclose(added, np.repeat([0, 1, 0, 0], 6), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "device is 'gpu'"),
        ({"schedule": "cycle"}, "schedule is 'cycle'; give one of constant, one_cycle"),
        ({"forget_bias": float("nan")}, "forget_bias is nan"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(SettingError, match=message):
        small(**options)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_an_accelerator_gives_the_same_probabilities_within_rounding():
    made = []
    for device in ("cpu", "cuda"):
        model = small(device=device)
        model.fit(*examples(), iterations=5, rng=np.random.default_rng(0))
        made.append(model.predict(examples()[0]))
    np.testing.assert_allclose(made[1], made[0], atol=1e-4)
