"""The GAN is the thesis' GAN, and a deterministic function of (state, data, rng)."""

import numpy as np
import pytest
import torch

from torch_dgr.errors import ExamplesError, SettingError, StateError, TrainingDivergedError
from torch_dgr.generators.gan import GAN
from torch_dgr.generators.gan_game import (
    DROPOUT,
    REAL_LABEL,
    SLOPE,
    AutogradGame,
    Perceptron,
    dropout_masks,
)
from torch_dgr.generators.gan_numpy import ForwardPass, layers_of

IMAGES = np.random.default_rng(0).random((40, 28, 28), dtype=np.float32)


def small(seed=1, **settings):
    return GAN(seed=seed, n_latent=5, image_shape=(3, 4), hidden=(6, 7), **settings)


def small_images(n=20, seed=0):
    return np.random.default_rng(seed).random((n, 3, 4), dtype=np.float32)


def assert_same_state(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_layers_have_the_sizes_of_the_thesis():
    gan = GAN(seed=1)
    generator = [tuple(layer.weight.shape) for layer in gan.generator.layers]
    discriminator = [tuple(layer.weight.shape) for layer in gan.discriminator.layers]
    assert generator == [(32, 100), (64, 32), (128, 64), (784, 128)]
    assert discriminator == [(128, 784), (64, 128), (32, 64), (1, 32)]
    assert (SLOPE, DROPOUT, REAL_LABEL) == (0.2, 0.3, 0.9)


def test_without_an_rng_the_perceptron_is_the_formula_by_hand():
    network = Perceptron([4, 3, 2]).double()
    values = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    first, last = network.layers
    hidden = values @ first.weight.T + first.bias
    hidden = torch.where(hidden > 0, hidden, 0.2 * hidden)
    torch.testing.assert_close(
        network(values), hidden @ last.weight.T + last.bias, rtol=1e-14, atol=1e-14
    )


def test_dropout_takes_out_three_in_ten_and_keeps_the_mean():
    (mask,) = dropout_masks(1000, [200], np.random.default_rng(0))
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.7)}
    assert (mask == 0).mean() == pytest.approx(0.3, abs=5e-3)
    assert mask.mean() == pytest.approx(1, abs=1e-2)


def update_discriminator(gan, real, rng):
    return gan._game()._update_discriminator(real, rng)


def update_generator(gan, n, rng):
    return gan._game()._update_generator(n, rng)


def real_pixels(n):
    return small_images(n).reshape(n, -1) * 2 - 1


def generated_images(gan, n, rng):
    """What the generator makes with dropout, by torch."""
    return torch.tanh(gan.generator(torch.from_numpy(gan._draw_latent(n, rng)), rng))


def test_discriminator_loss_is_the_sum_over_smoothed_real_and_generated_halves():
    gan, real = small(), real_pixels(8)
    rng = np.random.default_rng(3)
    with torch.no_grad():  # the same draws in the same order as the update makes
        images = torch.cat([torch.from_numpy(real), generated_images(gan, 8, rng)])
        probability = torch.sigmoid(gan.discriminator(images, rng)[:, 0])
        expected = -(
            0.9 * probability[:8].log().mean()
            + 0.1 * (1 - probability[:8]).log().mean()
            + (1 - probability[8:]).log().mean()
        )
    assert update_discriminator(gan, real, np.random.default_rng(3)) == pytest.approx(
        expected.item(), rel=1e-6
    )


def test_generator_loss_wants_its_images_called_real_without_smoothing():
    gan, rng = small(), np.random.default_rng(3)
    with torch.no_grad():
        probability = torch.sigmoid(gan.discriminator(generated_images(gan, 8, rng), rng))
    assert update_generator(gan, 8, np.random.default_rng(3)) == pytest.approx(
        -probability.log().mean().item(), rel=1e-6
    )


def test_the_backward_pass_is_that_of_autograd():
    network = Perceptron([9, 5, 4, 2])
    values = torch.randn(6, 9, generator=torch.Generator().manual_seed(0)).requires_grad_()
    output = network(values, np.random.default_rng(1))
    inputs, *parameters = torch.autograd.grad(
        output.square().sum(), [values, *network.parameters()]
    )
    run = ForwardPass(layers_of(network), values.detach().numpy(), np.random.default_rng(1))
    np.testing.assert_allclose(run.output, output.detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.input_gradient(2 * run.output), inputs, rtol=1e-5, atol=1e-6)
    run.write_gradients(2 * run.output)
    for parameter, gradient in zip(network.parameters(), parameters, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-5, atol=1e-6)


def test_each_update_moves_its_own_player_only():
    gan = small()
    before = gan.state()
    update_discriminator(gan, real_pixels(8), np.random.default_rng(0))
    between = gan.state()
    update_generator(gan, 8, np.random.default_rng(0))
    after = gan.state()
    for name in before:
        discriminator = name.startswith("discriminator")
        assert (before[name] != between[name]).any() == discriminator, name
        assert (between[name] != after[name]).any() == (not discriminator), name


class PlainLoop:
    """The same game as one writes it in torch: autograd, a loss for each half, Adam as it comes."""

    def __init__(self, gan):
        self.gan = gan
        self.entropy = torch.nn.BCEWithLogitsLoss()
        self.adam_g = torch.optim.Adam(gan.generator.parameters(), lr=0.002, foreach=False)
        self.adam_d = torch.optim.Adam(gan.discriminator.parameters(), lr=0.002, foreach=False)

    def iterate(self, real, rng):
        n, judge = len(real), self.gan.discriminator
        generated = generated_images(self.gan, n, rng).detach()
        logits = judge(torch.cat([torch.from_numpy(real), generated]), rng)
        loss_d = self.entropy(logits[:n], torch.full((n, 1), 0.9))
        loss_d = loss_d + self.entropy(logits[n:], torch.zeros(n, 1))
        self.adam_d.zero_grad()
        loss_d.backward()
        self.adam_d.step()
        loss_g = self.entropy(judge(generated_images(self.gan, n, rng), rng), torch.ones(n, 1))
        self.adam_g.zero_grad()
        loss_g.backward()
        self.adam_g.step()
        return {"discriminator_loss": loss_d.item(), "generator_loss": loss_g.item()}


def test_training_equals_the_plain_loop_in_torch():
    gan, twin = small(), small()
    reports = []
    gan.fit(
        small_images(8),
        iterations=5,
        rng=np.random.default_rng(4),
        batch_size=8,
        on_iteration=lambda i, report: reports.append(report),
    )
    plain, rng = PlainLoop(twin), np.random.default_rng(4)
    for report in reports:
        assert plain.iterate(real_pixels(8)[rng.permutation(8)], rng) == pytest.approx(
            report, rel=1e-5
        )
    for player in ("generator", "discriminator"):
        mine, theirs = (getattr(one, player).state_dict() for one in (gan, twin))
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_the_game_in_numpy_is_the_game_by_autograd():
    fast, plain = small(), small()
    plain._game = lambda: AutogradGame(plain._players())
    losses = {gan: [] for gan in (fast, plain)}
    for gan, kept in losses.items():
        rng = np.random.default_rng(4)
        gan.fit(
            small_images(20),
            iterations=8,
            rng=rng,
            batch_size=8,
            on_iteration=lambda i, report, kept=kept: kept.append(list(report.values())),
        )
    np.testing.assert_allclose(losses[fast], losses[plain], rtol=1e-5)
    for name, value in plain.state().items():
        np.testing.assert_allclose(fast.state()[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_new_context_begins_with_new_networks():
    gan, other = small(), small(seed=2)
    for one in (gan, other):
        one.fit(small_images(), iterations=2, rng=np.random.default_rng(0))
        one.begin_context(iterations=2, rng=np.random.default_rng(3))
    assert_same_state(gan.state(), other.state())
    assert gan.state()["generator.adam.step.layers.0.weight"] == 0


def test_it_knows_no_classes():
    gan = small()
    assert not gan.conditional
    assert gan.classes == ()
    with pytest.raises(SettingError, match="knows none"):
        gan.sample(2, np.random.default_rng(0), np.array([0, 1]))
    with pytest.raises(SettingError, match="device is 'gpu'"):
        small(device="gpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_an_accelerator_gives_the_same_images_within_rounding():
    images = []
    for device in ("cpu", "cuda"):
        gan = small(device=device)
        gan.fit(small_images(), iterations=5, rng=np.random.default_rng(4))
        images.append(gan.sample(6, np.random.default_rng(0)))
    np.testing.assert_allclose(images[1], images[0], atol=1e-4)


def test_the_same_state_data_and_rng_give_the_same_training():
    one, other = small(), small()
    torch.manual_seed(5)
    one.fit(small_images(), iterations=7, rng=np.random.default_rng(9), batch_size=8)
    torch.manual_seed(6)  # torch's own randomness plays no part
    other.fit(small_images(), iterations=7, rng=np.random.default_rng(9), batch_size=8)
    assert_same_state(one.state(), other.state())
    different = small()
    different.fit(small_images(), iterations=7, rng=np.random.default_rng(10), batch_size=8)
    assert (
        different.state()["generator.layers.0.weight"] != one.state()["generator.layers.0.weight"]
    ).any()


def test_torchs_global_random_state_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    gan = small()
    gan.fit(small_images(), iterations=3, rng=np.random.default_rng(9))
    gan.sample(4, np.random.default_rng(1))
    assert torch.equal(before, torch.get_rng_state())


def test_whole_passes_in_calls_of_their_own_equal_one_call():
    one, other = small(), small()
    one.fit(small_images(), iterations=9, rng=np.random.default_rng(9), batch_size=8)
    rng = np.random.default_rng(9)
    for _ in range(3):  # 20 trials in batches of 8: three iterations a pass
        other.fit(small_images(), iterations=3, rng=rng, batch_size=8)
    assert_same_state(one.state(), other.state())


def test_a_loaded_state_goes_on_as_if_nothing_had_happened():
    one = small()
    one.fit(small_images(), iterations=6, rng=np.random.default_rng(9), batch_size=8)
    saved = one.state()
    kept = {name: value.copy() for name, value in saved.items()}
    one.fit(small_images(), iterations=4, rng=np.random.default_rng(2), batch_size=8)
    assert_same_state(saved, kept)  # a snapshot does not alias live memory
    other = small(seed=77)
    other.load_state(saved)
    other.fit(small_images(), iterations=4, rng=np.random.default_rng(2), batch_size=8)
    assert_same_state(one.state(), other.state())
    assert saved["generator.adam.step.layers.0.weight"] == 6


def test_the_state_of_an_untrained_gan_can_be_loaded():
    one, other = small(seed=1), small(seed=2)
    other.fit(small_images(), iterations=2, rng=np.random.default_rng(0))
    other.load_state(one.state())
    for gan in (one, other):
        gan.fit(small_images(), iterations=2, rng=np.random.default_rng(4))
    assert_same_state(one.state(), other.state())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("generator.layers.1.bias"), "lacks 'generator.layers.1.bias'"),
        (lambda s: s.update(extra=np.zeros(1)), "holds 'extra'"),
        (lambda s: s.update({"generator.layers.1.bias": np.zeros(3)}), r"shape \(3,\)"),
        (lambda s: s.update({"generator.layers.1.bias": np.full(7, np.nan)}), "NaN"),
        (lambda s: s.update({"generator.layers.1.bias": np.zeros(7, dtype=int)}), "dtype"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, message):
    gan, state = small(), small(seed=2).state()
    before = gan.state()
    change(state)
    with pytest.raises(StateError, match=message):
        gan.load_state(state)
    assert_same_state(before, gan.state())


@pytest.mark.parametrize("latent", ["uniform", "normal"])
def test_samples_are_float32_images_in_the_unit_interval(latent):
    images = small(latent=latent).sample(11, np.random.default_rng(0))
    assert images.shape == (11, 3, 4)
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert np.ptp(images, axis=0).min() > 0


def test_sampling_is_without_dropout_and_rescaled_from_tanh():
    gan = small()
    latent = np.random.default_rng(0).random((6, 5), dtype=np.float32) * 2 - 1
    with torch.no_grad():
        expected = (torch.tanh(gan.generator(torch.from_numpy(latent))).numpy() + 1) / 2
    np.testing.assert_allclose(
        gan.sample(6, np.random.default_rng(0)).reshape(6, 12), expected, rtol=1e-6
    )


def test_latents_have_the_law_that_was_asked_for():
    for latent, low, deviation in [("uniform", -1, 3**-0.5), ("normal", -np.inf, 1)]:
        drawn = small(latent=latent)._draw_latent(4000, np.random.default_rng(0))
        assert drawn.min() >= low
        assert drawn.std() == pytest.approx(deviation, rel=0.02)
        assert drawn.mean() == pytest.approx(0, abs=0.02)


def test_every_iteration_is_reported_once():
    reports = []
    small().fit(
        small_images(),
        iterations=5,
        rng=np.random.default_rng(0),
        batch_size=8,
        on_iteration=lambda i, report: reports.append((i, sorted(report))),
    )
    assert reports == [(i, ["discriminator_loss", "generator_loss"]) for i in range(1, 6)]


def test_the_game_moves_samples_towards_a_simple_set_of_images():
    images = np.zeros((64, 3, 4), dtype=np.float32)
    images[:, 1] = 1  # one bright row in every image
    gan = small()
    gan.fit(images, iterations=400, rng=np.random.default_rng(0))
    mean = gan.sample(200, np.random.default_rng(1)).mean(axis=0)
    assert mean[1].min() > 0.8
    assert mean[[0, 2]].max() < 0.2


def test_bad_input_is_one_clear_error():
    gan = GAN(seed=1)
    with pytest.raises(ExamplesError, match="within"):
        gan.fit(IMAGES * 255, iterations=1, rng=np.random.default_rng(0))
    with pytest.raises(ExamplesError, match="shape"):
        gan.fit(IMAGES[:, :27], iterations=1, rng=np.random.default_rng(0))
    with pytest.raises(SettingError, match="iterations"):
        gan.fit(IMAGES, iterations=-1, rng=np.random.default_rng(0))
    with pytest.raises(SettingError, match="batch_size"):
        gan.fit(IMAGES, iterations=1, rng=np.random.default_rng(0), batch_size=0)
    with pytest.raises(SettingError, match="latent"):
        GAN(seed=1, latent="gaussian")
    with pytest.raises(SettingError, match="learning_rate"):
        GAN(seed=1, learning_rate=0)


def test_a_loss_that_is_not_finite_stops_training_before_the_update():
    gan = small()
    with torch.no_grad():
        gan.discriminator.layers[-1].bias.fill_(torch.inf)
    before = gan.state()
    with pytest.raises(TrainingDivergedError, match="lower learning_rate"):
        gan.fit(small_images(), iterations=1, rng=np.random.default_rng(0))
    assert_same_state(before, gan.state())
