"""What pycog users bring runs: `import pycog`, scripts of Python 2, the table of names is true."""

import importlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from bridge.cli import main
from pycog_dgr import TaskError, tasktools
from pycog_dgr.compat import mlab, names
from pycog_dgr.compat.scripts import MIRROR, run_script

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "coming-from-pycog.md"

MODEL = """
    # -*- coding: latin-1 -*-
    from __future__ import division
    import numpy as np
    from pycog import tasktools

    Nin, N, Nout = 1, 6, 2
    ei, EXC, INH = tasktools.generate_ei(N)
    tau, dt = 100, 20
    n_gradient, n_validation, checkfreq, max_iter = 2, 4, 2, 2
    epochs = {'stimulus': (0, 100), 'T': 100}
    conditions = zip(['left', 'right'], range(2))

    def generate_trial(rng, dt, params):
        t, e = tasktools.get_epochs_idx(dt, epochs)
        name, choice = conditions[rng.choice(range(2))]
        trial = {'t': t, 'epochs': epochs, 'info': {'choice': choice}}
        trial['inputs'] = choice*np.ones((100//dt, 1))
        if params.get('target_output', False):
            trial['outputs'] = np.ones((len(t), Nout))
        return trial
"""
ANALYSIS = """
    import cPickle as pickle, os, sys
    import settings_of_mine
    import numpy as np
    from pycog import RNN, tasktools, fittools
    from pycog.figtools import Figure, mpl, PCA
    import pycog.datatools as datatools

    def do(action, args, p):
        print "ACTION*:", action, settings_of_mine.pairs[0][1]
        rnn = RNN(p['savefile'], {'dt': p['dt']}, verbose=False)
        trials = []
        for i in xrange(int(args[0])):
            info = rnn.run(inputs=(p['model'].generate_trial, {'name': 'test'}), seed=i)
            trials.append({'t': rnn.t, 'r': rnn.r, 'info': info})
        with open(os.path.join(p['figspath'], 'trials.pkl'), 'wb') as f:
            pickle.dump(trials, f, pickle.HIGHEST_PROTOCOL)
        by_choice = {}
        for trial in trials:
            if not by_choice.has_key(trial['info']['choice']):
                by_choice[trial['info']['choice']] = 0
            by_choice[trial['info']['choice']] += 1
        for choice, n in sorted(by_choice.iteritems()):
            print choice, n
        fig = Figure(w=3, h=3, format='png')
        plot = fig.add()
        plot.plot(trials[0]['t'], trials[0]['r'].T)
        plot.text_lower_left('n = %d' % len(trials))
        fig.save(path=p['figspath'], name='rates')
"""
DO = """
    #! /usr/bin/env python
    import imp, os, sys
    from os.path import join
    from pycog.utils import get_here, mkdir_p
    from pycog import Model

    here = get_here(__file__)
    figspath = join(here, 'work', 'figs')
    mkdir_p(figspath)
    modelfile, action = sys.argv[1:3]
    savefile = join(here, 'work', 'save.pkl')
    if action == 'train':
        Model(modelfile=modelfile).train(savefile, seed=1, compiledir='x', gpus=0)
    elif action == 'run':
        r = imp.load_source('analysis', sys.argv[3] + '.py')
        m = imp.load_source('model', modelfile)
        r.do(sys.argv[4], sys.argv[5:], {'savefile': savefile, 'model': m, 'dt': 2,
                                         'figspath': figspath})
    else:
        print "Unrecognized action '{}'.".format(action)
"""


@pytest.fixture
def folder(tmp_path):
    """A folder as a pycog user has one: do.py, a model, an analysis, a module beside it."""
    files = {"do": DO, "model": MODEL, "rates": ANALYSIS}
    files["settings_of_mine"] = "pairs = zip('a','b')"
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text).lstrip())
    return tmp_path


def dgr(folder, *words):
    """What `dgr WORDS` prints, run in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bridge", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_folder_written_for_pycog_trains_and_draws_as_it_is(folder):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    dgr(folder, "pycog", "do.py", "model.py", "train")
    said = dgr(folder, "pycog", "do.py", "model.py", "run", "rates", "trials", "4")
    assert said.startswith("ACTION*: trials b\n")
    assert (folder / "work" / "figs" / "rates.png").stat().st_size
    assert (folder / "work" / "figs" / "trials.pkl").stat().st_size
    assert all(path.read_bytes() == data for path, data in before.items())


def test_dgr_translate_prints_python_3(folder, capsys):
    assert main(["translate", "--diff", str(folder / "rates.py")]) == 0
    assert "+    for i in range(int(args[0])):" in capsys.readouterr().out
    assert main(["translate", str(folder / "rates.py")]) == 0
    compile(capsys.readouterr().out, "rates.py", "exec")


def test_a_script_is_main_gets_its_words_and_leaves_no_trace(tmp_path, capsys):
    path = tmp_path / "script.py"
    path.write_text("import sys\nif __name__ == '__main__':\n    print sys.argv[1:], __file__\n")
    before = sys.argv, sys.modules["__main__"], list(sys.path), list(sys.meta_path)
    run_script(path, ["--dt", "0.5", "run"])
    assert capsys.readouterr().out == f"['--dt', '0.5', 'run'] {path}\n"
    after = sys.argv, sys.modules["__main__"], list(sys.path)
    assert after == before[:3]
    with pytest.raises(TaskError, match="cannot read"):
        run_script(tmp_path / "none.py")


def python(code):
    """What a fresh Python says to code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    return done.stdout


def test_install_as_pycog():
    said = python("""
        import sys
        import pycog_dgr
        pycog_dgr.install_as_pycog()
        pycog_dgr.install_as_pycog()
        assert not {'matplotlib', 'pytensor', 'torch'} & set(sys.modules)
        from pycog import RNN, Model, tasktools
        import pycog.tasktools
        import pycog.utils as u
        assert RNN is pycog_dgr.RNN and pycog.tasktools is pycog_dgr.tasktools is tasktools
        assert RNN(verbose=False).p['N'] == 100
        try:
            import pycog.theanotools
        except ImportError as error:
            print(error)
    """)
    assert said.startswith("pycog.theanotools has no counterpart here: Theano's successor")


def test_another_pycog_is_not_replaced():
    said = python("""
        import sys, types
        import pycog_dgr
        sys.modules['pycog'] = types.ModuleType('pycog')
        try:
            pycog_dgr.install_as_pycog()
        except ImportError as error:
            print(error)
    """)
    assert "another pycog is imported already" in said


def test_a_forks_function_is_answered_with_what_to_do(tmp_path):
    from pycog_dgr.tasks.model import load_model_file

    with pytest.raises(AttributeError, match="no 'performance_of_mine'; if it is a function of a"):
        _ = tasktools.performance_of_mine
    path = tmp_path / "fork.py"
    for text in ("from pycog.tasktools import mine", "from pycog import mine"):
        path.write_text(text)
        with pytest.raises(TaskError, match="define it in the model file"):
            load_model_file(path)
    path.write_text("from pycog import pbstools")
    with pytest.raises(TaskError, match="pbstools has no counterpart"):
        load_model_file(path)


# -- the table of names ---------------------------------------------------------------------------


def resolved(path):
    """The object at a dotted path; AttributeError or ImportError where there is none."""
    parts = path.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            found = getattr(found, part)
        return found
    raise ImportError(path)


@pytest.mark.parametrize("row", names.TABLE, ids=lambda row: f"{row.module}-{row.status}")
def test_the_table_of_names_is_true(row):
    path = f"{MIRROR}.{row.module}" if row.module != "pycog" else MIRROR
    if row.status == names.KEPT:
        importlib.import_module(f"{MIRROR}.figtools")
        for name in row.names.split():
            resolved(f"{path}.{name}")
        return
    assert row.status == names.LEFT_OUT or row.ours
    assert row.why or row.ours
    for name in row.names.split():
        with pytest.raises((AttributeError, ImportError)):
            resolved(f"{path}.{name}")
    if row.ours:
        resolved(row.ours)


def test_every_public_helper_of_the_original_is_in_the_table():
    listed = {(row.module, name) for row in names.TABLE for name in row.names.split()}
    for module in ("tasktools", "fittools", "datatools"):
        assert any(known == module for known, _ in listed)
    assert len(listed) == sum(len(row.names.split()) for row in names.TABLE)  # nothing twice


def test_the_docs_hold_the_table(capsys):
    assert names.markdown() in DOCS.read_text(encoding="utf-8")
    assert main(["pycog"]) == 0
    assert capsys.readouterr().out.strip() == names.markdown()


# -- helpers --------------------------------------------------------------------------------------


def test_mlab_pca_is_what_matplotlib_had():
    rng = np.random.RandomState(0)
    data = rng.normal(size=(50, 3)) @ np.array([[3, 1, 0], [0, 1, 0], [0, 0, 0.1]]) + 5
    pca = mlab.PCA(data)
    standardised = (data - data.mean(0)) / data.std(0)
    variances = np.sort(np.linalg.eigvalsh(np.cov(standardised.T)))[::-1]
    np.testing.assert_allclose(pca.fracs, variances / variances.sum(), rtol=1e-12)
    np.testing.assert_allclose(pca.Y @ pca.Wt, standardised, atol=1e-12)
    np.testing.assert_allclose(pca.project(data), pca.Y, atol=1e-12)
    assert pca.project(data, minfrac=0.3).shape[1] == (pca.fracs >= 0.3).sum() < 3
    with pytest.raises(ValueError, match="transpose it"):
        mlab.PCA(data.T)
    with pytest.raises(ValueError, match="column 1 never changes"):
        mlab.PCA(np.stack([np.arange(5), np.ones(5)], axis=1))


def test_figtools_in_three_dimensions_and_lower_corners():
    from pycog_dgr.figtools import Figure, Subplot3D

    fig = Figure(w=3, h=3)
    plot = fig.add(projection="3d")
    assert isinstance(plot, Subplot3D)
    plot.plot([0, 1], [0, 1], [0, 1])
    plot.zcircle((0.5, 0.5), 0.2, z0=0.3)
    plot.zticks([0, 1])
    plot.zlabel("z")
    assert plot.get_zticks().tolist() == [0, 1]
    plot = fig.add()
    placed = [getattr(plot, f"text_lower_{where}")("a") for where in ("left", "center", "right")]
    assert [text.get_ha() for text in placed] == ["left", "center", "right"]
    assert {text.get_va() for text in placed} == {"bottom"}
