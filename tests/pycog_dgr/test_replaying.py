"""Replayed trials and rule inputs: tasks like every other."""

import numpy as np
import pytest

from pycog_dgr import RNN, Dataset, Model, SettingError, TaskError
from pycog_dgr.files import open_save
from pycog_dgr.symbolic import adam
from pycog_dgr.tasks import Replayed, WithRule, with_replay, with_rules
from pycog_dgr.training import performance_on
from tests.pycog_dgr import tiny


class Side:
    """Say on which side the input is, or, if `turned`, on which it is not."""

    def __init__(self, turned, n_inputs=2):
        self.turned, self.n_inputs = turned, n_inputs

    def generate_trial(self, rng, dt, params):
        side = rng.randint(2)
        choice = 1 - side if self.turned else side
        steps = 6 + 2 * self.turned
        inputs, outputs = np.zeros((steps, self.n_inputs)), np.full((steps, 2), 0.2)
        inputs[:, side] = 1
        outputs[3:, choice] = 1
        return {
            "t": dt * np.arange(1, steps + 1), "epochs": {"T": steps * dt}, "inputs": inputs,
            "outputs": outputs, "info": {"side": side, "choice": choice},
        }  # fmt: skip


def performance(trials, z):
    right = [
        np.argmax(z[len(trial["t"]) - 1, i]) == trial["info"]["choice"]
        for i, trial in enumerate(trials)
    ]
    return 100 * np.mean(right)


OWN = {"performance": performance, "Nout": 2, "n_validation": 40}
SETTINGS = {
    "N": 30, "n_gradient": 20, "checkfreq": 40, "max_iter": 160, "var_rec": 0.01**2,
    "train_brec": True, "baseline_in": 0.1, "optimiser": adam(0.01),
}  # fmt: skip


def two_tasks(**changes):
    pro = Model(task=Side(False), Nin=2, **OWN)
    anti = Model(task=Side(True, n_inputs=3), Nin=3, **OWN)
    return with_rules({"pro": pro, "anti": anti}, **SETTINGS | changes)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """The first of two tasks, learnt; and the two Models."""
    models = two_tasks()
    path = tmp_path_factory.mktemp("replaying") / "pro.npz"
    result = models["pro"].train(path, seed=1)
    assert result.checkpoint.costs_history[-1][1][2] > 95
    return path, models


def inputs_of(model, n, seed=0):
    rng = np.random.RandomState(seed)
    trials = [model.task.generate_trial(rng, model.network.dt, {}) for _ in range(n)]
    return [trial["inputs"] for trial in trials]


def test_a_rule_input_follows_the_inputs_of_all_tasks():
    models = two_tasks()
    assert [model.network.Nin for model in models.values()] == [5, 5]
    for rule, (name, turned) in enumerate((("pro", False), ("anti", True))):
        own = Side(turned, n_inputs=2 + turned).generate_trial(np.random.RandomState(3), 20, {})
        trial = models[name].task.generate_trial(np.random.RandomState(3), 20, {})
        given = own["inputs"].shape[1]
        np.testing.assert_array_equal(trial["inputs"][:, :given], own["inputs"])
        assert not trial["inputs"][:, given:3].any()
        assert (trial["inputs"][:, 3:] == np.eye(2)[rule]).all()
        np.testing.assert_array_equal(trial["outputs"], own["outputs"])
        assert trial["info"] == own["info"]
        assert models[name].training.performance is performance
        assert models[name].training.n_validation == 40


def test_the_order_of_rules_belongs_to_the_task():
    one, other = (WithRule(Side(False), 2, rule, 2).source for rule in (0, 1))
    assert one != other


def test_targets_are_what_the_network_answers_without_noise(learnt):
    path, models = learnt
    model, shown = models["pro"], inputs_of(models["pro"], 3)
    shown[1] = shown[1][:4]
    replayed = Replayed(shown, open_save(path).selected.weights, model.network, model.training)
    rnn = RNN(path, {"var_rec": 0, "var_in": 0})
    for inputs, trial in zip(shown, replayed.trials, strict=True):
        rnn.run(inputs=(lambda *_, trial=trial: trial, {}))
        np.testing.assert_array_equal(trial["inputs"], inputs)
        np.testing.assert_allclose(trial["outputs"], rnn.z.T[1:], atol=1e-5)
        assert trial["t"][-1] == len(inputs) * model.network.dt == trial["epochs"]["T"]


def test_replayed_trials_fill_batches_like_any_task(learnt):
    path, models = learnt
    model = models["pro"]
    weights = open_save(path).selected.weights
    replayed = Replayed(inputs_of(model, 5), weights, model.network, model.training)
    batch = Dataset(7, replayed, "float64", model.network, model.training)()
    assert batch.targets.shape == (6, 7, 2) and (batch.mask == 1).all()
    z = np.stack([trial["outputs"] for trial in replayed.trials], axis=1)
    assert replayed.performance(replayed.trials, z) == 100
    z[-1, 0] = z[-1, 0, ::-1]
    assert replayed.performance(replayed.trials, z) == 80


def test_the_source_tells_what_is_shown(learnt):
    path, models = learnt
    model, weights = models["pro"], open_save(path).selected.weights
    sources = [
        Replayed(shown, weights, model.network, model.training).source
        for shown in (inputs_of(model, 5), inputs_of(model, 5), inputs_of(model, 5, seed=1))
    ]
    assert sources[0] == sources[1] != sources[2]


def test_replay_holds_what_is_forgotten_without_it(learnt, tmp_path, monkeypatch):
    """Without a trial of the first task, which is refused once its inputs are drawn."""
    path, models = learnt
    drawn = inputs_of(models["pro"], 50)

    def refuse(*_):
        raise AssertionError("a trial of the first task was drawn")

    monkeypatch.setattr(models["pro"].task, "generate_trial", refuse)
    taught = {"alone": models["anti"], "replay": with_replay(models["anti"], drawn, path)}
    for name, model in taught.items():
        model.train(tmp_path / f"{name}.npz", seed=1, start=path)
    monkeypatch.undo()
    known = {name: performance_on(models["pro"], tmp_path / f"{name}.npz") for name in taught}
    new = {name: performance_on(models["anti"], tmp_path / f"{name}.npz") for name in taught}
    assert known["replay"] > 95 > 75 > known["alone"] and min(new.values()) > 95


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, w: Replayed([], w, m.network, m.training), TaskError, "no inputs"),
        (lambda m, w: Replayed([np.zeros((4, 3))], w, m.network, m.training), TaskError,
         r"inputs 0 have shape \(4, 3\); expected \(time, 5\)"),
        (lambda m, w: Replayed([np.full((4, 5), np.nan)], w, m.network, m.training), TaskError,
         "inputs 0 are not finite"),
        (lambda m, w: Replayed([np.zeros((4, 5))], w, m.network, m.training).generate_trial(
            np.random.RandomState(1), 7, {}), TaskError, "time step of 20 ms, not 7 ms"),
        (lambda m, w: with_rules({}), SettingError, "at least one"),
        (lambda m, w: with_rules({"a": m}, Nin=3), SettingError, "Nin follows from the tasks"),
        (lambda m, w: with_rules({"a": m, "b": Model(task=m.task, **tiny.SETTINGS | {"Nout": 1})}),
         SettingError, "differ in Nout: a 2, b 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(learnt, call, error, message):
    path, models = learnt
    with pytest.raises(error, match=message):
        call(models["pro"], open_save(path).selected.weights)
