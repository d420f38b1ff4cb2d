"""A hundred updates of the thesis' network on 64 images (mnist_*.npz), through both backends."""

import numpy as np

from pycog_dgr.data import Batch
from pycog_dgr.network import initial_parameters
from pycog_dgr.training import BACKENDS, TrainingStep
from tests.golden_kinds.core_common import (
    Coverage,
    configuration,
    float_type,
    initial_from,
    load,
)
from tests.golden_kinds.step import ONE_STEP, effective, leaked
from tests.golden_kinds.tasks_common import decoded, error, same
from tests.golden_kinds.tolerances import EXACT, LAST_BITS, ONE_PASS, TRAINED

UPDATES = 100
SNAPSHOTS = (1, 10, 100)


def reads(path):
    return path.name.startswith("mnist_") and path.suffix == ".npz"


def check(path, backends=BACKENDS):
    """Yield (what, error, tolerance). The file of the images is read with those that name it."""
    if path.name.startswith("mnist_data"):
        with np.load(path, allow_pickle=False) as data:
            n_trial = len(data["labels"])
            yield "labels and indices", same(data["image_index"].shape, [n_trial]), EXACT
            yield "inputs", same(data["u"].shape[:2], [28, n_trial]), EXACT
        return
    for backend in backends:
        for what, difference, tolerance in compare(path, backend):
            yield f"{backend}: {what}", difference, tolerance


def compare(path, backend):
    arrays, meta = load(path)
    floatX = float_type(path)
    golden = Coverage(arrays)
    given, training = configuration(meta["params"], arrays)
    drawn, network = initial_parameters(given, training.seed)
    batch = image_batch(path.with_name(meta["data_file"]), network, meta["variant"])
    step = TrainingStep(network, training, initial_from(arrays, drawn), floatX, backend)
    one_pass, trained = ONE_PASS[floatX], TRAINED[floatX]
    scaled = LAST_BITS if floatX == "float64" else np.finfo(floatX).eps

    args = [network.alpha, training.lambda_Omega, training.learning_rate]
    args += [training.max_gradient_norm, training.bound]
    wanted = [float(value) for value in decoded(meta["args"])]
    yield "args", same([float(value) for value in args], wanted), EXACT
    for name in network.trained:
        value = getattr(drawn, name).astype(floatX)
        yield f"init_{name}", error(value, golden[f"init_{name}"]), scaled
    yield from effective(step.weights, "eff_", golden, scaled)

    got = step.gradients(batch)
    got["g_x"] = leaked(got["D"], network.alpha)
    for name, key in (ONE_STEP | {"g_x": "g_x"}).items():
        if f"p0_{key}" in golden:
            expected = golden[f"p0_{key}"]
            value = got[name][:, : expected.shape[1]] if key in ("x", "g_x") else got[name]
            yield f"p0_{key}", error(value, expected), one_pass
    for name in network.trained:
        yield f"p0_grad_{name}", error(got[f"grad_{name}"], golden[f"p0_grad_{name}"]), one_pass

    history = []
    for i in range(1, UPDATES + 1):
        history.append(step.update(batch))
        if i in SNAPSHOTS:
            for name in network.trained:
                key = f"after{i}_{name}"
                yield key, error(getattr(step.parameters, name), golden[key]), trained
    yield "hist", error(history, golden["hist"]), trained
    loss, rmse, z = step.evaluate(batch)
    yield "fcost_after100", error([loss, rmse], golden["fcost_after100"]), trained
    yield "z_last_after100", error(z[-1], golden["z_last_after100"]), trained
    yield "keys read", same(sorted(golden.unread), []), EXACT


def image_batch(path, network, variant):
    """Inputs and noise as stored; one-hot targets at every step; the mask of the variant."""
    with np.load(path, allow_pickle=False) as data:
        u, labels = data["u"], data["labels"]
    targets = np.zeros((*u.shape[:2], network.Nout))
    targets[:, np.arange(len(labels)), labels] = 1
    mask = np.zeros_like(targets)
    mask[slice(None) if variant == "all" else -1] = 1
    return Batch(u[:, :, : network.Nin], targets, mask, u[:, :, network.Nin :])
