"""A trial environment of NeuroGym or Gymnasium as a task to train on.

    from pycog_dgr.tasks import TaskFromEnv

    task = TaskFromEnv("DelayMatchSample-v0", dt=20)        # or an environment
    Model(N=50, ei=ei, **task.settings).train("match.npz")

A trial environment makes a whole trial at once: new_trial() leaves observations `ob` and ground
truth `gt`, the action to take at every step. (Molano-Mazon et al., NeuroGym, PsyArXiv (2022).)

    symbol    of the environment          shape           as a task
    ob        observations                (time, *shape)  inputs (time, Nin)
    gt        an action's number, or      (time,)         outputs (time, Nout), one-hot
              the action itself           (time, *shape)  outputs (time, Nout)
    start_ind,  a period's steps          name -> step    epochs, ms
    end_ind                                               (step k stands for the time (k + 1) dt)

Every trial reseeds the environment with one number drawn from the task's stream, so that a stream
gives the same trials again, whatever the environment draws with.
"""

from __future__ import annotations

import difflib
import logging
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import TaskError
from pycog_dgr.tasks.neurogym import make_environment, trial_layers

logger = logging.getLogger(__name__)

PYCOG_PARAMS = (
    "name", "target_output", "minibatch_index", "best_costs", "callback_results", "catch",
)  # fmt: skip
WEIGHT_OUTSIDE = 0.2  # of a step outside the decision period; inside it is 1
PROBES = 6  # times that a trial is made again, after 0, 1, 2, ... others, to see if it changes


class TaskFromEnv:
    """A trial environment as a task (generate_trial, performance) with the settings it asks for.

    A trial's info is what the environment says of it in numbers and texts, and `choice`, the action
    to take at the last step of the decision period. Other entries of `params` than pycog's own fix
    what the environment draws: {"name": "test", "ground_truth": 1}.

    Parameters
    ----------
    env
        Name of a NeuroGym environment, made with `options` (dt in ms, ...), or a trial environment,
        wrapped or not.
    decision
        Name of the period in which the choice counts; None: the one that ends last.
    weight_outside
        Mask of the steps outside that period, 0 to 1; inside it is 1.
    **options
        Of the environment, where it is made by name.

    Attributes
    ----------
    env, decision
        As above, made and chosen.
    Nin, Nout, dt
        Sizes, and the time step in ms.
    discrete
        Whether outputs stand for choices.

    Raises
    ------
    TaskError
        `env` is no trial environment, knows no ground truth, or is wrapped in something that acts
        only while it is stepped.
    MissingExtraError
        NeuroGym is not installed.
    """

    def __init__(
        self,
        env: Any,
        decision: str | None = None,
        weight_outside: float = WEIGHT_OUTSIDE,
        **options: Any,
    ) -> None:
        self.__name__: str
        self.source: str | None = None  # what stands for the source of its trials
        if isinstance(env, str):
            self.source = f"NeuroGym {env} {sorted(options.items())} {decision} {weight_outside}"
            self.__name__, env = env, make_environment(env, options)
        else:
            self.__name__ = type(getattr(env, "unwrapped", env)).__name__
            if options:
                raise self._error(f"options {sorted(options)} go with a name; this one is made")
        if not 0 <= weight_outside <= 1:
            raise self._error(f"weight_outside must lie between 0 and 1, not {weight_outside}")
        self.env, self.weight_outside = env, weight_outside
        self._trial_maker, self._seeder = trial_layers(env, self._error)

        trial = self._new_trial(0, {})
        self._conditions = tuple(trial)
        inner = self._inner()
        self.dt = inner.dt
        self.Nin = math.prod(self.env.observation_space.shape)
        self.discrete = hasattr(self.env.action_space, "n")
        self.Nout = self._n_outputs()
        self.decision = self._last_period() if decision is None else decision
        self.generate_trial(np.random.RandomState(0), self.dt, {"target_output": True})
        if self._depends_on_earlier_trials():
            logger.warning(
                "%s: a trial depends on those before it; training that goes on from a save file "
                "will not repeat the numbers of uninterrupted training", self.__name__,
            )  # fmt: skip

    @property
    def settings(self) -> dict[str, Any]:
        """What Model needs to know of the task: Model(N=50, **task.settings).

        Inputs have pycog's baseline, which keeps rates above zero, but neither its noise nor its
        rectification: environments add their own noise, and show negative values. Outputs are
        softmax for choices, linear otherwise.
        """
        settings = {
            "task": self,
            "Nin": self.Nin,
            "Nout": self.Nout,
            "dt": self.dt,
            "var_in": 0,
            "rectify_inputs": False,
            "output_activation": "softmax" if self.discrete else "linear",
        }
        return settings | ({"performance": self.performance} if self.discrete else {})

    def generate_trial(
        self, rng: np.random.RandomState, dt: float, params: dict[str, Any]
    ) -> dict[str, Any]:
        """One trial for pycog (see tasktools), by one draw from `rng`, a numpy RandomState."""
        if not math.isclose(dt, self.dt):
            raise self._error(
                f"steps of {self.dt} ms were asked of the environment, not dt = {dt} ms; make it "
                f"with dt={dt}"
            )
        fixed = {name: value for name, value in params.items() if name not in PYCOG_PARAMS}
        for name in fixed:
            if name not in self._conditions:
                near = difflib.get_close_matches(name, self._conditions, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else "."
                raise self._error(
                    f"a trial has no condition {name!r}{hint} It has {sorted(self._conditions)}"
                )
        shown = self._new_trial(int(rng.randint(2**31 - 1)), fixed)

        inner = self._inner()
        steps = len(inner.ob)
        trial = {
            "t": self.dt * np.arange(1, steps + 1),
            "epochs": self._epochs(steps),
            "info": _info(shown),
            "inputs": np.array(inner.ob, dtype=float).reshape(steps, -1),
        }
        start, end = self._decision_steps()
        if self.discrete:
            trial["info"]["choice"] = int(self._actions()[end - 1])
        if params.get("target_output", False):
            trial["outputs"] = self._outputs()
            trial["mask"] = np.full((steps, self.Nout), self.weight_outside)
            trial["mask"][start:end] = 1
        return trial

    def performance(self, trials: list[dict[str, Any]], z: NDArray) -> float:
        """Percentage of right choices: the largest output at the decision period's last step.

        z (time, trial, Nout), as the training loop gives it.
        """
        last = [round(trial["epochs"][self.decision][1] / self.dt) - 1 for trial in trials]
        chosen = np.argmax(z[last, np.arange(len(trials))], axis=-1)
        return 100 * np.mean(chosen == [trial["info"]["choice"] for trial in trials])

    # -- the environment --------------------------------------------------------------------------

    def _error(self, message: str) -> TaskError:
        return TaskError(f"environment {self.__name__!r}: {message}")

    def _inner(self) -> Any:
        """The environment inside all wrappers; it may be another one in the next trial."""
        return getattr(self.env, "unwrapped", self.env)

    def _new_trial(self, seed: int, fixed: dict[str, Any]) -> dict[str, Any]:
        """Make a trial and check that it has observations and a ground truth for each of them."""
        self._seeder.seed(seed)
        try:
            trial = self._trial_maker.new_trial(**fixed)
        except Exception as error:
            raise self._error(f"cannot make a trial with {fixed}: {error!r}") from error
        inner = self._inner()
        ob, gt = getattr(inner, "ob", None), getattr(inner, "gt", None)
        if ob is None or not len(ob):
            raise self._error(
                "new_trial() leaves no observations in `ob`, so a trial has no inputs"
            )
        if gt is None:
            raise self._error(
                "new_trial() leaves no ground truth in `gt`, so there is nothing to learn from; "
                "NeuroGym's environments that have it are tagged 'supervised'"
            )
        if len(gt) != len(ob):
            raise self._error(f"{len(ob)} observations but a ground truth for {len(gt)} steps")
        return dict(trial) if isinstance(trial, dict) else {}

    def _n_outputs(self) -> int:
        space = self.env.action_space
        if self.discrete and np.ndim(space.n) == 0:
            return int(space.n)
        if not self.discrete and space.shape:
            return math.prod(space.shape)
        raise self._error(f"actions must be one number or an array, not {space}")

    def _actions(self) -> NDArray:
        """Ground truth (time,) counted from 0."""
        gt = np.asarray(self._inner().gt)
        actions = gt - getattr(self.env.action_space, "start", 0)
        if gt.ndim != 1:
            raise self._error(f"ground truth must be (time,) numbers of actions, not {gt.shape}")
        if not np.isin(actions, np.arange(self.Nout)).all():
            raise self._error(
                f"its ground truth (values from {gt.min()} to {gt.max()}) is no choice among its "
                f"{self.Nout} actions, so there is none to learn"
            )
        return actions.astype(int)

    def _outputs(self) -> NDArray:
        if self.discrete:
            return np.eye(self.Nout)[self._actions()]
        return np.array(self._inner().gt, dtype=float).reshape(len(self._inner().gt), -1)

    # -- periods ----------------------------------------------------------------------------------

    def _epochs(self, steps: int) -> dict[str, Any]:
        inner = self._inner()
        epochs = {
            name: (inner.start_ind[name] * self.dt, end * self.dt)
            for name, end in inner.end_ind.items()
            if end <= steps  # others are left from a longer trial
        }
        return {**epochs, "T": steps * self.dt}

    def _last_period(self) -> str:
        inner = self._inner()
        spans = {name: (end, inner.start_ind[name]) for name, end in inner.end_ind.items()}
        with_steps = {name: span for name, span in spans.items() if span[0] > span[1]}
        if not with_steps:
            raise self._error("a trial has no period with steps, so there is none to decide in")
        return max(with_steps, key=lambda name: with_steps[name])

    def _decision_steps(self) -> tuple[int, int]:
        """First step of the decision period and the one after its last."""
        inner = self._inner()
        if self.decision not in inner.end_ind:
            raise self._error(
                f"a trial has no period {self.decision!r} to decide in; it has "
                f"{', '.join(inner.end_ind)}"
            )
        start, end = inner.start_ind[self.decision], inner.end_ind[self.decision]
        if not 0 <= start < end <= len(inner.ob):
            raise self._error(
                f"the period {self.decision!r} has no steps in this trial (from {start} to {end} "
                f"of {len(inner.ob)})"
            )
        return start, end

    def _depends_on_earlier_trials(self) -> bool:
        """Whether the same seed gives another trial after other ones, as far as a few tell."""
        made = []
        for n_before in range(PROBES):
            for seed in range(n_before):
                self._new_trial(seed + 1, {})
            self._new_trial(0, {})
            made.append((np.array(self._inner().ob), np.array(self._inner().gt)))
        return not all(
            np.array_equal(array, first)
            for trial in made
            for array, first in zip(trial, made[0], strict=True)
        )


def _info(shown: dict[str, Any]) -> dict[str, Any]:
    """The numbers and texts of an environment's trial; lists of them become name_0, name_1, ..."""
    info: dict[str, Any] = {}
    for name, value in shown.items():
        value = np.asarray(value)
        if value.dtype.kind in "biufU" and value.ndim == 0:
            info[name] = value.item()
        elif value.dtype.kind in "biufU" and value.ndim == 1:
            info |= {f"{name}_{i}": entry for i, entry in enumerate(value.tolist())}
    return info
