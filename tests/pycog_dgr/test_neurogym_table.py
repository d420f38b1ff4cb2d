"""The table of NeuroGym's environments, and that the docs hold it."""

import importlib.metadata
import json
import re
from pathlib import Path

import pytest

from bridge.cli import main
from pycog_dgr import TaskError
from pycog_dgr.tasks import neurogym_table
from pycog_dgr.tasks.neurogym_table import Row

DOCS = Path(__file__).parents[2] / "docs" / "neurogym-environments.md"


def test_without_neurogym_the_command_says_what_to_install(monkeypatch, capsys):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert main(["neurogym"]) == 2
    assert "pip install 'dgr[neurogym]'" in capsys.readouterr().err


def test_an_environment_that_is_refused_is_a_row_with_the_reason(monkeypatch):
    def refuse(name, **options):
        raise TaskError(f"environment {name!r}: no ground | truth")

    monkeypatch.setattr(neurogym_table, "TaskFromEnv", refuse)
    assert neurogym_table._row("X-v0", 1) == Row("X-v0", "no", "no", "no ground / truth")


def test_the_table_is_printed_as_json_on_request(monkeypatch, capsys):
    row = Row("X-v0", "yes", "no", "why not")
    monkeypatch.setattr(neurogym_table, "version", lambda: "1.2.3")
    monkeypatch.setattr(neurogym_table, "rows", lambda updates: iter([row]))
    assert main(["neurogym", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {"neurogym": "1.2.3", "environments": [row._asdict()]}


def test_an_environment_that_trains_is_told(monkeypatch):
    from pycog_dgr.tasks import TaskFromEnv
    from tests.pycog_dgr.test_gym import GoOrStay

    monkeypatch.setattr(neurogym_table, "TaskFromEnv", lambda name: TaskFromEnv(GoOrStay()))
    assert neurogym_table._row("GoOrStay", 2) == Row("GoOrStay", "yes", "yes", "")


def test_the_docs_table_covers_both_versions():
    text = DOCS.read_text(encoding="utf-8")
    parts = re.split(r"^## NeuroGym (\S+)$", text, flags=re.MULTILINE)[1:]
    tables = dict(zip(parts[::2], parts[1::2], strict=True))
    assert {version.split(".")[0] for version in tables} == {"1", "2"}
    for table in tables.values():
        rows = re.findall(r"^\| (\S+-v\d) \| (yes|no) \| (yes|no) \| (.*) \|$", table, re.MULTILINE)
        assert len(rows) >= 25
        for name, makes, trains, remark in rows:
            assert makes == trains, name  # whatever makes trials with a ground truth trains
            assert makes == "yes" or remark, name


@pytest.mark.examples
def test_the_installed_environments_are_those_of_the_docs():
    pytest.importorskip("neurogym", reason="the extra [neurogym] is not installed")
    version = neurogym_table.version()
    text = DOCS.read_text(encoding="utf-8")
    if f"## NeuroGym {version}" not in text:
        pytest.skip(f"the docs were made with other versions than {version}")
    for name in neurogym_table.names():
        assert f"| {name} |" in text
