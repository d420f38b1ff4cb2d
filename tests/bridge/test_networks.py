"""The registry of solvers and generators: other packages' networks, and other sizes of images."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bridge.data import Contexts, ImageData, Labelled, one_hot, save_examples
from bridge.data import examples as certified
from bridge.errors import SettingError
from bridge.networks import GENERATORS, SOLVERS, sizes
from bridge.replay import IMPROVED, TEXT, Budget, changed
from bridge.runs import GeneratorJob, JobState, RunPaths, SequentialJob, Setting, load_results
from tests.bridge.synthetic_results import write_results

ROOT = str(Path(__file__).parents[2])  # of `tests`, for other processes

PLANTED = '''
import numpy as np

class Planted:
    """Calls everything class 3; a stand-in for another package's solver."""

    def __init__(self, seed, strength=1.0):
        self.fits = np.zeros(1)

    def begin_context(self, *, iterations):
        pass

    def fit(self, images, targets, weights=None, *, iterations, rng, batch_size=64, **_):
        self.fits = self.fits + iterations

    def predict(self, images):
        return np.tile(np.eye(10)[3], (len(images), 1))

    def state(self):
        return {"fits": self.fits.copy()}

    def load_state(self, state):
        self.fits = state["fits"].copy()
'''
ENTRY_POINTS = "[dgr.solvers]\nplanted = planted_package:Planted\nlstm = planted_package:Planted\n"


@pytest.fixture
def planted(tmp_path):
    """A folder for PYTHONPATH that holds a distribution with a solver."""
    (tmp_path / "planted_package.py").write_text(PLANTED)
    about = tmp_path / "planted_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: planted-package\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    return tmp_path


def python(code, folder):
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {[str(folder), ROOT]!r}\n{code}"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_another_packages_solver_is_found_fitted_and_read_back_but_takes_no_name_of_ours(planted):
    images = np.zeros((4, 28, 28), np.float32)
    save_examples(planted / "batch.npz", certified(images, one_hot(np.array([3, 3, 3, 1]), 10)))
    out = python(
        "from bridge import cli\n"
        "assert cli.main(['fit', 'batch.npz', 'solver.npz', '--solver', 'planted']) == 0\n"
        "from bridge.networks import SOLVERS, make_solver, read_network\n"
        "network, name, _ = read_network('solver.npz', SOLVERS)\n"
        "print(name, type(network).__name__, network.fits[0])\n"
        "print(type(make_solver('lstm', 1)).__name__)",
        planted,
    )
    assert "agrees with 75.0 %" in out
    assert out.splitlines()[-2:] == ["planted Planted 200.0", "LSTMClassifier"]


def test_another_packages_solver_runs_through_a_protocol_that_has_a_plan_for_it(planted):
    out = python(
        "from pathlib import Path\n"
        "from bridge.replay import TEXT, changed\n"
        "from bridge.runs import JobState, SequentialJob\n"
        "from tests.bridge.helpers import tiny_setting\n"
        "plan = {**TEXT.as_dict()['solvers']['lstm'], 'options': {}}\n"
        "setting = tiny_setting(Path('run'), changed(TEXT, {'solvers.planted': plan}))\n"
        "job = SequentialJob('planted', 'none', 1)\n"
        "job.run(setting, JobState(setting.paths.state(job.name)), lambda _: None)\n"
        "rows = JobState(setting.paths.state(job.name)).rows\n"
        "print([r['accuracy'] for r in rows if r['table'] == 'matrix'][:3])",
        planted,
    )
    assert out.splitlines()[-1] == "[0.0, 50.0, 0.0]"


# -- sizes ----------------------------------------------------------------------------------------


def small_images(shape=(8, 12), n_classes=4):
    """Images of another size whose class is the row that is lit."""
    rng = np.random.default_rng(0)

    def part(per_class):
        labels = np.tile(np.arange(n_classes), per_class)
        images = 0.2 * rng.random((len(labels), *shape), dtype=np.float32)
        images[np.arange(len(labels)), 2 * labels] += 0.8
        return Labelled(images, labels.astype(np.int64))

    return ImageData("small", part(20), part(5), part(5))


def test_sizes_are_options_only_where_they_differ_from_a_networks_own():
    for table in (SOLVERS, GENERATORS):
        for name in table:
            assert sizes(table, name, (28, 28), 10) == {}
    assert sizes(SOLVERS, "lstm", (8, 12), 4) == {"n_inputs": 12, "n_classes": 4}
    assert sizes(SOLVERS, "biornn", (8, 12), 4) == {"Nin": 12, "Nout": 4}
    assert sizes(SOLVERS, "mlp", (8, 12), 4) == {"image_shape": (8, 12), "n_classes": 4}
    with pytest.raises(SettingError, match="did you mean 'lstm'"):
        sizes(SOLVERS, "lstmm", (8, 12), 4)


@pytest.mark.parametrize("protocol", [TEXT, IMPROVED], ids=lambda protocol: protocol.name)
def test_size_of_images_and_number_of_classes_follow_the_data(protocol, tmp_path):
    contexts = Contexts(small_images(), ((0, 1), (2, 3)))
    setting = Setting(RunPaths(tmp_path), contexts, protocol, Budget(0.002, 0.001))
    jobs = [GeneratorJob(1)]
    jobs += [SequentialJob(solver, "generative", 1) for solver in ("lstm", "biornn")]
    jobs += [SequentialJob("lstm", "noise", 1)]
    for job in jobs:
        state = JobState(setting.paths.state(job.name))
        job.run(setting, state, lambda _: None)
        assert state.finished
    assert setting.generator(1, 1).sample(3, np.random.default_rng(0)).shape == (3, 8, 12)


def test_a_misspelt_field_of_a_plan_is_no_new_solver():
    with pytest.raises(SettingError, match="no place"):
        changed(TEXT, {"solvers.lstm.iteratoins": [1]})


# -- scikit-learn ---------------------------------------------------------------------------------


def test_a_solver_is_an_estimator_of_scikit_learn():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, cross_val_score

    from bridge.networks.estimator import SolverEstimator

    digits = small_images().train
    names = np.array(["zero", "one", "two", "three"])[digits.labels]
    estimator = SolverEstimator("mlp", iterations=60, batch_size=16, options={"hidden": (16,)})
    assert clone(estimator).get_params() == estimator.get_params()
    fitted = estimator.fit(digits.images, names)
    assert fitted is estimator and list(fitted.classes_) == sorted(set(names))
    p = fitted.predict_proba(digits.images)
    assert p.shape == (80, 4) and np.allclose(p.sum(axis=1), 1, atol=1e-5)
    assert (fitted.predict(digits.images) == fitted.classes_[p.argmax(axis=1)]).all()
    assert cross_val_score(estimator, digits.images, names, cv=2).mean() > 0.9
    search = GridSearchCV(estimator, {"iterations": [1, 60]}, cv=2).fit(digits.images, names)
    assert search.best_params_ == {"iterations": 60}


def test_a_table_is_a_data_frame_on_request(tmp_path):
    pandas = pytest.importorskip("pandas")
    results = load_results(write_results(tmp_path / "run", samples=False))
    frame = results.table("matrix").to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns)[:2] == ["solver", "replay"] and len(frame) > 10
