"""From gradients to steps: small transforms that chain.

    clip     g <- g max_norm / |g| where |g| > max_norm          (one norm over all parameters)
    guard    where |g| is NaN, infinite or > 1e10: g <- 0, but Wrec's <- 0.02 Wrec
    sgd      step = learning_rate g
    adam     m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,
             step = learning_rate m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
    cycle    step <- factor step, the factor rises and falls once within a number of updates
    floor    step <- theta - least where theta - step < least
    only     step <- mask step; a parameter that is not named does not move
    path     P <- P + g step beside an optimiser whose steps these are (synaptic intelligence)
    theta <- theta - step

learning_rate is a number, or a schedule: a function of the number of updates done.

    exponential   start 2^(-n / halving)
    cosine        end + (start - end) (1 + cos(pi min(n / updates, 1))) / 2
    warm_up       rate(n) min((n + 1) / updates, 1)

Sources: R. Pascanu, T. Mikolov, Y. Bengio (2013) for clip and guard; D. P. Kingma, J. Ba (2015) for
adam; I. Loshchilov, F. Hutter (2017) for cosine; L. N. Smith, N. Topin (2019) for the cycle;
F. Zenke, B. Poole, S. Ganguli (2017) for the path. A
transform is a function (gradients, Context) -> (gradients, updates of its own shared state).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.variable import TensorVariable

from pycog_dgr.errors import SettingError

Variables = dict[str, TensorVariable]
Updates = list[tuple[SharedVariable, TensorVariable]]

LARGEST_NORM = 1e10
PATH = "path_"  # before a parameter's name: its path integral in a state
CYCLE_START, CYCLE_END = 1 / 25, 1 / 25e4  # of the peak
# float32 as in the original, so that the guarded step is the same to the last bit in float64
SHRINK_WREC = np.float32(0.02)


class Context(NamedTuple):
    """What a transform may look at beside the gradients."""

    parameters: dict[str, Any]  # raw, trained: shared variables
    norm: TensorVariable  # of the gradients as they entered the chain


Schedule = Callable[[TensorVariable], TensorVariable]  # of how many updates were done
Rate = float | Schedule
Transform = Callable[[Variables, Context], tuple[Variables, Updates]]


def global_norm(gradients: Variables) -> TensorVariable:
    """One Euclidean norm over all parameters."""
    return pt.sqrt(sum(pt.sum(g**2) for g in gradients.values()))


def clip_by_global_norm(max_norm: float) -> Transform:
    """Scale all gradients together so that their norm is at most `max_norm`.

    Parameters
    ----------
    max_norm
        The longest that the whole gradient may be.

    Returns
    -------
    Transform
        Of gradients to gradients.
    """

    def transform(gradients: Variables, context: Context) -> tuple[Variables, Updates]:
        too_long = context.norm > max_norm
        return {
            name: pt.switch(too_long, max_norm * g / context.norm, g)
            for name, g in gradients.items()
        }, []

    return transform


def finite_guard() -> Transform:
    """Take no step from a gradient that is not finite, but shrink Wrec a little."""

    def transform(gradients: Variables, context: Context) -> tuple[Variables, Updates]:
        norm = context.norm
        sound = pt.ge(norm, 0) & pt.le(norm, LARGEST_NORM)  # false for NaN
        instead = {"Wrec": SHRINK_WREC * context.parameters["Wrec"]}
        return {
            name: pt.switch(sound, g, instead.get(name, pt.zeros_like(g)))
            for name, g in gradients.items()
        }, []

    return transform


@dataclass(frozen=True)
class SGD:
    """Plain gradient descent."""

    learning_rate: Rate

    def moments(self, parameters: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """What is kept from one update to the next, at its start: nothing, at a constant rate."""
        return {}

    def __call__(self, gradients: Variables, _: Context) -> tuple[Variables, Updates]:
        if not callable(self.learning_rate):
            return {name: self.learning_rate * g for name, g in gradients.items()}, []
        dtype = next(iter(gradients.values())).dtype
        count = pytensor.shared(np.zeros((), dtype), name="sgd_count")
        rate = pt.cast(self.learning_rate(count), dtype)
        return {name: rate * g for name, g in gradients.items()}, [(count, count + 1)]


@dataclass(frozen=True)
class Adam:
    """Adam on raw parameters; its moments are shared variables named adam_*."""

    learning_rate: Rate
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-5

    def moments(self, parameters: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """What is kept from one update to the next, at its start: zeros like the parameters."""
        dtype = next(iter(parameters.values())).dtype
        start = {"adam_count": np.zeros((), dtype)}
        for name, theta in parameters.items():
            start |= {f"adam_{kind}_{name}": np.zeros_like(theta) for kind in ("mean", "square")}
        return start

    def __call__(self, gradients: Variables, context: Context) -> tuple[Variables, Updates]:
        beta1, beta2, dtype = self.beta1, self.beta2, next(iter(gradients.values())).dtype
        start = self.moments({name: context.parameters[name].get_value() for name in gradients})
        moments = {name: pytensor.shared(value, name=name) for name, value in start.items()}
        count = moments["adam_count"]
        t = count + 1
        updates: Updates = [(count, t)]
        steps = {}
        for name, g in gradients.items():
            mean, square = moments[f"adam_mean_{name}"], moments[f"adam_square_{name}"]
            m = beta1 * mean + (1 - beta1) * g
            v = beta2 * square + (1 - beta2) * g**2
            updates += [(mean, m), (square, v)]
            given = self.learning_rate
            rate = pt.cast((given(count) if callable(given) else given) / (1 - beta1**t), dtype)
            steps[name] = rate * m / (pt.sqrt(v / (1 - beta2**t)) + self.epsilon)
        return steps, updates


sgd, adam = SGD, Adam  # as transforms, which are functions, are called


def one_cycle(updates: int = 0, rise: float = 0.25) -> Transform:
    """Scale the steps of so many updates: up from 1/25 to 1, down to nearly 0, by half cosines.

    Its place and length are shared variables, cycle_count and cycle_updates, which a state keeps;
    a length of 0 stands for a factor of 1.

    Parameters
    ----------
    updates : int
        Length of the cycle.
    rise : float
        Share of it before the peak.

    Returns
    -------
    Transform
        Of steps to steps.
    """

    def transform(gradients: Variables, _: Context) -> tuple[Variables, Updates]:
        dtype = next(iter(gradients.values())).dtype
        count = pytensor.shared(np.zeros((), dtype), name="cycle_count")
        length = pytensor.shared(np.asarray(updates, dtype), name="cycle_updates")
        factor = pt.cast(cycle_factor(count, length, rise), dtype)
        scaled = {name: factor * g for name, g in gradients.items()}
        return scaled, [(count, count + 1), (length, length)]

    return transform


def cycle_factor(count: Any, length: Any, rise: float) -> TensorVariable:
    """The factor after `count` updates of a cycle of `length`; both symbolic."""
    peak = rise * length - 1
    up = half_cosine(CYCLE_START, 1.0, count / peak)
    down = half_cosine(1.0, CYCLE_END, (count - peak) / (length - 1 - peak))
    return pt.switch(length > 0, pt.switch(count < peak, up, down), 1.0)


def half_cosine(start: float, end: float, share: Any) -> TensorVariable:
    """From start to end along half a cosine, and on at the end."""
    return end + (start - end) * (1 + pt.cos(np.pi * pt.minimum(share, 1.0))) / 2


def keep_at_least(least: float, *names: str) -> Transform:
    """Shorten the steps that would take an entry of these parameters below `least`.

    An entry that would go below ends at `least`, to rounding. Stands last in a chain.

    Parameters
    ----------
    least
        The smallest value that an entry may take.
    *names
        Of the parameters.

    Returns
    -------
    Transform
        Of steps to steps.
    """

    def transform(gradients: Variables, context: Context) -> tuple[Variables, Updates]:
        kept = dict(gradients)
        for name in names:
            if name in gradients:
                theta, g = context.parameters[name], gradients[name]
                floor = np.asarray(least, g.dtype)
                kept[name] = pt.switch(theta - g < floor, theta - floor, g)
        return kept, []

    return transform


def only(**masks: bool | NDArray) -> Transform:
    """Let some connections learn and hold everything else; the last of a chain.

    Parameters
    ----------
    **masks
        Parameter's name -> True, or an array of its shape, zero where a weight stays: as
        `only(Wrec=new, Wout=True)`. What is not named stays as it is.

    Returns
    -------
    Transform
        Of steps to steps.

    Raises
    ------
    SettingError
        When it is applied, for a parameter that is not trained or a mask of another shape.
    """

    def transform(gradients: Variables, context: Context) -> tuple[Variables, Updates]:
        check_masks(masks, context)
        kept = {
            name: pt.constant(np.broadcast_to(masks.get(name, False), _shape(context, name)),
                              dtype=g.dtype) * g
            for name, g in gradients.items()
        }  # fmt: skip
        return kept, []

    return transform


def check_masks(masks: Mapping[str, bool | NDArray], context: Context) -> None:
    """SettingError for a mask of a parameter that is not trained, or of another shape."""
    for name, mask in masks.items():
        if name not in context.parameters:
            known = ", ".join(context.parameters)
            raise SettingError(f"only: {name!r} is not trained; trained are {known}")
        shape = _shape(context, name)
        if np.ndim(mask) and np.shape(mask) != shape:
            raise SettingError(f"only: mask of {name} has shape {np.shape(mask)}, expected {shape}")


def _shape(context: Context, name: str) -> tuple[int, ...]:
    return context.parameters[name].get_value(borrow=True).shape


def path_integral(optimiser: Transform) -> Transform:
    """An optimiser's own steps, and beside them how much each parameter's way has lowered the loss.

    P of every trained parameter is a shared variable, path_NAME, which a state keeps. Its gradients
    are those that the optimiser gets: of the whole objective, after clipping.

    Parameters
    ----------
    optimiser
        A whole chain, from gradients to steps.

    Returns
    -------
    Transform
        Of gradients to steps.
    """

    def transform(gradients: Variables, context: Context) -> tuple[Variables, Updates]:
        steps, updates = optimiser(gradients, context)
        for name, g in gradients.items():
            start = np.zeros_like(context.parameters[name].get_value(borrow=True))
            path = pytensor.shared(start, name=f"{PATH}{name}")
            updates.append((path, path + g * steps[name]))
        return steps, updates

    return transform


# -- schedules ------------------------------------------------------------------------------------


def exponential(start: float, halving: float) -> Schedule:
    """A learning rate that is halved every `halving` updates.

    Parameters
    ----------
    start
        The first rate.
    halving
        In how many updates it is halved.

    Returns
    -------
    Schedule
        Number of updates done -> rate.
    """
    return lambda n: start * 2.0 ** (-n / halving)


def cosine(start: float, updates: float, end: float = 0.0) -> Schedule:
    """A learning rate that falls along half a cosine to `end`, within so many updates.

    Parameters
    ----------
    start
        The first rate.
    updates
        How many until `end`.
    end
        The last rate.

    Returns
    -------
    Schedule
        Number of updates done -> rate.
    """
    return lambda n: end + (start - end) * (1 + pt.cos(np.pi * pt.minimum(n / updates, 1.0))) / 2


def warm_up(rate: Rate, updates: float) -> Schedule:
    """A learning rate that grows linearly to what it is, within so many updates.

    Parameters
    ----------
    rate
        A number, or a schedule.
    updates
        How many until it is reached.

    Returns
    -------
    Schedule
        Number of updates done -> rate.
    """
    return lambda n: (rate(n) if callable(rate) else rate) * pt.minimum((n + 1) / updates, 1.0)


def chain(*transforms: Transform) -> Transform:
    """Apply one transform after another.

    Parameters
    ----------
    *transforms
        The first one sees the gradients.

    Returns
    -------
    Transform
        All of them as one.
    """

    def transform(gradients: Variables, context: Context) -> tuple[Variables, Updates]:
        updates: Updates = []
        for one in transforms:
            gradients, more = one(gradients, context)
            updates += more
        return gradients, updates

    return transform
