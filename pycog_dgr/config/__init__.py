"""What a network and its training are: every setting, checked when it is given."""

from pycog_dgr.config.checks import LARGEST_SEED, suggestion
from pycog_dgr.config.connectivity import Connectivity
from pycog_dgr.config.description import Setting, described, described_setting
from pycog_dgr.config.keywords import (
    UNUSED_IN_PYCOG,
    setting_names,
    setting_values,
    settings,
)
from pycog_dgr.config.network import (
    HIDDEN_ACTIVATIONS,
    OUTPUT_ACTIVATIONS,
    RHO0_WITHOUT_DALE,
    SPECTRUM_MATCHED,
    NetworkConfig,
)
from pycog_dgr.config.training import FUNCTIONS, NOISE_STREAMS, TrainingConfig

__all__ = [
    "FUNCTIONS",
    "HIDDEN_ACTIVATIONS",
    "LARGEST_SEED",
    "NOISE_STREAMS",
    "OUTPUT_ACTIVATIONS",
    "RHO0_WITHOUT_DALE",
    "SPECTRUM_MATCHED",
    "UNUSED_IN_PYCOG",
    "Connectivity",
    "NetworkConfig",
    "Setting",
    "TrainingConfig",
    "described",
    "described_setting",
    "setting_names",
    "setting_values",
    "settings",
    "suggestion",
]
