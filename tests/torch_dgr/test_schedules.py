"""Learning rates rise and fall as torch's own schedules say."""

import numpy as np
import pytest
import torch

from torch_dgr.errors import SettingError, StateError
from torch_dgr.schedules import Position, late_decay, one_cycle


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


def test_a_position_comes_back_from_its_arrays():
    position = Position(10, 4)
    assert Position.from_arrays(position.arrays()) == position
    assert not position.finished
    assert Position(10, 10).finished
    position.check(6)
    with pytest.raises(SettingError, match="6 of 10 left"):
        position.check(7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"done": np.array(11)}, "11 of 10 iterations are done"),
        ({"done": np.array(-1)}, "done of the context is"),
        ({"iterations": np.array(0.5)}, "iterations of the context is"),
        ({"iterations": np.array([3, 4])}, "iterations of the context is"),
    ],
)
def test_a_position_that_is_none_is_refused(change, message):
    with pytest.raises(StateError, match=message):
        Position.from_arrays({**Position(10, 4).arrays(), **change})
