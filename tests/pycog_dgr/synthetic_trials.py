"""Trials made by hand, for analyses whose answers are known."""

import numpy as np

from pycog_dgr.running.trials import Trials

DT = 10.0  # ms


def synthetic(rates=None, outputs=None, lengths=None, info=None, epochs=None):
    """Trials with these arrays (trial, time, unit); rates or outputs may be missing."""
    shape = (rates if rates is not None else outputs).shape[:2]
    empty = np.zeros((*shape, 1))
    rates, outputs = (empty if array is None else array for array in (rates, outputs))
    return Trials(
        t=DT * np.arange(shape[1]),
        inputs=np.zeros((*shape, 0)),
        rates=rates,
        outputs=outputs,
        targets=np.full(outputs.shape, np.nan),
        lengths=np.full(shape[0], shape[1]) if lengths is None else np.asarray(lengths),
        info={name: np.asarray(column) for name, column in (info or {}).items()},
        epochs={name: np.asarray(span, float) for name, span in (epochs or {}).items()},
    )
