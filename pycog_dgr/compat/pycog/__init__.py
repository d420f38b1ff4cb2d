"""What `import pycog` finds: the original's modules under the original's names."""

from pycog_dgr import RNN, Connectivity, Model, datatools, fittools, tasktools

__all__ = ["RNN", "Connectivity", "Model", "datatools", "fittools", "tasktools"]
