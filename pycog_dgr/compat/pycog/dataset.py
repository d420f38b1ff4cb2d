"""pycog.dataset."""

from pycog_dgr import Dataset

__all__ = ["Dataset"]
