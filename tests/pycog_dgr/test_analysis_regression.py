"""Regression, components and state-space axes of data made from known axes."""

import numpy as np
import pytest

from pycog_dgr import PycogDgrError
from pycog_dgr.analysis import regression, sorting

RNG = np.random.default_rng(3)
N_TRIAL, N_TIME, N = 400, 6, 20


def _encoding(noise):
    """Rates of units that encode four variables along known axes, growing with time."""
    variables = RNG.choice([-1, -0.3, 0.3, 1], (N_TRIAL, 4))
    beta = RNG.normal(size=(4, N))
    growth = np.linspace(0.2, 1, N_TIME)
    rates = growth[:, np.newaxis] * (variables @ beta)[:, np.newaxis] + 5
    return variables, beta, rates + noise * RNG.normal(size=rates.shape), growth


def test_coefficients_are_those_the_rates_were_made_with():
    variables, beta, rates, growth = _encoding(noise=0)
    coefficients, constant = regression.regress(rates, variables)
    expected = growth[np.newaxis, :, np.newaxis] * beta[:, np.newaxis]
    np.testing.assert_allclose(coefficients, expected, atol=1e-12)
    np.testing.assert_allclose(constant, 5, atol=1e-12)


def test_noisy_rates_give_least_squares_of_every_unit_and_time():
    variables, _, rates, _ = _encoding(noise=1)
    coefficients, constant = regression.regress(rates, variables)
    design = np.column_stack([variables, np.ones(N_TRIAL)])
    for t, unit in ((0, 0), (3, 7), (5, 19)):
        found = np.linalg.lstsq(design, rates[:, t, unit], rcond=None)[0]
        np.testing.assert_allclose(coefficients[:, t, unit], found[:4], rtol=1e-9)
        assert constant[t, unit] == pytest.approx(found[4], rel=1e-9)


def test_variables_that_cannot_be_told_apart_are_refused():
    _, _, rates, _ = _encoding(noise=1)
    same = np.ones((N_TRIAL, 2))
    with pytest.raises(PycogDgrError, match="cannot tell 2 variables apart"):
        regression.regress(rates, same)
    rates[0, 0, 0] = np.nan
    with pytest.raises(PycogDgrError, match="lack samples"):
        regression.regress(rates, same)


def test_axes_are_orthonormal_and_span_what_the_variables_span():
    variables, beta, rates, _ = _encoding(noise=0.5)
    coefficients, _ = regression.regress(rates, variables)
    means = sorting.condition_means(rates, sorting.conditions(*variables.T))
    Q = regression.state_space_axes(coefficients, means)
    np.testing.assert_allclose(Q.T @ Q, np.eye(4), atol=1e-12)
    ideal, R = np.linalg.qr(beta.T)
    ideal = ideal * np.sign(np.diag(R))
    overlap = np.abs(np.sum(Q * ideal, axis=0))
    assert (overlap > 0.99).all()
    assert (np.sum(Q[:, 0] * beta[0]) > 0) and (np.diag(Q.T @ beta.T) > 0).all()


def test_denoising_removes_what_the_condition_means_do_not_have():
    variables, beta, rates, _ = _encoding(noise=0)
    coefficients, _ = regression.regress(rates, variables)
    outside = np.linalg.qr(np.column_stack([beta.T, RNG.normal(size=N)]))[0][:, -1]
    means = sorting.condition_means(rates, sorting.conditions(*variables.T))
    Q = regression.state_space_axes(coefficients + 3 * outside, means)
    np.testing.assert_allclose(outside @ Q, 0, atol=1e-10)


def test_a_variable_without_an_effect_has_no_axis():
    variables, _, rates, _ = _encoding(noise=0)
    coefficients, _ = regression.regress(rates, variables)
    coefficients[2] = coefficients[1]
    means = sorting.condition_means(rates, sorting.conditions(*variables.T))
    with pytest.raises(PycogDgrError, match="no effect of its own"):
        regression.state_space_axes(coefficients, means)


def test_components_are_directions_of_most_variance():
    axes = np.linalg.qr(RNG.normal(size=(N, 2)))[0]
    scores = RNG.normal(size=(8, 50, 2)) * [5, 2]
    values = scores @ axes.T + 3
    values[0, 0] = np.nan
    found = regression.principal_components(values, 2)
    assert found.share.sum() == pytest.approx(1, abs=1e-12)
    covariance = np.cov(values.reshape(-1, N)[1:].T)
    largest = np.linalg.eigvalsh(covariance)[::-1][:2]
    np.testing.assert_allclose(found.share, largest / np.trace(covariance), rtol=1e-9)
    rebuilt = found.scores @ found.axes.T + found.mean
    np.testing.assert_allclose(rebuilt[0, 1:], values[0, 1:], atol=1e-10)
    assert np.isnan(found.scores[0, 0]).all()
    with pytest.raises(PycogDgrError, match="do not vary"):
        regression.principal_components(np.ones((4, 3)), 2)


def test_zscores_have_no_mean_and_unit_spread_but_for_silent_units():
    values = RNG.normal(3, 2, size=(10, 7, 3))
    values[:, :, 2] = 0
    values[0, 5:] = np.nan
    z = regression.zscored(values, regression.scale_of(values))
    np.testing.assert_allclose(np.nanmean(z, axis=(0, 1)), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(z, axis=(0, 1)), [1, 1, 0], atol=1e-12)
