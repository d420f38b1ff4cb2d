"""Trial environments as tasks, and tasks as Gymnasium environments.

A small trial environment stands in for NeuroGym's, so that the adapter is tested without it; the
tests with NeuroGym itself are skipped where it is not installed.
"""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pycog_dgr import RNN, Dataset, Model, SettingError, TaskError, tasktools
from pycog_dgr.commands.taskrun import loaded
from pycog_dgr.data import checked_trial
from pycog_dgr.errors import MissingExtraError
from pycog_dgr.running.trials import simulate_trials
from pycog_dgr.symbolic import optimisers
from pycog_dgr.tasks import TaskFromEnv

EXAMPLES = Path(__file__).parents[2] / "examples"
BASELINE = 0.2  # of inputs, unless a model says otherwise
NEUROGYM = "the extra [neurogym] is not installed: pip install 'dgr[neurogym]'"


class GoOrStay:
    """Go (action 1) after a pulse on input 1, stay (action 0) after one on input 2; dt 20 ms."""

    dt = 20
    observation_space = SimpleNamespace(shape=(3,))
    action_space = SimpleNamespace(n=2)
    delay_steps = (2, 5)  # drawn, from the first to one below the second
    noise = 0.1

    def __init__(self):
        self.start_ind, self.end_ind = {}, {}

    def seed(self, seed=None):
        self.rng = np.random.RandomState(seed)

    def new_trial(self, **fixed):
        trial = {"go": self.rng.randint(2), "pair": (1, 2), "sigma": self.noise, **fixed}
        ends = np.cumsum([3, self.rng.randint(*self.delay_steps), 4]).tolist()
        self.start_ind.update(zip(("pulse", "delay", "decision"), [0, *ends], strict=False))
        self.end_ind.update(zip(("pulse", "delay", "decision"), ends, strict=True))
        self.ob = self.noise * self.rng.randn(ends[-1], 3)
        self.ob[:, 0] += np.arange(ends[-1]) < ends[1]
        self.ob[:3, 1 if trial["go"] else 2] += 1
        self.gt = np.zeros(ends[-1], int)
        self.gt[ends[1] :] = trial["go"]
        return trial


class Towards(GoOrStay):
    """The same with a movement in the plane as its action."""

    action_space = SimpleNamespace(shape=(2,))

    def new_trial(self, **fixed):
        trial = super().new_trial(**fixed)
        self.gt = np.linspace(0, trial["go"], len(self.ob))[:, np.newaxis] * (1.0, -1.0)
        return trial


class StepOnly:
    """A wrapper without new_trial: what it does, it does while the environment is stepped."""

    def __init__(self, env):
        self.env = env

    unwrapped = property(lambda self: getattr(self.env, "unwrapped", self.env))
    observation_space = property(lambda self: self.env.observation_space)
    action_space = property(lambda self: self.env.action_space)


class OrderEnforcing(StepOnly):
    """By its name the one that Gymnasium puts around every environment, which changes nothing."""


class AlwaysGo(StepOnly):
    """A wrapper that decides what a trial is."""

    def new_trial(self, **fixed):
        return self.env.new_trial(**{**fixed, "go": 1})


ASKED = {"name": "gradient", "target_output": True}


def trials(task, n=20, seed=3, **params):
    rng = np.random.RandomState(seed)
    return [task.generate_trial(rng, task.dt, {**ASKED, **params}) for _ in range(n)]


# -- environment -> task --------------------------------------------------------------------------


def test_a_trial_holds_what_the_environment_shows_and_wants():
    env = GoOrStay()
    task = TaskFromEnv(env)
    trial = trials(task, 1)[0]
    steps = len(env.ob)
    assert_array_equal(trial["inputs"], env.ob)
    assert_array_equal(trial["outputs"].argmax(axis=1), env.gt)
    assert_array_equal(trial["outputs"].sum(axis=1), 1)
    assert_array_equal(trial["t"], 20 * np.arange(1, steps + 1))
    assert (task.Nin, task.Nout, task.dt, task.decision) == (3, 2, 20, "decision")
    assert trial["info"]["choice"] == trial["info"]["go"] == env.gt[-1]
    assert (trial["info"]["pair_0"], trial["info"]["pair_1"]) == (1, 2)


def test_epochs_cover_the_steps_of_the_periods():
    env = GoOrStay()
    trial = trials(TaskFromEnv(env), 1)[0]
    t, steps = tasktools.get_epochs_idx(20, trial["epochs"])
    assert_array_equal(t, trial["t"])
    for name, during in steps.items():
        assert during == list(range(env.start_ind[name], env.end_ind[name]))


def test_the_decision_period_counts_more():
    trial = trials(TaskFromEnv(GoOrStay(), weight_outside=0.3), 1)[0]
    _, steps = tasktools.get_epochs_idx(20, trial["epochs"])
    assert_array_equal(trial["mask"][steps["decision"]], 1)
    assert_array_equal(trial["mask"][steps["pulse"] + steps["delay"]], 0.3)


def test_the_same_stream_gives_the_same_trials():
    env = GoOrStay()
    one, other = trials(TaskFromEnv(env)), trials(TaskFromEnv(GoOrStay()))
    env.new_trial()  # what others do with the environment does not matter
    again = trials(TaskFromEnv(env))
    for a, b, c in zip(one, other, again, strict=True):
        assert_array_equal(a["inputs"], b["inputs"])
        assert_array_equal(a["inputs"], c["inputs"])
    assert len({len(trial["t"]) for trial in one}) > 1
    assert {trial["info"]["choice"] for trial in one} == {0, 1}
    assert not np.array_equal(one[0]["inputs"], trials(TaskFromEnv(env), 1, seed=4)[0]["inputs"])


def test_a_dataset_pads_trials_of_different_lengths():
    task = TaskFromEnv(GoOrStay())
    network, training = Model(N=4, **task.settings).network, Model(N=4, **task.settings).training
    data = Dataset(8, task, "float64", network, training, seed=5)
    batch = data()
    for b, trial in enumerate(data.get_trials()):
        steps = len(trial["t"])
        np.testing.assert_allclose(batch.inputs[:steps, b] - BASELINE, trial["inputs"], atol=1e-12)
        assert not batch.mask[steps:, b].any()


def test_performance_is_the_share_of_right_choices_at_the_end_of_the_decision():
    task = TaskFromEnv(GoOrStay())
    made = trials(task, 8)
    z = np.zeros((max(len(trial["t"]) for trial in made) + 2, 8, 2))
    for b, trial in enumerate(made):
        end, wanted = len(trial["t"]) - 1, trial["info"]["choice"]
        z[:end, b, 1 - wanted] = 1  # wrong before and after the last step
        z[end + 1 :, b, 1 - wanted] = 1
        z[end, b, wanted if b < 6 else 1 - wanted] = 1
    assert task.performance(made, z) == pytest.approx(75)


def test_another_period_can_be_the_one_to_decide_in():
    task = TaskFromEnv(GoOrStay(), decision="delay")
    assert {trial["info"]["choice"] for trial in trials(task)} == {0}
    with pytest.raises(TaskError, match=r"no period 'response'.*pulse, delay, decision"):
        TaskFromEnv(GoOrStay(), decision="response")


def test_conditions_can_be_fixed_and_unknown_ones_are_refused():
    task = TaskFromEnv(GoOrStay())
    assert {trial["info"]["choice"] for trial in trials(task, go=1)} == {1}
    with pytest.raises(TaskError, match="no condition 'got'; did you mean 'go'"):
        trials(task, 1, got=1)


def test_actions_that_are_numbers_become_targets_as_they_are():
    env = Towards()
    task = TaskFromEnv(env)
    trial = trials(task, 1)[0]
    assert_array_equal(trial["outputs"], env.gt)
    assert task.Nout == 2
    assert "choice" not in trial["info"]
    assert task.settings["output_activation"] == "linear"
    assert "performance" not in task.settings


def test_wrappers_that_make_trials_are_heeded():
    task = TaskFromEnv(OrderEnforcing(AlwaysGo(GoOrStay())))
    assert {trial["info"]["choice"] for trial in trials(task)} == {1}


def test_wrappers_that_act_in_steps_only_are_refused():
    with pytest.raises(TaskError, match="wrapper StepOnly acts while the environment is stepped"):
        TaskFromEnv(AlwaysGo(StepOnly(GoOrStay())))


def test_an_environment_that_remembers_is_reported(caplog):
    class Alternating(GoOrStay):
        n_trials = 0

        def new_trial(self, **fixed):
            self.n_trials += 1
            return super().new_trial(go=self.n_trials % 2)

    TaskFromEnv(GoOrStay())
    assert not caplog.records
    TaskFromEnv(Alternating())
    assert "Alternating: a trial depends on those before it" in caplog.text


def without(name):
    """An environment that lacks an attribute, or leaves it None."""
    if name in ("ob", "gt"):

        class Lacking(GoOrStay):
            def new_trial(self, **fixed):
                super().new_trial(**fixed)
                setattr(self, name, None)

        return Lacking()
    env = GoOrStay()
    kept = {key: getattr(env, key) for key in dir(env) if key != name and not key.startswith("__")}
    return SimpleNamespace(**kept)


class Faulty(GoOrStay):
    """A trial environment with one thing wrong."""

    def __init__(self, wrong):
        super().__init__()
        self.wrong = wrong

    def new_trial(self, **fixed):
        trial = super().new_trial(**fixed)
        self.wrong(self)
        return trial


def test_the_last_period_that_has_steps_decides():
    """As in AnnubesEnv, whose trials end with a period of no steps."""
    empty = Faulty(lambda env: env.start_ind.update(decision=env.end_ind["decision"]))
    assert TaskFromEnv(empty).decision == "delay"
    with pytest.raises(TaskError, match="'decision' has no steps"):
        TaskFromEnv(empty, decision="decision")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (without("new_trial"), "not a trial environment, it has no new_trial"),
        (without("end_ind"), "not a trial environment, it has no end_ind"),
        (object(), "not a trial environment, it has no new_trial, seed, dt, observation_space"),
        (without("ob"), "leaves no observations"),
        (without("gt"), "leaves no ground truth"),
        (Faulty(lambda env: setattr(env, "gt", env.gt[1:])), "observations but a ground truth for"),
        (
            Faulty(lambda env: setattr(env, "gt", env.gt + 2)),
            r"from 2 to \d\) is no choice among its 2 actions",
        ),
        (Faulty(lambda env: env.end_ind.clear()), "no period with steps"),
        (Faulty(lambda env: setattr(env, "action_space", SimpleNamespace(shape=()))), "actions"),
    ],
)
def test_what_is_no_trial_environment_is_refused(env, said):
    with pytest.raises(TaskError, match=said):
        TaskFromEnv(env)


def test_what_an_environment_fails_with_is_told():
    class Failing(GoOrStay):
        def new_trial(self, **fixed):
            return super().new_trial(**fixed) if fixed.get("go", 1) < 2 else 1 / 0

    with pytest.raises(TaskError, match=r"cannot make a trial with {'go': 7}: ZeroDivisionError"):
        trials(TaskFromEnv(Failing()), 1, go=7)


def test_any_object_with_the_attributes_of_a_trial_environment_serves():
    made = GoOrStay()
    names = ("dt", "seed", "observation_space", "action_space", "start_ind", "end_ind")
    env = SimpleNamespace(**{name: getattr(made, name) for name in names})

    def new_trial(**fixed):
        trial = made.new_trial(**fixed)
        env.ob, env.gt = made.ob, made.gt
        return trial

    env.new_trial = new_trial
    for one, other in zip(trials(TaskFromEnv(env)), trials(TaskFromEnv(GoOrStay())), strict=True):
        assert_array_equal(one["inputs"], other["inputs"])


def test_another_time_step_is_refused_with_the_remedy():
    task = TaskFromEnv(GoOrStay())
    with pytest.raises(TaskError, match=r"steps of 20 ms.*not dt = 10 ms.*make it with dt=10"):
        task.generate_trial(np.random.RandomState(1), 10, ASKED)


def test_unfit_arguments_are_refused():
    with pytest.raises(TaskError, match="weight_outside must lie between 0 and 1, not 2"):
        TaskFromEnv(GoOrStay(), weight_outside=2)
    with pytest.raises(TaskError, match=r"options \['sigma'\] go with a name"):
        TaskFromEnv(GoOrStay(), sigma=1)


def test_a_missing_neurogym_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "neurogym", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dgr\[neurogym\]'"):
        TaskFromEnv("GoNogo-v0")


def test_a_missing_gymnasium_is_named_with_its_extra():
    code = "import sys; sys.modules['gymnasium'] = None; import pycog_dgr.tasks.gym_env"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtraError" in run.stderr.splitlines()[-1]
    assert "pip install 'dgr[neurogym]'" in run.stderr.splitlines()[-1]


def test_importing_pycog_dgr_imports_no_gymnasium():
    code = (
        "import sys, pycog_dgr, pycog_dgr.tasks.gym_task; "
        "print(*[name for name in ('gymnasium', 'neurogym') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


# -- training on an environment -------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network of 20 units under Dale's law after 100 updates: (task, save file, Result)."""
    task = TaskFromEnv(GoOrStay())
    ei, _, _ = tasktools.generate_ei(20)
    model = Model(
        N=20, ei=ei, tau=60, n_validation=50, checkfreq=99, max_iter=100, train_brec=True,
        train_bout=True, var_rec=0.05**2, **task.settings,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("gym") / "go.npz"
    return task, path, model.train(path, seed=2, optimiser=optimisers.adam(0.01))


def test_a_network_under_dales_law_learns_an_environment(trained):
    _, _, result = trained
    performance = [costs[-1] for _, costs in result.checkpoint.costs_history]
    assert performance[0] < 80
    assert performance[-1] > 95


def test_a_trained_network_runs_on_the_environments_trials(trained):
    task, path, _ = trained
    made = simulate_trials(RNN(path, verbose=False), task, 40, seed=8)
    start, end = made.epoch("decision").T
    chosen = made.outputs[np.arange(40), (end / task.dt).astype(int)].argmax(axis=1)
    assert np.mean(chosen == made.column("choice")) > 0.9
    assert (end > start).all()
    np.testing.assert_allclose(made.inputs[0, 1, 0], 1.2, atol=0.5)  # with the baseline


def test_a_stream_taken_up_again_goes_on_with_the_same_trials():
    """What going on from a save file rests on: it keeps the state of the stream, and no more."""

    def dataset():
        model = Model(N=4, n_gradient=4, **TaskFromEnv(GoOrStay()).settings)
        return Dataset(4, model.task, "float64", model.network, model.training)

    whole, later = dataset(), dataset()
    whole()
    later.rng.set_state(whole.rng.get_state())
    assert_array_equal(whole().inputs, later().inputs)


# -- task -> environment --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gym_env():
    """The module pycog_dgr.tasks.gym_env, which needs Gymnasium."""
    pytest.importorskip("gymnasium", reason=NEUROGYM)
    from pycog_dgr.tasks import gym_env

    return gym_env


def rdm(gym_env, **options):
    return gym_env.EnvFromTask(EXAMPLES / "tasks" / "rdm_fixed.py", **options)


def episode(env, answer, **reset):
    """Observations (time, Nin), rewards (time,) and infos of one trial; answer(info) acts."""
    observation, info = env.reset(**reset)
    observations, rewards, infos, done = [], [], [], False
    while not done:
        observations.append(observation)
        observation, reward, done, truncated, info = env.step(answer(len(infos)))
        assert not truncated
        rewards.append(reward)
        infos.append(info)
    return np.array(observations), np.array(rewards), infos


@pytest.mark.filterwarnings("ignore::UserWarning")  # of boxes without limits, and no rendering
@pytest.mark.parametrize("actions", ["outputs", "choices"])
@pytest.mark.parametrize("task", ["rdm_fixed", "romo"])
def test_gymnasium_accepts_a_task_as_an_environment(gym_env, task, actions):
    from gymnasium.utils.env_checker import check_env

    check_env(gym_env.EnvFromTask(EXAMPLES / "tasks" / f"{task}.py", actions=actions))


def test_an_agent_sees_what_a_network_in_training_is_shown(gym_env):
    env = rdm(gym_env)
    observations, _, infos = episode(env, lambda t: [0.0, 0.0], seed=4)
    model = env.model
    stream = int(np.random.Generator(np.random.PCG64(4)).integers(2**32))
    data = Dataset(1, model.task, "float32", model.network, model.training, seed=stream)
    batch = data()
    assert_array_equal(observations, batch.inputs[:, 0])
    assert_array_equal([info["target"] for info in infos], batch.targets[:, 0])
    assert_array_equal([info["mask"] for info in infos], batch.mask[:, 0])
    assert_array_equal([info["t"] for info in infos], data.get_trials()[0]["t"])
    assert infos[0]["trial"] == data.get_trials()[0]["info"]
    assert_array_equal(episode(env, lambda t: [0.0, 0.0])[0], data().inputs[:, 0])


def test_an_episode_is_one_trial_and_the_seed_repeats_it(gym_env):
    env = rdm(gym_env)
    first, second = (episode(env, lambda t: [0, 0])[0] for _ in range(2))
    one, other = (episode(env, lambda t: [0, 0], seed=9)[0] for _ in range(2))
    following = episode(env, lambda t: [0, 0])[0]
    assert_array_equal(one, other)
    assert not np.array_equal(first, second)
    assert not np.array_equal(following, one)


def test_rewards_of_outputs_are_minus_the_squared_error(gym_env):
    env = rdm(gym_env)
    options = {"catch": False, "coh": 16, "in_out": 1}
    _, rewards, infos = episode(env, lambda t: [0.5, 0.1], seed=1, options=options)
    assert infos[0]["trial"] == {"coh": 16, "in_out": 1, "choice": 0}
    expected = [
        -np.sum(info["mask"] * (np.array([0.5, 0.1]) - info["target"]) ** 2) for info in infos
    ]
    np.testing.assert_allclose(rewards, expected, rtol=1e-6)
    assert rewards[-1] == pytest.approx(-(0.5**2 + 0.1**2))  # targets 1 and 0.2
    assert rewards[len(rewards) // 2] == 0  # the stimulus is not scored


def test_rewards_of_choices_are_given_where_the_targets_ask_for_them(gym_env):
    env = rdm(gym_env, actions="choices", noise=False)
    options = {"catch": False, "coh": 16, "in_out": -1}  # choice 1, action 2
    for action, expected in ((0, (1, 0)), (1, (0, 0)), (2, (0, 1))):
        _, rewards, infos = episode(env, lambda t, a=action: a, seed=1, options=options)
        t = np.array([info["t"] for info in infos])
        fixation, decision = ((t > a) & (t <= b) for a, b in ((0, 100), (900, 1200)))
        assert_array_equal(rewards[fixation], expected[0])
        assert_array_equal(rewards[decision], expected[1])
        assert_array_equal(rewards[~fixation & ~decision], 0)


def test_without_noise_the_observations_are_the_tasks_own(gym_env):
    env = rdm(gym_env, noise=False, name="test")
    options = {"catch": False, "coh": 16, "in_out": 1}
    observations, _, infos = episode(env, lambda t: [0, 0], seed=1, options=options)
    assert len(observations) == 1400 / 20  # ms / dt; in training it would be 1200 ms
    np.testing.assert_allclose(np.unique(observations[:, 0]), [0.2, 0.2 + 0.756], rtol=1e-6)
    assert infos[0]["epochs"]["stimulus"] == (300, 1100)


def test_steps_that_cannot_be_taken_are_refused(gym_env):
    env = rdm(gym_env)
    with pytest.raises(TaskError, match="call reset"):
        env.step([0, 0])
    env.reset(seed=1)
    for action in ([0, 0, 0], [np.nan, 0], 1.0):
        with pytest.raises(TaskError, match="2 finite numbers"):
            env.step(action)
    episode(env, lambda t: [0, 0])
    with pytest.raises(TaskError, match="call reset"):
        env.step([0, 0])
    choosing = rdm(gym_env, actions="choices")
    choosing.reset(seed=1)
    with pytest.raises(TaskError, match=r"0 \(none\) to 2, got 3"):
        choosing.step(3)


def test_settings_of_an_environment_are_checked(gym_env):
    with pytest.raises(SettingError, match="actions must be one of outputs, choices, not 'both'"):
        rdm(gym_env, actions="both")
    with pytest.raises(SettingError, match="not 'validation'"):
        rdm(gym_env, name="validation")
    with pytest.raises(TaskError, match="are no choices"):
        gym_env.EnvFromTask(EXAMPLES / "tasks" / "lee.py", actions="choices").reset(seed=1)


def test_an_environment_and_back_is_the_same_trial(gym_env):
    task = TaskFromEnv(GoOrStay())
    env = gym_env.EnvFromTask(Model(N=4, **task.settings))
    observations, _, infos = episode(env, lambda t: [0, 0], seed=1, options={"go": 1})
    assert infos[0]["trial"]["go"] == 1
    np.testing.assert_allclose(observations - BASELINE, task.env.ob, atol=1e-6)  # float32


# -- NeuroGym itself ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def neurogym():
    return pytest.importorskip("neurogym", reason=NEUROGYM)


# name -> (decision period, Nin, Nout or 0 for movements in space)
NEUROGYM_TASKS = {
    "GoNogo-v0": ("decision", 3, 2),
    "AntiReach-v0": ("decision", 33, 33),
    "DelayMatchSample-v0": ("decision", 3, 3),
    "DelayMatchCategory-v0": ("test", 3, 3),
    "ReadySetGo-v0": ("production", 3, 2),
    "ProbabilisticReasoning-v0": ("decision", 41, 3),
    "ReachingDelayResponse-v0": ("decision", 2, 2),
}


@pytest.mark.parametrize("name", NEUROGYM_TASKS)
def test_environments_of_neurogym_are_tasks(neurogym, name):
    task = TaskFromEnv(name, dt=20)
    assert (task.decision, task.Nin, task.Nout) == NEUROGYM_TASKS[name]
    env = task.env.unwrapped
    for trial in trials(task, 3):
        checked_trial(trial, task.Nin, task.Nout, task, ASKED)
        again = trials(task, 3)[2]
        assert_array_equal(again["inputs"], env.ob)
        gt = trial["outputs"].argmax(axis=1) if task.discrete else trial["outputs"]
        assert len(gt) == len(trial["t"])
    assert_array_equal(
        again["outputs"].argmax(axis=1) if task.discrete else again["outputs"], env.gt
    )


@pytest.mark.parametrize("name", ["Bandit-v0", "EconomicDecisionMaking-v0"])
def test_environments_without_ground_truth_are_refused(neurogym, name):
    with pytest.raises(TaskError, match=rf"{name}.*no ground truth.*tagged 'supervised'"):
        TaskFromEnv(name)


def test_wrappers_of_neurogym_that_act_in_steps_are_refused(neurogym):
    from neurogym.wrappers import PassAction

    with pytest.raises(TaskError, match=r"GoNogo.*wrapper PassAction"):
        TaskFromEnv(PassAction(neurogym.make("GoNogo-v0")))


def test_a_collection_that_alternates_is_reported(neurogym, caplog):
    TaskFromEnv("yang19.anti-v0")
    assert "yang19.anti-v0: a trial depends on those before it" in caplog.text


def test_unknown_names_and_options_are_refused(neurogym):
    with pytest.raises(TaskError, match=r"(?s)'GoNoGo-v0'.*GoNogo"):
        TaskFromEnv("GoNoGo-v0")
    with pytest.raises(TaskError, match=r"'GoNogo-v0' with options.*dim_rings"):
        TaskFromEnv("GoNogo-v0", dim_rings=3)
    with pytest.raises(TaskError, match=r"CartPole-v1.*not a trial environment"):
        TaskFromEnv("CartPole-v1")


# -- the page and the script ----------------------------------------------------------------------


def test_the_snippets_of_the_page_run(neurogym, gym_env, tmp_path, monkeypatch):
    page = (EXAMPLES.parent / "docs" / "neurogym.md").read_text()
    (tmp_path / "examples").symlink_to(EXAMPLES)
    monkeypatch.chdir(tmp_path)
    names = {}
    for snippet in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(snippet.replace("max_iter=200", "max_iter=2"), names)
    assert (tmp_path / "go_nogo.npz").exists()
    assert names["task"].__name__ == "DelayMatchSample"
    assert names["info"]["trial"]["coh"] == 16


@pytest.fixture
def script(neurogym):
    """The module of examples/neurogym/train.py."""
    with loaded(EXAMPLES / "neurogym" / "train.py") as module:
        yield module


@pytest.mark.examples
def test_the_script_trains_and_draws(script, tmp_path, capsys):
    words = ["GoNogo-v0", "--seeds", "1", "2", "--max-iter", "2", "--out", str(tmp_path)]
    script.main(words)
    said = capsys.readouterr().out
    assert said.count("% right in 1000 fresh trials; best fixed answer ") == 2
    rows = (tmp_path / "GoNogo-v0.csv").read_text().splitlines()
    assert [row.split(",")[:3] for row in rows[1:]] == [["GoNogo-v0", s, "40"] for s in "12"]
    assert (tmp_path / "GoNogo-v0.png").read_bytes().startswith(b"\x89PNG")
    script.main(words)
    assert capsys.readouterr().out == said  # what is finished is only drawn again


@pytest.mark.examples
@pytest.mark.parametrize(
    ("name", "said"),
    [("Bandit-v0", "no ground truth"), ("ReachingDelayResponse-v0", "no choices")],
)
def test_the_script_refuses_in_one_line_what_it_cannot_train(script, name, said, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        script.main([name, "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())
