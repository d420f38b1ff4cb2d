"""pycog.defaults: every setting's default by name. A setting with no default of its own is None."""

import dataclasses

from pycog_dgr.config import UNUSED_IN_PYCOG, NetworkConfig, TrainingConfig

defaults = {
    **UNUSED_IN_PYCOG,
    **{
        field.name: {} if field.default is dataclasses.MISSING else field.default
        for config in (NetworkConfig, TrainingConfig)
        for field in dataclasses.fields(config)
    },
}

__all__ = ["defaults"]
