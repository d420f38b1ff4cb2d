"""A results folder serves one configuration and one process at a time."""

import json
import subprocess
import sys
import time

import pytest

from bridge.errors import ResultsError
from bridge.runs import TABLES, Calls, RunPaths, claim, lock, manifest, run_config, write_table
from bridge.runs.tables import read_table
from pycog_dgr.training import step

OPTIONS = {"seeds": (1,), "solvers": ("lstm",), "replays": ("none",), "audits": ()}
CONFIG = run_config(**OPTIONS)


def test_a_folder_grows_by_seeds_but_not_by_protocols(tmp_path):
    folder = tmp_path / "run"
    claim(folder, CONFIG)
    grown = claim(folder, run_config(**{**OPTIONS, "seeds": (2,), "solvers": ("biornn",)}))
    assert grown.seeds == (1, 2) and grown.solvers == ("lstm", "biornn")
    assert json.loads((folder / "config.json").read_text()) == grown.as_json()
    with pytest.raises(ResultsError, match=r"another configuration.*protocol"):
        claim(folder, run_config(**OPTIONS, protocol="notebooks"))


def test_a_configuration_from_before_a_setting_existed_has_its_default(tmp_path):
    held = CONFIG.as_json()
    for setting in ("fresh_samples", "augmentation"):
        del held["protocol"][setting]
    del held["protocol"]["generator"]["keeps_weights"]
    held["protocol"]["summary"] = "other words"
    (tmp_path / "config.json").write_text(json.dumps(held))
    assert claim(tmp_path, CONFIG).as_json() == CONFIG.as_json()


def test_a_run_killed_while_it_wrote_its_configuration_goes_on(tmp_path):
    (tmp_path / ".config.json.0a1b2c3d.part").write_text('{"proto')
    assert claim(tmp_path, CONFIG).as_json() == CONFIG.as_json()
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ResultsError, match="not a results folder"):
        claim(tmp_path, CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_malformed_configuration_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ResultsError, match=r"config\.json: not what belongs here"):
        claim(tmp_path, CONFIG)


def test_a_second_process_is_refused_and_a_dead_ones_lock_is_free(tmp_path):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, pathlib; from bridge.runs import lock\n"
            "with lock(pathlib.Path(sys.argv[1])):\n print('held', flush=True); time.sleep(60)",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(ResultsError, match="another process works on this folder"), lock(tmp_path):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with lock(tmp_path):
        pass


def test_a_table_costs_what_its_file_holds(tmp_path):
    """One long cell made a column of it: its length for every row."""
    path = RunPaths(tmp_path).table("matrix")
    rows = [dict.fromkeys(TABLES["matrix"].columns, 1) | {"seed": i} for i in range(5000)]
    write_table(path, "matrix", [*rows, rows[0] | {"solver": "x" * 100_000}])
    table = read_table(path, TABLES["matrix"])
    assert len(table) == 5001 and table["solver"].nbytes < 10**6
    path.write_bytes(b"a\n" * (2**23 + 1))
    with pytest.raises(ResultsError, match="more than 16,777,216 bytes"):
        read_table(path, TABLES["matrix"])


def test_tables_have_their_columns_and_empty_cells(tmp_path):
    row = dict.fromkeys(TABLES["accuracy"].columns, 1)
    write_table(
        RunPaths(tmp_path).table("accuracy"),
        "accuracy",
        [{**row, "old": None, "overall": 93.123456789}],
    )
    header, line = (tmp_path / "tables" / "accuracy.csv").read_text().splitlines()
    assert header == ",".join(TABLES["accuracy"].columns)
    assert line == "1,1,1,1,1,93.1235,1,,1"
    with pytest.raises(ValueError, match="extra"):
        write_table(RunPaths(tmp_path).table("accuracy"), "accuracy", [{**row, "extra": 1}])


def test_a_manifest_names_versions_and_machine():
    found = manifest("dgr reproduce")
    assert found["command"] == "dgr reproduce"
    assert {"python", "numpy", "torch", "pytensor"} <= set(found["versions"])


def test_minutes_add_up_over_calls_and_a_killed_call_counts_to_its_last_tick(tmp_path, monkeypatch):
    clock = [1e9]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    (tmp_path / "manifest.json").write_text('{"command": "first", "minutes": 2.5}')
    killed = Calls(tmp_path, "second")
    clock[0] += 60
    assert killed.tick() == 3.5
    clock[0] += 600  # lost
    last = Calls(tmp_path, "third")
    clock[0] += 30
    assert last.tick() == 4.0
    calls = json.loads((tmp_path / "work" / "calls.json").read_text())
    assert [(call["command"], call["minutes"]) for call in calls] == [
        ("first", 2.5),
        ("second", 1.0),
        ("third", 0.5),
    ]


@pytest.mark.parametrize(
    "text", ["{}", "[1]", "null", "[[]]", '[{"command": 1, "minutes": 2}]', "[" * 10**5, "\xff"]
)
def test_calls_of_another_shape_are_named(tmp_path, text):
    """`{}` and `[1]` were tracebacks, and `[]` is a folder that nobody worked on yet."""
    RunPaths(tmp_path).work.mkdir()
    RunPaths(tmp_path).calls.write_text(text, encoding="latin-1")
    with pytest.raises(ResultsError, match=r"calls\.json: not what belongs here.*; ") as refused:
        Calls(tmp_path, "dgr reproduce")
    assert len(str(refused.value)) < 500 + len(str(tmp_path))
    RunPaths(tmp_path).calls.write_text("[]")
    assert Calls(tmp_path, "dgr reproduce").tick() == 0


def test_a_manifest_says_what_computes():
    found = manifest("dgr reproduce")
    assert found["blas"]["numpy"] and found["blas"]["torch"]
    assert found["pytensor"]["backend"] in step.BACKENDS
    assert "Linker" in found["pytensor"]["linker"]
    assert found["threads"]["of each worker"] == 1 and found["threads"]["cores"] >= 1
    assert json.loads(json.dumps(found)) == found
