"""Networks in torch, and images, targets and weights that make no sense to them."""

import numpy as np

from bridge.crosscheck import weights
from bridge.errors import SettingError
from pycog_dgr.config import settings
from pycog_dgr.network import effective_weights, initial_parameters
from tests.hostile.case import call
from tests.hostile.valid import small_batch, small_generator, small_solver
from tests.pycog_dgr import tiny
from torch_dgr.errors import TorchDgrError
from torch_dgr.generators.gan import GAN
from torch_dgr.lstm import LSTMClassifier
from torch_dgr.rate_rnn.constraint import Masks
from torch_dgr.rate_rnn.network import RateRNN


def images_and_targets():
    solver, _, _ = small_solver()
    generator, _, _ = small_generator()
    images, targets = small_batch().images, small_batch().targets
    rng = np.random.default_rng(0)

    def fit(name, words, images=images, targets=targets, **options):
        return call(
            f"an LSTM fitted to {name}",
            solver.fit,
            images,
            targets,
            error=TorchDgrError,
            words=words,
            **{"iterations": 1, "rng": rng, **options},
        )

    yield fit("NaN pixels", ["pixels"], np.full_like(images, np.nan))
    yield fit("pixels of 255", ["255"], 255 * images)
    yield fit("no image", ["(0, 28, 28)"], images[:0], targets[:0])
    yield fit("images without rows", ["(6, 0, 28)"], images[:, :0])
    yield fit("images of the wrong width", ["(6, 28, 27)"], images[:, :, :27])
    yield fit("flat images", ["(6, 784)"], images.reshape(6, 784))
    yield fit("ragged images", ["one array"], [[1], [1, 2]])
    yield fit("text", ["dtype"], np.full((6, 28, 28), "x"))
    yield fit("complex pixels", ["dtype"], images.astype(complex))
    yield fit("too few targets", ["(3, 10)"], targets=targets[:3])
    yield fit("targets of NaN", ["probabilities"], targets=np.full_like(targets, np.nan))
    yield fit("targets that sum to 2", ["probabilities"], targets=2 * targets)
    yield fit("labels for targets", ["(6,)"], targets=np.arange(6))
    yield fit("targets of three classes", ["(6, 3)"], targets=targets[:, :3])
    yield fit("weights of zero", ["weights"], weights=np.zeros(6))
    yield fit("negative weights", ["weights"], weights=-np.ones(6))
    yield fit("weights of NaN", ["weights"], weights=np.full(6, np.nan))
    yield fit("a negative number of iterations", ["iterations"], iterations=-1)
    yield fit("half an iteration", ["iterations"], iterations=0.5)
    yield fit("a batch size of 0", ["batch_size"], batch_size=0)
    yield fit("an rng that is a seed", ["default_rng"], rng=3)
    yield call("an LSTM's predictions of nothing", solver.predict, images[:0], error=TorchDgrError)
    yield call(
        "predictions in batches of 0",
        solver.predict,
        images,
        0,
        error=TorchDgrError,
        words=["batch_size"],
    )
    yield call(
        "a GAN fitted to 27 columns",
        generator.fit,
        images[:, :, :27],
        iterations=1,
        rng=rng,
        error=TorchDgrError,
        words=["(6, 28, 27)"],
    )
    yield call(
        "a GAN fitted to negative pixels",
        generator.fit,
        -images,
        iterations=1,
        rng=rng,
        error=TorchDgrError,
        words=["pixels"],
    )
    yield call("-1 samples", generator.sample, -1, rng, error=TorchDgrError, words=["-1"])
    yield call(
        "samples without an rng",
        generator.sample,
        1,
        None,
        error=TorchDgrError,
        words=["default_rng"],
    )
    yield call("10^15 samples", generator.sample, 10**15, rng, error=TorchDgrError, words=["n is"])
    for name, options, words in (
        ("a learning rate of NaN", {"learning_rate": np.nan}, ["learning_rate"]),
        ("an infinite learning rate", {"learning_rate": np.inf}, ["learning_rate"]),
        ("a learning rate of 0", {"learning_rate": 0}, ["learning_rate"]),
        ("a learning rate as text", {"learning_rate": "fast"}, ["learning_rate"]),
        ("max_gradient_norm of 0", {"max_gradient_norm": 0}, ["max_gradient_norm"]),
        ("max_gradient_norm as text", {"max_gradient_norm": "1"}, ["max_gradient_norm"]),
        ("one beta", {"betas": (0.9,)}, ["betas"]),
        ("a beta of 1", {"betas": (0.9, 1)}, ["betas"]),
        ("betas of NaN", {"betas": (np.nan, 0.9)}, ["betas"]),
        ("no hidden unit", {"n_hidden": 0}, ["n_hidden"]),
        ("too many hidden units", {"n_hidden": 2**40}, ["n_hidden"]),
        ("a negative seed", {"seed": -1}, ["seed"]),
        ("a seed of a half", {"seed": 0.5}, ["seed"]),
        ("a seed beyond 64 bits", {"seed": 2**64}, ["seed"]),
        ("no class", {"n_classes": 0}, ["n_classes"]),
    ):
        yield call(
            f"an LSTM with {name}",
            LSTMClassifier,
            error=TorchDgrError,
            words=words,
            **{"seed": 1, **options},
        )
    for name, options, words in (
        ("an unknown latent", {"latent": "cauchy"}, ["cauchy"]),
        ("no latent", {"n_latent": 0}, ["n_latent"]),
        ("images of one dimension", {"image_shape": (28,)}, ["image_shape"]),
        ("images of no pixel", {"image_shape": (28, 0)}, ["image_shape"]),
        ("images larger than memory", {"image_shape": (10**6, 10**6)}, ["image_shape"]),
        ("a layer of 0 units", {"hidden": (32, 0)}, ["hidden"]),
        ("layers as text", {"hidden": "32"}, ["hidden"]),
        ("a learning rate of NaN", {"learning_rate": np.nan}, ["learning_rate"]),
    ):
        yield call(
            f"a GAN with {name}", GAN, error=TorchDgrError, words=words, **{"seed": 1, **options}
        )


def torch_networks():
    network, _ = settings(**tiny.SETTINGS)
    raw, network = initial_parameters(network, 1)
    values = raw._asdict()
    for name, changes, options, words in (
        ("NaN weights", {"Wrec": np.full((6, 6), np.nan)}, {}, ["Wrec", "finite"]),
        ("text weights", {"Wrec": np.full((6, 6), "x")}, {}, ["Wrec"]),
        ("ragged weights", {"Win": [[1], [1, 2]]}, {}, ["Win"]),
        ("weights of no dimension", {"Wrec": 1.0}, {}, ["Wrec"]),
        ("a matrix that is not square", {"Wrec": np.ones((6, 5))}, {}, ["Wrec", "(6, 5)"]),
        (
            "no unit",
            {
                "Wrec": np.ones((0, 0)),
                "Wout": np.ones((2, 0)),
                "Win": None,
                "brec": np.ones(0),
                "x0": np.ones(0),
            },
            {},
            ["N = 0"],
        ),
        ("no bias", {"brec": None}, {}, ["brec"]),
        ("tau of zero", {}, {"tau": 0}, ["tau"]),
        ("tau of NaN", {}, {"tau": np.nan}, ["tau"]),
        ("tau as text", {}, {"tau": "x"}, ["tau"]),
        ("dt above tau", {}, {"dt": 50}, ["dt"]),
        ("dt of NaN", {}, {"dt": np.nan}, ["dt"]),
        ("dt as text", {}, {"dt": "x"}, ["dt"]),
        ("an infinite tau", {}, {"tau": np.inf, "dt": np.inf}, ["tau"]),
        ("a sign of 0", {}, {"ei": [0, 1, 1, 1, 1, 1]}, ["ei"]),
        ("signs as text", {}, {"ei": ["+"] * 6}, ["ei"]),
        (
            "a mask of the wrong shape",
            {},
            {"masks": {"Wrec": Masks(np.ones((5, 5)), np.ones((5, 5)))}},
            ["Wrec"],
        ),
        (
            "a mask of NaN",
            {},
            {"masks": {"Wrec": Masks(np.zeros((6, 6)), np.full((6, 6), np.nan))}},
            ["Wrec"],
        ),
        ("a mask of a matrix that is none", {}, {"masks": {"W": None}}, ["'W'"]),
        ("an unknown activation", {}, {"hidden_activation": "relu"}, ["relu"]),
        ("an unknown name to train", {}, {"trained": ["Wrek"]}, ["Wrek"]),
    ):
        yield call(
            f"a torch network with {name}",
            RateRNN,
            {**values, **changes},
            error=TorchDgrError,
            words=words,
            **{"tau": 40, "dt": 20, **options},
        )
    net = RateRNN(values, tau=40, dt=20)
    for name, changes, words in (
        ("NaN", {"Wrec": np.full((6, 6), np.nan)}, ["Wrec"]),
        ("text", {"Wrec": np.full((6, 6), "x")}, ["Wrec"]),
        ("another shape", {"Wrec": np.ones((5, 5))}, ["(5, 5)"]),
    ):
        yield call(
            f"a torch network that loads {name}",
            net.load_raw,
            {**values, **changes},
            error=TorchDgrError,
            words=words,
        )
    held = effective_weights(raw, network)
    for name, changes in (
        ("NaN", {"Wrec": np.full((6, 6), np.nan)}),
        ("the wrong sign", {"Wout": -np.abs(held.Wout)}),
        ("a self connection", {"Wrec": held.Wrec + np.eye(6) * network.ei}),
        ("another shape", {"x0": np.zeros(5)}),
    ):
        yield call(
            f"effective weights with {name}",
            weights.certify,
            held._replace(**changes),
            network,
            error=SettingError,
            words=[next(iter(changes))],
        )
    other, _ = settings(**{**tiny.SETTINGS, "Nout": 0})
    yield call(
        "a torch twin without outputs", weights.twin, other, raw, error=SettingError, words=["Nout"]
    )


CASES = [*images_and_targets(), *torch_networks()]
