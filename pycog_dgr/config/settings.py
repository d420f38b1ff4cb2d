"""Every setting with its unit, default and check, under pycog's own names.

`settings(**keywords)` splits a pycog-style dictionary into a NetworkConfig (what the network is)
and a TrainingConfig (how it is trained); an unknown name is an error that suggests the near miss.
"""

import dataclasses
import difflib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config.connectivity import MAX_UNITS, Connectivity, default_recurrent
from pycog_dgr.errors import SettingError

logger = logging.getLogger(__name__)

RHO0_WITHOUT_DALE = 1.1  # the original's initial spectral radius where there is no Dale's law
STEPS_PER_TAU = 5  # dt = tau / 5 unless given
TRIALS_BETWEEN_CHECKS = 10_000  # checkfreq = 10000 // n_gradient unless given
CHECKS_OF_PATIENCE = 100  # patience = 100 checkfreq unless given
LARGEST_EXACT = 2**53  # whole number up to which a float holds every one
LARGEST_SEED = 2**32 - 1  # that numpy's RandomState takes
COVARIANCE_TOLERANCE = 1e-8  # by which rounding may make an eigenvalue negative, of the largest

HIDDEN_ACTIVATIONS = (
    "linear", "rectify", "rectify_power", "sigmoid", "tanh", "rtanh", "softplus",
)  # fmt: skip
OUTPUT_ACTIVATIONS = ("linear", "rectify", "rectify_power", "sigmoid", "softmax")
DISTRIBUTIONS = ("uniform", "normal", "gamma", "lognormal")
POSITIVE_FUNCTIONS = ("rectify", "abs")  # of Dale's law, see network/parameters.py
NOISE_STREAMS = ("fast", "original")  # see data/noise.py
MODES = ("batch", "continuous")
UNUSED_IN_PYCOG = {"momentum": False, "method": "sgd", "extra_info": {}}

Check = Callable[[str, Any], Any]  # (name, value) -> the value, normalised; SettingError if wrong


# --- checks of one value -------------------------------------------------------------------------


def refuse(name: str, expected: str, value: Any) -> SettingError:
    shown = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)
    return SettingError(f"setting {name}: expected {expected}, got {shown}")


def whole(at_least: int, at_most: int | None = None) -> Check:
    most = np.inf if at_most is None else at_most
    limits = f"{at_least} or more" if at_most is None else f"{at_least} to {at_most}"

    def check(name: str, value: Any) -> int:
        is_whole = isinstance(value, (int, np.integer)) or (
            isinstance(value, (float, np.floating)) and float(value).is_integer()
        )
        is_whole = is_whole and not isinstance(value, (bool, np.bool_))
        if not is_whole or not at_least <= value <= most:
            raise refuse(name, f"a whole number, {limits}", value)
        return int(value)

    return check


seed_number = whole(0, LARGEST_SEED)


def number(at_least: float = -np.inf, above: float = -np.inf, finite: bool = True) -> Check:
    def check(name: str, value: Any) -> float:
        is_number = isinstance(value, (int, float, np.integer, np.floating)) or (
            isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf"
        )
        if is_number and not isinstance(value, (bool, np.bool_)):
            value = plain_number(value)
            if value >= at_least and value > above and (np.isfinite(value) or not finite):
                return value
        limits = [("at least", at_least), ("above", above)]
        bounds = [f"{word} {limit:g}" for word, limit in limits if np.isfinite(limit)]
        bounds += ["finite"] if finite else []
        raise refuse(name, " ".join(["a number", ", ".join(bounds)]).strip(), value)

    return check


def plain_number(value: Any) -> int | float:
    """`value` as a number of Python's own: a whole one stays whole.

    A task that indexes with `100 // dt` needs that; larger ones than a float holds exactly are
    floats.
    """
    if np.asarray(value).dtype.kind in "iu" and abs(int(value)) <= LARGEST_EXACT:
        return int(value)
    return as_float(value)


def as_float(value: Any) -> float:
    """`value` as a float; a whole number too large for one is infinite."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def switch(name: str, value: Any) -> bool:
    scalar = np.ndim(as_array(name, value)) == 0
    if not scalar or (not isinstance(value, (bool, np.bool_)) and value not in (0, 1)):
        raise refuse(name, "True or False", value)
    return bool(value)


def one_of(*choices: str) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise refuse(name, f"one of {', '.join(choices)}{suggestion(value, choices)}", value)
        return str(value)

    return check


def number_or_array(at_least: float = -np.inf, above: float = -np.inf, ndim: int = 1) -> Check:
    """A number, or an array of one to `ndim` dimensions, copied; shapes are checked later."""
    scalar = number(at_least, above)

    def check(name: str, value: Any) -> float | NDArray:
        if np.ndim(as_array(name, value)) == 0:
            return scalar(name, value)
        array = numbers(name, value)
        diagonal = array if array.ndim == 1 else np.diagonal(array)
        if array.ndim > ndim or not ((diagonal >= at_least) & (diagonal > above)).all():
            limit = f"{name} above {above:g}" if np.isfinite(above) else f"at least {at_least:g}"
            raise refuse(name, f"a number or an array of 1 to {ndim} dimensions, {limit}", value)
        return array

    return check


def as_array(name: str, value: Any) -> NDArray:
    """A copy of `value`; SettingError where it is nested lists of unequal lengths."""
    try:
        return np.array(value)
    except ValueError:
        raise refuse(name, "a number, or an array whose rows are equally long", value) from None


def numbers(name: str, value: Any) -> NDArray:
    array = as_array(name, value)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise refuse(name, "finite numbers", value)
    array = array.astype(np.float64)
    array.flags.writeable = False
    return array


def signature(name: str, value: Any) -> NDArray:
    array = as_array(name, value)
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not np.isin(array, (1, -1)).all():
        raise refuse(name, "one +1 (excitatory) or -1 (inhibitory) per unit", value)
    array = array.astype(np.int64)
    array.flags.writeable = False
    return array


def connections(name: str, value: Any) -> Connectivity:
    if isinstance(value, Connectivity):
        return value
    if np.ndim(as_array(name, value)) != 2:
        raise refuse(name, "a Connectivity or a (post, pre) matrix", value)
    return Connectivity(value)


def function(name: str, value: Any) -> Callable:
    if not callable(value):
        raise refuse(name, "a function", value)
    return value


def mapping(name: str, value: Any) -> dict:
    if not isinstance(value, Mapping):
        raise refuse(name, "a dictionary", value)
    return dict(value)


def or_none(check: Check) -> Check:
    def check_unless_none(name: str, value: Any) -> Any:
        return None if value is None else check(name, value)

    return check_unless_none


def normalise(config: Any) -> None:
    """Run the check that each field's annotation carries, and store what it returns."""
    for name, annotation in get_type_hints(type(config), include_extras=True).items():
        _, check, _ = get_args(annotation)
        object.__setattr__(config, name, check(name, getattr(config, name)))


# --- the settings --------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkConfig:
    """What the network is: Annotated[type, check, meaning] = default.

    Shapes: N recurrent units, Nin inputs, Nout outputs; times in ms.
    """

    Nin: Annotated[int, whole(0, MAX_UNITS), "number of inputs; 0 for a network without"] = 0
    N: Annotated[int, whole(1, MAX_UNITS), "number of recurrent units"] = 100
    Nout: Annotated[
        int, whole(0, MAX_UNITS), "number of outputs; 0 reads out the rates themselves"
    ] = 0
    tau: Annotated[float | NDArray, number_or_array(above=0), "time constant, ms; or (N,)"] = 100.0
    dt: Annotated[float | None, or_none(number(above=0)), "time step, ms; None: min(tau)/5"] = None
    ei: Annotated[NDArray | None, or_none(signature), "Dale's law: (N,) of +1/-1, or none"] = None
    ei_positive_func: Annotated[str, one_of(*POSITIVE_FUNCTIONS), "keeps weights positive"] = (
        "rectify"
    )
    Cin: Annotated[Connectivity | None, or_none(connections), "(N, Nin); None: all-to-all"] = None
    Crec: Annotated[Connectivity | None, or_none(connections), "(N, N); None: no self loops"] = None
    Cout: Annotated[Connectivity | None, or_none(connections), "(Nout, N); None: all-to-all"] = None
    hidden_activation: Annotated[str, one_of(*HIDDEN_ACTIVATIONS), "r = f(x)"] = "rectify"
    output_activation: Annotated[str, one_of(*OUTPUT_ACTIVATIONS), "z = g(r Wout + bout)"] = (
        "linear"
    )
    brec: Annotated[float | NDArray, number_or_array(), "initial recurrent bias; or (N,)"] = 0.0
    bout: Annotated[float | NDArray, number_or_array(), "initial output bias; or (Nout,)"] = 0.0
    x0: Annotated[float | NDArray, number_or_array(), "initial state; or (N,)"] = 0.1
    train_brec: Annotated[bool, switch, "train the recurrent bias"] = False
    train_bout: Annotated[bool, switch, "train the output bias"] = False
    train_x0: Annotated[bool, switch, "train the initial state; never in continuous mode"] = True
    mode: Annotated[str, one_of(*MODES), "continuous: a run starts where the last ended"] = "batch"
    rho0: Annotated[float, number(above=0), "initial spectral radius with Dale (1.1 without)"] = 1.5
    distribution_in: Annotated[str | None, or_none(one_of(*DISTRIBUTIONS)), "None: uniform"] = None
    distribution_rec: Annotated[
        str | None, or_none(one_of(*DISTRIBUTIONS)), "None: gamma with Dale, normal without"
    ] = None
    distribution_out: Annotated[str | None, or_none(one_of(*DISTRIBUTIONS)), "None: uniform"] = None
    gamma_k: Annotated[float, number(above=0), "shape of the gamma distribution"] = 2.0

    def __post_init__(self) -> None:
        normalise(self)
        N, Nin, Nout = self.N, self.Nin, self.Nout
        expect_shape("ei", self.ei, (N,))
        filled = {
            "dt": float(np.min(self.tau)) / STEPS_PER_TAU if self.dt is None else self.dt,
            "Crec": default_recurrent(N, self.ei) if self.Crec is None else self.Crec,
            "distribution_in": self.distribution_in or "uniform",
            "distribution_rec": self.distribution_rec or ("normal" if self.ei is None else "gamma"),
            "distribution_out": self.distribution_out or "uniform",
            "train_x0": self.train_x0 and self.mode != "continuous",
        }
        for name, value in filled.items():
            object.__setattr__(self, name, value)
        for name, shape in (("tau", (N,)), ("brec", (N,)), ("bout", (Nout,)), ("x0", (N,))):
            expect_shape(name, getattr(self, name), shape)
        if self.dt > np.min(self.tau):
            raise SettingError(
                f"setting dt: {self.dt:g} ms is longer than the shortest tau, "
                f"{np.min(self.tau):g} ms, where the integration overshoots; lower dt"
            )
        for name, shape in (("Cin", (N, Nin)), ("Crec", (N, N)), ("Cout", (Nout, N))):
            expect_shape(name, getattr(self, name), shape)

    @property
    def alpha(self) -> float | NDArray:
        """dt / tau: a number, or (N,) where tau is one per unit."""
        return self.dt / self.tau

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter the network has, in the original's order."""
        N, Nin, Nout = self.N, self.Nin, self.Nout
        shapes = {"Win": (N, Nin), "Wrec": (N, N), "Wout": (Nout, N)}
        shapes |= {"brec": (N,), "bout": (Nout,), "x0": (N,)}
        absent = {"Win": Nin == 0, "Wout": Nout == 0}
        return {name: shape for name, shape in shapes.items() if not absent.get(name)}

    @property
    def n_trained(self) -> int:
        """How many numbers training moves: plastic weights, trained biases and initial states."""
        connections = {"Win": self.Cin, "Wrec": self.Crec, "Wout": self.Cout}
        return sum(
            int(np.prod(self.shapes[name])) if (C := connections.get(name)) is None else C.nplastic
            for name in self.trained
        )

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of the trained parameters, in the original's order."""
        switched = {"brec": self.train_brec, "bout": self.train_bout, "x0": self.train_x0}
        return tuple(name for name in self.shapes if switched.get(name, True))


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingConfig:
    """How a network is trained: batches and their noise, objective, step, stopping, seeds."""

    n_gradient: Annotated[int, whole(1), "trials a minibatch"] = 20
    n_validation: Annotated[int, whole(1), "trials a validation minibatch"] = 1000
    gradient_batch_size: Annotated[int | None, or_none(whole(1)), "trials drawn at once"] = None
    validation_batch_size: Annotated[int | None, or_none(whole(1)), "trials drawn at once"] = None
    baseline_in: Annotated[float, number(), "added to every input"] = 0.2
    rectify_inputs: Annotated[bool, switch, "negative inputs become 0"] = True
    tau_in: Annotated[float, number(above=0), "time constant of the input noise, ms"] = 100.0
    var_in: Annotated[float | NDArray, number_or_array(0, ndim=2), "input noise; (Nin[,])"] = (
        0.01**2
    )
    var_rec: Annotated[float | NDArray, number_or_array(0, ndim=2), "rec. noise; (N[,])"] = 0.15**2
    noise_stream: Annotated[
        str, one_of(*NOISE_STREAMS), "see noise.py; 'original' draws as pycog"
    ] = "fast"
    lambda_Omega: Annotated[float, number(0), "weight of the vanishing-gradient regulariser"] = 2.0
    bound: Annotated[float, number(above=0), "least squared gradient that counts in Omega"] = 1e-20
    lambda1_in: Annotated[float, number(0), "L1 penalty, mean |Win|"] = 0.0
    lambda1_rec: Annotated[float, number(0), "L1 penalty, mean |Wrec|"] = 0.0
    lambda1_out: Annotated[float, number(0), "L1 penalty, mean |Wout|"] = 0.0
    lambda2_in: Annotated[float, number(0), "L2 penalty, mean Win^2"] = 0.0
    lambda2_rec: Annotated[float, number(0), "L2 penalty, mean Wrec^2"] = 0.0
    lambda2_out: Annotated[float, number(0), "L2 penalty, mean Wout^2"] = 0.0
    lambda2_r: Annotated[float, number(0), "rate penalty, mean r^2"] = 0.0
    learning_rate: Annotated[float, number(0), "step of gradient descent"] = 1e-2
    max_gradient_norm: Annotated[float, number(above=0, finite=False), "clip the global norm"] = 1.0
    min_error: Annotated[float, number(), "stop when the validation RMSE is at most this"] = 0.0
    checkfreq: Annotated[int | None, or_none(whole(1)), "iterations between validations"] = None
    patience: Annotated[int | None, or_none(whole(0)), "stop after so many without a best"] = None
    max_iter: Annotated[int, whole(0), "stop after so many iterations"] = 10**7
    callback: Annotated[Callable | None, or_none(function), "sees the validation trials"] = None
    performance: Annotated[Callable | None, or_none(function), "(trials, z) -> number"] = None
    terminate: Annotated[Callable | None, or_none(function), "performance history -> stop?"] = None
    structure: Annotated[dict, mapping, "what each input and output stands for"] = (
        dataclasses.field(default_factory=dict)
    )
    seed: Annotated[int, seed_number, "initial weights"] = 1234
    gradient_seed: Annotated[int, seed_number, "gradient trials and their noise"] = 11
    validation_seed: Annotated[int, seed_number, "validation trials and their noise"] = 22

    def __post_init__(self) -> None:
        normalise(self)
        checkfreq = self.checkfreq or max(1, TRIALS_BETWEEN_CHECKS // self.n_gradient)
        patience = CHECKS_OF_PATIENCE * checkfreq if self.patience is None else self.patience
        object.__setattr__(self, "checkfreq", checkfreq)
        object.__setattr__(self, "patience", patience)


def settings(**keywords: Any) -> tuple[NetworkConfig, TrainingConfig]:
    """Split, check and complete a dictionary of pycog settings.

    Raises SettingError for an unknown name (with the nearest known one), a value of the wrong
    type, range or shape, and for settings that pycog took but never used.
    """
    network_names, training_names = setting_names(NetworkConfig), setting_names(TrainingConfig)
    known = setting_names()
    for name in set(keywords) & set(UNUSED_IN_PYCOG):
        if keywords.pop(name) != UNUSED_IN_PYCOG[name]:
            raise SettingError(f"setting {name}: pycog accepted it but never used it; remove it")
    for name in keywords:
        if name not in known:
            raise SettingError(f"unknown setting {name!r}{suggestion(name, known)}")
    network = NetworkConfig(**{k: v for k, v in keywords.items() if k in network_names})
    if network.mode == "continuous":
        if keywords.get("n_gradient", 1) != 1:
            logger.info("continuous mode: n_gradient is 1, not %s", keywords["n_gradient"])
        keywords["n_gradient"] = 1
    training = TrainingConfig(**{k: v for k, v in keywords.items() if k in training_names})
    check_noise("var_in", training.var_in, network.Nin)
    check_noise("var_rec", training.var_rec, network.N)
    return network, training


def setting_names(config: type | None = None) -> tuple[str, ...]:
    """Names of the settings of one of the two dataclasses, of both where none is given."""
    configs = (NetworkConfig, TrainingConfig) if config is None else (config,)
    return tuple(field.name for one in configs for field in dataclasses.fields(one))


def suggestion(name: Any, known: tuple[str, ...]) -> str:
    """'; did you mean ...?', or nothing where no known name is near."""
    lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lower, n=1)
    return f"; did you mean {lower[near[0]]!r}?" if near else ""


def expect_shape(name: str, value: Any, shape: tuple[int, ...]) -> None:
    """SettingError unless `value` is a number, None, or has `shape`."""
    given = getattr(value, "shape", ())
    if given not in ((), shape):
        raise SettingError(f"setting {name}: expected shape {shape}, got {given}")


def check_noise(name: str, variance: float | NDArray, units: int) -> None:
    """SettingError unless the variance is a number, one per unit, or a covariance matrix."""
    if np.ndim(variance) == 0:
        return
    if variance.shape not in ((units,), (units, units)):
        raise SettingError(
            f"setting {name}: expected a number, shape ({units},) or ({units}, {units}), "
            f"got {variance.shape}"
        )
    if variance.ndim == 2 and not np.allclose(variance, variance.T, rtol=1e-10, atol=0):
        raise SettingError(f"setting {name}: a covariance matrix must be symmetric")
    if variance.ndim == 2 and units:
        eigenvalues = np.linalg.eigvalsh(variance)
        if eigenvalues[0] < -COVARIANCE_TOLERANCE * eigenvalues[-1]:
            raise SettingError(
                f"setting {name}: a covariance matrix has no negative eigenvalue, this one has "
                f"{eigenvalues[0]:g}; lower its covariances"
            )
