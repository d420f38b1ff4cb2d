"""How often the guard against explosions stepped in is counted, and kept with the optimiser."""

import torch

from torch_dgr.rate_rnn.optimiser import ClippedSGD


def test_the_guards_steps_are_counted_and_go_with_the_optimisers_state(caplog):
    one, other = (torch.nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(2))
    optimiser = ClippedSGD([{"params": [one], "shrink": 0.02}, {"params": [other]}], lr=0.1)
    for gradient in (1.0, float("nan"), 2.0, 1e11, float("inf")):
        for parameter in (one, other):
            parameter.grad = torch.full_like(parameter, gradient)
        optimiser.step()
    assert optimiser.skipped == 3
    (said,) = caplog.messages
    assert "the gradient of parameter 0, shape (2,), is nan at (0,)" in said
    again = ClippedSGD([{"params": [one]}, {"params": [other]}])
    assert again.skipped == 0
    again.load_state_dict(optimiser.state_dict())
    assert again.skipped == 3
