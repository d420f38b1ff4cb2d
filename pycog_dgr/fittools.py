"""Psychometric functions and their least-squares fits.

    weibull                      1 - exp(-(x/alpha)^beta) / 2          0.5 .. 1, x >= 0
    cdf_gaussian                 Phi((x - mu)/sigma)                   0 .. 1
    cdf_gaussian_with_guessing   gamma + (1 - 2 gamma) Phi((x - mu)/sigma)

x is a stimulus strength, the value a probability of choosing one side (or, for weibull, of being
right). fit_functions holds them by name.
"""

import inspect

import numpy as np
from scipy.optimize import curve_fit
from scipy.special import ndtr

from .errors import PycogDgrError


def weibull(x, alpha=1, beta=1):
    """Probability of a correct choice between two; alpha is the threshold (1 - 1/(2e) correct)."""
    return 1 - np.exp(-((x / alpha) ** beta)) / 2


def cdf_gaussian(x, mu=0, sigma=1):
    """Normal distribution function with bias mu and width sigma."""
    return ndtr((x - mu) / sigma)


def cdf_gaussian_with_guessing(x, mu=0, sigma=1, gamma=0.1):
    """The same between gamma and 1 - gamma: a share of 2 gamma of the choices is a guess."""
    return gamma + (1 - 2 * gamma) * cdf_gaussian(x, mu, sigma)


fit_functions = {f.__name__: f for f in (cdf_gaussian, cdf_gaussian_with_guessing, weibull)}

GUESSED_GAMMA = 0.1  # where a fit with guessing starts


def fit_psychometric(xdata, ydata, func=None, p0=None):
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
        start = [np.mean(xdata), np.std(xdata)]
        starts = {cdf_gaussian: start, cdf_gaussian_with_guessing: [*start, GUESSED_GAMMA]}
        if func not in starts:
            raise PycogDgrError(f"fit_psychometric: {func.__name__} needs a starting point p0")
        p0 = starts[func]
    try:
        values, _ = curve_fit(func, xdata, ydata, p0=p0)
    except RuntimeError as error:
        raise PycogDgrError(f"fit_psychometric: no fit of {func.__name__}: {error}") from error
    parameters = list(inspect.signature(func).parameters)[1:]
    return dict(zip(parameters, values.tolist(), strict=True)), func
