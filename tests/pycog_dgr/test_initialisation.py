"""Initial weights: radius, signs, errors. Equality with the original: test_golden_core.py."""

import numpy as np
import pytest

from pycog_dgr.config import Connectivity, NetworkConfig
from pycog_dgr.errors import SettingError
from pycog_dgr.network import effective_weights, initial_parameters, rescaled, spectral_radius

DALE = {"N": 10, "Nin": 2, "Nout": 2, "ei": [1] * 8 + [-1] * 2}


@pytest.mark.parametrize("distribution", ["uniform", "normal", "gamma", "lognormal"])
def test_the_spectral_radius_is_rho0_with_dales_law(distribution):
    network = NetworkConfig(**DALE, rho0=0.8, distribution_rec=distribution)
    raw, network = initial_parameters(network, 3)
    rho = spectral_radius(effective_weights(raw, network).Wrec)
    assert rho == pytest.approx(0.8, rel=1e-12)


def test_the_spectral_radius_is_1_1_without_whatever_rho0_says():
    raw, network = initial_parameters(NetworkConfig(N=10, rho0=3.0), 3)
    rho = spectral_radius(effective_weights(raw, network).Wrec)
    assert rho == pytest.approx(1.1, rel=1e-12)


def test_fixed_weights_are_rescaled_with_the_rest_in_a_new_network():
    C = Connectivity(1 - np.eye(10), np.eye(10) * 0.3)
    given = NetworkConfig(**DALE, Crec=C)
    _, network = initial_parameters(given, 3)
    assert given.Crec.mask_fixed[0, 0] == 0.3
    assert network.Crec.mask_fixed[0, 0] not in (0, 0.3)


def test_the_same_seed_draws_the_same_weights_and_another_others():
    network = NetworkConfig(**DALE)
    first, again, other = (initial_parameters(network, seed)[0].Wrec for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_connections_without_a_loop_are_refused():
    with pytest.raises(SettingError, match="spectral radius 0"):
        initial_parameters(NetworkConfig(N=3, Crec=np.triu(np.ones((3, 3)), 1)), 1)


def test_negative_scales_are_refused_where_a_distribution_cannot_take_them():
    with pytest.raises(SettingError, match=r"Wrec.*gamma"):
        initial_parameters(NetworkConfig(N=3, Crec=-np.ones((3, 3)), distribution_rec="gamma"), 1)


def test_rescaling_restores_the_radius_of_trained_weights():
    raw, network = initial_parameters(NetworkConfig(**DALE), 3)
    raw = raw._replace(Wrec=raw.Wrec * 1.7)
    back, network = rescaled(raw, network)
    rho = spectral_radius(effective_weights(back, network).Wrec)
    assert rho == pytest.approx(1.5, rel=1e-12)
