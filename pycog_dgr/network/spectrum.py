"""Recurrent weights under Dale's law whose singular values are those of a Gaussian matrix.

A matrix of one sign a column has one singular value far above the others: gradients through time
grow along it and vanish elsewhere. Two sets are projected onto in turn, PROJECTIONS times:

    W <- U diag(S) V^T        of W's own U and V, the nearest matrix with the singular values S
    W <- signs max(signs W, FLOOR) on plastic places, fixed weights on theirs, 0 elsewhere

Source: P. Li, J. Cornford, A. Ghosh, B. Richards (2023), Learning better with Dale's Law: a
spectral perspective, NeurIPS 36, who compare the spectra; alternating projection is this package's
way to match them.

| symbol | name                                          | shape  | unit |
|--------|-----------------------------------------------|--------|------|
| W      | signed, masked recurrent weights (post, pre)  | (N, N) | 1    |
| S      | singular values of N(0, 1/N) entries, sorted  | (N,)   | 1    |
| signs  | ei of the presynaptic unit; 1 without it      | (N,)   | 1    |
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.config import SPECTRUM_MATCHED, NetworkConfig

PROJECTIONS = 300
FLOOR = 1e-4  # least magnitude of a plastic weight under Dale's law
OUTPUT_NORM = 0.3  # Euclidean, of what one output reads
GAMMA_MEAN = 0.1  # of a weight whose connectivity is 1


def spectrum_matched(W: NDArray, network: NetworkConfig, rng: RandomState) -> NDArray:
    """Raw recurrent weights (N, N) with a Gaussian matrix's spectrum.

    Parameters
    ----------
    W : ndarray of shape (N, N)
        Where to begin: raw weights at the plastic places.
    network : NetworkConfig
        Its Crec and ei.
    rng : RandomState
        Draws the Gaussian matrix, N^2 numbers.

    Returns
    -------
    ndarray of shape (N, N)
        0 where nothing is plastic; magnitudes under Dale's law.
    """
    N = network.N
    plastic = network.Crec.mask_plastic
    signs = np.ones(N) if network.ei is None else network.ei.astype(float)
    fixed = network.Crec.mask_fixed * signs
    S = np.linalg.svd(rng.normal(size=(N, N)) / np.sqrt(N), compute_uv=False)
    signed = plastic * W * signs + fixed
    signed *= S.sum() / np.linalg.svd(signed, compute_uv=False).sum()
    raw = plastic * W
    for _ in range(PROJECTIONS):
        U, _, V_T = np.linalg.svd(signed)
        nearest = (U * S) @ V_T * signs
        raw = plastic * (nearest if network.ei is None else np.maximum(nearest, FLOOR))
        signed = raw * signs + fixed
    return raw


def spectrum_matched_settings(
    Nin: int, N: int, Nout: int, ei: ArrayLike | None, gamma_k: float = 2.0
) -> dict[str, Any]:
    """Settings that begin a network of these sizes with a matched spectrum and balanced outputs.

    Parameters
    ----------
    Nin, N, Nout : int
        Inputs, units, outputs.
    ei : ndarray of shape (N,), or None
        Dale's law; without it, weights are normal instead of gamma-distributed.
    gamma_k : float
        The setting's value.

    Returns
    -------
    dict of str to object
        distribution_in, _rec and _out, Cin and Cout, for `settings`: inputs of size
        1 / sqrt(Nin), and outputs that read both kinds of units alike, with norm OUTPUT_NORM.
    """
    rms = GAMMA_MEAN * np.sqrt(1 + 1 / gamma_k)
    balance = np.ones(N)
    signs = balance if ei is None else np.asarray(ei)
    if (signs < 0).any():
        balance = np.where(signs < 0, (signs > 0).sum() / (signs < 0).sum(), 1.0)
    scale_out = OUTPUT_NORM * balance / np.linalg.norm(balance)
    scale_in = rms / np.sqrt(Nin)
    distribution, unit = ("normal", 1.0) if ei is None else ("gamma", rms)
    return {
        "distribution_rec": SPECTRUM_MATCHED,
        "distribution_in": distribution,
        "distribution_out": distribution,
        "Cin": np.full((N, Nin), scale_in / unit),
        "Cout": np.tile(scale_out / unit, (Nout, 1)),
    }
