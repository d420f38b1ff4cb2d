"""Conditional generators learn classes context by context and keep the ones they know."""

import numpy as np
import pytest
import torch

from tests.torch_dgr.generators.stripes import (
    KINDS,
    SHAPE,
    assert_same_state,
    nearest_mean,
    small,
    stripes,
)
from torch_dgr.errors import ExamplesError, SettingError, StateError, TrainingDivergedError
from torch_dgr.generators.adversarial import discriminator_loss, gradient_penalty
from torch_dgr.generators.context import Context

each_kind = pytest.mark.parametrize("kind", KINDS)
ITERATIONS = {"vae": 200, "gan": 250, "vae_gan": 200}


def learn(generator, classes, iterations, seed=0, **options):
    images, targets = stripes(classes)
    rng = np.random.default_rng(seed)
    generator.fit(images, targets, iterations=iterations, rng=rng, batch_size=32, **options)
    return generator


@pytest.fixture(scope="module")
def states():
    """The state of a generator of each kind after its first and after its second context."""
    made = {}
    for kind, iterations in ITERATIONS.items():
        generator = learn(small(kind), [0, 1], iterations)
        first = generator.state()
        learn(generator, [2, 3], iterations, seed=1)
        made[kind] = (first, generator.state())
    return made


def after(kind, states, contexts):
    """A generator that has learnt one context or two."""
    generator = small(kind, seed=99)
    generator.load_state(states[kind][contexts - 1])
    return generator


def drawn(generator, n=50, seed=0):
    """n images of every learnt class, and their labels."""
    labels = np.repeat(generator.classes, n)
    return generator.sample(len(labels), np.random.default_rng(seed), labels), labels


# -- what is learnt ------------------------------------------------------------------------------


@each_kind
def test_samples_of_a_class_look_like_the_class_also_one_context_later(kind, states):
    generator = after(kind, states, 2)
    assert generator.classes == (0, 1, 2, 3)
    images, labels = drawn(generator)
    assert images.shape == (200, *SHAPE)
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 1
    for c in range(4):
        assert (nearest_mean(images[labels == c]) == c).mean() > 0.7, c


@each_kind
def test_samples_of_a_class_differ(kind, states):
    images, labels = drawn(after(kind, states, 2))
    for c in range(4):
        assert images[labels == c].std(axis=0).max() > 0.02, c


@pytest.mark.parametrize("kind", ["vae", "vae_gan"])
def test_an_encoder_keeps_both_sorts_of_images_of_a_class(kind, states):
    images, labels = drawn(after(kind, states, 2))
    for c in (2, 3):
        rows = images[labels == c][:, 2 * c : 2 * c + 2]
        left = rows[:, :, :4].mean(axis=(1, 2)) > rows[:, :, 4:].mean(axis=(1, 2))
        assert 0.1 < left.mean() < 0.9, c


@each_kind
def test_alignment_keeps_the_images_of_earlier_classes(kind, states):
    labels = np.repeat([0, 1], 50)
    moved = {}
    for replay in ("aligned", "none"):
        generator = small(kind, replay=replay)
        generator.load_state(states[kind][0])
        before = generator.sample(100, np.random.default_rng(0), labels)
        learn(generator, [2, 3], ITERATIONS[kind], seed=1)
        now = generator.sample(100, np.random.default_rng(0), labels)
        moved[replay] = ((now - before) ** 2).mean()
    assert moved["aligned"] < 0.2 * moved["none"]


@each_kind
def test_an_epoch_of_alignment_lowers_its_loss(kind, states):
    generator = after(kind, states, 1)
    generator.begin_context(iterations=60, rng=np.random.default_rng(0))
    with torch.no_grad():  # a decoder that has lost what its predecessor knew
        for weight in generator.context.decoder.parameters():
            weight.mul_(0.1)
    losses = []
    learn(
        generator,
        [2, 3],
        60,
        on_iteration=lambda i, report: losses.append(report["alignment"]),
    )
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


@each_kind
def test_replay_as_data_learns_samples_like_real_images(kind, states):
    generator = small(kind, replay="as_data", replayed=32)
    generator.load_state(states[kind][0])
    learn(generator, [2, 3], 2 * ITERATIONS[kind], seed=1)
    images, labels = drawn(generator)
    assert (nearest_mean(images) == labels).mean() > 0.7


@each_kind
def test_what_is_stored_is_the_decoder_and_the_laws_of_latents(kind, states):
    generator = after(kind, states, 2)
    state = generator.state()
    stored = {"decoder", "latents"} | ({"textures"} if kind != "gan" else set())
    assert {name.split(".")[0] for name in state} == stored
    assert generator.stored_bytes == sum(value.nbytes for value in state.values())


# -- the same numbers, however training is divided -------------------------------------------------


@each_kind
def test_a_context_in_parts_through_its_state_equals_one_call(kind, states):
    images, targets = stripes([2, 3])
    whole = after(kind, states, 1)
    whole.fit(images, targets, iterations=23, rng=np.random.default_rng(3), batch_size=32)
    parts, rng = after(kind, states, 1), np.random.default_rng(3)
    parts.begin_context(iterations=23, rng=rng)
    for n in (5, 1, 10, 7):  # 80 images in batches of 32: parts end within a pass
        parts.fit(images, targets, iterations=n, rng=rng, batch_size=32)
        state = parts.state()
        parts = small(kind, seed=n)
        parts.load_state(state)
    assert parts.context is None
    assert_same_state(whole.state(), parts.state())


@each_kind
def test_torchs_global_random_state_is_neither_read_nor_moved(kind):
    made = []
    for seed in (5, 6):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        generator = learn(small(kind), [0, 1], 4)
        generator.sample(3, np.random.default_rng(0))
        assert torch.equal(before, torch.get_rng_state())
        made.append(generator.state())
    assert_same_state(*made)
    other = learn(small(kind), [0, 1], 4, seed=1).state()
    assert any((other[name] != made[0][name]).any() for name in other)


@each_kind
def test_a_state_does_not_alias_live_memory(kind):
    generator = small(kind)
    generator.begin_context(iterations=20, rng=np.random.default_rng(0))
    learn(generator, [0, 1], 5)
    state = generator.state()
    kept = {name: value.copy() for name, value in state.items()}
    learn(generator, [0, 1], 5)
    assert_same_state(state, kept)


@each_kind
def test_fewer_images_than_a_batch_are_one_batch(kind):
    images, targets = stripes([0, 1], n=10)
    generator = small(kind)
    generator.fit(images, targets, iterations=3, rng=np.random.default_rng(0))
    assert generator.classes == (0, 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@each_kind
def test_an_accelerator_gives_the_same_images_within_rounding(kind):
    images = []
    for device in ("cpu", "cuda"):
        generator = learn(small(kind, device=device), [0, 1], 5)
        images.append(drawn(generator)[0])
    np.testing.assert_allclose(images[1], images[0], atol=1e-3)


# -- the losses ------------------------------------------------------------------------------------


def test_the_average_follows_the_decoder_quickly_at_first():
    decoder = torch.nn.Linear(1, 1, bias=False)
    context = Context.begin(10, decoder, {})
    start = context.average.weight.item()
    with torch.no_grad():
        decoder.weight.add_(1.0)
    context.move_average(0.998)  # keeps 1/10 after the first iteration
    assert context.average.weight.item() == pytest.approx(start + 0.9, rel=1e-5)
    context.position.done = 10**6
    context.move_average(0.998)
    assert context.average.weight.item() == pytest.approx(start + 0.9 + 0.002 * 0.1, rel=1e-5)


def test_the_gradient_penalty_is_that_of_a_linear_discriminator_by_hand():
    def linear(images, condition):
        return images @ torch.tensor([3.0, 4.0])

    images, condition = torch.ones(5, 2), torch.ones(5, 1)
    penalty = gradient_penalty(linear, images, condition, gamma=2.0, iteration=8)
    assert penalty.item() == pytest.approx(4 * 2 / 2 * 25)
    assert gradient_penalty(linear, images, condition, gamma=2.0, iteration=9).item() == 0


def test_the_discriminators_loss_is_a_cross_entropy_of_both_halves():
    def score(images, condition):
        return images[:, 0] + condition[:, 0]

    real, generated = torch.full((4, 1), 2.0), torch.full((4, 1), -1.0, requires_grad=True)
    loss = discriminator_loss(score, real, generated, torch.zeros(4, 1))
    expected = -np.log(1 / (1 + np.exp(-2.0))) - np.log(1 - 1 / (1 + np.exp(1.0)))
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    assert not loss.requires_grad  # the generated images take no gradient


# -- bad input -------------------------------------------------------------------------------------


@each_kind
def test_a_class_that_is_not_learnt_cannot_be_sampled(kind, states):
    generator, rng = after(kind, states, 1), np.random.default_rng(0)
    with pytest.raises(SettingError, match=r"class 2 has not been learnt; .* learnt 0, 1"):
        generator.sample(2, rng, np.array([0, 2]))
    with pytest.raises(SettingError, match="no class yet"):
        small(kind).sample(2, rng)
    with pytest.raises(SettingError, match="class of each of the 3 images"):
        generator.sample(3, rng, np.array([0, 1]))
    with pytest.raises(SettingError, match="class of each of the 2 images"):
        generator.sample(2, rng, np.array([0.0, 1.0]))
    generator.begin_context(iterations=10, rng=rng)
    learn(generator, [2, 3], 9)
    with pytest.raises(SettingError, match="class 2 has not been learnt"):
        generator.sample(2, rng, np.array([0, 2]))


@each_kind
def test_conditions_have_to_be_distributions(kind):
    (images, targets), rng = stripes([0, 1]), np.random.default_rng(0)
    with pytest.raises(ExamplesError, match=r"sum to 0\.5"):
        small(kind).fit(images, targets / 2, iterations=1, rng=rng)
    with pytest.raises(ExamplesError, match=r"shape \(80, 4\)"):
        small(kind).fit(images, targets[:, :3], iterations=1, rng=rng)
    with pytest.raises(ExamplesError, match="targets are missing"):
        small(kind).fit(images, iterations=1, rng=rng)


@each_kind
def test_a_class_is_learnt_once(kind, states):
    with pytest.raises(ExamplesError, match="class 1 was learnt in an earlier context"):
        learn(after(kind, states, 1), [1, 2], 1)


@each_kind
def test_a_context_is_not_longer_than_it_was_begun(kind):
    generator = small(kind)
    generator.begin_context(iterations=10, rng=np.random.default_rng(0))
    learn(generator, [0, 1], 7)
    with pytest.raises(SettingError, match="3 of 10 left"):
        learn(generator, [0, 1], 4)


@each_kind
def test_other_images_within_a_context_are_noticed(kind):
    generator = small(kind)
    generator.begin_context(iterations=100, rng=np.random.default_rng(0))
    learn(generator, [0, 1], 1)
    images, targets = stripes([0, 1], n=8)
    with pytest.raises(ExamplesError, match="16 images are given in the middle of a context"):
        generator.fit(images, targets, iterations=1, rng=np.random.default_rng(0), batch_size=9)


def test_a_class_of_fewer_images_than_a_mixture_has_gaussians_is_refused():
    images, targets = stripes([0, 1], n=9)
    with pytest.raises(ExamplesError, match="class 0 has 9 images"):
        small("vae").fit(images, targets, iterations=1, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("vae", {"device": "gpu"}, "device is 'gpu'"),
        ("vae", {"device": "cuda:77"}, "device is 'cuda:77', which cannot be used here"),
        ("vae", {"device": "meta"}, "device is 'meta'"),
        ("vae", {"replay": "align"}, "replay is 'align'; give one of aligned, as_data, none"),
        ("vae", {"beta": -1}, "beta is -1"),
        ("vae", {"averaging": 1}, "averaging is 1"),
        ("vae", {"hidden": ()}, "hidden is"),
        ("vae", {"learning_rate": 0}, "learning_rate is 0"),
        ("vae", {"texture_rank": 65}, "texture_rank is 65"),
        ("vae", {"texture_amplitude": -1}, "texture_amplitude is -1"),
        ("vae", {"components": 0}, "components is 0"),
        ("vae", {"seed": -1}, "seed is -1"),
        ("gan", {"image_shape": (6, 8)}, "give multiples of 4"),
        ("vae", {"image_shape": (6,)}, "image_shape is"),
        ("vae_gan", {"image_shape": (8, 8), "adversarial": -1}, "adversarial is -1"),
        ("gan", {"channels": (3,)}, "channels is"),
        ("gan", {"gamma": float("nan")}, "gamma is nan"),
        ("vae_gan", {"betta": 1}, "setting is 'betta'; give one of seed"),
    ],
)
def test_impossible_settings_are_refused(kind, options, message):
    with pytest.raises(SettingError, match=message):
        small(kind, **options)


@each_kind
def test_a_loss_that_is_not_finite_stops_training_before_the_update(kind):
    generator = small(kind)
    generator.begin_context(iterations=10, rng=np.random.default_rng(0))
    with torch.no_grad():
        next(generator.context.decoder.parameters()).fill_(torch.inf)
    before = generator.state()
    with pytest.raises(TrainingDivergedError, match="at iteration 1"):
        learn(generator, [0, 1], 1)
    name = next(
        name
        for name in before
        if name.endswith("adam.step.decoder.pixels.weight")
        or name.endswith("generator.adam.step.to_whole.weight")
    )
    assert generator.state()[name] == 0


def under_way(kind):
    generator = small(kind)
    generator.begin_context(iterations=10, rng=np.random.default_rng(0))
    return learn(generator, [0, 1], 5)


@each_kind
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: s.update({"context.device": np.frombuffer(b"cuda", np.uint8)}),
            "on device 'cuda', this generator computes on 'cpu'",
        ),
        (lambda s: s.update({"context.done": np.array(11)}), "11 of 10 iterations"),
        (lambda s: s.update({"context.iterations": np.array(0.5)}), "iterations of the context is"),
        (lambda s: s.pop("context.unseen"), "lacks 'context.unseen'"),
        (lambda s: s.pop("latents.classes"), "lacks 'latents.classes'"),
        (lambda s: s.update({"latents.classes": np.array([1, 0])}), "rising order"),
        (lambda s: s.update({"context.encoder2.weight": np.zeros(3)}), "holds 'context.encoder2"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(kind, change, message):
    state = under_way(kind).state()
    change(state)
    generator = under_way(kind)
    before = generator.state()
    with pytest.raises(StateError, match=message):
        generator.load_state(state)
    assert_same_state(before, generator.state())


@each_kind
def test_a_state_of_another_architecture_is_refused(kind, states):
    with pytest.raises(StateError, match="shape"):
        small(kind, n_latent=5).load_state(states[kind][0])
    other = "vae" if kind == "gan" else "gan"
    with pytest.raises(StateError, match="another kind of network"):
        small(kind).load_state(states[other][0])
