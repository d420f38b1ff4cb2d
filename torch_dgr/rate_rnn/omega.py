"""Omega, the regulariser that keeps gradients from vanishing over time.

Pascanu, Mikolov and Bengio 2013. D_t = dloss/dx_t, the total derivative, and as in the original,
whose rates do not pass on what reaches its buffer of x,

    d_t     = (1 - alpha) D_{t+1}   for t = 1..T-1,    d_T = 0
    num_t   = || (1 - alpha) d_t + (alpha d_t) Wrec * f'(x_t) ||^2
    den_t   = || d_t ||^2
    Omega   = sum_t mean_trials (num_t / den_t - 1)^2 / sum_t mean_trials 1
    nelems  = mean_t mean_trials 1                        each over the entries with den_t >= bound

Only the immediate derivative with respect to the raw Wrec is used (d, x and alpha held constant):
lambda_Omega times it joins Wrec's gradient. The reported cost leaves it out. Where no entry
reaches the bound Omega is NaN and its gradient 0.
"""

import torch
from torch import Tensor

from torch_dgr.rate_rnn.network import RateRNN

__all__ = ["vanishing_gradient_penalty"]


def vanishing_gradient_penalty(
    network: RateRNN, x: Tensor, D: Tensor, bound: float
) -> tuple[Tensor, Tensor]:
    """Return Omega, differentiable with respect to Wrec alone, and nelems.

    Parameters
    ----------
    network
        Whose alpha, Wrec and df enter.
    x, D
        Currents and dloss/dx_t, (time, trial, N), t = 1..T, detached.
    bound
        Least ||d_t||^2 that counts.
    """
    alpha = network.alpha.detach()
    d = torch.cat([(1 - alpha) * D[1:], torch.zeros_like(D[:1])])
    df = network.hidden.df(x)
    numerator = ((1 - alpha) * d + ((alpha * d) @ network.Wrec) * df).square().sum(dim=2)
    denominator = d.square().sum(dim=2)
    counted = denominator >= bound
    ratio = numerator / torch.where(counted, denominator, 1)
    terms = torch.where(counted, (ratio - 1).square(), 0)
    share = counted.to(x.dtype).mean(dim=1)
    return terms.mean(dim=1).sum() / share.sum(), share.mean()
