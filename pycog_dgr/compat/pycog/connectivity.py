"""pycog.connectivity."""

from pycog_dgr import Connectivity

__all__ = ["Connectivity"]
