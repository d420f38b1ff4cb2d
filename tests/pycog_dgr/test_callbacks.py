"""What watches a training: progress bar, CSV, TensorBoard, own classes; and models travel."""

import csv
import dataclasses
import multiprocessing
import pickle
import struct
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from pycog_dgr import CheckpointError, Model, TaskError
from pycog_dgr.errors import MissingExtraError
from pycog_dgr.training.callbacks import COLUMNS, Callback, CsvLog, TensorBoard
from tests.pycog_dgr import tiny


def model(**changes):
    return Model(**{**tiny.SETTINGS, **changes}, generate_trial=tiny.generate_trial)


class Seen(Callback):
    def __init__(self):
        self.updates, self.validations, self.closed = [], [], 0

    def updated(self, n_updates, report):
        self.updates.append((n_updates, report.loss))

    def validated(self, n_trials, costs):
        self.validations.append((n_trials, costs))

    def close(self):
        self.closed += 1


def test_every_callback_sees_every_update_and_is_closed(tmp_path):
    first, second, plain = Seen(), Seen(), []
    result = model().train(
        tmp_path / "s.npz", callbacks=[first, second], on_update=lambda n, _: plain.append(n)
    )
    assert [n for n, _ in first.updates] == plain == [1, 2, 3, 4, 5]
    assert first.updates == second.updates and first.closed == second.closed == 1
    assert [list(row) for row in first.validations] == result.checkpoint.costs_history


def test_a_callback_is_closed_when_another_one_fails(tmp_path):
    class Fails(Callback):
        def updated(self, n_updates, report):
            raise RuntimeError("enough")

    seen = Seen()
    with pytest.raises(TaskError, match="on_update fails: RuntimeError: enough"):
        model().train(tmp_path / "s.npz", callbacks=[Fails(), seen])
    assert seen.closed == 1


def test_watching_changes_nothing(tmp_path):
    alone = model().train(tmp_path / "a.npz", progress=False).checkpoint
    watched = model().train(tmp_path / "b.npz", callbacks=[CsvLog(tmp_path / "log.csv")]).checkpoint
    for one, other in zip(alone.parameters, watched.parameters, strict=True):
        np.testing.assert_array_equal(one, other)


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def test_a_csv_log_goes_on_as_one(tmp_path):
    long, parts = tmp_path / "long.csv", tmp_path / "parts.csv"
    whole = model(max_iter=6).train(tmp_path / "a.npz", callbacks=[CsvLog(long)])
    model(max_iter=3).train(tmp_path / "b.npz", callbacks=[CsvLog(parts)])
    model(max_iter=6).train(tmp_path / "b.npz", callbacks=[CsvLog(parts)])
    assert long.read_bytes() == parts.read_bytes()
    written = rows(long)
    assert tuple(written[0]) == COLUMNS
    assert [row["trials"] for row in written] == [0, 6, 12]
    expected = [costs[0] for _, costs in whole.checkpoint.costs_history]
    np.testing.assert_allclose([row["loss"] for row in written], expected)
    assert np.isnan(written[0]["gradient_norm"]) and written[1]["gradient_norm"] > 0
    anew = model(max_iter=3).train(tmp_path / "b.npz", recover=False, callbacks=[CsvLog(parts)])
    assert anew.iterations == 3 and [row["trials"] for row in rows(parts)] == [0, 6]


def test_a_csv_log_overwrites_nothing_else(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("subject,age\n1,20\n")
    with pytest.raises(CheckpointError, match="is there already, and no log of a training"):
        model().train(tmp_path / "s.npz", callbacks=[CsvLog(path)])
    assert path.read_text() == "subject,age\n1,20\n"
    with pytest.raises(CheckpointError, match="the folder does not exist"):
        CsvLog(tmp_path / "nowhere" / "log.csv")


@pytest.mark.parametrize(
    "line",
    [
        b"1,2\n",
        b"1" + b",1" * len(COLUMNS) + b"\n",  # a cell too many
        b"\xff,1,1,1,1,1,1,1,1\n",
        b"x" + b",1" * (len(COLUMNS) - 1) + b"\n",
    ],
)
def test_a_log_with_a_short_or_wrong_line_is_named_and_stays(tmp_path, line):
    path = tmp_path / "log.csv"
    path.write_bytes(",".join(COLUMNS).encode() + b"\n" + line)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=r"log\.csv: is there already, and no log"):
        CsvLog(path)._rows()
    assert path.read_bytes() == before


def test_tensorboard_scalars_are_written(tmp_path):
    pytest.importorskip("tensorboardX", reason="the extra [tensorboard] is not installed")
    from tensorboardX.proto import event_pb2

    result = model().train(tmp_path / "s.npz", callbacks=[TensorBoard(tmp_path / "tb")])
    (path,) = (tmp_path / "tb").glob("events.*")
    data, found = path.read_bytes(), {}
    while data:  # length, its checksum, the record, its checksum
        (length,) = struct.unpack("<Q", data[:8])
        event = event_pb2.Event.FromString(data[12 : 12 + length])
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
        data = data[16 + length :]
    for trials, (loss, error) in result.checkpoint.costs_history:
        assert found["loss", trials] == pytest.approx(loss)
        assert found["error", trials] == pytest.approx(error)
    assert ("gradient_norm", 6) in found and ("gradient_norm", 0) not in found


def test_tensorboard_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingExtraError, match=r"dgr\[tensorboard\]"):
        TensorBoard(tmp_path)


# -- progress -------------------------------------------------------------------------------------

SCRIPT = """
    import sys
    from tests.pycog_dgr.test_callbacks import model
    sys.stderr.isatty = lambda: {tty}
    model(max_iter={max_iter}).train("s.npz"{options})
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    """script(tty, options) -> what a script that trains says on standard error."""
    root = str(__import__("pathlib").Path(__file__).parents[2])

    def run(tty=True, options="", max_iter=5):
        code = textwrap.dedent(SCRIPT).format(tty=tty, options=options, max_iter=max_iter)
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{code}"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
        assert not done.stdout
        return done.stderr

    return run


def test_training_shows_a_bar_on_a_terminal(script):
    said = script()
    assert "s: " in said and "5/5 updates" in said and "error" in said and "12 trials" in said
    assert "6/6 updates" in script(max_iter=6)  # goes on


def test_training_is_silent_where_nobody_looks_or_when_told_to(script):
    assert script(tty=False) == ""
    assert script(options=", progress=False, recover=False") == ""


# -- models travel --------------------------------------------------------------------------------

FILE = """
    import numpy as np
    Nin, N, Nout, tau, dt = 1, 6, 2, 40, 20
    n_gradient, n_validation, checkfreq, max_iter = 3, 4, 2, {max_iter}
    def generate_trial(rng, dt, params):
        return {{'t': dt*np.arange(1, 5), 'epochs': {{'T': 4*dt}}, 'info': {{'choice': 0}},
                'inputs': rng.uniform(size=(4, 1)), 'outputs': np.ones((4, 2))}}
    performance = lambda trials, z: 50.0
"""


def trained(pickled, path):
    return pickle.loads(pickled).train(path, seed=1).checkpoint.parameters.Wrec


@pytest.mark.parametrize("kind", ["file", "keywords"])
def test_a_model_can_be_pickled(tmp_path, kind):
    path = tmp_path / "m.py"
    path.write_text(textwrap.dedent(FILE).format(max_iter=2))
    own = Model(path) if kind == "file" else model()
    other = pickle.loads(pickle.dumps(own))
    first = own.train(tmp_path / "a.npz", seed=1).checkpoint.parameters.Wrec
    np.testing.assert_array_equal(first, other.train(tmp_path / "b.npz", seed=1)[2].parameters.Wrec)


def test_a_spawned_worker_trains_a_pickled_model(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(textwrap.dedent(FILE).format(max_iter=2))
    own = Model(path)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(trained, (pickle.dumps(own), tmp_path / "there.npz"))
    np.testing.assert_array_equal(there, trained(pickle.dumps(own), tmp_path / "here.npz"))


def test_replaced_settings_travel_too(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(textwrap.dedent(FILE).format(max_iter=9))
    own = Model(path)
    own.training = dataclasses.replace(own.training, max_iter=1, learning_rate=0.5)
    other = pickle.loads(pickle.dumps(own))
    assert (other.training.max_iter, other.training.learning_rate) == (1, 0.5)
    assert other.training.checkfreq == own.training.checkfreq
    assert other.network.N == 6 and other.training.performance([], None) == 50
