"""do.py understands what pycog's did, or says what to do instead."""

import argparse
import shutil
import textwrap

import pytest

from pycog_dgr.commands import taskrun
from pycog_dgr.commands.task import do
from tests.pycog_dgr import tiny

SETTINGS = tiny.SETTINGS | {"max_iter": 2}
MODEL = f"""
    import numpy as np
    locals().update({SETTINGS!r})

    def generate_trial(rng, dt, params):
        t = dt*np.arange(1, 100//dt + 1)
        trial = {{'t': t, 'epochs': {{'T': 100}}, 'info': {{'choice': 0}}}}
        trial['inputs'] = np.ones((100//dt, 1))
        trial['outputs'] = np.ones((100//dt, 2))
        return trial
"""
ANALYSIS = """
    from pycog import RNN
    import helper

    def do(action, args, p):
        print "ACTION*:", action, args, p['dt'], p['name'], helper.pairs[0]
        rnn = RNN(p['savefile'], {'dt': 10}, verbose=False)
        rnn.run(inputs=(p['model'].generate_trial, {'name': 'test'}), seed=p['seed'])
        print rnn.z.shape
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    (folder / "small.py").write_text(textwrap.dedent(MODEL))
    taskrun.train(taskrun.open_run(folder / "small.py", folder=folder / "out"))
    return folder


@pytest.fixture
def told(trained, tmp_path, monkeypatch, capsys):
    """told(words) -> (exit status, what is printed, what is complained of)."""
    folder = shutil.copytree(trained, tmp_path / "work")
    (folder / "rates.py").write_text(textwrap.dedent(ANALYSIS))
    (folder / "helper.py").write_text("pairs = zip('a', 'b')\n")
    monkeypatch.chdir(folder)

    def tell(*words):
        with pytest.raises(SystemExit) as stopped:
            do(folder, ["small", *words, "--out", "out"])
        return stopped.value.code, *capsys.readouterr()

    return tell


def test_an_analysis_script_is_run_with_its_action_and_words(told):
    status, said, complaint = told("run", "rates", "trials", "40", "--dt", "2")
    assert status == 0, complaint
    assert said == "ACTION*: trials ['40'] 2 small ('a', 'b')\n(2, 11)\n"
    assert "ACTION*: None [] 5" in told("run", "rates.py", "--dt", "5")[1]


@pytest.mark.parametrize(
    ("words", "file"),
    [
        (["structure", "init"], "structure_init.png"),
        (["restingstate", "init", "--duration", "200"], "restingstate_init.png"),
        (["structure", "order.txt"], "structure.png"),
        (["costs", "-s", "100"], "costs.png"),
        (["run", "--dt_save", "2"], "run.png"),
    ],
)
def test_the_old_words_and_options_are_understood(told, tmp_path, words, file):
    (tmp_path / "work" / "order.txt").write_text("5\n4\n3\n2\n1\n0\n")
    status, said, complaint = told(*words)
    assert status == 0, complaint
    assert said == f"written: out/{file}\n" and (tmp_path / "work" / "out" / file).stat().st_size


def test_check_and_no_action_say_how_far_the_training_is(told):
    for words in ([], ["check"]):
        assert told(*words)[1].startswith("small, seed 100: stopped without meeting the criterion")


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (["submit"], "job script of your cluster"),
        (["train", "--suffix", "_2"], "--out runs/my_task_2"),
        (["train", "-p", "8"], "--seeds 100-109 trains several seeds"),
        (["train", "-g"], "runs on the CPU"),
        (["costs", "now"], "costs takes no further words: 'now'"),
        (["structure", "nowhere.txt"], "nowhere.txt: no such file"),
        (["restingstate", "start"], "not understood: 'start'"),
        (["run", "nowhere"], "nowhere.py: no such analysis script"),
        (["run", "helper"], "no function do(action, args, params)"),
    ],
)
def test_what_has_no_place_here_is_answered_in_one_line(told, words, instead):
    status, said, complaint = told(*words)
    assert status == 2 and not said
    assert instead in complaint and complaint.count("do.py:") <= 1


def test_harmless_old_options_pass(told):
    assert told("check", "-p", "1", "-g", "0")[0] == 0


def test_help_does_not_offer_what_is_refused(capsys):
    with pytest.raises(SystemExit):
        do(".", ["--help"])
    said = capsys.readouterr().out
    assert "--ppn" not in said and "WORDS" in said and argparse.SUPPRESS not in said
