"""Initial weights: distributions, Dale's signs, spectral radius.

    w ~ 0.1 U(-m, m) | N(0, m) | Gamma(k, 0.1 m / k) | LogNormal(mean 0.5 m, variance 0.1)
    Wrec may then be given a Gaussian matrix's singular values, see spectrum.py
    Wrec <- Wrec R,  fixed recurrent weights <- fixed R,   R = rho0 / rho(signed, masked Wrec)

Source: Song, Yang and Wang (2016), "Initial parameters"; the draws are those of the original.

| symbol | name                                        | shape       | unit |
|--------|---------------------------------------------|-------------|------|
| w      | initial values of the plastic weights       | (nplastic,) | 1    |
| m      | the connectivity's values, or 1 without one | (nplastic,) | 1    |
| k      | gamma_k                                     |             | 1    |
| rho    | largest absolute eigenvalue                 |             | 1    |
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from pycog_dgr.config import RHO0_WITHOUT_DALE, SPECTRUM_MATCHED, Connectivity, NetworkConfig
from pycog_dgr.errors import SettingError
from pycog_dgr.network.parameters import Parameters, alpha_logit_of, effective_weights, masked
from pycog_dgr.network.spectrum import spectrum_matched

SCALE = 0.1  # of the uniform and gamma distributions
LOGNORMAL_MEAN = 0.5
LOGNORMAL_VARIANCE = 0.1


def initial_parameters(
    network: NetworkConfig, seed: int | RandomState
) -> tuple[Parameters, NetworkConfig]:
    """Draw raw initial values (float64); return them with the network they belong to.

    The returned network differs from `network` in Crec alone: its fixed weights are rescaled
    with the plastic ones so that the whole matrix has the spectral radius rho0 (1.1 without
    Dale's law).

    Parameters
    ----------
    network
        The network.
    seed
        Of the draws, or the numpy RandomState to draw from.

    Returns
    -------
    Parameters, NetworkConfig
        Raw values in float64, and the network with rescaled fixed weights.

    Raises
    ------
    SettingError
        Where no scale gives that spectral radius.
    """
    rng = RandomState(seed) if isinstance(seed, (int, np.integer)) else seed
    shapes = network.shapes
    drawn = {}
    for name, connectivity, distribution in (
        ("Win", network.Cin, network.distribution_in),
        ("Wrec", network.Crec, network.distribution_rec),
        ("Wout", network.Cout, network.distribution_out),
    ):
        if name in shapes:
            first = "gamma" if distribution == SPECTRUM_MATCHED else distribution
            W = draw(name, shapes[name], connectivity, first, network.gamma_k, rng)
            W = W if network.ei is None else np.abs(W)
            if distribution == SPECTRUM_MATCHED:
                W = spectrum_matched(W, network, rng)
            drawn[name] = W

    rho0 = RHO0_WITHOUT_DALE if network.ei is None else network.rho0
    rho = spectral_radius(signed(drawn["Wrec"], network))
    if not rho > 0:
        raise SettingError(
            "the initial recurrent matrix has spectral radius 0 (no loop among its connections), "
            f"so it cannot be scaled to {rho0:g}; give Crec a loop"
        )
    R = rho0 / rho
    raw = Parameters(
        Win=drawn.get("Win"),
        Wrec=drawn["Wrec"] * R,
        Wout=drawn.get("Wout"),
        brec=network.brec * np.ones(network.N),
        bout=network.bout * np.ones(network.Nout),
        x0=network.x0 * np.ones(network.N),
        alpha_logit=alpha_logit_of(network.tau * np.ones(network.N), network)
        if network.train_tau
        else None,
    )
    return raw, dataclasses.replace(network, Crec=network.Crec.scaled(R))


def draw(
    name: str,
    shape: tuple[int, ...],
    connectivity: Connectivity | None,
    distribution: str,
    gamma_k: float,
    rng: RandomState,
) -> NDArray:
    """One matrix (post, pre): draws at the plastic places in row-major order, zero elsewhere."""
    if connectivity is None:
        return weights_from(distribution, 1, shape[0] * shape[1], gamma_k, rng).reshape(shape)
    m = connectivity.plastic
    if distribution != "uniform" and (m < 0).any():
        raise SettingError(
            f"{name}: the values of its connectivity scale a {distribution} distribution, "
            f"so they must be positive; the least is {m.min():g}"
        )
    W = np.zeros(connectivity.size)
    W[connectivity.idx_plastic] = weights_from(distribution, m, connectivity.nplastic, gamma_k, rng)
    return W.reshape(shape)


def weights_from(
    distribution: str, m: NDArray | float, size: int, gamma_k: float, rng: RandomState
) -> NDArray:
    """`size` weights (size,) whose scale is `m`."""
    if distribution == "uniform":
        return SCALE * rng.uniform(-m, m, size=size)
    if distribution == "normal":
        return rng.normal(np.zeros(size), m, size=size)
    if distribution == "gamma":
        return rng.gamma(gamma_k, SCALE * m / gamma_k, size=size)
    mean = LOGNORMAL_MEAN * m
    relative_variance = LOGNORMAL_VARIANCE / mean**2
    mu = np.log(mean / np.sqrt(1 + relative_variance))
    return rng.lognormal(mu, np.sqrt(np.log(1 + relative_variance)), size=size)


def signed(Wrec: NDArray, network: NetworkConfig) -> NDArray:
    """Masked, and multiplied by ei, but *not* made positive.

    A negative fixed weight under Dale's law therefore counts in the spectral radius, although
    rectification removes it from the network: so it was in the original.
    """
    W = masked(Wrec, network.Crec)
    return W if network.ei is None else W * network.ei


def spectral_radius(W: NDArray) -> float:
    """The largest absolute eigenvalue of a square matrix.

    Parameters
    ----------
    W
        (N, N).

    Returns
    -------
    float
        Dimensionless.
    """
    return float(np.max(np.abs(np.linalg.eigvals(W))))


def rescaled(raw: Parameters, network: NetworkConfig) -> tuple[Parameters, NetworkConfig]:
    """Scale trained recurrent weights, plastic and fixed, back to the initial spectral radius.

    It is the effective matrix that gets it. The thesis' warm start went through the
    initialisation path and so did this at every context.

    Parameters
    ----------
    raw
        Raw parameters.
    network
        The network they belong to.

    Returns
    -------
    Parameters, NetworkConfig
        Both with rescaled recurrent weights.
    """
    rho0 = RHO0_WITHOUT_DALE if network.ei is None else network.rho0
    R = rho0 / spectral_radius(effective_weights(raw, network).Wrec)
    return raw._replace(Wrec=raw.Wrec * R), dataclasses.replace(
        network, Crec=network.Crec.scaled(R)
    )
