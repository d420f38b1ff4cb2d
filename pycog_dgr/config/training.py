"""Settings that say how a network is trained, under pycog's own names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from numpy.typing import NDArray

from pycog_dgr.config.checks import (
    AUTO,
    boolean,
    check_fields,
    choice,
    dictionary,
    function,
    integer,
    number,
    number_or_array,
    optional,
    seed,
)

TRIALS_BETWEEN_CHECKS = 10_000  # checkfreq = 10000 // n_gradient unless given
CHECKS_OF_PATIENCE = 100  # patience = 100 checkfreq unless given
NOISE_STREAMS = ("fast", "original")  # see data/noise.py
FUNCTIONS = (
    "loss",
    "optimiser",
    "callback",
    "performance",
    "terminate",
)  # settings that no file can hold


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingConfig:
    """How a network is trained: batches and their noise, objective, step, stopping, seeds.

    Every field is a setting, as in NetworkConfig. Raises SettingError.
    """

    n_gradient: Annotated[int, integer(1), "trials of a minibatch"] = 20
    n_validation: Annotated[int, integer(1), "trials of a validation"] = 1000
    gradient_batch_size: Annotated[int | None, optional(integer(1)), "trials drawn at once"] = None
    validation_batch_size: Annotated[int | None, optional(integer(1)), "trials drawn at once"] = (
        None
    )
    baseline_in: Annotated[float, number(), "added to every input"] = 0.2
    rectify_inputs: Annotated[bool, boolean, "negative inputs become 0"] = True
    tau_in: Annotated[float, number(above=0), "time constant of the input noise", "ms"] = 100.0
    var_in: Annotated[
        float | NDArray,
        number_or_array(0, ndim=2),
        "variance of the input noise; or (Nin,); or a covariance (Nin, Nin)",
    ] = 0.01**2
    var_rec: Annotated[
        float | NDArray,
        number_or_array(0, ndim=2),
        "variance of the recurrent noise; or (N,); or a covariance (N, N)",
    ] = 0.15**2
    noise_stream: Annotated[
        str, choice(*NOISE_STREAMS), "random numbers of the noise; 'original': those of pycog"
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
    loss: Annotated[
        Callable | None,
        optional(function),
        "(outputs, targets) -> loss of each; None: by output_activation",
    ] = None
    optimiser: Annotated[
        Callable | None, optional(function), "gradients -> steps; None: sgd(learning_rate)"
    ] = None
    max_gradient_norm: Annotated[
        float,
        number(above=0, finite=False),
        "largest norm of all gradients together; larger ones are scaled down",
    ] = 1.0
    min_error: Annotated[float, number(), "stop when the validation RMSE is at most this"] = 0.0
    checkfreq: Annotated[
        int, optional(integer(1)), "iterations between validations; None: 10,000 trials"
    ] = AUTO
    patience: Annotated[
        int,
        optional(integer(0)),
        "stop after so many iterations without a better network; None: 100 checkfreq",
    ] = AUTO
    max_iter: Annotated[int, integer(0), "stop after so many iterations in all"] = 10**7
    callback: Annotated[
        Callable | None, optional(function), "called with (trials, z) of each validation"
    ] = None
    performance: Annotated[
        Callable | None,
        optional(function),
        "(trials, z) of a validation -> a number, such as percent correct",
    ] = None
    terminate: Annotated[
        Callable | None, optional(function), "all performances so far -> whether to stop"
    ] = None
    structure: Annotated[dict, dictionary, "what each input and output stands for"] = (
        dataclasses.field(default_factory=dict)
    )
    seed: Annotated[int, seed, "seed of the initial weights"] = 1234
    gradient_seed: Annotated[int, seed, "seed of the training trials and their noise"] = 11
    validation_seed: Annotated[int, seed, "seed of the validation trials and their noise"] = 22

    def __post_init__(self) -> None:
        check_fields(self)
        checkfreq = self.checkfreq or max(1, TRIALS_BETWEEN_CHECKS // self.n_gradient)
        patience = CHECKS_OF_PATIENCE * checkfreq if self.patience is None else self.patience
        object.__setattr__(self, "checkfreq", checkfreq)
        object.__setattr__(self, "patience", patience)
