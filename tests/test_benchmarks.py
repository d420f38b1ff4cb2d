"""The benchmarks time like with like: all peers compute the same step; goals are judged plainly."""

import dataclasses
import functools
import itertools
import json

import numpy as np
import pytest

from benchmarks import figure, results, step, timing
from benchmarks.peers import Peer, Report, Unavailable, ours
from benchmarks.profile_reproduce import kind_of, of_run, workers_of
from benchmarks.results import Goal
from benchmarks.workloads import make, task_like

# float32 against float64, relative to the largest change of each parameter (learning rate 1).
SAME_CHANGE = 1e-4
SAME_REPORT = 1e-5
OUTPUTS = ("linear", "sigmoid", "softmax")
COMPARABLE = {name: row for name, row in step.ROWS.items() if row.comparable}
TAKE_SECONDS = ("jax", "jax by hand", "scan")  # to compile, for each kind of output
MARKS = {name: pytest.mark.slow for name, row in COMPARABLE.items() if row.needs != "seconds"}
MARKS["scan"] = pytest.mark.slow


@functools.cache
def small(output_activation="softmax"):
    """Five steps, three trials, ten units, and a learning rate at which every change is seen."""
    chosen = task_like(10, 3, 4, output_activation)
    made = make("small", chosen, 5, 3, last_step_only=False, n_batches=2)
    return made._replace(training=dataclasses.replace(made.training, learning_rate=1.0))


@functools.cache
def reference(output_activation="softmax"):
    """The first step of pycog_dgr in float64."""
    workload = small(output_activation)
    return step.first_step(ours.start(workload, "numpy", "float64"), workload)


@pytest.mark.parametrize("output_activation", OUTPUTS)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=MARKS.get(name, ())) for name in COMPARABLE]
)
def test_every_peer_takes_the_same_step(name, output_activation):
    if name in TAKE_SECONDS and output_activation != "softmax":
        pytest.skip("the benchmark itself compares this peer on the other outputs")
    workload, expected = small(output_activation), reference(output_activation)
    try:
        peer = COMPARABLE[name].start(workload)
    except Unavailable as reason:
        pytest.skip(str(reason))
    found = step.first_step(peer, workload)
    np.testing.assert_allclose(found.report, expected.report, rtol=SAME_REPORT)
    assert found.change.keys() == expected.change.keys()
    for parameter, change in expected.change.items():
        largest = np.abs(change).max()
        assert largest > 0
        np.testing.assert_allclose(
            found.change[parameter], change, rtol=0, atol=SAME_CHANGE * largest
        )


def test_nn4n_trains_on_the_same_batches():
    try:
        peer = step.ROWS["nn4n"].start(small())
    except Unavailable as reason:
        pytest.skip(str(reason))
    losses = [peer.update(small().batches[0]).loss for _ in range(3)]
    assert np.isfinite(losses).all()
    assert len(set(losses)) == 3


def test_another_step_is_refused_before_it_is_timed():
    same = reference()
    changed = {name: 1.01 * change for name, change in same.change.items()}
    report = same.report._replace(Omega=1.01 * same.report.Omega)
    words = "; ".join(step.differences(same._replace(report=report, change=changed), same))
    assert "Omega" in words
    assert "loss" not in words
    for name in same.change:
        assert f"{name} changes" in words
    assert step.differences(same, same) == []


def test_a_peer_that_cannot_run_is_left_out_with_its_reason(monkeypatch):
    def unavailable(_):
        raise Unavailable("no such thing here")

    monkeypatch.setitem(step.ROWS, "floor", step.Row("floor", unavailable))
    peers, missing = step.start_peers(small(), ["floor", "numpy"])
    assert list(peers) == ["numpy"]
    assert missing == {"floor": "no such thing here"}


def test_a_peer_with_other_numbers_stops_the_benchmark(monkeypatch):
    def start(workload):
        own = ours.start(workload, "numpy")
        return Peer(lambda batch: Report(*(2 * x for x in own.update(batch))), own.parameters)

    monkeypatch.setitem(step.ROWS, "floor", step.Row("floor", start))
    with pytest.raises(AssertionError, match="floor on small is another step: loss is"):
        step.start_peers(small(), ["floor"])


def test_calls_take_turns_and_each_gets_a_whole_block():
    order = []
    times = timing.in_turns(
        {name: lambda i, name=name: order.append((name, i)) or sum(range(20_000)) for name in "ab"},
        rounds=3,
        block_seconds=0.002,
    )
    counted = order[4:]  # two warm-up calls each
    switches = sum(one[0] != other[0] for one, other in itertools.pairwise(counted))
    assert switches == 5  # a b a b a b
    assert times["a"].cpu.n == 3
    assert 0 < times["a"].cpu.q1 <= times["a"].cpu.median <= times["a"].cpu.q3


def test_a_goal_is_met_on_its_limit_and_says_plainly_when_not(tmp_path):
    goals = [
        Goal("step", "at most", 1.5, 1.5),
        Goal("speed", "at least", 3, 2.99),
        Goal("peer", "at least", 1, None, note="no g++"),
    ]
    assert [goal.met for goal in goals] == [True, False, None]
    table = results.table(goals).splitlines()
    assert table[2].endswith("yes")
    assert table[3].endswith("NO")
    assert table[4].endswith("no g++")
    path = results.save("tried", {"numbers": [1, 2]}, goals, tmp_path)
    result, again = results.load(path)
    assert again == goals
    assert result["numbers"] == [1, 2]
    assert {"cpu", "load", "commit", "packages", "blas", "date"} <= result["machine"].keys()


def test_the_figure_is_drawn_from_results(tmp_path):
    one = {"median": 2.0, "q1": 1.5, "q3": 3.0, "n": 3}
    times = {"cpu": one, "wall": one}
    drawn = {
        "step": {
            "machine": {"cpu": "a processor"},
            "labels": {"floor": "C++ by hand", "fast": "ours"},
            "sizes": {
                "thesis": {"name": "thesis", "size": "T1", "ms": {"floor": times, "fast": times}}
            },
        },
        "scaling": {
            "steps": [
                {"varied": "T", "T": T, "B": 2, "N": 3, "row": "fast", "threads": 1, "wall_ms": one}
                for T in (1, 2)
            ]
        },
    }
    path = figure.draw(drawn, tmp_path / "figure.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert figure.draw({}, tmp_path / "nothing.png") is None


def test_a_run_tells_where_its_minutes_went(tmp_path):
    jobs = {
        "generators-1": {"minutes": 2.0},
        "biornn-none-1": {"minutes": 1.0},
        "biornn-none-2": {"minutes": 1.5},
        "biornn-joint-1-thesis": {"minutes": 0.5},
    }
    manifest = {"command": "dgr reproduce --workers 2", "minutes": 4.0, "jobs": jobs}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    run = of_run(tmp_path)
    assert run["minutes_by_kind"] == {"biornn-none": 2.5, "generators": 2.0, "biornn-joint": 0.5}
    assert run["idle_core_share"] == pytest.approx(1 - 5 / 8)
    assert of_run(tmp_path / "nowhere") is None
    assert kind_of("biornn-generative-1-forced-radius") == "biornn-generative"
    assert [workers_of("dgr reproduce"), workers_of("dgr reproduce --workers 3")] == [2, 3]
