"""NeuroGym: its environments by name, and which layers of a wrapped one make trials."""

from collections.abc import Callable
from typing import Any

from pycog_dgr.errors import MissingExtraError, TaskError

EXTRA = "pip install 'dgr[neurogym]'"
NEEDED = ("new_trial", "seed", "dt", "observation_space", "action_space", "start_ind", "end_ind")
PASSIVE_WRAPPERS = ("OrderEnforcing", "PassiveEnvChecker")  # Gymnasium's own, change no trial


def make_environment(name: str, options: dict[str, Any]) -> Any:
    """NeuroGym's environment of that name; TaskError where there is none, or options do not fit."""
    try:
        import gymnasium  # only here: environments that are handed over do not need either
        import matplotlib

        with matplotlib.rc_context():  # NeuroGym sets the font of everybody's figures
            import neurogym
    except ImportError as error:
        raise MissingExtraError(
            f"environment {name!r}: cannot import NeuroGym ({error}); {EXTRA}"
        ) from error
    try:
        return neurogym.make(name, **options)
    except (gymnasium.error.Error, TypeError) as error:
        raise TaskError(f"environment {name!r} with options {options}: {error}") from error


def trial_layers(env: Any, error: Callable[[str], TaskError]) -> tuple[Any, Any]:
    """The outermost layers that make trials and take seeds; for unfit ones, what `error` makes."""
    layers = [env]
    while layers[-1] is not getattr(layers[-1], "unwrapped", layers[-1]):
        layers.append(layers[-1].env)
    missing = [name for name in NEEDED if not hasattr(layers[-1], name)]
    if missing:
        raise error(
            f"not a trial environment, it has no {', '.join(missing)}; a task needs a "
            "neurogym.TrialEnv or an object with what that has"
        )
    for layer in layers[:-1]:
        if type(layer).__name__ not in PASSIVE_WRAPPERS and not _defines(layer, "new_trial"):
            raise error(
                f"its wrapper {type(layer).__name__} acts while the environment is stepped, so "
                "whole trials would lack what it does; make the environment without it"
            )
    trial_maker, seeder = (
        next((layer for layer in layers if _defines(layer, name)), layers[-1])
        for name in ("new_trial", "seed")
    )
    return trial_maker, seeder


def _defines(layer: Any, name: str) -> bool:
    """Whether an object's class has a method, rather than passing it on to what it wraps."""
    return hasattr(type(layer), name)
