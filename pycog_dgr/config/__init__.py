"""What a network and its training are: every setting, checked when it is given."""

from pycog_dgr.config.connectivity import Connectivity
from pycog_dgr.config.settings import (
    HIDDEN_ACTIVATIONS,
    NOISE_STREAMS,
    OUTPUT_ACTIVATIONS,
    RHO0_WITHOUT_DALE,
    UNUSED_IN_PYCOG,
    NetworkConfig,
    TrainingConfig,
    setting_names,
    settings,
    suggestion,
)

__all__ = [
    "HIDDEN_ACTIVATIONS",
    "NOISE_STREAMS",
    "OUTPUT_ACTIVATIONS",
    "RHO0_WITHOUT_DALE",
    "UNUSED_IN_PYCOG",
    "Connectivity",
    "NetworkConfig",
    "TrainingConfig",
    "setting_names",
    "settings",
    "suggestion",
]
