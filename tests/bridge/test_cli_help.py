"""The command line explains itself: examples that work, defaults, exit statuses, completion."""

import json
import re
import shlex

import pytest

from bridge import cli
from bridge.commands import whole
from tests.bridge.synthetic_results import write_results


def help_of(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_help_of_every_command_ends_with_examples_that_it_takes(command, capsys):
    examples = help_of([command], capsys).partition("\nexamples:\n")[2]
    lines = [line.strip() for line in examples.splitlines() if line.startswith("  dgr ")]
    assert lines
    for line in lines:
        words = shlex.split(re.split(r"\s>\s|\s{2,}", line)[0])
        assert words[:2] == ["dgr", command]
        assert cli.parser().parse_args(words[1:]).command == command


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_a_default_is_shown_wherever_there_is_one(command, capsys):
    parser = cli.parser()
    shown = " ".join(help_of([command], capsys).split())
    subparsers = next(a for a in parser._actions if isinstance(a.choices, dict))
    for action in subparsers.choices[command]._actions:
        if action.option_strings and action.default not in (None, False, "", (), "==SUPPRESS=="):
            assert f"default: {action.default}" in shown, action.option_strings


def test_the_help_says_what_the_exit_statuses_mean_and_names_every_command(capsys):
    shown = help_of([], capsys)
    assert "130  stopped by Ctrl-C" in shown
    assert all(f"\n    {name}" in shown for name in cli.COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(shell, capsys):
    assert cli.main(["--print-completion", shell]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("reproduce", "crosscheck", "protocol"))


def test_without_a_command_what_is_missing_is_said(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 2
    assert "give a COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["-q", "data"], ["data", "-q"]])
def test_common_options_stand_before_or_after_the_command(words):
    assert cli.parser().parse_args(words).quiet
    assert not cli.parser().parse_args(["data"]).quiet


def test_tables_are_printed_as_json_on_request(capsys):
    assert cli.main(["data", "--json"]) == 0
    assert sum(json.loads(capsys.readouterr().out)["test"]) == 1000
    assert cli.main(["settings", "--json"]) == 0
    settings = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert settings["tau"]["unit"] == "ms"


def test_a_setting_is_explained_and_a_misspelt_one_finds_its_neighbours(capsys):
    assert cli.main(["settings", "dt"]) == 0
    shown = capsys.readouterr().out
    assert "time step" in shown and "default  None" in shown and "above 0" in shown
    assert cli.main(["settings", "learnign_rate"]) == 2
    assert "learning_rate" in capsys.readouterr().err


def test_counts_are_whole_numbers_within_limits():
    assert whole(1)("7") == 7
    with pytest.raises(Exception, match="'0' is not a whole number from 1"):
        whole(1)("0")


def test_the_table_of_a_report_is_printed_as_json(tmp_path, capsys):
    run = write_results(tmp_path / "run", samples=False)
    assert cli.main(["report", str(run), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    joint = [row for row in rows if (row["solver"], row["quantity"]) == ("lstm", "overall")]
    assert [row["after"] for row in joint] == [1, 2, 3, 4, 5]
    for row in rows:
        both = row["thesis"] is not None and row["mean"] is not None
        assert (row["difference"] == row["mean"] - row["thesis"]) if both else not row["difference"]
