"""Model files: ours, and those of the original, unmodified."""

import dataclasses
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from pycog_dgr import RNN, Dataset, Model, SettingError, TaskError, tasktools
from pycog_dgr.files import checkpoint
from pycog_dgr.tasks.model import load_model_file
from pycog_dgr.training import train
from tests.pycog_dgr import tiny

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"

# In the manner of the original's files: Python 2 lists, imports of pycog at any time.
OLD_STYLE = """
    from __future__ import division
    import numpy as np
    from pycog import tasktools
    import pycog.fittools as fits

    Nin, N, Nout = 1, 6, 2
    ei, EXC, INH = tasktools.generate_ei(N)
    lengths = [4, 5] + range(6, 7)
    choices = {0: 1.0, 1: 0.0}
    checkfreq, n_validation, max_iter, n_gradient = 2, 4, 3, 2
    tau, dt = 40, 20
    performance = tasktools.performance_2afc

    def generate_trial(rng, dt, params):
        from pycog.tasktools import get_epochs_idx
        choice = rng.choice(choices.keys())
        generate_trial.seen = sum(choices.values()) + len(choices.items())
        t, e = get_epochs_idx(dt, {'T': dt*rng.choice(lengths)})
        Y = np.zeros((len(t), Nout))
        Y[:,choice] = 1
        for i in xrange(len(t)):
            assert i >= 0
        return {'t': t, 'epochs': {}, 'info': {'choice': choice},
                'inputs': choices[choice]*np.ones((len(t), 1)), 'outputs': Y}
"""


def written(tmp_path, text, name="old_style.py"):
    path = tmp_path / name
    path.write_text(textwrap.dedent(text))
    return path


def test_a_file_for_the_original_trains_unmodified(tmp_path):
    model = Model(written(tmp_path, OLD_STYLE))
    assert model.m.tasktools is tasktools
    result = model.train(tmp_path / "savefile.pkl", seed=3, recover=False)
    assert result.reason == "max_iter"
    assert result.checkpoint.settings["seed"] == 3
    rnn = RNN(tmp_path / "savefile.pkl", {"dt": 10})
    assert rnn.run(inputs=(model.m.generate_trial, {"name": "test"}))["choice"] in (0, 1)


def test_loading_a_model_file_leaves_no_pycog_behind(tmp_path):
    path = written(tmp_path, OLD_STYLE)
    code = f"""
        import sys
        from pycog_dgr import Model
        before = set(sys.modules)
        Model({str(path)!r})
        assert not any(name.split('.')[0] == 'pycog' for name in sys.modules)
        assert isinstance(range(3), range)
        try:
            import pycog
        except ImportError:
            print('absent')
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "absent\n"


def test_python_3_files_keep_python_3(tmp_path):
    module = load_model_file(written(tmp_path, "a = range(3)\nb = {1: 2}.keys()\n"))
    assert isinstance(module.a, range) and not isinstance(module.b, list)


def test_integer_division_of_python_2_is_pointed_out(tmp_path, caplog):
    load_model_file(written(tmp_path, "from pycog import tasktools\nhalf = 1/2\n"))
    assert "true division" in caplog.text


def test_a_models_own_seed_goes_first(tmp_path, caplog):
    model = Model(**{**tiny.SETTINGS, "max_iter": 1, "seed": 7}, generate_trial=tiny.generate_trial)
    result = model.train(tmp_path / "s.npz", seed=3)
    assert result.checkpoint.settings["seed"] == 7
    assert "seed 3 is not used" in caplog.text


def test_a_task_object_is_a_task():
    class Task:
        def generate_trial(self, rng, dt, params):
            return tiny.generate_trial(rng, dt, params)

    task = Task()
    assert Model(**tiny.SETTINGS, task=task).task is task


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("N = 5\n", TaskError, "no task"),
        ("task = 3\n", TaskError, "has no function generate_trial"),
        ("N = 5\nprint 'hello' if\n", TaskError, "line 2: not Python 3"),
        ("N = 5.5\ndef generate_trial(rng, dt, params): pass\n", SettingError, "old_style.py: .*N"),
        ("learnig_rate = 1\n", SettingError, "did you mean 'learning_rate'"),
    ],
)
def test_faults_in_a_model_file_are_named_with_the_file(tmp_path, text, error, message):
    with pytest.raises(error, match=message) as raised:
        Model(written(tmp_path, text))
    assert "old_style.py" in str(raised.value)


def test_faults_in_keywords_are_named():
    with pytest.raises(SettingError, match="did you mean 'learning_rate'"):
        Model(**tiny.SETTINGS, learnig_rate=1, generate_trial=tiny.generate_trial)
    with pytest.raises(TaskError, match="cannot read the model file"):
        Model("nowhere.py")
    with pytest.raises(SettingError, match="not both"):
        Model("nowhere.py", N=5)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_task_makes_trials_for_its_network(path):
    model = Model(path)
    for name in ("gradient", "validation"):
        data = Dataset(12, model.task, "float32", model.network, model.training, seed=1, name=name)
        batch = data([])
        assert np.isfinite(batch.inputs).all() and batch.mask.any()
        if model.training.performance is not None:
            z = np.zeros((*batch.targets.shape[:2], 2))
            assert 0 <= model.training.performance(data.get_trials(), z) <= 100
    params = {"name": "test", "catch": False}
    trial = model.m.generate_trial(np.random.RandomState(1), model.network.dt, params)
    assert len(trial["t"]) and "mask" not in trial
    terminate = model.training.terminate
    if terminate is not None:
        assert terminate(np.full(5, 99.0)) and not terminate(np.zeros(5))


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_task_trains_and_runs(path, tmp_path):
    model = Model(path)
    brief = dataclasses.replace(model.training, max_iter=4, checkfreq=2, n_validation=20)
    result = train(model.task, model.network, brief, tmp_path / "save.npz")
    assert result.reason == "max_iter" and np.isfinite(result.checkpoint.best.cost)
    rnn = RNN(tmp_path / "save.npz")
    rnn.run(inputs=(model.m.generate_trial, {"name": "test"}))
    assert np.isfinite(rnn.z).all()


SCRIPT = """
import os, signal
import numpy as np
from pycog_dgr import Model

def generate_trial(rng, dt, params):
    t = np.arange(1, 6) * dt
    ones = np.ones((5, 1))
    return {"t": t, "epochs": {"T": 50}, "info": {}, "inputs": ones, "outputs": ones}

model = Model(Nin=1, N=5, Nout=1, tau=50, dt=10, n_validation=2, n_gradient=2, max_iter=10**6,
              generate_trial=generate_trial)
stop = lambda done, report: done == 2 and os.kill(os.getpid(), signal.SIGINT)
model.train("s.npz", on_update=stop)
print("went on")
"""


def test_a_script_whose_training_is_interrupted_ends_there_and_has_saved(tmp_path):
    code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{SCRIPT}"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode and "went on" not in ran.stdout
    assert "s.npz: saved after 2 updates; the same call goes on" in ran.stderr
    assert checkpoint.load(tmp_path / "s.npz").stopped == "interrupted"
