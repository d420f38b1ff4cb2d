"""pycog.model: Model, and a namespace made of keywords."""

from types import SimpleNamespace as Struct

from pycog_dgr import Model

__all__ = ["Model", "Struct"]
