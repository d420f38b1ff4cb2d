"""pycog.rnn: the network to run, and the activation functions beside it."""

from pycog_dgr import RNN
from pycog_dgr.network import ACTIVATIONS as activation_functions

rectify = activation_functions["rectify"]
rectify_power = activation_functions["rectify_power"]
sigmoid = activation_functions["sigmoid"]
rtanh = activation_functions["rtanh"]
softmax = activation_functions["softmax"]

__all__ = [
    "RNN", "activation_functions", "rectify", "rectify_power", "rtanh", "sigmoid", "softmax",
]  # fmt: skip
