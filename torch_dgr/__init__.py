"""Solvers and generators in torch: LSTM, perceptron, GANs, VAEs, the biological network's twin.

Needs torch and numpy, and scikit-learn where a VAE is trained; arrays go in and come out as numpy.
Modules are imported by name (`from torch_dgr.lstm import LSTMClassifier`), so that importing the
package alone costs nothing.
"""
