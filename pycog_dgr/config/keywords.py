"""From a pycog-style dictionary of settings to the two dataclasses, and back."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config.checks import cut, suggestion
from pycog_dgr.config.network import NetworkConfig
from pycog_dgr.config.training import FUNCTIONS, TrainingConfig
from pycog_dgr.errors import SettingError

logger = logging.getLogger(__name__)

COVARIANCE_TOLERANCE = 1e-8  # by which rounding may make an eigenvalue negative, of the largest
UNUSED_IN_PYCOG = {"momentum": False, "method": "sgd", "extra_info": {}}  # and their defaults


def settings(**keywords: Any) -> tuple[NetworkConfig, TrainingConfig]:
    """Split, check and complete a dictionary of pycog settings.

    Parameters
    ----------
    **keywords
        Settings by the names they have in pycog.

    Returns
    -------
    NetworkConfig, TrainingConfig
        Complete and checked.

    Raises
    ------
    SettingError
        For an unknown name (with the nearest known one), a value of the wrong type, range or shape,
        and for settings that pycog took but never used.
    """
    network_names, training_names = setting_names(NetworkConfig), setting_names(TrainingConfig)
    known = setting_names()
    for name in set(keywords) & set(UNUSED_IN_PYCOG):
        if keywords.pop(name) != UNUSED_IN_PYCOG[name]:
            raise SettingError(f"setting {name}: pycog accepted it but never used it; remove it")
    for name in keywords:
        if name not in known:
            raise SettingError(f"unknown setting {cut(name)}{suggestion(name, known)}")
    network = NetworkConfig(**{k: v for k, v in keywords.items() if k in network_names})
    if network.mode == "continuous":
        if keywords.get("n_gradient", 1) != 1:
            logger.info("continuous mode: n_gradient is 1, not %s", keywords["n_gradient"])
        keywords["n_gradient"] = 1
    training = TrainingConfig(**{k: v for k, v in keywords.items() if k in training_names})
    check_variance("var_in", training.var_in, network.Nin)
    check_variance("var_rec", training.var_rec, network.N)
    return network, training


def setting_names(config: type | None = None) -> tuple[str, ...]:
    """Names of the settings of one of the two dataclasses, of both where none is given.

    Parameters
    ----------
    config
        NetworkConfig or TrainingConfig.

    Returns
    -------
    tuple of str
        The names, in the order of the fields.
    """
    configs = (NetworkConfig, TrainingConfig) if config is None else (config,)
    return tuple(field.name for one in configs for field in dataclasses.fields(one))


def setting_values(network: NetworkConfig, training: TrainingConfig) -> dict[str, Any]:
    """Name -> value of all settings that a file can hold; `settings(**values)` reads them back.

    Parameters
    ----------
    network, training
        The two dataclasses.

    Returns
    -------
    dict
        Functions are left out.
    """
    values = {**vars(network), **vars(training)}
    return {name: value for name, value in values.items() if name not in FUNCTIONS}


def check_variance(name: str, variance: float | NDArray, units: int) -> None:
    """SettingError unless the variance is a number, one per unit, or a covariance matrix."""
    if not isinstance(variance, np.ndarray):
        return
    if variance.shape not in ((units,), (units, units)):
        raise SettingError(
            f"setting {name}: expected a number, shape ({units},) or ({units}, {units}), "
            f"got {variance.shape}"
        )
    if variance.ndim == 2 and not np.allclose(variance, variance.T, rtol=1e-10, atol=0):
        raise SettingError(f"setting {name}: a covariance matrix must be symmetric")
    if variance.ndim == 2 and units:
        eigenvalues = np.linalg.eigvalsh(variance)
        if eigenvalues[0] < -COVARIANCE_TOLERANCE * eigenvalues[-1]:
            raise SettingError(
                f"setting {name}: a covariance matrix has no negative eigenvalue, this one has "
                f"{eigenvalues[0]:g}; lower its covariances"
            )
