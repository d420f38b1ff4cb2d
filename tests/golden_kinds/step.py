"""Forward pass, gradients, Omega and fifty updates (step_*.npz), through both backends."""

import numpy as np

from pycog_dgr.data import Batch
from pycog_dgr.network import initial_parameters
from pycog_dgr.symbolic.scan import alpha_of
from pycog_dgr.training import BACKENDS, TrainingStep
from tests.golden_kinds.core_common import (
    Coverage,
    configuration,
    float_type,
    initial_from,
    load,
)
from tests.golden_kinds.tasks_common import decoded, error, same
from tests.golden_kinds.tolerances import EXACT, LAST_BITS, ONE_PASS, TRAINED

N_BATCHES = 5
UPDATES = 50
SNAPSHOTS = (1, 2, 10, 50)
ONE_STEP = {  # our name -> the fixture's
    "loss": "loss", "penalty": "regs", "error": "error", "x": "x", "z": "z",
    "Omega": "Omega", "omega_gradient": "dOmega_dWrec", "nelems": "nelems",
}  # fmt: skip
EFFECTIVE = {"Win": "Win_", "Wrec": "Wrec_", "Wout": "Wout_"}


def reads(path):
    return path.name.startswith("step_") and path.suffix == ".npz"


def check(path, backends=BACKENDS):
    """Yield (what, error, tolerance)."""
    for backend in backends:
        for what, difference, tolerance in compare(path, backend):
            yield f"{backend}: {what}", difference, tolerance


def compare(path, backend):
    arrays, meta = load(path)
    floatX = float_type(path)
    golden = Coverage(arrays)
    given, training = configuration(meta["params"], arrays)
    drawn, network = initial_parameters(given, training.seed)
    batches = minibatches(path, network)
    step = TrainingStep(network, training, initial_from(arrays, drawn), floatX, backend)
    one_pass, trained = ONE_PASS[floatX], TRAINED[floatX]
    scaled = LAST_BITS if floatX == "float64" else np.finfo(floatX).eps

    used = (network.dt, network.hidden_activation, network.output_activation, network.mode)
    wanted = (meta[k] for k in ("dt", "hidden_activation", "output_activation", "mode"))
    yield "settings", same(list(used), list(wanted)), EXACT
    yield "trainables", same(list(network.trained), meta["trainables"]), EXACT
    yield "n_gradient", same(training.n_gradient, meta["n_gradient_used"]), EXACT
    alpha, *rest = decoded(meta["train_step_args[alpha,lambda_Omega,lr,maxnorm,bound]"])
    own = (training.lambda_Omega, training.learning_rate)
    own += (training.max_gradient_norm, training.bound)
    yield "train_step_args", same([float(v) for v in own], [float(v) for v in rest]), EXACT
    own = alpha_of(step.weights, network, floatX).data if np.ndim(alpha) else network.alpha
    yield "alpha", max(error(own, alpha), error(own, golden["alpha"])), EXACT
    for name in network.trained:
        value = getattr(drawn, name).astype(floatX)
        yield f"init_{name}", error(value, golden[f"init_{name}"]), scaled
    yield from effective(step.weights, "eff_", golden, scaled)

    yield from one_step(step, batches[0], "p0_", golden, one_pass)
    evaluation = step.evaluate(batches[0])
    yield "fcost0", error([evaluation.loss, evaluation.error], golden["fcost0"]), one_pass
    history = []
    for i in range(UPDATES):
        if i == 10:
            yield from one_step(step, batches[1], "p10_", golden, one_pass)
        history.append(step.update(batches[i % N_BATCHES]))
        if i + 1 in SNAPSHOTS:
            for name in network.trained:
                key = f"after{i + 1}_{name}"
                yield key, error(getattr(step.parameters, name), golden[key]), trained
    yield "history of the first update", error(history[0], golden["hist"][0]), one_pass
    yield "hist", error(history, golden["hist"]), trained
    yield from effective(step.weights, f"after{UPDATES}_eff_", golden, trained)
    golden.used(*(name for name in arrays if name.startswith("given_")))
    golden.used(*(f"{letter}{i}" for letter in "uy" for i in range(N_BATCHES)))
    yield "keys read", same(sorted(golden.unread), []), EXACT


def minibatches(path, network):
    """The five batches, which only the float64 file of a configuration holds."""
    arrays, _ = load(path.with_name(path.name.replace("_f32.npz", "_f64.npz")))
    Nin, Nout = network.Nin, network.Nout
    batches = []
    for i in range(N_BATCHES):
        u, y = arrays[f"u{i}"], arrays[f"y{i}"]
        batches.append(Batch(u[:, :, :Nin], y[:, :, :Nout], y[:, :, Nout:], u[:, :, Nin:]))
    return batches


def one_step(step, batch, prefix, golden, tolerance):
    """Everything inside one step, before its update."""
    got = step.gradients(batch)
    for name, key in ONE_STEP.items():
        if prefix + key in golden:
            yield prefix + key, error(got[name], golden[prefix + key]), tolerance
    g = leaked(got["D"], step.network.alpha)
    n_trial = golden[prefix + "g_x"].shape[1]
    yield prefix + "g_x", error(g[:, :n_trial], golden[prefix + "g_x"]), tolerance
    for name in step.network.trained:
        key = f"{prefix}grad_{name}"
        gradients = overflow_as_nan(got[f"grad_{name}"]), overflow_as_nan(golden[key])
        yield key, error(*gradients), tolerance


def overflow_as_nan(gradient):
    """Whether a sum of overflowed terms is inf, -inf or NaN is up to BLAS's order of summation."""
    return np.where(np.isfinite(gradient), gradient, np.nan)


def leaked(D, alpha):
    """g_t = (1 - alpha) D_{t+1} for t = 0..T-1, g_T = 0: what the original called dL/dx_t."""
    return np.concatenate([(1 - alpha) * D, np.zeros_like(D[:1])])


def effective(weights, prefix, golden, tolerance):
    for name, value in weights._asdict().items():
        key = prefix + EFFECTIVE.get(name, name)
        if key in golden:
            yield key, error(value, golden[key]), tolerance
