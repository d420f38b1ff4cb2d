"""Settings are typed, checked and complete."""

import dataclasses

import numpy as np
import pytest

from pycog_dgr.config import (
    FUNCTIONS,
    Connectivity,
    NetworkConfig,
    setting_names,
    setting_values,
    settings,
)
from pycog_dgr.errors import PycogDgrError, SettingError


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        ({"lambda_omega": 2}, "did you mean 'lambda_Omega'"),
        ({"n_gradeint": 5}, "did you mean 'n_gradient'"),
        ({"xyzzy": 1}, "unknown setting 'xyzzy'$"),
        ({"output_activation": "softmaxx"}, "did you mean 'softmax'"),
        ({"N": 2.5}, "setting N: expected a whole number"),
        ({"N": True}, "setting N"),
        ({"learning_rate": "fast"}, "setting learning_rate: expected a number"),
        ({"learning_rate": np.nan}, "setting learning_rate"),
        ({"tau": 0}, "setting tau"),
        ({"tau": [50.0, -1.0]}, "setting tau"),
        ({"N": 3, "tau": [50.0, 60.0]}, r"setting tau: expected shape \(3,\), got \(2,\)"),
        ({"N": 2, "ei": [1, 0]}, "setting ei"),
        ({"N": 3, "ei": [1, -1]}, r"setting ei: expected shape \(3,\)"),
        ({"N": 2, "Nin": 3, "Cin": np.ones((2, 2))}, r"setting Cin: expected shape \(2, 3\)"),
        ({"Crec": [1, 2]}, "setting Crec: expected a Connectivity"),
        ({"var_rec": -1}, "setting var_rec"),
        ({"N": 2, "var_rec": [1.0, 1.0, 1.0]}, "setting var_rec"),
        ({"N": 2, "var_rec": [[1.0, 0.5], [0.1, 1.0]]}, "symmetric"),
        ({"performance": 3}, "setting performance: expected a function"),
        ({"structure": [1]}, "setting structure: expected a dictionary"),
        ({"train_x0": "yes"}, "setting train_x0: expected True or False"),
        ({"momentum": True}, "pycog accepted it but never used it"),
        ({"bound": 0}, "setting bound"),
        ({"x0": [np.inf]}, "setting x0: expected finite numbers"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(keywords, told):
    with pytest.raises(SettingError, match=told):
        settings(**keywords)


def test_errors_share_one_base():
    assert issubclass(SettingError, PycogDgrError) and issubclass(PycogDgrError, ValueError)


def test_defaults_are_pycogs():
    network, training = settings()
    assert (network.N, network.tau, network.dt, network.x0, network.rho0) == (
        100,
        100,
        20,
        0.1,
        1.5,
    )
    assert (training.n_gradient, training.learning_rate, training.lambda_Omega) == (20, 1e-2, 2)
    assert (training.checkfreq, training.patience) == (500, 50_000)
    assert (training.var_in, training.var_rec, training.bound) == (1e-4, 0.15**2, 1e-20)


def test_dt_is_a_fifth_of_the_smallest_tau():
    network, _ = settings(N=2, tau=[50, 100])
    assert network.dt == 10
    np.testing.assert_array_equal(network.alpha, [0.2, 0.1])


def test_distributions_follow_dales_law():
    assert settings(N=2)[0].distribution_rec == "normal"
    assert settings(N=4, ei=[1, 1, 1, -1])[0].distribution_rec == "gamma"


def test_continuous_mode_trains_one_trial_at_a_time_and_not_x0(caplog):
    caplog.set_level("INFO")
    network, training = settings(mode="continuous", n_gradient=20)
    assert training.n_gradient == 1 and training.checkfreq == 10_000
    assert "x0" not in network.trained
    assert "n_gradient is 1, not 20" in caplog.text


def test_trained_names_are_in_the_originals_order():
    network, _ = settings(Nin=2, Nout=1, train_brec=True, train_bout=True)
    assert network.trained == ("Win", "Wrec", "Wout", "brec", "bout", "x0")
    assert settings(Nout=1)[0].trained == ("Wrec", "Wout", "x0")


def test_settings_cannot_be_changed_in_place():
    given = np.array([50.0, 60.0])
    network = NetworkConfig(N=2, tau=given)
    given[0] = 1
    assert network.tau[0] == 50
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.N = 3
    with pytest.raises(ValueError):
        network.tau[0] = 1


def test_the_default_recurrent_connections_balance_and_have_unit_rows():
    network, _ = settings(N=5, ei=[1, 1, 1, -1, -1])
    C = network.Crec.C
    np.testing.assert_allclose(np.linalg.norm(C, axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(C @ network.ei, 0, atol=1e-15)
    assert not np.diagonal(C).any()


def test_unused_pycog_settings_pass_at_their_defaults_and_leave_no_trace():
    given = settings(momentum=False, method="sgd", extra_info={})
    for with_unused, without in zip(given, settings(), strict=True):
        assert vars(with_unused).keys() == vars(without).keys()
    for unused, value in (("momentum", 0.9), ("method", "adam"), ("extra_info", {"a": 1})):
        with pytest.raises(SettingError, match=f"setting {unused}: pycog accepted it"):
            settings(**{unused: value})


def test_files_hold_every_setting_but_functions_and_give_the_same_ones_back():
    network, training = settings(
        N=4, ei=[1, 1, 1, -1], tau=[40.0, 50, 60, 70], train_tau=True, performance=len, seed=3
    )
    values = setting_values(network, training)
    assert set(setting_names()) - set(values) == set(FUNCTIONS)
    for again, before in zip(settings(**values), (network, training), strict=True):
        for name, value in vars(before).items():
            if name not in (*FUNCTIONS, "Crec"):
                np.testing.assert_array_equal(getattr(again, name), value, err_msg=name)
    np.testing.assert_array_equal(settings(**values)[0].Crec.C, network.Crec.C)


def test_a_connectivity_object_is_taken_as_it_is():
    C = Connectivity(np.ones((2, 2)))
    assert settings(N=2, Crec=C)[0].Crec is C
