"""The biological RNN through numpy, PyTensor and torch: the same weights, batches and numbers."""

__all__ = ["backends", "cases", "comparison", "drift", "weights"]
