"""Baselines of the field: what each one carries on, and what it may not see."""

from dataclasses import replace

import numpy as np
import pytest

from bridge.data import Contexts, ImageData, one_hot
from bridge.errors import ArchiveError, SettingError
from bridge.networks import SOLVERS, HoldingSolver, load_network, make_solver
from bridge.replay import (
    BASELINES,
    PENALTIES,
    SOURCES,
    TEXT,
    Baselines,
    Earlier,
    accuracy_by_context,
    accuracy_by_scenario,
    average_accuracy,
    backward_transfer,
    changed,
    confusion,
    forgetting,
    forward_transfer,
    holding,
)
from bridge.runs import JobState, SequentialJob, run_config
from bridge.runs.held import load_held
from tests.bridge.helpers import Prototypes, tiny_contexts, tiny_digits, tiny_setting

QUIET = {"var_in": 0.0, "var_rec": 0.0, "lambda_Omega": 0.0, "N": 12, "ei": None}
SMALL = {
    "lstm": {"n_hidden": 12, "learning_rate": 1e-4},
    "mlp": {"hidden": (12,), "learning_rate": 1e-4},
    "biornn": {**QUIET, "optimiser": "adam", "learning_rate": 1e-4, "dt": 15.0, "input_gain": 30.0},
}


def lesson(k=1, n=30):
    """Some real images of a context, and their targets."""
    real = tiny_contexts().train(k).first(n)
    return real.images, one_hot(real.labels, 10)


def loss(solver, images, targets):
    """Mean cross-entropy of a trial; the biological RNN's is over its ten outputs as well."""
    p = solver.predict(images).astype(float)
    return float(-(targets * np.log(p)).sum(axis=1).mean())


@pytest.mark.parametrize("name", SMALL)
def test_the_path_integral_adds_up_to_the_fall_of_the_loss(name):
    solver = make_solver(name, 1, track_path=True, **SMALL[name])
    images, targets = lesson()
    before = loss(solver, images, targets)
    solver.fit(images, targets, iterations=30, rng=np.random.default_rng(0), batch_size=30)
    fall = (before - loss(solver, images, targets)) / (10 if name == "biornn" else 1)
    added = sum(P.sum() for P in solver.path_integral().values())
    assert fall > 5e-4
    assert added == pytest.approx(fall, rel=0.03)


@pytest.mark.parametrize("name", SMALL)
def test_the_path_integral_goes_on_from_a_state_and_over_contexts(name):
    solver, other = (make_solver(name, 1, track_path=True, **SMALL[name]) for _ in range(2))
    images, targets = lesson()
    solver.fit(images, targets, iterations=2, rng=np.random.default_rng(0))
    other.load_state(solver.state())
    kept = solver.path_integral()
    solver.begin_context(iterations=5)
    for parameter, P in kept.items():
        np.testing.assert_array_equal(other.path_integral()[parameter], P)
        np.testing.assert_array_equal(solver.path_integral()[parameter], P)
    assert any(P.any() for P in kept.values())
    with pytest.raises(ValueError, match="track_path"):
        make_solver(name, 1, **SMALL[name]).path_integral()


@pytest.mark.parametrize("name", SMALL)
def test_a_held_solver_strays_less_where_it_matters(name):
    """The same updates on new images, with and without the penalty."""
    options = {**SMALL[name], "learning_rate": 1e-3}
    images, targets = lesson(1)
    moved = {}
    for strength in (0.0, 1e5):
        solver = make_solver(name, 1, **options)
        solver.fit(images, targets, iterations=30, rng=np.random.default_rng(0))
        star, F = solver.trained_parameters(), solver.fisher_information(images, targets)
        solver.hold([(star, F)], strength)
        solver.fit(*lesson(2), iterations=30, rng=np.random.default_rng(0))
        now = solver.trained_parameters()
        moved[strength] = sum((F[p] * (now[p] - star[p]) ** 2).sum() for p in star)
    assert moved[1e5] < 0.5 * moved[0.0]


def earlier(contexts, k=2, memory=3):
    """What there is of the contexts before k, with a solver that knows the first."""
    solver = Prototypes()
    solver.fit(contexts.train(1).images, one_hot(contexts.train(1).labels, 10))
    return Earlier(contexts, k, solver, lambda: None, "hard", memory)


def test_a_bounded_memory_holds_so_many_images_of_each_earlier_class():
    batch = SOURCES["memory"](earlier(tiny_contexts(), k=3))(500, np.random.default_rng(0))
    labels = batch.targets.argmax(axis=1)
    for c in range(4):
        assert len(np.unique(batch.images[labels == c], axis=0)) == 3
    assert set(labels) == {0, 1, 2, 3}


@pytest.mark.parametrize("replay", ["lwf", "noise", "none", *PENALTIES])
def test_baselines_without_a_memory_open_no_earlier_image(replay):
    contexts = tiny_contexts()

    class Sealed(Contexts):
        def train(self, k):
            assert k == 2
            return contexts.train(k)

    class SealedEarlier(Earlier):
        def images(self):
            pytest.fail("opened earlier images")

    given = vars(earlier(contexts)) | {"contexts": Sealed(contexts.data, contexts.classes)}
    source = SOURCES[replay](SealedEarlier(**given))
    if source is not None:
        assert len(source(20, np.random.default_rng(0))) == 20


def test_learning_without_forgetting_labels_its_own_images_by_the_last_solver():
    contexts = tiny_contexts()
    asked = earlier(contexts)
    batch = SOURCES["lwf"](asked)(10**3, np.random.default_rng(0))
    own = {image.tobytes() for image in contexts.train(2).images}
    assert {image.tobytes() for image in batch.images} == own
    np.testing.assert_allclose(batch.targets, asked.solver.predict(batch.images))


@pytest.mark.parametrize(
    ("solver", "replay"),
    [("lstm", "memory"), ("lstm", "lwf"), ("lstm", "ewc"), ("mlp", "si"), ("biornn", "ewc")],
)
def test_a_baseline_runs_through_all_contexts(solver, replay, tmp_path):
    protocol = replace(TEXT, solvers={**TEXT.solvers, "mlp": TEXT.solvers["lstm"]})
    setting = tiny_setting(tmp_path, protocol)
    job = SequentialJob(solver, replay, 1)
    state = JobState(setting.paths.state(job.name))
    job.run(setting, state, lambda _: None)
    matrix = [row for row in state.rows if row["table"] == "matrix"]
    assert len(matrix) == 9 and state.finished
    if replay not in PENALTIES:
        assert not setting.paths.held(job.name, 1).exists()
        return
    held = [load_held(setting.paths.held(job.name, k)) for k in (1, 2)]
    assert [len(one) for one in held] == ([1, 2] if replay == "ewc" else [1, 1])
    after = load_network(setting.paths.solver(job.name, 2), {solver: SOLVERS[solver]})
    for name, theta in after.trained_parameters().items():
        np.testing.assert_array_equal(held[1][-1].theta_star[name], theta)
        assert (held[1][-1].importance[name] >= 0).all()
    assert any(F.any() for F in held[0][0].importance.values())
    if replay == "si":
        assert all(
            (held[1][0].importance[name] >= F).all() for name, F in held[0][0].importance.items()
        )


def test_a_damaged_file_of_penalties_is_refused(tmp_path):
    from bridge.files import archive
    from bridge.runs.held import HELD

    archive.save(tmp_path / "held.npz", HELD, {"7/theta_star/W": np.zeros(2)}, count=1)
    with pytest.raises(ArchiveError, match="7/theta_star/W"):
        load_held(tmp_path / "held.npz")


def test_a_solver_without_the_methods_is_told_so():
    with pytest.raises(SettingError, match="Prototypes cannot be held by penalties"):
        holding(Prototypes())
    assert all(isinstance(make_solver(name, 1), HoldingSolver) for name in SMALL)


def test_settings_of_baselines_are_places_in_the_protocol():
    assert changed(TEXT, {"baselines.ewc.strength": 7.0}).baselines.ewc.strength == 7
    with pytest.raises(SettingError, match="strength"):
        changed(TEXT, {"baselines.si.strength": -1.0})
    with pytest.raises(SettingError, match=r"memory\.images"):
        changed(TEXT, {"baselines.memory.images": 0})
    assert run_config(replays=BASELINES).replays == BASELINES
    assert set(Baselines().penalties) == set(PENALTIES) < set(SOURCES)


# -- scenarios ------------------------------------------------------------------------------------


def test_one_network_is_asked_in_three_ways():
    """Planted: it takes 2 for 0 and 3 for 1, and knows 4 and 5."""

    class Planted(Prototypes):
        def predict(self, images):
            labels = images.sum(axis=2).argmax(axis=1) // 2
            p = np.full((len(images), 10), 0.01)
            p[np.arange(len(labels)), labels] = 0.2  # its second choice is right
            p[np.arange(len(labels)), np.where(labels < 2, labels + 2, labels)] = 0.5
            return p / p.sum(axis=1, keepdims=True)

    contexts = tiny_contexts()
    found = accuracy_by_scenario(Planted(), contexts)
    assert found["class"] == accuracy_by_context(Planted(), contexts) == [0.0, 100.0, 100.0]
    assert found["task"] == [100.0, 100.0, 100.0]  # among 0 and 1 the second choice wins
    assert found["domain"] == [100.0, 100.0, 100.0]  # 2 and 3 have the places of 0 and 1


def test_the_place_is_wrong_where_the_pair_is_confused():
    class Confused(Prototypes):
        def predict(self, images):
            labels = images.sum(axis=2).argmax(axis=1) // 2
            return np.eye(10)[np.where(labels == 0, 3, labels)]

    found = accuracy_by_scenario(Confused(), tiny_contexts())
    assert found["domain"] == [50.0, 100.0, 100.0] and found["class"] == [50.0, 100.0, 100.0]


def test_contexts_of_unequal_size_have_places_too():
    digits = tiny_digits()
    contexts = Contexts(ImageData(*vars(digits).values()), ((0, 1, 2), (3,)))
    solver = Prototypes()
    solver.fit(digits.train.images, one_hot(digits.train.labels, 10))
    assert accuracy_by_scenario(solver, contexts)["domain"] == [100.0, 100.0]


# -- what an accuracy matrix says -----------------------------------------------------------------


def test_measures_of_an_accuracy_matrix_are_those_of_their_definitions():
    R = np.array([[90.0, 10.0, 0.0], [60.0, 95.0, 5.0], [70.0, 80.0, 99.0]])
    assert average_accuracy(R) == 83
    assert forgetting(R) == ((90 - 70) + (95 - 80)) / 2
    assert backward_transfer(R) == ((70 - 90) + (80 - 95)) / 2
    assert forward_transfer(R, np.array([50.0, 4.0, 1.0])) == ((10 - 4) + (5 - 1)) / 2


def test_confusion_counts_true_and_named_classes_of_the_contexts_so_far():
    class Confused(Prototypes):
        def predict(self, images):
            labels = images.sum(axis=2).argmax(axis=1) // 2
            return np.eye(10)[np.where(labels == 0, 3, labels)]

    counts = confusion(Confused(), tiny_contexts(), 1)
    assert counts.sum() == 20 and counts[0, 3] == 10 and counts[1, 1] == 10


def test_a_run_keeps_what_these_measures_need(tmp_path):
    setting = tiny_setting(tmp_path)
    job = SequentialJob("lstm", "none", 1)
    state = JobState(setting.paths.state(job.name))
    job.run(setting, state, lambda _: None)
    asked = {row["context"] for row in state.rows if row["table"] == "scenarios"}
    assert asked == {0, 1, 2, 3}  # 0: the untrained network
    counted = [row for row in state.rows if row["table"] == "confusion"]
    assert {row["context"] for row in counted} == {3}
    assert sum(row["images"] for row in counted) == 60
