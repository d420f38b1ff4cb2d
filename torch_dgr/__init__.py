"""Solvers and generators in torch: the LSTM, the GAN and the twin of the biological network.

Needs torch and numpy only; arrays go in and come out as numpy. Modules are imported by name
(`from torch_dgr.lstm import LSTMClassifier`), so that importing the package alone costs nothing.
"""
