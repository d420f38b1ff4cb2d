"""Protocols are data, complete, and checked."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bridge.errors import SettingError
from bridge.networks import make_generator, make_solver
from bridge.replay import IMPROVED, PROTOCOLS, VARIATIONS, Budget, Mix, protocol_named, varied


def test_every_protocol_is_json_and_covers_both_solvers():
    for protocol in PROTOCOLS.values():
        assert json.loads(json.dumps(protocol.as_dict()))["name"] == protocol.name
        assert set(protocol.solvers) >= {"lstm", "biornn"}


def test_only_the_notebooks_leak_and_they_say_so():
    for protocol in PROTOCOLS.values():
        honest = protocol.selection != "test" and protocol.generator_data == "replay"
        assert honest == (not protocol.leaks)
    assert len(PROTOCOLS["notebooks"].leaks) == 2


def test_the_published_mixes_are_those_of_the_thesis():
    text = protocol_named("text").solvers["biornn"]
    second, third = text.mix_of(2), text.mix_of(3)
    assert round(second.real_share * 12089) == 1408
    assert round(second.replayed * 1408) == 12665
    assert round(third.real_share * 11263) == 2500
    assert round(third.replayed * 2500) == 22000
    lstm = protocol_named("text").solvers["lstm"]
    assert [lstm.mix_of(k).real_weight for k in (1, 2, 3, 4, 5)] == [None, 0.5, 0.1, 0.1, 0.1]


def test_an_unknown_protocol_names_the_nearest():
    with pytest.raises(SettingError, match="did you mean 'notebooks'"):
        protocol_named("notebook")


@pytest.mark.parametrize(
    "wrong", [{"real_share": 0}, {"real_share": 1.1}, {"replayed": -1}, {"real_weight": 1.0}]
)
def test_an_impossible_mix_is_refused(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        Mix(**wrong)


def test_a_budget_shrinks_but_keeps_its_floor():
    budget = Budget(0.25, 0.1, 1000)
    assert budget.solver(400) == 100
    assert budget.generator(400) == 1000 and budget.generator(40000) == 4000
    assert budget.times(0.1).generator(400) == 100
    assert PROTOCOLS["text"].budget("mnist").solver(7) == 7
    with pytest.raises(SettingError, match="scale"):
        budget.times(0)


def test_joint_training_of_improved_is_as_long_as_its_contexts_together():
    for plan in IMPROVED.solvers.values():
        joint = plan.joint_epochs * plan.joint_iterations
        assert joint == pytest.approx(sum(plan.iterations), rel=0.01)
        assert plan.joint_batch_size == plan.batch_size


@pytest.mark.parametrize("name", VARIATIONS)
def test_every_variation_changes_improved_and_its_networks_can_be_made(name):
    changed = varied(IMPROVED, name)
    assert changed.variation == name
    assert replace(changed, variation="") != IMPROVED
    make_solver("biornn", 1, **changed.solvers["biornn"].options)
    make_solver("lstm", 1, **changed.solvers["lstm"].options)
    make_generator(changed.generator.kind, 1, **changed.generator.options)


def test_a_variation_that_a_protocol_has_no_place_for_is_refused():
    with pytest.raises(SettingError, match="did you mean 'no-noise'"):
        varied(IMPROVED, "no-nose")
    lstm_alone = replace(IMPROVED, solvers={"lstm": IMPROVED.solvers["lstm"]})
    with pytest.raises(SettingError, match=r"no place 'solvers\.biornn\.options\.train_tau'"):
        varied(lstm_alone, "fixed-tau")


def test_shares_of_plastic_weights_and_of_excitatory_units_are_what_they_say():
    half = make_solver("biornn", 1, plastic=0.5, excitatory=0.75)
    assert half.network.Crec.mask_plastic.mean() == pytest.approx(0.5, abs=1e-3)
    assert (half.network.ei > 0).sum() == 48
    everything = make_solver("biornn", 1, plastic=1.0)
    assert everything.network.Crec.mask_plastic.all()
    assert make_solver("biornn", 1, dale=False).network.ei is None
    usual = make_solver("biornn", 1)  # what stands at these shares in the figures
    named = make_solver("biornn", 1, plastic=63 / 64, excitatory=0.8)
    np.testing.assert_array_equal(named.network.ei, usual.network.ei)
    np.testing.assert_array_equal(
        named.network.Crec.mask_plastic != 0, usual.network.Crec.mask_plastic != 0
    )
    for wrong in ({"plastic": 0}, {"plastic": 1.1}, {"excitatory": 1.0}):
        with pytest.raises(SettingError, match=next(iter(wrong))):
            make_solver("biornn", 1, **wrong)
