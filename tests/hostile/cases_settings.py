"""Settings and connections that make no sense."""

import numpy as np

from pycog_dgr import Connectivity
from pycog_dgr.config import settings
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.network import initial_parameters
from pycog_dgr.tasks.model import Model
from tests.hostile.case import Case, call
from tests.pycog_dgr import tiny

PYCOG_SETTINGS = {
    "dt above tau": ({"dt": 41}, ["dt", "41", "40", "lower dt"]),
    "dt above the shortest tau": ({"tau": [100, 100, 100, 100, 100, 10]}, ["dt"]),
    "dt of zero": ({"dt": 0}, ["dt", "0"]),
    "a negative dt": ({"dt": -1}, ["dt", "-1"]),
    "an infinite dt": ({"dt": np.inf}, ["dt"]),
    "tau of zero": ({"tau": 0}, ["tau"]),
    "a negative tau": ({"tau": -40}, ["tau"]),
    "a tau of NaN": ({"tau": np.nan}, ["tau"]),
    "an infinite tau": ({"tau": np.inf}, ["tau"]),
    "a tau too few": ({"tau": [40] * 5}, ["tau", "(6,)", "(5,)"]),
    "a tau of zero among others": ({"tau": [40, 40, 40, 40, 40, 0]}, ["tau"]),
    "ragged tau": ({"tau": [[1], [1, 2]]}, ["tau"]),
    "tau as text": ({"tau": "fast"}, ["tau", "fast"]),
    "no unit": ({"N": 0, "ei": None}, ["N", "0"]),
    "a negative number of inputs": ({"Nin": -1}, ["Nin", "-1"]),
    "half a unit": ({"N": 6.5}, ["N", "6.5"]),
    "a billion units": ({"N": 10**9, "ei": None}, ["N"]),
    "more units than any number": ({"N": 10**400, "ei": None}, ["N"]),
    "True for units": ({"N": True}, ["N"]),
    "signs of 2": ({"ei": [1, 1, 1, 1, 2, -1]}, ["ei"]),
    "signs of 0": ({"ei": [1, 1, 1, 1, 0, -1]}, ["ei"]),
    "a sign too many": ({"ei": [1] * 7}, ["ei", "(6,)"]),
    "ragged signs": ({"ei": [[1], [1, -1]]}, ["ei"]),
    "all units inhibitory": ({"ei": [-1] * 6}, ["Crec"]),
    "a negative variance": ({"var_in": -0.1}, ["var_in", "-0.1"]),
    "a negative variance of one unit": ({"var_rec": [0.1] * 5 + [-0.1]}, ["var_rec"]),
    "a variance of NaN": ({"var_rec": np.nan}, ["var_rec"]),
    "a covariance of the wrong shape": ({"var_rec": np.eye(5)}, ["var_rec", "(5, 5)"]),
    "an asymmetric covariance": ({"var_rec": np.eye(6) + np.eye(6, k=1)}, ["symmetric"]),
    "a covariance that is none": ({"var_rec": np.full((6, 6), 2.0) - np.eye(6)}, ["eigenvalue"]),
    "a negative variance in a covariance": ({"var_rec": -np.eye(6)}, ["var_rec"]),
    "a cube of variances": ({"var_in": np.ones((1, 1, 1))}, ["var_in"]),
    "a learning rate of NaN": ({"learning_rate": np.nan}, ["learning_rate"]),
    "a negative learning rate": ({"learning_rate": -1}, ["learning_rate", "-1"]),
    "an infinite learning rate": ({"learning_rate": np.inf}, ["learning_rate"]),
    "a learning rate beyond all floats": ({"learning_rate": 10**400}, ["learning_rate"]),
    "a learning rate as text": ({"learning_rate": "0.1"}, ["learning_rate"]),
    "complex numbers": ({"learning_rate": 1j}, ["learning_rate"]),
    "max_gradient_norm of 0": ({"max_gradient_norm": 0}, ["max_gradient_norm"]),
    "max_gradient_norm of NaN": ({"max_gradient_norm": np.nan}, ["max_gradient_norm"]),
    "a bound of zero": ({"bound": 0}, ["bound"]),
    "a negative penalty": ({"lambda2_rec": -1}, ["lambda2_rec"]),
    "tau_in of zero": ({"tau_in": 0}, ["tau_in"]),
    "a negative seed": ({"seed": -1}, ["seed", "-1"]),
    "a seed beyond 32 bits": ({"seed": 2**32}, ["seed"]),
    "a seed as text": ({"gradient_seed": "eleven"}, ["gradient_seed"]),
    "a seed of a half": ({"validation_seed": 0.5}, ["validation_seed"]),
    "no trial a minibatch": ({"n_gradient": 0}, ["n_gradient"]),
    "a negative minibatch": ({"n_validation": -4}, ["n_validation"]),
    "no trial drawn at once": ({"gradient_batch_size": 0}, ["gradient_batch_size"]),
    "checks at every 0 iterations": ({"checkfreq": 0}, ["checkfreq"]),
    "a negative max_iter": ({"max_iter": -1}, ["max_iter"]),
    "a radius of zero": ({"rho0": 0}, ["rho0"]),
    "an infinite radius": ({"rho0": np.inf}, ["rho0"]),
    "a gamma of zero": ({"gamma_k": 0}, ["gamma_k"]),
    "an unknown activation": ({"hidden_activation": "relu"}, ["relu", "rectify"]),
    "an activation that is a list": ({"output_activation": ["softmax"]}, ["output_activation"]),
    "an unknown distribution": ({"distribution_rec": "cauchy"}, ["cauchy"]),
    "an unknown mode": ({"mode": "online"}, ["online"]),
    "an unknown positive function": ({"ei_positive_func": "square"}, ["square"]),
    "an unknown setting": ({"learnrate": 1}, ["learnrate", "learning_rate"]),
    "a setting named by a path": ({"../../x": 1}, ["../../x"]),
    "an array for a switch": ({"train_brec": np.ones(3)}, ["train_brec"]),
    "2 for a switch": ({"rectify_inputs": 2}, ["rectify_inputs"]),
    "text for a function": ({"callback": "os.system"}, ["callback"]),
    "a list for a dictionary": ({"structure": [1]}, ["structure"]),
    "momentum": ({"momentum": True}, ["momentum"]),
    "connections of the wrong shape": ({"Crec": np.ones((5, 6))}, ["Crec", "(6, 6)"]),
    "input connections transposed": ({"Cin": np.ones((1, 6))}, ["Cin", "(6, 1)"]),
    "output connections transposed": ({"Cout": np.ones((6, 2))}, ["Cout", "(2, 6)"]),
    "connections of NaN": ({"Cin": np.full((6, 1), np.nan)}, ["finite"]),
    "ragged connections": ({"Crec": [[1], [1, 2]]}, ["Crec"]),
    "connections of one dimension": ({"Crec": np.ones(36)}, ["Crec"]),
    "connections of text": ({"Crec": np.full((6, 6), "x")}, ["C "]),
    "biases of the wrong shape": ({"bout": np.zeros(3)}, ["bout", "(2,)"]),
    "a bias of NaN": ({"brec": np.nan}, ["brec"]),
    "an initial state of the wrong shape": ({"x0": np.zeros(7)}, ["x0", "(6,)"]),
    "an infinite initial state": ({"x0": [np.inf] * 6}, ["x0"]),
}


def pycog_settings():
    for name, (changes, words) in PYCOG_SETTINGS.items():
        yield call(
            f"settings with {name}",
            settings,
            error=PycogDgrError,
            words=words,
            **{**tiny.SETTINGS, **changes},
        )


def connectivity():
    ring = np.roll(np.eye(6), 1, axis=1)
    for name, arguments, words in (
        ("no row", [np.ones((0, 3))], ["(0, 3)"]),
        ("a number", [3.5], ["C "]),
        ("infinite values", [np.full((2, 2), np.inf)], ["finite"]),
        ("objects", [np.array([[{}]])], ["object"]),
        ("an overlap", [np.ones((2, 2)), np.ones((2, 2))], ["(0, 0)", "Cfixed"]),
        ("two shapes", [np.ones((2, 2)), np.ones((3, 2))], ["(3, 2)"]),
        ("a density of 2", [6, None, 2], ["p "]),
        ("a density of NaN", [6, None, np.nan], ["nan"]),
        ("no unit", [0], ["N "]),
        ("a billion units", [10**9], ["N "]),
        ("a negative seed", [6, None, 0.5, None, -1], ["seed", "-1"]),
        ("a seed as text", [6, None, 0.5, None, "x"], ["seed"]),
    ):
        yield call(
            f"connectivity of {name}", Connectivity, *arguments, error=PycogDgrError, words=words
        )
    chain = np.eye(6, k=1)
    for name, changes, words in (
        ("no plastic weight and no loop", {"Crec": np.zeros((6, 6))}, ["spectral radius 0"]),
        ("a chain of connections", {"Crec": chain}, ["loop"]),
        ("negative values under gamma", {"Crec": -ring}, ["positive"]),
    ):
        network, _ = settings(**{**tiny.SETTINGS, **changes})
        yield call(
            f"initial weights of {name}",
            initial_parameters,
            network,
            1,
            error=PycogDgrError,
            words=words,
        )
    alone = {
        "Cin": Connectivity(np.zeros((6, 1)), np.ones((6, 1))),
        "Crec": Connectivity(np.zeros((6, 6)), ring),
        "Cout": Connectivity(np.zeros((2, 6)), np.ones((2, 6))),
        "train_x0": False,
    }

    def nothing_plastic(folder):
        model = Model(**{**tiny.SETTINGS, **alone}, generate_trial=tiny.generate_trial)
        return lambda: model.train(folder / "a.npz")

    yield Case("training without one plastic weight", nothing_plastic, PycogDgrError, ("plastic",))


CASES = [*pycog_settings(), *connectivity()]
