"""The figures of a few trials, and of a network left to itself."""

import io

import matplotlib.figure
import numpy as np
import pytest

from pycog_dgr import RNN, PycogDgrError
from pycog_dgr.analysis.figures.trials import plot_resting_state, plot_trials
from pycog_dgr.running.trials import Trials

EPOCHS = (("late", 20.0), ("early", 0.0))


def trials(n_trial=2, n_in=1):
    """Trials of three units over 40 ms; the second is a step shorter, with another condition."""
    t = np.arange(5) * 10.0
    shape = (n_trial, len(t))
    lengths = np.full(n_trial, len(t))
    lengths[1:] -= 1
    targets = np.full((*shape, 2), np.nan)
    targets[:, 3:] = 1
    return Trials(
        t=t,
        inputs=np.ones((*shape, n_in)),
        rates=np.arange(n_trial * len(t) * 3.0).reshape(*shape, 3),
        outputs=np.zeros((*shape, 2)),
        targets=targets,
        lengths=lengths,
        info={"coh": np.array([16.0, 0.5, 1, 1, 1, 1, 1][:n_trial])},
        epochs={name: np.tile([start, start + 20.0], (n_trial, 1)) for name, start in EPOCHS},
    )


def drawn(figure):
    """The figure's plots, after it was drawn without complaint."""
    figure.savefig(io.BytesIO(), format="png")
    return figure.plots


def test_every_trial_is_a_column_of_inputs_units_and_outputs():
    plots = drawn(plot_trials(trials(), title="of a task"))
    assert len(plots) == 6
    assert [plot.get_title() for plot in plots[:2]] == ["coh 16", "coh 0.5"]
    assert [plots[row].get_ylabel() for row in (0, 2, 4)] == [
        "Inputs (a.u.)", "Unit", "Outputs (a.u.)"
    ]  # fmt: skip


def test_a_trial_ends_where_it_ended():
    plots = drawn(plot_trials(trials()))
    assert [plot.get_xlim()[1] for plot in plots] == [40, 30] * 3
    assert len(plots[1].get_lines()[0].get_xdata()) == 4


def test_targets_are_dashed_and_the_second_epoch_is_shaded():
    output = drawn(plot_trials(trials()))[4]
    z, target = output.get_lines()[0], output.get_lines()[2]
    assert z.get_linestyle() == "-" and target.get_linestyle() == "--"
    assert np.array_equal(target.get_ydata()[3:], [1, 1]) and z.get_color() == target.get_color()
    (band,) = output.patches
    assert (band.get_x(), band.get_width()) == (20, 20)


def test_units_stand_in_the_order_of_their_largest_rate_in_the_first_trial():
    some = trials(1)
    some.rates[0] = np.eye(5)[:, [4, 0, 2]]
    image = drawn(plot_trials(some))[1].images[0].get_array()
    assert [int(np.argmax(row)) for row in image] == [0, 2, 4]


def test_a_network_without_inputs_has_no_row_for_them():
    plots = drawn(plot_trials(trials(n_in=0)))
    assert [plot.get_ylabel() for plot in plots[::2]] == ["Unit", "Outputs (a.u.)"]


def named(plot):
    return [text.get_text() for text in plot.get_legend().get_texts()]


def test_lines_are_named_as_the_model_names_them_or_by_number():
    plots = drawn(plot_trials(trials(), labels={"outputs": ["left", "right"]}))
    assert named(plots[-1]) == ["left", "right", "target"] and named(plots[1]) == ["input 0"]
    assert plots[0].get_legend() is None
    assert named(drawn(plot_trials(trials()))[-1]) == ["output 0", "output 1", "target"]
    assert drawn(plot_trials(trials(n_in=9)))[1].get_legend() is None


def test_the_colours_of_rates_have_a_bar_with_their_unit():
    rnn = RNN(rnnparams={"N": 5, "dt": 10, "tau": 100})
    rnn.run(T=200, seed=1)
    for figure in (plot_trials(trials()), plot_resting_state(rnn)):
        assert "Rate (a.u.)" in [ax.get_ylabel() for ax in figure.get_axes()]


def test_two_of_them_fit_into_one_figure():
    rnn = RNN(rnnparams={"N": 5, "dt": 10, "tau": 100})
    rnn.run(T=200, seed=1)
    whole = matplotlib.figure.Figure(figsize=(8, 8))
    upper, lower = whole.subfigures(2, 1)
    plot_trials(trials(), title="trials", fig=upper)
    resting = plot_resting_state(rnn, fig=lower)
    assert len(upper.axes) > 4 and len(lower.axes) > 4
    assert sorted(map(id, whole.axes)) == sorted(map(id, [*upper.axes, *lower.axes]))
    whole.draw_without_rendering()
    heights = [[ax.get_window_extent().y0 for ax in half.axes] for half in (upper, lower)]
    assert min(heights[0]) > max(heights[1])
    assert resting.plots[0].figure is lower


def test_too_many_trials_are_refused():
    with pytest.raises(PycogDgrError, match="7 trials; a figure holds 1 to 6"):
        plot_trials(trials(7))


def test_the_resting_state_shows_the_mean_and_every_unit_by_its_rate():
    rnn = RNN(rnnparams={"N": 5, "dt": 10, "tau": 100})
    rnn.run(T=200, seed=1)
    mean, units, output, _ = drawn(plot_resting_state(rnn))
    assert np.allclose(mean.get_lines()[0].get_ydata(), rnn.r.mean(axis=0))
    rates = np.asarray(units.images[0].get_array()).mean(axis=1)
    assert np.all(np.diff(rates) <= 0) and len(output.get_lines()) == 5
    assert named(output)[0] == "output 0" and mean.get_ylabel() == "Mean rate (a.u.)"


def test_a_network_that_was_not_run_has_no_resting_state():
    with pytest.raises(PycogDgrError, match="run the network first"):
        plot_resting_state(RNN(rnnparams={"N": 5, "dt": 10}))
