"""`dgr rerun`: the plan of a finished folder, and every difference between two folders named."""

import json
import shutil

import numpy as np
import pytest

from bridge import cli
from bridge.errors import ResultsError
from bridge.files import archive
from bridge.networks import KIND, make_solver, save_network
from bridge.runs import (
    SAMPLES,
    STATE,
    RunPaths,
    circumstances,
    compare,
    finished_manifest,
    jobs_of,
    manifest,
    read_config,
    run_config,
    write_table,
)
from bridge.runs.rerun import compared

OPTIONS = {
    "seeds": (3, 1),
    "solvers": ("lstm",),
    "replays": ("none", "joint"),
    "scale": 0.05,
    "audits": (),
    "contexts": ((0, 1), (2, 3)),
}
CONFIG = run_config(**OPTIONS)
ROW = {"solver": "lstm", "variant": "thesis", "seed": 1, "epoch": 1, "test": 50.0}


def finished(folder, config=CONFIG, **changes):
    """A folder as a finished run leaves it, with one table, one sample and one job's files."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**config.as_json(), **changes}))
    about = {**manifest("dgr reproduce"), "jobs": {job.name: {} for job in jobs_of(config)}}
    (folder / "manifest.json").write_text(json.dumps(about))
    write_table(RunPaths(folder).table("joint"), "joint", [{**ROW, "validation": 1 / 3}])
    archive.save(folder / "samples" / "true.npz", SAMPLES, {"images": np.ones(3, np.float32)})
    work = folder / "work" / "lstm-joint-1-thesis"
    held = {"rows": [ROW], "finished": True, "seconds": 1.0}
    archive.save(work / "state.npz", STATE, {"solver/a": np.arange(3.0)}, **held)
    archive.save(work / "solver-1.npz", KIND, {"a": np.array([np.nan, 0.0])})
    return folder


@pytest.mark.parametrize("scale", [1.0, 0.05, 0.3, 1 / 3, 7.0])
def test_the_configuration_comes_back_from_the_folder(tmp_path, scale):
    config = run_config(**{**OPTIONS, "scale": scale})
    held = read_config(finished(tmp_path / "run", config))
    assert held.as_json() == config.as_json()
    assert [job.name for job in jobs_of(held)] == [job.name for job in jobs_of(config)]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"protocol": {"name": "text"}}, "config.json.*summary"),
        ({"replays": ["none", "exact"]}, "not finished .*lstm-exact-3"),
        ({"budget": {"solver_scale": "long"}}, r"config.json.*budget\.solver_scale"),
        ({"seeds": None}, r"config.json.*\$\.seeds"),
    ],
)
def test_a_folder_that_cannot_be_repeated_is_refused(tmp_path, config, message):
    with pytest.raises(ResultsError, match=message):
        finished_manifest(finished(tmp_path / "run", **config))


def test_equal_folders_are_the_same_to_the_last_bit_and_minutes_do_not_count(tmp_path):
    old, new = finished(tmp_path / "old"), finished(tmp_path / "new")
    archive.save(
        new / "work" / "lstm-joint-1-thesis" / "state.npz",
        STATE,
        {"solver/a": np.arange(3.0)},
        rows=[ROW],
        finished=True,
        seconds=2.0,
    )
    found = list(compare(old, new))
    assert [one.name for one in found] == [
        "tables/joint.csv",
        "samples/true.npz",
        "work/lstm-joint-1-thesis/solver-1.npz",
        "work/lstm-joint-1-thesis/state.npz",
    ]
    assert all(one.same for one in found)
    assert sum(one.values for one in found) == 6 + 3 + 2 + 4
    shutil.rmtree(old / "work")  # a published folder
    assert len(list(compare(old, new))) == 2
    shutil.rmtree(old / "samples")
    assert len(list(compare(old, new))) == 1


def test_every_difference_is_counted_and_named(tmp_path):
    old, new = finished(tmp_path / "old"), finished(tmp_path / "new")
    work = new / "work" / "lstm-joint-1-thesis"
    archive.save(work / "solver-1.npz", KIND, {"a": np.array([np.nan, -0.0])})
    archive.save(
        work / "state.npz",
        STATE,
        {"solver/a": np.arange(3.0)},
        rows=[{**ROW, "test": np.nextafter(50.0, 51)}],
        finished=True,
    )
    write_table(RunPaths(new).table("joint"), "joint", [{**ROW, "validation": 0.5}])
    (new / "samples" / "true.npz").unlink()
    found = {one.name.split("/")[-1]: one for one in compare(old, new)}
    assert not any(one.same for one in found.values())
    assert found["joint.csv"].differing == 1
    assert found["joint.csv"].largest == pytest.approx(0.5 - 0.333333)
    assert found["solver-1.npz"].differing == 1 and found["state.npz"].differing == 1
    assert f"not in {new}" in str(found["true.npz"])


def test_a_table_that_earlier_versions_did_not_write_is_no_difference(tmp_path):
    old, new = finished(tmp_path / "old"), finished(tmp_path / "new")
    names = {"solver": "lstm", "replay": "none", "seed": 1, "context": 1, "tested": 1}
    row = {**names, "scenario": "task", "accuracy": 50.0}
    rows = [ROW, {"table": "scenarios", **row}]
    work = new / "work" / "lstm-joint-1-thesis" / "state.npz"
    archive.save(work, STATE, {"solver/a": np.arange(3.0)}, rows=rows, finished=True)
    write_table(RunPaths(new).table("scenarios"), "scenarios", [row])
    assert len(list(compare(old, new))) == 4 and all(one.same for one in compare(old, new))
    write_table(RunPaths(old).table("scenarios"), "scenarios", [{**row, "accuracy": 51.0}])
    assert sum(not one.same for one in compare(old, new)) == 1
    assert (
        sum(not one.same for one in compare(new, finished(tmp_path / "third"))) == 1
    )  # it is gone


def test_shapes_names_and_types_differ_too():
    one = {"a": np.zeros(2)}
    for other in ({"b": np.zeros(2)}, {"a": np.zeros(3)}, {"a": np.zeros(2, int)}):
        assert not compared("x", one, other).same


def test_the_circumstances_that_changed_are_said(tmp_path):
    folder = finished(tmp_path / "run")
    assert circumstances(folder) == []
    about = json.loads((folder / "manifest.json").read_text())
    about["versions"]["numpy"] = "1.0"
    del about["blas"]
    (folder / "manifest.json").write_text(json.dumps(about))
    numpy, blas = circumstances(folder)
    assert numpy == f"versions numpy was 1.0, is {np.__version__}"
    assert blas.startswith("blas was not noted, is {")


def test_a_folder_is_not_run_into_itself_and_a_bare_one_is_named(tmp_path, capsys):
    folder = finished(tmp_path / "run")
    assert cli.main(["rerun", str(folder), "--out", str(folder)]) == 2
    assert "into itself" in capsys.readouterr().err
    assert cli.main(["rerun", str(tmp_path)]) == 2
    assert "config.json is missing" in capsys.readouterr().err


def test_every_constrained_network_of_a_run_is_certified(tmp_path, capsys, monkeypatch):
    config = run_config(**{**OPTIONS, "solvers": ("biornn",), "replays": ("none",)})
    folder = finished(tmp_path / "run", config)
    paths = RunPaths(folder)
    solver = make_solver("biornn", 1)
    save_network(paths.solver("biornn-none-3", 1), solver, "biornn", {})
    assert cli.main(["certify", str(folder)]) == 0
    assert "1 networks, 0 break" in capsys.readouterr().out
    monkeypatch.setattr("bridge.crosscheck.weights.violations", lambda *_: ["Wrec is wrong"])
    assert cli.main(["certify", str(folder)]) == 1
    assert "solver-1.npz: Wrec is wrong" in capsys.readouterr().out
    assert cli.main(["certify", str(finished(tmp_path / "bare"))]) == 2
    assert "no network with constraints" in capsys.readouterr().err


def test_a_run_on_other_data_is_not_repeated(tmp_path, capsys):
    folder = finished(tmp_path / "run")
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "data_sha256": "0" * 64}))
    assert cli.main(["rerun", str(folder)]) == 2
    assert "other images or labels called 'mnist5k'" in capsys.readouterr().err


def test_the_folder_one_stands_in_can_be_named_by_a_dot(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["rerun", "."]) == 2
    assert "config.json is missing" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_run_comes_out_the_same_and_a_changed_number_is_found(tmp_path, capsys):
    folder, again = tmp_path / "run", tmp_path / "again"
    words = [
        "--contexts",
        "01,23",
        "--seeds",
        "1",
        "--no-audit",
        "--scale",
        "0.01",
        "--replays",
        "none,generative,joint",
    ]
    assert cli.main(["reproduce", *words, "--out", str(folder)]) == 0
    assert cli.main(["rerun", str(folder), "--out", str(again)]) == 0
    said = capsys.readouterr().out
    assert "bit for bit" in said and "tables/accuracy.csv" in said and "warning" not in said
    table = folder / "tables" / "accuracy.csv"
    text = table.read_text()
    table.write_text(text.replace("50", "51", 1))
    assert cli.main(["rerun", str(folder), "--out", str(again)]) == 1
    assert "tables/accuracy.csv" in [
        line.split()[0] for line in capsys.readouterr().out.splitlines() if "DIFFERS" in line
    ]
