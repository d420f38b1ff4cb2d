"""The gallery: what it counts, and that it says so of what it does not."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from pycog_dgr import Model
from pycog_dgr.commands import taskrun
from pycog_dgr.config import FUNCTIONS
from pycog_dgr.files import checkpoint, legacy, provenance
from pycog_dgr.network import effective_weights, initial_parameters

EXAMPLES = Path(__file__).parents[1] / "examples"
GOLDEN = Path(__file__).parents[2] / "shared" / "golden" / "saves"


@pytest.fixture(scope="module")
def gallery():
    with taskrun.loaded(EXAMPLES / "gallery.py") as module:
        yield module


@pytest.fixture(scope="module")
def trained():
    """A Checkpoint of rdm_fixed that says it was trained; its network is the initial one."""
    model = Model(EXAMPLES / "tasks" / "rdm_fixed.py")
    raw, network = initial_parameters(model.network, 1)
    settings = {**vars(network), **vars(model.training)}
    for name in FUNCTIONS:
        del settings[name]
    stream = np.random.RandomState(1).get_state()
    return checkpoint.Checkpoint(
        settings=settings,
        trained=network.trained,
        iteration=1,
        parameters=raw,
        best=checkpoint.Best(1, 0.03, [0.2, 88.5], effective_weights(raw, network), raw),
        rng_gradient=stream,
        rng_validation=stream,
        costs_history=[[100, [0.03, 0.2, 88.5]]],
        seconds=90.0,
    )


def put(folder, save, seed=1, updates=5000, stopped="terminate", drawn=False, **settings):
    """A run folder of rdm_fixed."""
    place = folder / "rdm_fixed" / f"seed-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    save = dataclasses.replace(
        save, settings={**save.settings, "seed": seed, **settings}, iteration=updates + 1,
        stopped=stopped,
    )  # fmt: skip
    checkpoint.save(place / "rdm_fixed.npz", save)
    if drawn:
        figure = Figure(figsize=(20, 10))
        figure.add_subplot().imshow(np.full((10, 10), seed), vmin=0, vmax=5)
        figure.savefig(place / "rdm_fixed.png", dpi=100)


def written(gallery, tmp_path):
    """(cells of rdm_fixed's row, its section) of a gallery of tmp_path/runs."""
    page, _ = gallery.write_gallery(tmp_path / "runs", tmp_path / "docs")
    lines = page.read_text().splitlines()
    row = next(line for line in lines if line.startswith("| [rdm_fixed]"))
    start = lines.index("## rdm_fixed")
    end = lines.index("## rdm_nodale")
    return [cell.strip() for cell in row.strip("|").split("|")][1:], "\n".join(lines[start:end])


def test_trials_and_minutes_are_medians_of_the_seeds_that_converged(gallery, trained, tmp_path):
    for seed, updates in ((1, 5000), (2, 6000), (3, 9000)):
        put(tmp_path / "runs", trained, seed, updates)
    put(tmp_path / "runs", trained, 4, updates=100, stopped="patience")
    cells, said = written(gallery, tmp_path)
    tried, converged, trials, minutes, original, in_2015 = cells
    assert (tried, converged) == ("4", "3")
    assert trials == "120,000 (100,000 – 180,000)" and minutes == "1.5 (1.5 – 1.5)"
    assert (original, in_2015) == ("140,000", "5")
    assert "| 4 | 2,000 | 1.5 | – | 88.5 | **criterion not met** (patience) |" in said


@pytest.mark.parametrize(
    ("change", "said_of_it"),
    [
        ({"stopped": None}, "not finished"),
        ({"stopped": "interrupted"}, "not finished"),
        ({"learning_rate": 0.5}, "not counted: other learning_rate than in the task file"),
    ],
)
def test_a_run_that_is_unfinished_or_of_other_settings_is_told_but_not_counted(
    gallery, trained, tmp_path, change, said_of_it
):
    put(tmp_path / "runs", trained, 7, **change)
    cells, said = written(gallery, tmp_path)
    assert cells[:4] == ["0", "0", "–", "–"]
    assert "| 7 | 100,000 |" in said and said_of_it in said


def test_the_picture_is_a_small_copy_from_the_first_seed_that_converged(gallery, trained, tmp_path):
    put(tmp_path / "runs", trained, 1, stopped="patience", drawn=True)
    put(tmp_path / "runs", trained, 2)
    put(tmp_path / "runs", trained, 3, drawn=True)
    _, said = written(gallery, tmp_path)
    assert "python examples/tasks/rdm_fixed.py --seed 3" in said
    assert "![rdm_fixed](gallery/rdm_fixed.png)" in said
    with gallery.Image.open(tmp_path / "docs" / "gallery" / "rdm_fixed.png") as picture:
        assert picture.width == gallery.WIDTH and picture.mode == "P"


def test_a_time_that_was_not_saved_is_not_made_up(gallery, trained, tmp_path):
    put(tmp_path / "runs", dataclasses.replace(trained, seconds=0.0))
    cells, said = written(gallery, tmp_path)
    assert cells[2:4] == ["100,000", "–"] and "| 1 | 100,000 | – | – | 88.5 |" in said


def test_a_run_whose_folder_is_gone_stays_on_the_page_with_its_picture(gallery, trained, tmp_path):
    put(tmp_path / "runs", trained, 1, drawn=True)
    first = written(gallery, tmp_path)
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    put(tmp_path / "runs", trained, 2, updates=6000, drawn=True)
    cells, said = written(gallery, tmp_path)
    assert first[0][2] == "100,000" and cells[2] == "110,000 (100,000 – 120,000)"
    assert "--seed 1" in said and "| 1 | 100,000 | 1.5 |" in said and "| 2 | 120,000 |" in said
    put(tmp_path / "runs", trained, 1, updates=10, stopped=None)  # being trained again
    assert written(gallery, tmp_path) == (cells, said)
    put(tmp_path / "runs", trained, 1, updates=7000)  # trained again: the new run counts
    cells, said = written(gallery, tmp_path)
    assert cells[2] == "130,000 (120,000 – 140,000)" and "--seed 2" in said


def test_a_run_says_where_it_was_computed(gallery, trained, tmp_path):
    put(tmp_path / "runs", trained, 1)
    _, said = written(gallery, tmp_path)
    assert "| not recorded | not recorded |" in said
    with provenance.recorded(tmp_path / "runs" / "rdm_fixed" / "seed-1" / "machine.json"):
        pass
    _, said = written(gallery, tmp_path)
    assert f"{provenance.processor()}, {provenance.blas()}" in said


def test_every_figure_has_a_caption_of_its_panels(gallery, tmp_path):
    for path in (EXAMPLES / "tasks").glob("*.py"):
        assert gallery.read_task(path, tmp_path).caption.startswith(("A: ", "A, B: ")), path


def test_every_task_cites_its_papers_with_a_doi(gallery, tmp_path):
    for path in (EXAMPLES / "tasks").glob("*.py"):
        papers = gallery.read_task(path, tmp_path).papers
        assert any("Song, Yang & Wang" in paper for paper in papers), path
        assert path.stem == "sinewave" or len(papers) >= 2


def test_a_folder_without_runs_is_one_error_and_writes_nothing(gallery, tmp_path, capsys):
    assert gallery.main([str(tmp_path), "--docs", str(tmp_path / "docs")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "docs").exists()


def test_what_is_known_of_the_original_belongs_to_tasks_that_are_here(gallery):
    rows = gallery.read_original(EXAMPLES / "original.csv")
    assert set(rows) <= {path.stem for path in (EXAMPLES / "tasks").glob("*.py")}
    with (EXAMPLES / "original.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["task", "minutes_in_2015", "seed", "trials"]


@pytest.mark.parametrize("name", ["rdm_fixed", "sinewave"])
def test_the_trials_of_the_original_are_those_of_its_save_file(gallery, name):
    path = GOLDEN / f"{name}.pkl"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    save, row = legacy.load(path), gallery.read_original(EXAMPLES / "original.csv")[name]
    assert (int(row["seed"]), int(row["trials"])) == (
        save.settings["seed"],
        taskrun.trials_done(save),
    )


def test_every_task_has_a_place_in_the_gallery_of_the_docs(gallery):
    page = (EXAMPLES.parent / "docs" / "gallery.md").read_text(encoding="utf-8")
    for path in (EXAMPLES / "tasks").glob("*.py"):
        assert f"| [{path.stem}](#{path.stem}) |" in page, path.stem
        assert f"\n## {path.stem}\n" in page, path.stem
        assert (EXAMPLES.parent / "docs" / "gallery" / f"{path.stem}.png").stat().st_size
