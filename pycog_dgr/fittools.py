"""Psychometric functions, fitted to points by least squares or to trials by likelihood.

    weibull                      1 - exp(-(x/alpha)^beta) / 2          0.5 .. 1, x >= 0
    cdf_gaussian                 Phi((x - mu)/sigma)                   0 .. 1
    cdf_gaussian_with_guessing   gamma + (1 - 2 gamma) Phi((x - mu)/sigma)
    logistic                     1 / (1 + exp(-(x - mu)/sigma))        0 .. 1

x is a stimulus strength, the value a probability of choosing one side (or, for weibull, of being
right). fit_functions holds them by name. Likelihood of k of n choices at each x:

    log L = sum_x k log p(x) + (n - k) log(1 - p(x))
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit, minimize
from scipy.special import expit, ndtr, xlogy
from scipy.stats import chi2

from pycog_dgr.errors import PycogDgrError

Curve = Callable[..., NDArray]  # (x, *parameters) -> probability


def weibull(x: NDArray, alpha: float = 1, beta: float = 1) -> NDArray:
    """Probability of a correct choice between two; alpha is the threshold (1 - 1/(2e) correct)."""
    return 1 - np.exp(-((x / alpha) ** beta)) / 2


def cdf_gaussian(x: NDArray, mu: float = 0, sigma: float = 1) -> NDArray:
    """Normal distribution function with bias mu and width sigma."""
    return ndtr((x - mu) / sigma)


def cdf_gaussian_with_guessing(
    x: NDArray, mu: float = 0, sigma: float = 1, gamma: float = 0.1
) -> NDArray:
    """The same between gamma and 1 - gamma: a share of 2 gamma of the choices is a guess."""
    return gamma + (1 - 2 * gamma) * cdf_gaussian(x, mu, sigma)


def logistic(x: NDArray, mu: float = 0, sigma: float = 1) -> NDArray:
    """Logistic distribution function with bias mu and width sigma."""
    return expit((x - mu) / sigma)


fit_functions = {
    f.__name__: f for f in (cdf_gaussian, cdf_gaussian_with_guessing, weibull, logistic)
}

GUESSED_GAMMA = 0.1  # where a fit with guessing starts


def fit_psychometric(
    xdata: ArrayLike,
    ydata: ArrayLike,
    func: str | Curve | None = None,
    p0: Sequence[float] | None = None,
) -> tuple[dict[str, float], Curve]:
    """Fit a psychometric function to points (x, y) by least squares.

    func   one of fit_functions, by name or itself, or any function of x and parameters; default
           cdf_gaussian
    p0     where to start, one number per parameter; the Gaussians have their own

    Returns (parameters by name, function). PycogDgrError for an unknown name, a missing p0, or a
    fit that does not converge.
    """
    if func is None:
        func = cdf_gaussian
    if isinstance(func, str):
        if func not in fit_functions:
            known = ", ".join(fit_functions)
            raise PycogDgrError(f"fit_psychometric: unknown function {func!r}; known are {known}")
        func = fit_functions[func]
    if p0 is None:
        start = [float(np.mean(np.asarray(xdata))), float(np.std(np.asarray(xdata)))]
        starts: dict[Curve, list[float]] = {
            cdf_gaussian: start,
            cdf_gaussian_with_guessing: [*start, GUESSED_GAMMA],
        }
        if func not in starts:
            raise PycogDgrError(f"fit_psychometric: {func.__name__} needs a starting point p0")
        p0 = starts[func]
    try:
        values, _ = curve_fit(func, xdata, ydata, p0=p0)
    except RuntimeError as error:
        raise PycogDgrError(f"fit_psychometric: no fit of {func.__name__}: {error}") from error
    parameters = list(inspect.signature(func).parameters)[1:]
    return dict(zip(parameters, values.tolist(), strict=True)), func


# -- by likelihood --------------------------------------------------------------------------------

FEWEST_CONDITIONS = 3  # two parameters need more points than two
SIGNIFICANT = 0.01  # p of the likelihood ratio below which choices depend on x
SMALLEST = 1e-9  # probabilities are kept between this and 1 - this
WIDTHS = (0.05, 0.3)  # of the range of x, where a fit starts
RISING = ("cdf_gaussian", "logistic")


class ChoiceFit(NamedTuple):
    """Bias mu and width sigma in units of x, their standard errors, and the curve x -> p."""

    mu: float
    sigma: float
    mu_error: float
    sigma_error: float
    curve: Curve


def fit_choices(
    x: ArrayLike, count: ArrayLike, n: ArrayLike, function: str = "cdf_gaussian"
) -> ChoiceFit:
    """Fit a rising psychometric function to counted choices by maximum likelihood.

    x, count, n   (conditions,): strength, choices of one side, trials
    function      'cdf_gaussian' or 'logistic'

    Returns a ChoiceFit; standard errors are from the Fisher information. PycogDgrError says why
    nothing can be fitted: fewer than 3 conditions, choices that do not depend on x or depend on it
    the wrong way round, or a step between two conditions, whose width the data do not bound.
    """
    if function not in RISING:
        known = ", ".join(RISING)
        raise PycogDgrError(f"fit_choices: unknown function {function!r}; known are {known}")
    curve = fit_functions[function]
    x, count, n = (np.asarray(values, float) for values in (x, count, n))
    _fittable(x, count, n)
    span = x.max() - x.min()

    def loss(parameters: NDArray) -> float:
        p = np.clip(curve(x, parameters[0], np.exp(parameters[1])), SMALLEST, 1 - SMALLEST)
        return -np.sum(xlogy(count, p) + xlogy(n - count, 1 - p))

    starts = [(np.average(x, weights=n), np.log(span * part)) for part in WIDTHS]
    found = min(
        (minimize(loss, start, method="Nelder-Mead") for start in starts), key=lambda one: one.fun
    )
    mu, sigma = float(found.x[0]), float(np.exp(found.x[1]))
    share = count.sum() / n.sum()
    constant = -np.sum(xlogy(count, share) + xlogy(n - count, 1 - share))
    if not found.success or chi2.sf(2 * (constant - found.fun), df=1) > SIGNIFICANT:
        raise PycogDgrError("no fit: choices do not grow with the stimulus")
    mu_error, sigma_error = _standard_errors(curve, x, n, mu, sigma)
    return ChoiceFit(
        mu, sigma, mu_error, sigma_error, lambda at: curve(np.asarray(at, float), mu, sigma)
    )


def _fittable(x: NDArray, count: NDArray, n: NDArray) -> None:
    """PycogDgrError where no curve is determined by the counts."""
    if len(x) < FEWEST_CONDITIONS:
        raise PycogDgrError(f"no fit: {len(x)} conditions, at least {FEWEST_CONDITIONS} are needed")
    p = count / n
    if np.ptp(p) == 0:
        raise PycogDgrError("no fit: choices do not grow with the stimulus")
    if np.all((p == 0) | (p == 1)):
        raise PycogDgrError("no fit: choices are all or none in every condition; show weaker ones")


def _standard_errors(curve: Curve, x: NDArray, n: NDArray, mu: float, sigma: float) -> list[float]:
    """Of mu and sigma, from the Fisher information sum n p'^T p' / (p (1 - p))."""
    small = 1e-4 * sigma
    slopes = np.array([
        curve(x, mu + small, sigma) - curve(x, mu - small, sigma),
        curve(x, mu, sigma + small) - curve(x, mu, sigma - small),
    ]) / (2 * small)  # fmt: skip
    p = np.clip(curve(x, mu, sigma), SMALLEST, 1 - SMALLEST)
    information = (slopes * n / (p * (1 - p))) @ slopes.T
    return np.sqrt(np.diag(np.linalg.pinv(information))).tolist()
