"""Every task's figure is drawn: untrained, from a run folder, and without touching matplotlib."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from pycog_dgr import RNN, PycogDgrError
from pycog_dgr.analysis.figures import panels, style
from pycog_dgr.commands import figure as command
from pycog_dgr.running.trials import simulate_trials
from tests.pycog_dgr.untrained import save_untrained

EXAMPLES = Path(__file__).parents[2] / "examples"
TASKS = sorted(path.stem for path in (EXAMPLES / "tasks").glob("*.py"))
FEW = 40  # trials, too few for most fits


def script(task):
    """The module examples/analysis/TASK.py, loaded by its path."""
    spec = importlib.util.spec_from_file_location(task, EXAMPLES / "analysis" / f"{task}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_folder(task, folder, n_trials=FEW, **given):
    """A folder with an untrained network and its trials, as examples/do.py leaves it."""
    model = save_untrained(task, folder / f"{task}.npz")
    rnn = RNN(folder / f"{task}.npz", verbose=False)
    step = 4 * rnn.p["dt"]
    trials = simulate_trials(rnn, model.task, n_trials, seed=1, dt_save=step, **given)
    trials.save(folder / "trials.npz")
    return rnn, trials


def letters(figure):
    return {
        text.get_text() for ax in figure.axes for text in ax.texts if text.get_weight() == "bold"
    }


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("task", TASKS)
def test_an_untrained_network_has_a_figure(task, tmp_path):
    rnn, trials = run_folder(task, tmp_path)
    before = dict(mpl.rcParams)
    figure = script(task).draw(trials, rnn)
    assert dict(mpl.rcParams) == before
    assert isinstance(figure, Figure)
    found = letters(figure)
    assert {"A", "B", "C"} <= found and found == set(map(chr, range(65, 65 + len(found))))
    assert figure.get_figwidth() == style.WIDTH
    figure.draw_without_rendering()


def test_colours_of_coherence_and_kinds_of_units_are_named_where_they_are_drawn(tmp_path):
    rnn, trials = run_folder("rdm_fixed", tmp_path, n_trials=200)
    figure = script("rdm_fixed").draw(trials, rnn)
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels.count("Coherence towards choice 0 (%)") == 2  # of the outputs, of the units
    (raster,) = (ax for ax in figure.axes if ax.get_ylabel() == "Unit, sorted by d'")
    assert [text.get_text() for text in raster.texts] == ["F", "E", "I"]


@pytest.mark.parametrize("task", ["rdm_nodale", "rdm_rt", "mante_areas", "multisensory"])
def test_a_single_trial_has_a_figure_that_says_what_is_missing(task, tmp_path):
    rnn, trials = run_folder(task, tmp_path, n_trials=1)
    said = [text.get_text() for ax in script(task).draw(trials, rnn).axes for text in ax.texts]
    assert any("no fit" in text or "at least 2" in text or "tell" in text for text in said)


@pytest.mark.slow
def test_one_command_draws_a_run_folder(tmp_path):
    run_folder("rdm_fixed", tmp_path)
    path = EXAMPLES / "analysis" / "rdm_fixed.py"
    done = subprocess.run(
        [sys.executable, path, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(tmp_path / "rdm_fixed.png")
    assert (tmp_path / "rdm_fixed.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_folder_is_drawn_into_itself(tmp_path):
    run_folder("sinewave", tmp_path, n_trials=2)
    path = command.draw_run(script("sinewave").draw, "sinewave", tmp_path)
    assert path == tmp_path / "sinewave.png" and path.stat().st_size > 10_000


def test_a_missing_file_is_named_and_nothing_is_drawn(tmp_path, monkeypatch, capsys):
    save_untrained("sinewave", tmp_path / "sinewave.npz")
    monkeypatch.setattr(sys, "argv", ["sinewave.py", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        command.main(script("sinewave").draw, "examples/analysis/sinewave.py")
    assert stopped.value.code == 1
    assert "trials.npz: no such file; simulate the trials first" in capsys.readouterr().err
    assert not (tmp_path / "sinewave.png").exists()


# -- panels ---------------------------------------------------------------------------------------


def axes():
    return Figure().subplots()


def test_a_psychometric_panel_shows_points_errors_and_the_fitted_curve():
    ax = axes()
    x = np.repeat([-4, -2, 0, 2, 4.0], 200)
    chosen = np.random.default_rng(1).random(x.size) < 1 / (1 + np.exp(-x))
    fit = panels.psychometric(ax, x, chosen)
    curve, points = (line.get_xydata() for line in ax.get_lines()[:2])
    if len(curve) < len(points):
        curve, points = points, curve
    np.testing.assert_allclose(points[:, 1], [100 * chosen[x == at].mean() for at in points[:, 0]])
    np.testing.assert_allclose(curve[:, 1], 100 * fit.curve(curve[:, 0]))
    assert "μ = " in ax.texts[0].get_text()


def test_a_panel_without_a_fit_says_so_and_draws_no_curve():
    ax = axes()
    assert panels.psychometric(ax, [0, 1, 2], [1, 1, 1], label="visual") is None
    assert ax.get_legend().get_texts()[0].get_text() == "visual, no fit" and not ax.texts
    assert max(len(line.get_xdata()) for line in ax.get_lines()) == 3
    alone = axes()
    assert panels.psychometric(alone, [0, 1, 2], [1, 1, 1]) is None
    assert alone.texts[0].get_text().startswith("no fit")


def test_panels_that_are_compared_have_the_same_limits():
    first, second = Figure().subplots(1, 2)
    first.plot([0, 1], [0, 1])
    second.plot([-5, 0], [0, 9])
    panels.same_limits([first, second], "x")
    assert first.get_xlim() == second.get_xlim() and first.get_xlim()[0] < -5
    assert first.get_ylim() != second.get_ylim()


def test_positive_weights_are_blue_and_negative_ones_red():
    ax = axes()
    image = panels.matrix(ax, np.array([[2.0, -2.0], [0.0, 1.0]]))
    blue, red, white, _ = image.to_rgba(image.get_array()).reshape(4, 4)
    assert blue[2] > 2 * blue[0] and red[0] > 2 * red[2]
    assert white[:3].min() > 0.95


def test_the_strengths_of_weights_are_counted_by_kind(tmp_path):
    save_untrained("rdm_fixed", tmp_path / "rdm_fixed.npz")
    rnn = RNN(tmp_path / "rdm_fixed.npz", verbose=False)
    ax = axes()
    panels.weight_distribution(ax, rnn)
    exc = rnn.Wrec[:, np.asarray(rnn.p["ei"]) > 0]
    said = ax.get_legend().get_texts()[0].get_text()
    assert said == f"excitatory, {np.mean(exc != 0):.0%}"


def test_colours_are_distinct_and_signed_ones_change_side_at_zero():
    assert len(set(style.CYCLE)) == len(style.CYCLE)
    negative, positive = style.signed([-1, 1])
    assert negative[0] > negative[2] and positive[2] > positive[0]
    assert len({tuple(color) for color in style.ordered(8)}) == 8


def test_numbers_do_not_load_matplotlib():
    code = (
        "import sys; from pycog_dgr.analysis import choices, regression, selectivity, sorting; "
        "import pycog_dgr.running.trials; print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_trials_that_lack_what_the_figure_needs_are_refused(tmp_path):
    rnn, trials = run_folder("rdm_fixed", tmp_path, n_trials=2, catch=True)
    with pytest.raises(PycogDgrError, match="no epoch 'stimulus'"):
        script("rdm_fixed").draw(trials, rnn)
