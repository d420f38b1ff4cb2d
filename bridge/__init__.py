"""The bridge: numpy batches between the two backends, and generative replay built on them.

Importing `bridge` is quick and loads neither PyTensor nor torch; each backend is imported when
a solver or a generator of its kind is first made (`bridge.networks`).
"""
