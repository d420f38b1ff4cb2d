"""Jobs can be stopped anywhere, go on, and give the numbers of an uninterrupted run."""

from dataclasses import replace

import numpy as np
import pytest

from bridge.errors import ArchiveError, SettingError
from bridge.files import archive
from bridge.networks import KIND
from bridge.replay import IMPROVED, NOTEBOOKS, TEXT
from bridge.runs import GeneratorJob, JobState, JointJob, SequentialJob
from pycog_dgr.training import divergence
from tests.bridge.helpers import tiny_setting


class Killed(Exception):
    pass


def run(job, setting, stop_after=None):
    """Run a job, raising Killed at the given segment; return its state."""
    state = JobState(setting.paths.state(job.name))
    steps = iter(range(1, 10**6))

    def advance(_):
        if next(steps) == stop_after:
            raise Killed

    job.run(setting, state, advance)
    return JobState(state.path)


JOBS = [
    GeneratorJob(1),
    SequentialJob("lstm", "generative", 1),
    SequentialJob("lstm", "none", 1),
    SequentialJob("lstm", "exact", 1),
    SequentialJob("lstm", "noise", 1),
    SequentialJob("lstm", "memory", 1),
    SequentialJob("lstm", "ewc", 1),
    SequentialJob("lstm", "si", 1),
    SequentialJob("biornn", "si", 1),
    JointJob("lstm", 1, 3),
    SequentialJob("biornn", "generative", 1, force_radius=True),
    JointJob("biornn", 1, 2),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_killed_job_gives_the_numbers_of_an_uninterrupted_one(job, tmp_path):
    whole, pieces = tiny_setting(tmp_path / "whole"), tiny_setting(tmp_path / "pieces")
    for setting in (whole, pieces):
        if job != GeneratorJob(1):
            run(GeneratorJob(1), setting)
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
    if isinstance(job, SequentialJob):
        one, _ = archive.load(whole.paths.solver(job.name, 3), KIND)
        other, _ = archive.load(pieces.paths.solver(job.name, 3), KIND)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(
    "job",
    [GeneratorJob(1), SequentialJob("lstm", "generative", 1)],
    ids=lambda job: job.name,
)
def test_improved_goes_on_to_the_bit_too(job, tmp_path):
    whole, pieces = (tiny_setting(tmp_path / name, IMPROVED) for name in ("whole", "pieces"))
    for setting in (whole, pieces):
        if job != GeneratorJob(1):
            run(GeneratorJob(1), setting)
    expected = run(job, whole)
    for stop in (1, 3):
        with pytest.raises(Killed):
            run(job, pieces, stop_after=stop)
    assert run(job, pieces).rows == expected.rows


def test_a_sequence_has_a_row_for_every_context_and_evaluation(tmp_path):
    setting = tiny_setting(tmp_path)
    every = run(SequentialJob("lstm", "none", 1), setting).rows
    rows = [row for row in every if row["table"] == "accuracy"]
    assert sorted({row["context"] for row in rows}) == [1, 2, 3]
    assert all(row["old"] is None for row in rows if row["context"] == 1)
    assert all(0 <= row["overall"] <= 100 for row in rows)


def test_generators_see_real_images_of_one_context_or_say_that_they_leak(tmp_path):
    honest = run(GeneratorJob(1), tiny_setting(tmp_path / "honest")).rows
    leaky = run(GeneratorJob(1), tiny_setting(tmp_path / "leaky", NOTEBOOKS)).rows
    counts = {
        (row["context"], row["n_real"], row["n_replayed"])
        for row in honest
        if row["table"] == "generator"
    }
    assert counts == {(1, 80, 0), (2, 9, 81)}
    assert {(row["context"], row["n_real"]) for row in leaky if row["table"] == "generator"} == {
        (1, 80),
        (2, 160),
    }


def test_a_generator_that_cannot_be_conditioned_is_refused_before_it_is_trained(tmp_path):
    setting = tiny_setting(tmp_path, replace(TEXT, labels="mixed"))
    with pytest.raises(SettingError, match=r"'mixed' take the class .* a GAN cannot be asked"):
        run(GeneratorJob(1), setting)
    assert not JobState(setting.paths.state("generators-1")).rows


def test_an_unknown_replay_is_refused(tmp_path):
    with pytest.raises(SettingError, match="did you mean 'exact'"):
        run(SequentialJob("lstm", "exakt", 1), tiny_setting(tmp_path))


def test_a_damaged_state_is_named_and_the_one_before_it_gives_the_same_numbers(tmp_path, caplog):
    whole, damaged = tiny_setting(tmp_path / "whole"), tiny_setting(tmp_path / "damaged")
    job = JointJob("lstm", 1, 3)
    expected = run(job, whole)
    with pytest.raises(Killed):
        run(job, damaged, stop_after=2)
    file = damaged.paths.state(job.name)
    file.write_bytes(file.read_bytes()[:-50])
    found = run(job, damaged)
    assert f"{file}: damaged" in caplog.text and "state.npz.previous" in caplog.text
    assert found.rows == expected.rows and len(found.rows) == 3
    for name, value in expected.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], value)
    previous = file.with_name("state.npz.previous")
    for path in (file, previous):
        path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ArchiveError, match="damaged, and so is the file before it"):
        JobState(file)


def test_a_job_counts_its_seconds_and_its_guarded_updates_over_all_its_runs(tmp_path):
    setting = tiny_setting(tmp_path)
    job = JointJob("biornn", 1, 2)
    with pytest.raises(Killed):
        run(job, setting, stop_after=1)
    first = JobState(setting.paths.state(job.name)).notes
    assert first["guarded"] == 0 and first["updates"] == job.iterations(setting) // 2
    last = run(job, setting).notes
    assert last["updates"] == job.iterations(setting)
    assert last["seconds"] > first["seconds"] > 0


def test_an_exploding_solver_leaves_its_first_bad_update_beside_its_state(tmp_path):
    setting = tiny_setting(tmp_path)
    job = JointJob("biornn", 1, 2, options={"learning_rate": 1e4, "max_gradient_norm": 1e9})
    with np.errstate(all="ignore"):
        found = run(job, setting)
    assert found.notes["guarded"] > 0
    first = divergence.load(found.path.with_name("diverged.npz"))
    report, _ = first.replay()
    np.testing.assert_array_equal([report.loss, report.gnorm], [first.loss, first.gnorm])
