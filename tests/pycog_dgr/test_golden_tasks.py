"""The kinds data, train, run, saves and tools of `make golden`, on the copies in tests/golden.

Each kind module states its tolerance; batches are equal to the last bit.
"""

import pytest

from tests.golden_kinds import data, run, saves, tools, train
from tests.pycog_dgr.golden import GOLDEN, assert_within, found


@pytest.mark.parametrize("path", found(data), ids=lambda path: path.stem)
def test_batches_and_trials_equal_the_original_to_the_bit(path):
    assert_within(data.check(path))


QUICK = ("sinewave_continuous", "terminate", "vectau_softmax_cb_seed1234_f64")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=() if any(q in path.stem for q in QUICK) else pytest.mark.slow)
        for path in found(train)
    ],
    ids=lambda path: path.stem,
)
def test_training_equals_the_original(path):
    assert_within(train.check(path))


def test_runs_equal_the_original():
    def without_large_saves(one):
        return one["savefile"] is None or one["savefile"].startswith("tiny_")

    assert_within(run.check(GOLDEN / "run_seed100.npz", without_large_saves))


@pytest.mark.parametrize("path", found(saves, GOLDEN / "saves"), ids=lambda path: path.stem)
def test_original_save_files_convert_without_loss(path):
    assert_within(saves.check(path))


def test_task_tools_equal_the_original():
    assert_within(tools.check(GOLDEN / "misc_seed5_f64.npz"))
