"""Plastic, fixed and absent weights; Dale's law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycog_dgr.config import Connectivity, NetworkConfig
from pycog_dgr.errors import SettingError
from pycog_dgr.network import Parameters, effective_weights


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((np.ones((2, 2)), np.eye(2)), "non-zero in both C and Cfixed"),
        ((np.ones((2, 2)), np.zeros((2, 3))), "Cfixed"),
        ((np.ones(3),), "matrix of numbers"),
        (([["a"]],), "matrix of numbers"),
        (([[np.nan]],), "not finite"),
        ((4, None, 1.5), r"p in \[0, 1\]"),
        ((0,), "N must be at least 1"),
    ],
)
def test_impossible_connections_are_refused(arguments, told):
    with pytest.raises(SettingError, match=told):
        Connectivity(*arguments)


def test_scaling_changes_neither_the_original_nor_the_callers_matrix():
    fixed = np.diag([2.0, 3.0])
    C = Connectivity(1 - np.eye(2), fixed)
    scaled = C.scaled(0.5)
    fixed[0, 0] = 99
    np.testing.assert_array_equal(C.mask_fixed, np.diag([2.0, 3.0]))
    np.testing.assert_array_equal(scaled.mask_fixed, np.diag([1.0, 1.5]))
    np.testing.assert_array_equal(scaled.fixed, [1.0, 1.5])
    with pytest.raises(ValueError):
        C.mask_fixed[0, 0] = 1


def test_fixed_weights_keep_their_places():
    C = Connectivity(1 - np.eye(2), np.eye(2))
    with pytest.raises(SettingError, match="other places"):
        C.with_fixed(np.ones((2, 2)))


def test_a_disconnected_matrix_is_logged(caplog):
    Connectivity(np.eye(3))
    assert "not strongly connected" in caplog.text


def test_a_unit_that_balance_leaves_without_input_is_an_error():
    with pytest.raises(SettingError, match="give Crec"):
        NetworkConfig(N=3, ei=[1, -1, -1])


@st.composite
def networks(draw):
    """A small network with random plastic, fixed and absent weights, and raw values."""
    N, Nin, Nout = (draw(st.integers(1, 4)) for _ in range(3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dale = draw(st.booleans())

    def connections(shape):
        kind = rng.integers(3, size=shape)  # 0 absent, 1 plastic, 2 fixed
        return Connectivity(kind == 1, np.where(kind == 2, rng.normal(size=shape), 0))

    network = NetworkConfig(
        N=N,
        Nin=Nin,
        Nout=Nout,
        ei=rng.choice([1, -1], N) if dale else None,
        ei_positive_func=draw(st.sampled_from(["rectify", "abs"])),
        Cin=connections((N, Nin)),
        Crec=connections((N, N)),
        Cout=connections((Nout, N)),
    )
    raw = Parameters(**{name: rng.normal(size=shape) for name, shape in network.shapes.items()})
    return network, raw


@settings(max_examples=100, deadline=None)
@given(networks())
def test_dale_columns_keep_their_sign(case):
    network, raw = case
    weights = effective_weights(raw, network)
    if network.ei is not None:
        assert (weights.Wrec * network.ei >= 0).all()
        assert (weights.Wout * network.ei >= 0).all()
        assert (weights.Win >= 0).all()


@settings(max_examples=100, deadline=None)
@given(networks())
def test_absent_weights_stay_zero_and_fixed_ones_do_not_follow_the_raw_values(case):
    network, raw = case
    weights = effective_weights(raw, network)
    moved = Parameters(*(None if value is None else value + 1 for value in raw))
    after = effective_weights(moved, network)
    for name, C in (("Win", network.Cin), ("Wrec", network.Crec), ("Wout", network.Cout)):
        absent = (C.mask_plastic == 0) & (C.mask_fixed == 0)
        W = getattr(weights, name)
        assert not W[absent].any()
        still = C.mask_plastic == 0
        np.testing.assert_array_equal(W[still], getattr(after, name)[still])


def test_effective_weights_are_copies():
    network = NetworkConfig(N=2, Nout=1)
    raw = Parameters(None, np.ones((2, 2)), np.ones((1, 2)), np.zeros(2), np.zeros(1), np.zeros(2))
    weights = effective_weights(raw, network)
    raw.x0[:] = 5
    raw.Wout[:] = 5
    assert not weights.x0.any() and (weights.Wout == 1).all()


def test_a_connectivity_shows_its_shape_and_densities():
    shown = repr(Connectivity(np.eye(4), np.eye(4)[::-1]))
    assert shown == "Connectivity(shape=(4, 4), p=0.50, p_plastic=0.25)"
