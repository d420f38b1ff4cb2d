"""Random small networks and batches for property tests, and one fixed small case."""

import numpy as np
from hypothesis import strategies as st

from bridge.crosscheck.backends import Start
from bridge.crosscheck.comparison import Case
from pycog_dgr.config import HIDDEN_ACTIVATIONS, OUTPUT_ACTIVATIONS, Connectivity, settings
from pycog_dgr.data import Batch
from pycog_dgr.network import initial_parameters


def started(seed=1, **given):
    """A Start with initial parameters drawn from a seed."""
    network, training = settings(**given)
    parameters, network = initial_parameters(network, seed)
    return Start(network, training, parameters)


def random_batch(start, rng, times=6, trials=3):
    """A batch (time, trial, ...) of uniform inputs and targets with a real-valued mask."""
    network = start.network
    shape = (times, trials)
    targets = rng.uniform(size=(*shape, network.Nout))
    if network.output_activation == "softmax":
        targets /= targets.sum(axis=2, keepdims=True)
    return Batch(
        inputs=rng.uniform(size=(*shape, network.Nin)),
        targets=targets,
        mask=rng.uniform(size=targets.shape) * (rng.uniform(size=targets.shape) < 0.8) + 1e-3,
        noise=0.1 * rng.normal(size=(*shape, network.N)),
    )


def case_of(start, name="small", seed=0, **sizes):
    """A Case of endless random batches."""

    def batches():
        rng = np.random.default_rng(seed)
        while True:
            yield random_batch(start, rng, **sizes)

    return Case(name, start, batches)


def small_start(**more):
    """Eight units with Dale's law, masks on all matrices, fixed weights, two kinds of bias."""
    C = np.ones((8, 8)) - np.eye(8)
    ring = np.zeros((8, 8))
    ring[np.arange(8), (np.arange(8) + 1) % 8] = 0.2
    C[ring != 0] = 0
    Cin, column = np.ones((8, 2)), np.zeros((8, 2))
    Cin[:3, 0], Cin[5, 1], column[5, 1] = 0, 0, 0.3
    Cout = np.ones((3, 8))
    Cout[:, 6:] = 0
    return started(
        **{
            "Nin": 2,
            "N": 8,
            "Nout": 3,
            "ei": np.repeat([1, -1], [6, 2]),
            "Crec": Connectivity(C, ring),
            "Cin": Connectivity(Cin, column),
            "Cout": Cout,
            "train_brec": True,
            "train_bout": True,
            "n_gradient": 3,
            **more,
        }
    )


@st.composite
def starts(draw):
    """Random shapes, time constants, masks, fixed weights, signs, activations and penalties."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    N = draw(st.integers(3, 6))
    Nin, Nout = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    given = {
        "Nin": Nin, "N": N, "Nout": Nout,
        "hidden_activation": draw(st.sampled_from(HIDDEN_ACTIVATIONS)),
        "output_activation": draw(st.sampled_from(OUTPUT_ACTIVATIONS)),
        "tau": rng.uniform(50, 150, N) if draw(st.booleans()) else 100.0,
        "dt": draw(st.sampled_from([5.0, 20.0, 50.0])),
        "x0": rng.uniform(0.05, 0.5, N), "brec": rng.normal(size=N), "bout": rng.normal(size=Nout),
        "train_brec": draw(st.booleans()), "train_bout": draw(st.booleans()),
        "train_x0": draw(st.booleans()),
        "lambda1_rec": draw(st.sampled_from([0.0, 0.1])), "lambda2_in": 0.2,
        "lambda2_r": draw(st.sampled_from([0.0, 0.3])),
        "max_gradient_norm": draw(st.sampled_from([0.01, 1.0, 100.0])), "n_gradient": 3,
    }  # fmt: skip
    if draw(st.booleans()):
        given["ei"] = np.where(np.arange(N) < N - 1, 1, -1)
        given["ei_positive_func"] = draw(st.sampled_from(["rectify", "abs"]))
    if draw(st.booleans()):
        ring = np.roll(np.eye(N), 1, axis=1)
        fixed = 0.2 * ring * (rng.uniform(size=(N, 1)) < 0.5)
        plastic = ((rng.uniform(size=(N, N)) < 0.5) | (ring != 0)) & (fixed == 0)
        given["Crec"] = Connectivity(plastic.astype(float), fixed)
        given["Cout"] = Connectivity((rng.uniform(size=(Nout, N)) < 0.7).astype(float))
        if Nin:
            given["Cin"] = Connectivity((rng.uniform(size=(N, Nin)) < 0.7).astype(float))
    return started(seed=int(rng.integers(1000)), **given)
