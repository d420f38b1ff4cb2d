"""Elastic weight consolidation in torch: any module, and the same numbers as pycog_dgr's."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bridge.crosscheck.weights import twin
from pycog_dgr.data import Batch
from pycog_dgr.training import ewc as pycog_ewc
from tests.pycog_dgr import small
from torch_dgr.errors import ExamplesError, SettingError, StateError
from torch_dgr.ewc import (
    EWCState,
    consolidate,
    elastic_weight_consolidation,
    fisher_information,
    trained,
)
from torch_dgr.lstm import LSTMClassifier
from torch_dgr.rate_rnn.objective import as_tensors, masked_mean, pointwise_loss

FINITE_DIFFERENCE = 1e-6  # relative to the largest entry; central, steps of 1e-5
BETWEEN_PACKAGES = 1e-10  # float64, relative to the largest entry


def lstm(seed=6):
    """A small LSTM in float64, and six trials: images (trial, time, input) and labels.

    The seed is one whose rectified last state is not zero everywhere.
    """
    network = LSTMClassifier(3, 4, 2, seed=seed).network.double()
    rng = np.random.default_rng(0)
    images = torch.tensor(rng.uniform(size=(6, 5, 3)))
    return network, images, torch.tensor(rng.integers(2, size=6))


def losses(network, images, labels):
    return (
        cross_entropy(network(images[n : n + 1]), labels[n : n + 1]) for n in range(len(labels))
    )


def test_fisher_information_is_the_mean_square_of_each_trials_slopes():
    network, images, labels = lstm()
    found, h = fisher_information(network, losses(network, images, labels)), 1e-5
    assert set(found) == {name for name, _ in network.named_parameters()}
    for name, theta in trained(network).items():
        by_hand = np.zeros(found[name].shape)
        flat = theta.data.view(-1)
        for place in range(flat.numel()):
            there, seen = flat[place].item(), []
            for sign in (1, -1):
                flat[place] = there + sign * h
                with torch.no_grad():
                    seen.append([loss.item() for loss in losses(network, images, labels)])
            flat[place] = there
            by_hand.flat[place] = np.mean((np.subtract(*seen) / (2 * h)) ** 2)
        np.testing.assert_allclose(
            found[name], by_hand, rtol=0, atol=FINITE_DIFFERENCE * by_hand.max()
        )
        assert by_hand.any(), name


def test_the_penaltys_gradient_is_lambda_F_times_the_distance():
    network, images, labels = lstm()
    states = [consolidate(network, losses(network, images, labels))]
    nudge = torch.Generator().manual_seed(3)

    def move():
        with torch.no_grad():
            for theta in network.parameters():
                theta.add_(0.1 * torch.randn(theta.shape, generator=nudge, dtype=theta.dtype))

    move()
    states.append(consolidate(network, losses(network, images, labels)))
    move()
    value = elastic_weight_consolidation(states, 40)(network)
    value.backward()
    expected = 0
    for name, theta in trained(network).items():
        away = [theta.detach().numpy() - star[name] for star, _ in states]
        F = [fisher[name] for _, fisher in states]
        pull = sum(40 * f * d for f, d in zip(F, away, strict=True))
        expected += sum(np.sum(20 * f * d**2) for f, d in zip(F, away, strict=True))
        np.testing.assert_allclose(theta.grad.numpy(), pull, rtol=1e-12, atol=1e-16)
    assert value.item() == pytest.approx(expected, rel=1e-12) and expected > 0


@pytest.mark.parametrize("ei_positive_func", ["rectify", "abs"])
def test_the_twin_of_a_pycog_network_consolidates_the_same(ei_positive_func):
    step = small.step(ei_positive_func=ei_positive_func, train_brec=True)
    batch = small.batch(step.network)
    network = twin(step.network, step.parameters)

    def trial_losses():
        for n in range(batch.noise.shape[1]):
            one = as_tensors(network, Batch(*(array[:, n : n + 1] for array in batch)))
            z = network(one.inputs, one.noise).z
            yield masked_mean(pointwise_loss(z, one.targets, "linear"), one.mask)

    ours = pycog_ewc.consolidate(step, batch)
    theirs = consolidate(network, trial_losses())
    names = {
        name: torch_name
        for torch_name in theirs.fisher
        for name in step.network.trained
        if name in torch_name.split(".")
    }
    assert set(names) == set(step.network.trained) and len(names) == len(theirs.fisher)
    for name, torch_name in names.items():
        F = ours.fisher[name]
        np.testing.assert_array_equal(ours.theta_star[name], theirs.theta_star[torch_name])
        np.testing.assert_allclose(
            theirs.fisher[torch_name], F, rtol=0, atol=BETWEEN_PACKAGES * F.max()
        )

    rng = np.random.default_rng(5)
    elsewhere = step.parameters._replace(
        **{
            name: value + 0.1 * rng.normal(size=value.shape)
            for name, value in ours.theta_star.items()
        }
    )
    held = small.step(
        ei_positive_func=ei_positive_func,
        train_brec=True,
        penalties=(pycog_ewc.elastic_weight_consolidation([ours], 500),),
    )
    held.parameters = elsewhere
    network.load_raw(elsewhere._asdict())
    value = elastic_weight_consolidation([theirs], 500)(network).item()
    assert value == pytest.approx(float(held.gradients(batch)["penalty"]), rel=BETWEEN_PACKAGES)


def test_consolidating_leaves_the_network_and_its_gradients_alone():
    network, images, labels = lstm()
    before = {name: theta.detach().clone() for name, theta in network.named_parameters()}
    state = consolidate(network, losses(network, images, labels))
    for name, theta in network.named_parameters():
        assert theta.grad is None and torch.equal(theta, before[name])
        theta.data.zero_()
        assert state.theta_star[name].any()  # a copy


def test_parameters_that_are_not_trained_take_no_part():
    network, images, labels = lstm()
    network.encoder.weight.requires_grad_(False)
    state = consolidate(network, losses(network, images, labels))
    assert "encoder.weight" not in state.fisher and "encoder.bias" in state.fisher
    assert elastic_weight_consolidation([state], 1)(network).item() == 0


def test_what_cannot_be_used_is_one_clear_error():
    network, images, labels = lstm()
    for strength in (-1, float("nan"), True):
        with pytest.raises(SettingError, match="strength is"):
            elastic_weight_consolidation([], strength)
    with pytest.raises(ExamplesError, match="at least one trial"):
        fisher_information(network, [])
    with pytest.raises(ExamplesError, match=r"trial 0 for encoder\.weight"):
        fisher_information(network, losses(network, images * float("nan"), labels))
    state = consolidate(network, losses(network, images, labels))
    wide = LSTMClassifier(3, 5, 2, seed=1).network.double()
    with pytest.raises(StateError, match=r"holds shape \(4, 3\) for encoder\.weight"):
        elastic_weight_consolidation([state], 1)(wide)
    with pytest.raises(StateError, match="holds nothing"):
        elastic_weight_consolidation([EWCState({}, {})], 1)(network)
