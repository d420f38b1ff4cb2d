"""Every setting is described from the code: what `dgr settings` and the page of settings show."""

import dataclasses

import pytest

from pycog_dgr.config import NetworkConfig, TrainingConfig, described, described_setting
from pycog_dgr.errors import SettingError


def test_every_setting_of_both_kinds_is_described_once():
    declared = [
        field.name for c in (NetworkConfig, TrainingConfig) for field in dataclasses.fields(c)
    ]
    assert [one.name for one in described()] == declared


def test_what_a_setting_accepts_is_what_its_check_asks_for():
    assert described_setting("N").accepts == "a whole number, 1 to 20000"
    assert described_setting("dt").accepts == "a number above 0, finite or None"
    assert "softplus" in described_setting("hidden_activation").accepts


def test_every_setting_has_a_meaning_and_says_what_it_accepts():
    silent = [one.name for one in described() if not one.meaning or not one.accepts]
    assert not silent


def test_an_unknown_setting_names_the_near_ones():
    with pytest.raises(SettingError, match="learning_rate"):
        described_setting("learning_rat")
