"""figtools, figures of networks, fittools and datatools; fits to 1e-3 of the true parameters."""

import matplotlib as mpl
import matplotlib.figure
import numpy as np
import pytest

from pycog_dgr import RNN, PycogDgrError, datatools, figtools, fittools
from pycog_dgr.figtools import Figure
from tests.pycog_dgr.test_rnn import SAVES, SINE, VARSTIM

# -- fits -------------------------------------------------------------------------------------

X = np.linspace(-6, 8, 15)


def test_fits_recover_the_parameters_they_were_made_with():
    made = fittools.cdf_gaussian(X, 1.0, 2.5)
    fitted, function = fittools.fit_psychometric(X, made)
    assert fitted == pytest.approx({"mu": 1.0, "sigma": 2.5}, rel=1e-3)
    assert function is fittools.cdf_gaussian
    made = fittools.cdf_gaussian_with_guessing(X, 1.0, 2.5, 0.07)
    fitted, _ = fittools.fit_psychometric(X, made, "cdf_gaussian_with_guessing")
    assert fitted == pytest.approx({"mu": 1.0, "sigma": 2.5, "gamma": 0.07}, rel=1e-3)
    made = fittools.weibull(X[8:], 3.0, 1.5)
    fitted, _ = fittools.fit_psychometric(X[8:], made, "weibull", p0=[2, 1])
    assert fitted == pytest.approx({"alpha": 3.0, "beta": 1.5}, rel=1e-3)


def test_fits_that_cannot_start_or_end_are_refused():
    with pytest.raises(PycogDgrError, match="known are cdf_gaussian"):
        fittools.fit_psychometric(X, X, "gaussian")
    with pytest.raises(PycogDgrError, match="starting point p0"):
        fittools.fit_psychometric(X, X, "weibull")


def test_a_fit_that_does_not_converge_is_refused(monkeypatch):
    def give_up(*arguments, **options):
        raise RuntimeError("maxfev = 600")

    monkeypatch.setattr(fittools, "curve_fit", give_up)
    with pytest.raises(PycogDgrError, match="no fit of cdf_gaussian: maxfev"):
        fittools.fit_psychometric(X, fittools.cdf_gaussian(X))


# -- bins -------------------------------------------------------------------------------------


def test_bins_of_equal_number_take_what_is_left_over_into_the_last():
    Xbins, Ybins, edges, sizes = datatools.partition([3, 1, 2, 5, 4], [30, 10, 20, 50, 40], nbins=2)
    assert [list(b) for b in Xbins] == [[1, 2], [3, 4, 5]]
    assert [list(b) for b in Ybins] == [[10, 20], [30, 40, 50]]
    assert edges.tolist() == [1, 2.5, 5] and sizes.tolist() == [2, 3]
    assert len(datatools.partition(np.arange(53), np.arange(53), nbins=20)[3]) == 20


def test_bins_with_edges_are_closed_on_the_left_and_the_last_on_both_sides():
    Xbins, _, _, sizes = datatools.partition([0, 1, 2, 2], [0, 0, 0, 0], Xedges=[0, 1, 2])
    assert [list(b) for b in Xbins] == [[0], [1, 2, 2]] and sizes.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1]), "equally long"),
        (([1, 2], [1, 2]), "either nbins or Xedges"),
        (([1, 2], [1, 2], 3), "cannot make 3 bins"),
        (([1, 2], [1, 2], None, [0, 1]), "widen"),
    ],
)
def test_bins_that_cannot_be_made_are_refused(arguments, message):
    with pytest.raises(PycogDgrError, match=message):
        datatools.partition(*arguments)


# -- figures ----------------------------------------------------------------------------------


def test_a_figure_in_pycogs_manner_is_written(tmp_path):
    before = dict(mpl.rcParams)
    fig = Figure(w=3, h=2, labelpadx=2)
    plot = fig.add(thickness=1)
    plot.plot([0, 1], [2, 3], color=Figure.colors("blue"), label="line")
    plot.xlabel("x")
    plot.ylabel("y", fontsize=5)
    assert plot.lim("y", [[2, 3], [4]], lower=0) == (0, pytest.approx(4.1))
    plot.lim("x", [0, 1], margin=0.5, relative=False)
    plot.hline(2.5)
    plot.vline(0.5)
    plot.circle((0.5, 2.5), 0.1)
    limits = plot.get_xlim(), plot.get_ylim()
    plot.highlight(0.2, 0.4)
    assert (plot.get_xlim(), plot.get_ylim()) == limits
    plot.xticks([0, 1])
    plot.xticklabels(["a", "b"])
    plot.yticks([0, 1])
    plot.yticklabels(["c", "d"])
    plot.axis_off("left")
    plot.legend()
    plot.equal()
    for text in (plot.text_upper_center, plot.text_upper_left, plot.text_upper_right):
        text("label")
    other = fig.add([0.6, 0.6, 0.3, 0.3], "none")
    density, edges = other.hist(np.arange(50.0), get_binedges=True)
    assert np.sum(density * np.diff(edges)) == pytest.approx(1)
    assert np.ndim(other.hist(np.arange(300.0))) == 1
    solid = fig.add([0.1, 0.1, 0.2, 0.2], projection="3d")
    solid.zlabel("z")
    fig.shared_lim([plot, other], "x", [0, 5])
    assert plot.get_xlim() == other.get_xlim()
    fig.plotlabels({"A": (0.1, 0.9)})
    path = fig.save("figure", tmp_path / "new", fmt="png")
    assert path.stat().st_size > 1000
    fig.close()
    assert not fig.axes
    assert dict(mpl.rcParams) == before
    assert figtools.gradient("w", "k")(1.0)[:3] == (0, 0, 0)


def test_figures_refuse_what_they_do_not_know():
    with pytest.raises(PycogDgrError, match="unknown"):
        Figure(width=3)
    plot = Figure().add()
    with pytest.raises(PycogDgrError, match="style"):
        plot.format("topright")
    with pytest.raises(PycogDgrError, match="axis"):
        plot.lim("z", [1])
    with pytest.raises(AttributeError, match="nothing_like_it"):
        plot.nothing_like_it()


@pytest.mark.parametrize("savefile", [VARSTIM, SINE], ids=["with inputs", "without"])
def test_a_networks_figures_are_drawn(savefile, tmp_path):
    rnn = RNN(savefile)
    rnn.p["structure"] = {"inputs": ["a", "b", "start"], "outputs": ["left"]}
    for figure in (rnn.plot_costs(), rnn.plot_structure()):
        assert figure.save("drawn", tmp_path, fmt="png").stat().st_size > 5000


def test_a_networks_figures_are_drawn_into_a_given_figure(tmp_path):
    rnn, own = RNN(VARSTIM), mpl.figure.Figure(figsize=(9, 4))
    left, right = own.subfigures(1, 2)
    drawn = rnn.plot_costs(fig=left)
    rnn.plot_structure(fig=right)
    assert [plot.ax for plot in drawn.plots] == left.axes and len(right.axes) > 5
    assert drawn.save("both", tmp_path, fmt="png").stat().st_size > 5000


def test_costs_of_a_resumed_training_count_its_trials_on():
    rnn = RNN(SAVES / "tiny_resume_seed1234.pkl")
    assert [trials for trials, _ in rnn.costs_history] == [0, 40, 80, 0, 40, 80]
    terms, error = rnn.plot_costs().plots
    cost, Omega = (line.get_xdata() for line in terms.get_lines())
    np.testing.assert_allclose(cost, [0, 0.04, 0.08, 0.08, 0.12, 0.16])
    np.testing.assert_allclose(Omega, [0.04, 0.08, 0.12, 0.16])
    np.testing.assert_array_equal(error.get_lines()[0].get_xdata(), cost)


def test_the_structure_says_what_its_colours_mean():
    rnn = RNN(VARSTIM)
    figure = rnn.plot_structure()
    bars = [ax for ax in figure.get_axes() if "largest |w|" in ax.get_ylabel()]
    assert len(bars) == 1 and tuple(bars[0].get_ylim()) == (-1, 1)
    written = [text.get_text() for plot in figure.plots for text in plot.texts]
    for name, W in (("Wrec", rnn.Wrec), ("Win", rnn.Win), ("Wout", rnn.Wout)):
        assert f"{name}\n|w| ≤ {np.abs(W).max():.2g}" in written


def test_units_can_be_sorted_for_the_structure(tmp_path):
    rnn = RNN(VARSTIM)
    order = np.arange(20)[::-1]
    np.savetxt(tmp_path / "order.txt", order, fmt="%d")
    image = rnn.plot_structure(tmp_path / "order.txt").plots[0].get_images()[0].get_array()
    plot = Figure().add()
    rnn.plot_connection_matrix(plot, rnn.Wrec[::-1, ::-1])
    np.testing.assert_array_equal(image, plot.get_images()[0].get_array())
    with pytest.raises(PycogDgrError, match="every unit"):
        rnn.plot_structure([0, 1])
    (tmp_path / "words.txt").write_text("0\nleft\n")
    with pytest.raises(PycogDgrError, match=r"words\.txt: expected one unit's number a line"):
        rnn.plot_structure(tmp_path / "words.txt")


def test_costs_of_an_untrained_network_are_not_drawn():
    with pytest.raises(PycogDgrError, match="not been trained"):
        RNN().plot_costs()
    initial = RNN(SAVES / "tiny_vectau_softmax_cb_seed1234_init.pkl")
    with pytest.raises(PycogDgrError, match="not been trained"):
        initial.plot_costs()
