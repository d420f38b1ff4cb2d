"""dgr new-task: what it writes trains as it is, and is what its page explains."""

import re
from pathlib import Path

import pytest

from bridge import cli
from bridge.commands import new_task
from pycog_dgr import Model
from pycog_dgr.commands import taskrun

PAGE = Path(__file__).parents[2] / "docs" / "new-task.md"


def test_what_is_written_trains_as_it_is(tmp_path, capsys):
    assert cli.main(["new-task", "go_later", "--out", str(tmp_path / "new")]) == 0
    path = tmp_path / "new" / "go_later.py"
    assert capsys.readouterr().out == f"written: {path}; it trains as it is: python {path}\n"
    run = taskrun.open_run(path, folder=tmp_path, changes={"max_iter": 3, "n_validation": 6})
    save = taskrun.train(run)
    assert save.iteration == 4 and 0 <= save.costs_history[0][1][2] <= 100


def test_it_has_a_criterion_of_its_own(tmp_path):
    training = Model(new_task.write_task("go_later", tmp_path)).training
    assert training.terminate([99, 99, 99]) and not training.terminate([99, 50, 99])


def test_it_is_about_forty_lines_without_blanks_and_nearly_half_are_commented():
    lines = [line for line in new_task.template("go_later").splitlines() if line.strip()]
    assert 35 <= len(lines) <= 45
    assert sum("#" in line for line in lines) >= 0.4 * len(lines)


def test_the_page_shows_the_same_file():
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert shown == new_task.template("go_later")


def test_every_file_that_the_page_names_is_there():
    for link in re.findall(r"\]\(([^)#]+)", PAGE.read_text()):
        is_made_by_the_docs = link.startswith("generated/")
        assert is_made_by_the_docs or (PAGE.parent / link).exists(), link


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("go later", "small letters, digits and _"),
        ("2afc", "a letter first"),
        ("GoLater", "small letters"),
        ("lambda", "no word of Python's own"),
        ("../go", "small letters"),
        ("numpy", "would hide the Python module"),
        ("types", "choose another, such as types_task"),
    ],
)
def test_a_name_that_will_not_do_is_refused(tmp_path, capsys, name, message):
    assert cli.main(["new-task", name, "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path, capsys):
    (tmp_path / "go_later.py").write_text("mine")
    assert cli.main(["new-task", "go_later", "--out", str(tmp_path)]) == 2
    assert "is already there" in capsys.readouterr().err
    assert (tmp_path / "go_later.py").read_text() == "mine"
