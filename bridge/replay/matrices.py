"""What an accuracy matrix says: R[i, j], accuracy (%) on context j after context i.

    average accuracy    A = mean_j R[n, j]                          Lopez-Paz and Ranzato 2017
    forgetting          F = mean_{j<n} ( max_{i<n} R[i, j] - R[n, j] )    Chaudhry et al. 2018
    backward transfer   B = mean_{j<n} ( R[n, j] - R[j, j] )        Lopez-Paz and Ranzato 2017
    forward transfer    W = mean_{j>1} ( R[j-1, j] - R[0, j] )      Lopez-Paz and Ranzato 2017

R[0] is the untrained network's row. B is above 0 where later contexts have improved earlier ones;
Diaz-Rodriguez, Lomonaco, Filliat and Maltoni (2018) compare these measures with others.
"""

import numpy as np
from numpy.typing import NDArray


def average_accuracy(R: NDArray) -> float:
    """Mean accuracy (%) over all contexts after the last one.

    Parameters
    ----------
    R
        (context, context), accuracy (%) after context i on context j.

    Returns
    -------
    float
    """
    return float(np.mean(R[-1]))


def forgetting(R: NDArray) -> float:
    """Mean drop (points) from the best earlier accuracy on a context to the last one.

    Parameters
    ----------
    R
        (context, context), accuracy (%) after context i on context j; two contexts at least.

    Returns
    -------
    float
    """
    return float(np.mean(R[:-1, :-1].max(axis=0) - R[-1, :-1]))


def backward_transfer(R: NDArray) -> float:
    """Mean change (points) of a context's accuracy since it was learnt.

    Parameters
    ----------
    R
        (context, context), accuracy (%) after context i on context j; two contexts at least.

    Returns
    -------
    float
    """
    learnt = np.diag(R)[:-1]
    return float(np.mean(R[-1, :-1] - learnt))


def forward_transfer(R: NDArray, untrained: NDArray) -> float:
    """Mean gain (points) on a context, before it is learnt, over the untrained network.

    Parameters
    ----------
    R
        (context, context), accuracy (%) after context i on context j; two contexts at least.
    untrained
        (context,), accuracy (%) of the untrained network.

    Returns
    -------
    float
    """
    return float(np.mean(np.diag(R, 1) - untrained[1:]))
