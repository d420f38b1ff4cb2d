"""What a rate network is made of, checked: names and shapes of parameters, tau, signs, masks."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from torch_dgr.errors import SettingError, shown
from torch_dgr.rate_rnn.constraint import Masks

__all__ = [
    "LOGIT",
    "MATRICES",
    "NAMES",
    "NEEDED",
    "VECTORS",
    "checked_bounds",
    "checked_masks",
    "checked_parameters",
    "checked_signs",
    "checked_tau",
    "checked_trained",
    "numbers",
]

MATRICES = ("Win", "Wrec", "Wout")
VECTORS = ("brec", "bout", "x0")
LOGIT = "alpha_logit"
NAMES = (*MATRICES, *VECTORS, LOGIT)
NEEDED = ("Wrec", "Wout", *VECTORS)


def checked_parameters(parameters: Mapping[str, np.ndarray | None]) -> dict[str, np.ndarray]:
    """Return the parameters that are there, in the order of NAMES, or raise SettingError."""
    if foreign := sorted(parameters.keys() - set(NAMES)):
        raise SettingError(f"unknown parameter {shown(foreign[0])}; known are {', '.join(NAMES)}")
    given = {name: parameters.get(name) for name in NAMES}
    values = {name: numbers(name, value) for name, value in given.items() if value is not None}
    if missing := [name for name in NEEDED if name not in values]:
        raise SettingError(f"parameter {missing[0]} is missing; give all of {', '.join(NEEDED)}")
    for name in MATRICES:
        if name in values and values[name].ndim != 2:
            raise SettingError(f"{name} has shape {values[name].shape}; give a matrix")
    N, Nout = len(values["Wrec"]), len(values["Wout"])
    if not N or not Nout:
        raise SettingError(
            f"a network of N = {N} units and Nout = {Nout} outputs; give both 1 or more"
        )
    shapes = {
        "Win": (N, values["Win"].shape[-1]) if "Win" in values else (),
        "Wrec": (N, N),
        "Wout": (Nout, N),
        "brec": (N,),
        "bout": (Nout,),
        "x0": (N,),
        LOGIT: (N,),
    }
    for name, shape in shapes.items():
        if name in values and values[name].shape != shape:
            raise SettingError(
                f"{name} has shape {values[name].shape}; with N = {N} units and "
                f"Nout = {Nout} outputs it has to be {shape}"
            )
    return values


def numbers(name: str, value: ArrayLike) -> np.ndarray:
    """Return value as an array of finite real numbers, or raise SettingError."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged nested lists
        raise SettingError(f"{name} is not one array ({error}); give equal rows") from error
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise SettingError(f"{name} of dtype {array.dtype} has to hold finite real numbers")
    return array


def checked_tau(tau: ArrayLike, dt: float, N: int) -> np.ndarray:
    """Return time constants, () or (N,), ms, or raise SettingError where dt exceeds one."""
    array = numbers("tau", tau).astype(float)
    if array.shape not in ((), (N,)):
        raise SettingError(f"tau has shape {array.shape}; give one time constant, or {N}")
    number = isinstance(dt, (int, float, np.number))
    if not (array > 0).all() or not number or not 0 < dt <= array.min():
        raise SettingError(
            f"dt is {dt} ms and the shortest tau {array.min():g} ms; 0 < dt <= tau has to hold"
        )
    return array


def checked_bounds(
    bounds: tuple[float, float] | None,
    tau: np.ndarray,
    dt: float,
    values: Mapping[str, np.ndarray],
) -> tuple[float, float] | None:
    """Return the bounds of trained time constants, ms; SettingError where they cannot hold."""
    if bounds is None:
        if LOGIT in values:
            raise SettingError(f"{LOGIT} is given without tau_bounds; give (low, high) in ms")
        return None
    array = numbers("tau_bounds", bounds).astype(float)
    if array.shape != (2,) or not dt <= array[0] < array[1]:
        raise SettingError(
            f"tau_bounds are {shown(bounds)} ms; give (low, high) with dt = {dt:g} ms <= low < high"
        )
    if LOGIT not in values and not (array[0] < tau.min() and tau.max() < array[1]):
        raise SettingError(
            f"tau starts from {tau.min():g} to {tau.max():g} ms; where it is trained it must start "
            f"between tau_bounds, {array[0]:g} and {array[1]:g} ms"
        )
    return float(array[0]), float(array[1])


def checked_signs(ei: np.ndarray | None, N: int, dtype: torch.dtype) -> Tensor | None:
    """Return the signs of the units (N,), or None; SettingError for others than +1 and -1."""
    if ei is None:
        return None
    ei = numbers("ei", ei)
    if ei.shape != (N,) or not np.isin(ei, (-1, 1)).all():
        raise SettingError(
            f"ei has shape {ei.shape} and values {np.unique(ei)}; give {N} signs, each +1 or -1"
        )
    return torch.tensor(ei, dtype=dtype)


def checked_trained(trained: Iterable[str]) -> set[str]:
    """Return the names that learn; SettingError for one that is no parameter's."""
    learning = set(trained)
    if foreign := sorted(learning - set(NAMES)):
        raise SettingError(f"trained names {shown(foreign[0])}; known are {', '.join(NAMES)}")
    return learning


def checked_masks(masks: Mapping[str, Masks], values: Mapping[str, np.ndarray]) -> dict[str, Masks]:
    """Return the masks of every matrix there is; SettingError for others and wrong ones."""
    if foreign := sorted(masks.keys() - set(MATRICES)):
        raise SettingError(f"masks name {shown(foreign[0])}; known are {', '.join(MATRICES)}")
    checked = {}
    for name in MATRICES:
        if name not in values:
            continue
        shape = values[name].shape
        given = masks.get(name, Masks(np.ones(shape), np.zeros(shape)))
        plastic, fixed = (numbers(f"the mask of {name}", mask).astype(float) for mask in given)
        if plastic.shape != shape or fixed.shape != shape:
            raise SettingError(
                f"masks of {name} have shapes {plastic.shape} and {fixed.shape}; "
                f"give two of {shape}"
            )
        if not np.isin(plastic, (0, 1)).all() or ((plastic != 0) & (fixed != 0)).any():
            raise SettingError(
                f"masks of {name}: plastic has to hold 0 and 1 alone, and no "
                "entry can be plastic and fixed"
            )
        checked[name] = Masks(plastic, fixed)
    return checked
