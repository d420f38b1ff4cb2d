"""Noise drawn on demand is the noise that would have been kept, to the last bit, for every use."""

import numpy as np
import pytest

from pycog_dgr.config import settings
from pycog_dgr.data import Dataset, NoiseOnDemand, NormalStream, Requests, on_demand
from pycog_dgr.kernels import get_kernels
from pycog_dgr.network import initial_parameters
from pycog_dgr.training import TrainingStep
from tests.golden_kinds.tasks_common import task

LAST = 2**64 - 20  # from there on places in the stream begin with 0 again
SHAPES = [(7, 5, 3), (8, 5, 3), (1, 1, 1), (9, 40, 33), (6, 3, 4)]
P = {"Nin": 3, "N": 12, "Nout": 2, "tau": 100, "dt": 20, "var_rec": 0.1, "noise_stream": "fast"}


def scales(N):
    return [np.array([0.3], np.float32), np.linspace(0.1, 2, N).astype(np.float32)]


@pytest.fixture
def little(monkeypatch):
    """Noise of more than 1,000 numbers counts as much."""
    monkeypatch.setattr(on_demand, "MOST_KEPT", 1000)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernels", ["numba", "numpy"])
def test_every_part_is_that_of_the_whole(shape, kernels, monkeypatch):
    monkeypatch.setattr(on_demand, "fastest_kernels", lambda: kernels)
    for scale in scales(shape[2]):
        stream, same = NormalStream(LAST), NormalStream(LAST)
        noise, whole = NoiseOnDemand(stream, shape, scale), np.empty(shape, np.float32)
        rows = whole.reshape(-1, len(scale))
        positions = same.places(Requests.of(np.array([[whole.size]])))[0]
        get_kernels(kernels).normals(positions, np.array([len(rows)]), scale, rows)
        assert stream.position == same.position
        np.testing.assert_array_equal(noise, whole)
        for begin in range(shape[1]):
            for end in range(begin, shape[1] + 1):
                np.testing.assert_array_equal(noise[:, begin:end], whole[:, begin:end])


def test_it_is_read_as_an_array_is():
    noise = NoiseOnDemand(NormalStream(3), (6, 4, 5), np.ones(1, np.float32))
    whole = np.asarray(noise)
    assert (noise.shape, noise.ndim, noise.size, len(noise)) == ((6, 4, 5), 3, 120, 6)
    everything = slice(None)
    keys = [2, (..., 0), np.array([0, 5]), (everything, 1), (slice(1, 3), slice(0, 2))]
    keys += [(everything, slice(*ends)) for ends in ((-2, 9), (3, 1), (None, None, 2))]
    for key in keys:
        np.testing.assert_array_equal(noise[key], whole[key])
    np.testing.assert_array_equal(list(noise), whole)
    np.testing.assert_array_equal(noise + whole, 2 * whole)
    double = noise.astype("float64")
    assert double.dtype == double[:, 1:2].dtype == np.asarray(double).dtype == np.float64
    np.testing.assert_array_equal(double, whole)
    assert noise.dtype == noise[:, 1:2].dtype == np.float32
    whole[:] = 0  # an array of its own
    assert np.asarray(noise).any()
    with pytest.raises(TypeError):
        noise[0] = 0


def batch_of(n_trial, floatX="float32", N=12, **more):
    """Network, training and a batch; the trials of the task have different lengths."""
    network, training = settings(**P | {"N": N} | more)
    data = Dataset(n_trial, task("rdm_varstim"), floatX, network, training, name="validation")
    return network, training, data([])


def kept(batch):
    assert isinstance(batch.noise, NoiseOnDemand)
    return batch._replace(noise=np.asarray(batch.noise))


def same(got, expected):
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("floatX", ["float32", "float64"])
@pytest.mark.parametrize("var_rec", [0.1, np.linspace(0.1, 0.2, 12)])
def test_a_large_batch_has_the_noise_that_it_would_have_kept(floatX, var_rec, little, monkeypatch):
    much = batch_of(24, floatX, var_rec=var_rec)[-1]
    monkeypatch.setattr(on_demand, "MOST_KEPT", 10**9)
    little = batch_of(24, floatX, var_rec=var_rec)[-1]
    assert isinstance(much.noise, NoiseOnDemand) and isinstance(little.noise, np.ndarray)
    assert much.noise.dtype == little.noise.dtype and much.noise.shape == little.noise.shape
    same(much, little)


@pytest.mark.parametrize("more", [{"noise_stream": "original"}, {"var_rec": np.eye(12)}])
def test_what_comes_number_after_number_is_kept(more, little):
    assert isinstance(batch_of(24, **more)[-1].noise, np.ndarray)


def test_without_variance_noise_is_zero(little):
    assert not batch_of(24, var_rec=0)[-1].noise.any()


def test_minibatches_of_a_stored_batch_are_its_parts(little):
    network, training, whole = batch_of(24)
    data = Dataset(8, task("rdm_varstim"), "float32", network, training, 24, name="validation")
    for begin in (0, 8, 16):
        same(data([]), [array[:, begin : begin + 8] for array in whole])


@pytest.mark.parametrize("n_trial", [20, 40, 41, 75])
@pytest.mark.parametrize("share", [1, 0.1])
def test_a_network_is_evaluated_and_trained_as_on_kept_noise(n_trial, share, little):
    """With most connections, and with so few that entries are multiplied one by one."""
    N = 120
    Crec = np.random.default_rng(1).uniform(size=(N, N)) < share
    network, training, batch = batch_of(n_trial, N=N, Crec=Crec.astype(float))
    parameters, network = initial_parameters(network, 1)
    step, other = (TrainingStep(network, training, parameters, "float32") for _ in range(2))
    same(step.evaluate(batch), other.evaluate(kept(batch)))
    same(step.update(batch), other.update(kept(batch)))
    same(step.parameters[1:2], other.parameters[1:2])
    double = TrainingStep(network, training, parameters, "float64")
    same(double.evaluate(batch), double.evaluate(kept(batch)))


def test_the_graph_takes_it_too(little):
    network, training, batch = batch_of(20)
    parameters, network = initial_parameters(network, 1)
    penalty = (lambda raw, states: (states.x**2).mean(),)
    step = TrainingStep(network, training, parameters, penalties=penalty)
    same(step.evaluate(batch), step.evaluate(kept(batch)))
    one, other = step.gradients(batch), step.gradients(kept(batch))
    same(one.values(), other.values())
