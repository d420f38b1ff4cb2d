"""Sweep files: what they ask for, and what is said where they are wrong."""

import re

import pytest

from bridge.errors import SettingError
from bridge.sweeps import read_sweep_file

HEAD = 'experiment = "replay"\nseeds = 2\n'


def read(folder, text):
    path = folder / "sweep.toml"
    path.write_text(text)
    return read_sweep_file(path)


def test_a_grid_is_every_combination(tmp_path):
    plan = read(tmp_path, HEAD + "[grid]\na = [1, 2]\nb = ['x', 'y', 'z']\n")
    assert len(plan.points) == 6
    assert {"a": 2, "b": "y"} in plan.points
    assert plan.axes == ("a", "b")


def test_written_out_cells_are_taken_as_they_are(tmp_path):
    plan = read(tmp_path, HEAD + "[[cells]]\na = 1\n[[cells]]\nb = 2\n")
    assert plan.points == [{"a": 1}, {"b": 2}]
    assert plan.axes == ("a", "b")


def test_random_samples_lie_within_bounds_and_more_of_them_keep_the_first(tmp_path):
    text = HEAD + "[random]\nsamples = {}\n[random.settings]\n"
    text += "rate = {{low = 1e-4, high = 1e-1, log = true}}\nN = [50, 100]\n"
    few, many = (read(tmp_path, text.format(n)).points for n in (5, 40))
    assert many[:5] == few
    rates = [point["rate"] for point in many]
    assert all(1e-4 <= rate <= 1e-1 for rate in rates)
    assert sum(rate < 10**-2.5 for rate in rates) > 10  # half of them, on a log scale
    assert {point["N"] for point in many} == {50, 100}


def test_seeds_are_counted_from_one_or_written_out(tmp_path):
    assert read(tmp_path, HEAD + "[grid]\na = [1]\n").all_seeds == [1, 2]
    text = 'experiment = "replay"\nseeds = [7, 5]\n[grid]\na = [1]\n'
    assert read(tmp_path, text).all_seeds == [7, 5]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("experiment = ", "not a sweep file"),
        ('experiment = "tusk"\nseeds = 1\n[grid]\na = [1]\n', "tusk"),
        (HEAD, "exactly one of the tables"),
        (HEAD + "[grid]\na = [1]\n[[cells]]\na = 1\n", "exactly one of the tables"),
        (HEAD + "[grid]\na = []\n", r"\$.grid"),
        (HEAD + "sedes = 1\n[grid]\na = [1]\n", "sedes"),
        (HEAD.replace("2", "0") + "[grid]\na = [1]\n", r"\$.seeds"),
        (HEAD + "task = 'x.py'\n[grid]\na = [1]\n", "`task` names a model file"),
        (HEAD + "[settings]\na = 1\n[grid]\na = [1]\n", "'a' is both"),
        (HEAD + "[random]\nsamples = 2\n[random.settings]\na = {low = 2, high = 1}\n", "below"),
        (HEAD + "[random]\nsamples = 2\n[random.settings]\na = {low = -1, high = 1, log = true}\n",
         "above 0"),
        (HEAD + "[random]\nsamples = 2\n[random.settings]\na = {low = -inf, high = inf}\n",
         "finite"),
        (HEAD + "[random]\nsamples = 999999999\n[random.settings]\na = [1]\n",
         "over 100,000 cells"),
        (HEAD.replace("2", "9" * 12) + "[grid]\na = [1]\n", "over 100,000 cells"),
        (HEAD + "[grid]\n" + "".join(f"a{i} = [0, 1, 2, 3]\n" for i in range(20)),
         "over 100,000 cells"),
        ("#" * 2**21, "more than"),
    ],
)  # fmt: skip
def test_a_wrong_sweep_file_is_one_error_that_names_file_and_key(tmp_path, text, named):
    with pytest.raises(SettingError, match=named) as error:
        read(tmp_path, text)
    assert re.match(r".*sweep\.toml: ", str(error.value))
    assert "\n" not in str(error.value)


def test_a_missing_sweep_file_is_named(tmp_path):
    with pytest.raises(SettingError, match=r"absent\.toml"):
        read_sweep_file(tmp_path / "absent.toml")
