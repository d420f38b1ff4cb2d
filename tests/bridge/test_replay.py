"""The sequential algorithm: what each network sees, who labels it, and how it is chosen."""

from dataclasses import replace

import numpy as np
import pytest

from bridge.data import Contexts, examples, one_hot
from bridge.errors import BatchError, SettingError
from bridge.replay import (
    NOTEBOOKS,
    PROTOCOLS,
    TEXT,
    Mix,
    Plan,
    SolverState,
    accuracies,
    accuracy,
    accuracy_by_context,
    agreement,
    draw_samples,
    exact_replay,
    generative_replay,
    generator_data,
    label,
    learn_context,
    noise_replay,
    score_of,
    segments,
    training_data,
)
from tests.bridge.helpers import Memory, Prototypes, tiny_contexts, tiny_digits

RNG = np.random.default_rng
NINE_TO_ONE = Mix(0.5, 9.0)


class OnlyContext(Contexts):
    """Contexts that refuse to hand out real images of any context but `allowed`."""

    allowed: int

    def train(self, k):
        assert k == self.allowed, f"real training images of context {k} were touched"
        return super().train(k)

    def validation(self, k):
        assert k == self.allowed, f"real validation images of context {k} were touched"
        return super().validation(k)


def guarded(allowed):
    contexts = OnlyContext(tiny_digits(), ((0, 1), (2, 3), (4, 5)))
    object.__setattr__(contexts, "allowed", allowed)
    return contexts


def taught(contexts, k):
    """A solver that knows the classes of contexts 1..k."""
    solver = Prototypes()
    known = contexts.data.train.of(contexts.seen(k))
    solver.fit(known.images, one_hot(known.labels, 10), iterations=1, rng=RNG(0))
    return solver


def test_honest_replay_touches_no_real_image_of_an_earlier_context():
    contexts = guarded(3)
    memory = Memory()
    memory.fit(tiny_contexts().train(1).images, iterations=1, rng=RNG(0))
    solver = taught(tiny_contexts(), 2)
    for replay in (generative_replay(memory, solver, "hard"), noise_replay(solver, "hard")):
        training_data(contexts, 3, NINE_TO_ONE, replay, RNG(0))
    for protocol in PROTOCOLS.values():
        if not protocol.leaks:
            generator_data(protocol, contexts, 3, memory, RNG(0))
    with pytest.raises(AssertionError, match="context 1 were touched"):
        generator_data(NOTEBOOKS, contexts, 3, memory, RNG(0))


def test_the_mix_has_the_stated_counts_and_weights():
    contexts, solver = tiny_contexts(), taught(tiny_contexts(), 1)
    memory = Memory()
    memory.fit(contexts.train(1).images, iterations=1, rng=RNG(0))
    replay = generative_replay(memory, solver, "hard")
    batch = training_data(contexts, 2, NINE_TO_ONE, replay, RNG(0)).train
    assert len(batch) == 40 + 360
    new = np.isin(batch.targets.argmax(axis=1), (2, 3))
    assert new.sum() == 40 and set(batch.targets[~new].argmax(axis=1)) == {0, 1}
    half = training_data(contexts, 2, replace(NINE_TO_ONE, real_weight=0.5), replay, RNG(0)).train
    assert half.weights[new].sum() == pytest.approx(half.weights[~new].sum(), rel=1e-5)


def test_the_first_context_and_no_replay_are_real_images_alone():
    contexts = tiny_contexts()
    replay = noise_replay(Prototypes(), "hard")
    assert len(training_data(contexts, 1, NINE_TO_ONE, replay, RNG(0)).train) == 40
    assert len(training_data(contexts, 2, NINE_TO_ONE, None, RNG(0)).train) == 40


def test_samples_carry_the_labels_of_the_last_solver():
    contexts = tiny_contexts()
    images = contexts.train(1).images
    wrong = Prototypes()  # a solver that confuses 0 and 1
    wrong.fit(images, one_hot(1 - contexts.train(1).labels, 10), iterations=1, rng=RNG(0))
    batch = label(images, wrong, "hard", {"context": 1})
    np.testing.assert_array_equal(batch.targets.argmax(axis=1), 1 - contexts.train(1).labels)
    assert batch.origin == {"labels": "hard", "context": 1}


def test_soft_labels_are_the_solvers_probabilities():
    class Unsure(Prototypes):
        def predict(self, images):
            return np.full((len(images), 10), 0.1, np.float32)

    batch = label(np.zeros((3, 28, 28), np.float32), Unsure(), "soft")
    np.testing.assert_allclose(batch.targets, 0.1)
    hard = label(np.zeros((3, 28, 28), np.float32), Unsure(), "hard")
    assert set(hard.targets.sum(axis=1)) == {1.0} and hard.targets.max() == 1


def test_exact_replay_has_true_labels():
    earlier = tiny_contexts().train(1)
    batch = exact_replay(earlier)(200, RNG(0))
    assert set(batch.targets.argmax(axis=1)) == {0, 1} and len(batch) == 200
    assert agreement(taught(tiny_contexts(), 1), batch) == 100


@pytest.mark.parametrize(("bad", "message"), [(np.nan, "NaN"), (1.5, r"leave \[0, 1\]")])
def test_a_bad_generator_is_stopped(bad, message):
    class Broken(Memory):
        def sample(self, n, rng, classes=None):
            return np.full((n, 28, 28), bad, np.float32)

    with pytest.raises(BatchError, match=f"generator's samples.*{message}"):
        draw_samples(Broken(), 3, RNG(0))


def test_accuracies_are_overall_new_and_old():
    contexts = tiny_contexts()
    solver = taught(contexts, 1)
    assert accuracies(solver, contexts, 2) == (50.0, 0.0, 100.0)
    assert accuracies(solver, contexts, 1).old is None
    assert accuracy_by_context(solver, contexts) == [100.0, 0.0, 0.0]
    assert accuracy(taught(contexts, 3), *contexts.test((0, 4))) == 100


def test_segments_cover_all_iterations():
    assert sum(segments(101, 20)) == 101 and len(segments(101, 20)) == 20
    assert segments(3, 20) == [1, 1, 1]
    assert max(segments(101, 20)) - min(segments(101, 20)) <= 1


class Scripted(Prototypes):
    """A solver whose weights are the number of calls of `fit`."""

    n = 0

    def fit(self, *_, **__):
        self.n += 1

    def state(self):
        return {"n": np.array(self.n)}

    def load_state(self, state):
        self.n = int(state["n"])

    def predict(self, images):
        targets = one_hot(np.zeros(len(images), int), 10)
        if self.n == 2:  # the best of its states, by the validation images of context 1
            targets = one_hot(np.arange(len(images)) % 2, 10)
        return targets


def run(protocol):
    contexts = tiny_contexts()
    data = training_data(contexts, 1, Mix(), None, RNG(0))
    state = SolverState(Scripted(), RNG(0))
    plan = Plan(iterations=(4,), mixes=(Mix(),))
    lengths = segments(4, protocol.evaluations)
    score = score_of(protocol, contexts, 1, seed=0)
    rows = list(learn_context(state, lambda i: data, plan, lengths, score))
    return state.solver.n, rows


def test_the_network_that_goes_on_is_the_best_on_validation_or_the_last():
    best, rows = run(replace(TEXT, evaluations=4))
    assert best == 2 and [row.iteration for row in rows] == [1, 2, 3, 4]
    assert run(replace(TEXT, evaluations=4, selection="last"))[0] == 4


class NoTestImages(Contexts):
    """Contexts whose test images nobody may ask for."""

    def test(self, classes):
        raise AssertionError("test images were touched")


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda protocol: protocol.name)
def test_nothing_that_chooses_reaches_a_test_image_unless_it_says_so(protocol):
    contexts = NoTestImages(tiny_digits(), ((0, 1), (2, 3)))
    if protocol.leaks:
        with pytest.raises(AssertionError, match="test images"):
            score_of(protocol, contexts, 1, seed=0)
        return
    data = training_data(contexts, 1, Mix(), None, RNG(0))
    test = {image.tobytes() for image in contexts.data.test.images}
    shown = {image.tobytes() for part in (data.train, data.validation) for image in part.images}
    assert not test & shown
    assert np.isfinite(score_of(protocol, contexts, 1, seed=0)(Prototypes(), data, 1))


class Asked(Memory):
    """A conditional generator whose images are all of one grey, 0.1 times the class."""

    conditional = True

    def sample(self, n, rng, classes=None):
        self.classes = classes
        return np.full((n, 28, 28), 0.1, np.float32) * classes[:, None, None].astype(np.float32)


def test_a_conditional_generator_is_asked_for_every_class_equally_often():
    generator = Asked()
    batch = generative_replay(generator, Prototypes(), "condition", classes=(0, 1, 4))(9, RNG(0))
    assert sorted(generator.classes) == [0, 0, 0, 1, 1, 1, 4, 4, 4]
    np.testing.assert_array_equal(batch.targets.argmax(axis=1), generator.classes)
    np.testing.assert_allclose(batch.images[:, 0, 0], 0.1 * generator.classes, rtol=1e-6)


def test_mixed_labels_are_half_the_condition_and_half_the_solver():
    batch = label(np.zeros((2, 28, 28), np.float32), Prototypes(), "mixed", classes=[3, 4])
    np.testing.assert_allclose(batch.targets[0, 3], 0.55)
    np.testing.assert_allclose(batch.targets.sum(axis=1), 1)


@pytest.mark.parametrize("labels", ["condition", "mixed"])
def test_labels_by_condition_need_a_generator_that_can_be_conditioned(labels):
    memory = Memory()
    memory.fit(tiny_contexts().train(1).images, iterations=1, rng=RNG(0))
    with pytest.raises(SettingError, match="conditional generator"):
        generative_replay(memory, Prototypes(), labels, classes=(0, 1))(4, RNG(0))


def test_batches_keep_where_they_came_from():
    batch = examples(np.zeros((1, 28, 28), np.float32), one_hot([1], 10), seed=3)
    assert batch.origin == {"seed": 3}
