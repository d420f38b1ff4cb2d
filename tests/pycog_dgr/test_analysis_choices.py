"""Choices, reaction times, proportions and fits against definitions and known answers."""

import numpy as np
import pytest

from pycog_dgr import PycogDgrError, fittools
from pycog_dgr.analysis import choices
from tests.pycog_dgr.synthetic_trials import synthetic

RNG = np.random.default_rng(1)


def test_the_choice_is_the_larger_output_at_the_trials_own_end():
    outputs = np.array([[[0, 1], [0, 1], [1, 0]], [[1, 0], [0, 1], [np.nan, np.nan]]], float)
    trials = synthetic(outputs=outputs, lengths=[3, 2], info={"choice": [1, np.nan]})
    assert choices.final_choices(trials).tolist() == [0, 1]
    np.testing.assert_array_equal(choices.correct(trials, np.array([0, 1])), [0, np.nan])


def test_the_first_output_over_the_threshold_is_the_reaction():
    z = np.zeros((4, 6, 2))
    z[0, 3, 1], z[0, 4, 0] = 1.0, 2.0  # output 1 first, exactly at the threshold
    z[1, 0, 1], z[1, 5, 0] = 5.0, 1.5  # output 1 only before the epoch
    z[2, 4] = 1.1, 1.2  # both at once
    z[3, 5, 0] = 9.0  # beyond the trial's own end
    trials = synthetic(outputs=z, lengths=[6, 6, 6, 5], epochs={"stimulus": [[10, 50]] * 4})
    choice, time = choices.reactions(trials, 1.0)
    assert choice.tolist() == [1, 0, 1, choices.NO_CHOICE]
    np.testing.assert_array_equal(time, [20, 40, 30, np.nan])


def test_proportions_are_counts_with_binomial_errors():
    x = [1, 1, 1, 1, -2, -2, np.nan, 3]
    happened = [1, 0, 1, 1, 0, 0, 1, np.nan]
    points = choices.proportions(x, happened)
    assert points.x.tolist() == [-2, 1] and points.n.tolist() == [2, 4]
    assert points.p.tolist() == [0, 0.75]
    np.testing.assert_allclose(points.error, [0, np.sqrt(0.75 * 0.25 / 4)], rtol=1e-15)
    with pytest.raises(PycogDgrError, match="no trial"):
        choices.proportions([np.nan], [1])


def test_errors_of_proportions_are_the_spread_over_repetitions():
    many = [choices.proportions(np.zeros(50), RNG.random(50) < 0.3) for _ in range(2000)]
    spread = np.std([one.p[0] for one in many])
    assert np.mean([one.error[0] for one in many]) == pytest.approx(spread, rel=0.05)


def test_bins_hold_the_mean_of_what_is_in_them():
    got = choices.binned([0, 1, 2, 4, 9, np.nan], [0, 2, 4])
    np.testing.assert_array_equal(got, [0.5, 0.5, 3, 3, np.nan, np.nan])


def test_means_have_the_standard_error_of_the_mean():
    x, y = RNG.integers(0, 3, 200).astype(float), RNG.normal(size=200)
    x[0], y[1] = np.nan, np.nan
    found = choices.mean_by(x, y)
    assert found.x.tolist() == [0, 1, 2]
    for value, mean, n, error in zip(*found, strict=True):
        own = y[(x == value) & np.isfinite(y)]
        assert n == own.size
        assert mean == pytest.approx(own.mean(), rel=1e-12)
        assert error == pytest.approx(own.std(ddof=1) / np.sqrt(own.size), rel=1e-12)
    assert np.isnan(choices.mean_by([1.0, np.nan], [2.0, 3.0]).error).tolist() == [True]
    assert [array.size for array in choices.mean_by([np.nan], [1.0])] == [0, 0, 0, 0]
    assert choices.mean_by([1, 1, 2], [5, 7, 9], fewest=2).x.tolist() == [1]


# -- fits -----------------------------------------------------------------------------------------

X = np.repeat([-16, -8, -4, -2, -1, 1, 2, 4, 8, 16.0], 400)


@pytest.mark.parametrize("function", ["cdf_gaussian", "logistic"])
def test_a_fit_finds_bias_and_width_within_its_own_errors(function):
    made = fittools.fit_functions[function]
    chosen = RNG.random(X.size) < made(X, 1.0, 3.0)
    fit = choices.fit_choices(X, chosen, function)
    assert abs(fit.mu - 1) < 4 * fit.mu_error and fit.mu_error < 0.2
    assert abs(fit.sigma - 3) < 4 * fit.sigma_error and fit.sigma_error < 0.2
    assert fit.curve(fit.mu) == pytest.approx(0.5)


def test_a_fit_maximises_the_likelihood():
    points = choices.proportions(X, RNG.random(X.size) < fittools.cdf_gaussian(X, 1, 3))
    count = points.p * points.n

    def likelihood(mu, sigma):
        p = np.clip(fittools.cdf_gaussian(points.x, mu, sigma), 1e-9, 1 - 1e-9)
        return np.sum(count * np.log(p) + (points.n - count) * np.log(1 - p))

    fit = fittools.fit_choices(points.x, count, points.n)
    best = likelihood(fit.mu, fit.sigma)
    around = [(fit.mu + a, fit.sigma * b) for a in (-0.02, 0, 0.02) for b in (0.99, 1, 1.01)]
    assert all(likelihood(*other) <= best + 1e-9 for other in around)


def test_errors_of_a_fit_are_its_spread_over_repetitions():
    fits = [
        choices.fit_choices(X[::4], RNG.random(X[::4].size) < fittools.cdf_gaussian(X[::4], 1, 3))
        for _ in range(40)
    ]
    for name in ("mu", "sigma"):
        spread = np.std([getattr(fit, name) for fit in fits], ddof=1)
        stated = np.mean([getattr(fit, f"{name}_error") for fit in fits])
        assert stated == pytest.approx(spread, rel=0.4)  # 40 repetitions know it to 11 %


@pytest.mark.parametrize(
    ("x", "count", "n", "why"),
    [
        ([0, 1], [1, 9], [10, 10], "2 conditions, at least 3"),
        ([0, 1, 2, 3], [0, 0, 10, 10], [10] * 4, "all or none"),
        ([0, 1, 2, 3], [5, 5, 5, 5], [10] * 4, "do not grow"),
        ([0, 1, 2, 3], [10, 10, 10, 10], [10] * 4, "do not grow"),
        ([0, 1, 2, 3], [5, 6, 4, 6], [10] * 4, "do not grow"),
        ([0, 1, 2, 3], [99, 70, 30, 1], [100] * 4, "do not grow"),
    ],
)
def test_nothing_is_fitted_where_there_is_nothing_to_fit(x, count, n, why):
    with pytest.raises(PycogDgrError, match=why):
        fittools.fit_choices(x, count, n)


def test_only_rising_functions_are_fitted_to_choices():
    with pytest.raises(PycogDgrError, match=r"unknown function 'weibull'; known are cdf_gaussian"):
        fittools.fit_choices([0, 1, 2], [0, 1, 2], [2, 2, 2], "weibull")
