"""Jobs can be stopped anywhere, go on, and give the numbers of an uninterrupted run."""

import numpy as np
import pytest

from bridge import archive
from bridge.errors import SettingError
from bridge.jobs import Chain, Joint, Notebook, Sequence
from bridge.protocols import NOTEBOOKS
from bridge.solvers import KIND
from tests.bridge.helpers import tiny_setting


class Killed(Exception):
    pass


def run(job, setting, stop_after=None):
    """Run a job, raising Killed at the given stretch; return its notebook."""
    notebook = Notebook(setting.folder / "work" / job.name / "state.npz")
    steps = iter(range(1, 10**6))

    def advance(_):
        if next(steps) == stop_after:
            raise Killed

    job.run(setting, notebook, advance)
    return Notebook(notebook.path)


JOBS = [Chain(1), Sequence("lstm", "generative", 1), Sequence("lstm", "none", 1),
        Sequence("lstm", "exact", 1), Sequence("lstm", "noise", 1), Joint("lstm", 1, 3),
        Sequence("biornn", "generative", 1, force_radius=True), Joint("biornn", 1, 2)]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_killed_job_gives_the_numbers_of_an_uninterrupted_one(job, tmp_path):
    whole, pieces = tiny_setting(tmp_path / "whole"), tiny_setting(tmp_path / "pieces")
    for setting in (whole, pieces):
        if job != Chain(1):
            run(Chain(1), setting)
    expected = run(job, whole)
    with pytest.raises(Killed):
        run(job, pieces, stop_after=1)
    for stop in (2, 4):
        try:
            found = run(job, pieces, stop_after=stop)
            break
        except Killed:
            continue
    else:
        found = run(job, pieces)
    assert expected.finished and found.finished
    assert found.rows == expected.rows
    if isinstance(job, Sequence):
        one, _ = archive.load(job.file(whole, 3), KIND)
        other, _ = archive.load(job.file(pieces, 3), KIND)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_a_sequence_has_a_row_for_every_context_and_evaluation(tmp_path):
    setting = tiny_setting(tmp_path)
    rows = run(Sequence("lstm", "none", 1), setting).rows
    assert sorted({row["context"] for row in rows}) == [1, 2, 3]
    assert all(row["old"] is None for row in rows if row["context"] == 1)
    assert all(0 <= row["overall"] <= 100 for row in rows)


def test_generators_see_real_images_of_one_context_or_say_that_they_leak(tmp_path):
    honest = run(Chain(1), tiny_setting(tmp_path / "honest")).rows
    leaky = run(Chain(1), tiny_setting(tmp_path / "leaky", NOTEBOOKS)).rows
    counts = {(row["context"], row["n_real"], row["n_replayed"])
              for row in honest if row["table"] == "generator"}
    assert counts == {(1, 80, 0), (2, 9, 81)}
    assert {(row["context"], row["n_real"]) for row in leaky if row["table"] == "generator"} == \
        {(1, 80), (2, 160)}


def test_an_unknown_replay_is_refused(tmp_path):
    with pytest.raises(SettingError, match="did you mean 'exact'"):
        run(Sequence("lstm", "exakt", 1), tiny_setting(tmp_path))
