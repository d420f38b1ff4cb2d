"""Learning rates rise and fall as torch's own schedules say."""

import pytest
import torch

from torch_dgr.schedules import late_decay, one_cycle


@pytest.mark.parametrize("steps", [7, 50, 2001])
@pytest.mark.parametrize("rise", [0.1, 0.25])
def test_one_cycle_is_torchs(steps, rise):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 1.0, total_steps=steps, pct_start=rise, cycle_momentum=False
    )
    for step in range(steps):
        expected = optimiser.param_groups[0]["lr"]
        assert one_cycle(step, steps, rise) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        optimiser.step()
        if step + 1 < steps:
            scheduler.step()


@pytest.mark.parametrize("steps", [1, 2, 10, 20])
def test_one_cycle_holds_for_a_few_steps(steps):
    factors = [one_cycle(step, steps) for step in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)


def test_late_decay_is_flat_then_falls_to_its_least():
    assert [late_decay(step, 100) for step in (0, 50, 75, 99)] == [1, 1, 0.5, 0.05]
