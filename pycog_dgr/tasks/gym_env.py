"""A task as a Gymnasium environment: an agent acts step by step where a network is trained.

    from pycog_dgr.tasks.gym_env import EnvFromTask

    env = EnvFromTask("examples/tasks/rdm_fixed.py")        # a model file, or a Model
    observation, info = env.reset(seed=1)
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())

One episode is one trial. At step t the agent sees u_t, the input of a network in training with its
baseline and noise, and answers with an action a_t:

    actions     a_t                          reward
    "outputs"   (Nout,) numbers, outputs     - sum_k m_tk (a_tk - z*_tk)^2
    "choices"   0 for none of the outputs,   mean_k m_tk for the action that the targets ask for
                k for the k-th               (the output with the largest one, none where all are
                                             equal), 0 for any other

    symbol  meaning             shape     unit
    u       inputs              (Nin,)    dimensionless
    z*, m   targets, mask       (Nout,)   dimensionless

Rewards of "outputs" add up to minus the squared error of which a network's loss is the mean (Song,
Yang & Wang, PLoS Comput. Biol. 12, e1004792, 2016). This module needs Gymnasium.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.data import Dataset, task_name
from pycog_dgr.errors import MissingExtraError, SettingError, TaskError
from pycog_dgr.tasks.model import Model
from pycog_dgr.tasks.neurogym import EXTRA

try:
    import gymnasium
except ImportError as error:
    raise MissingExtraError(
        f"pycog_dgr.tasks.gym_env: cannot import Gymnasium ({error}); {EXTRA}"
    ) from error

ACTIONS = ("outputs", "choices")
PURPOSES = ("gradient", "test")  # validation steps through all conditions, by their number


class EnvFromTask(gymnasium.Env):
    """A task to be stepped by an agent.

    model    path of a model file, or a Model
    actions  "outputs" or "choices", see above
    noise    whether observations have the model's input noise
    name     what the trials are for: "gradient", or "test", for which tasks make longer ones

    reset(options={...}) hands its options on to the task, as a network's user would with RNN.run:
    {"catch": False, "coh": 16}. The info of a reset is {"trial": the task's info, "epochs": ms},
    that of a step has beside them t in ms, target (Nout,) and mask (Nout,) of the step that was
    answered. The observation after the last step is the last one again.

    SettingError for unknown `actions` or `name`, TaskError for steps that cannot be taken.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(
        self,
        model: str | Path | Model,
        actions: str = "outputs",
        noise: bool = True,
        name: str = "gradient",
    ) -> None:
        for setting, value, known in (("actions", actions, ACTIONS), ("name", name, PURPOSES)):
            if value not in known:
                raise SettingError(f"{setting} must be one of {', '.join(known)}, not {value!r}")
        self.model = model if isinstance(model, Model) else Model(model)
        if not self.model.network.Nout:
            raise SettingError("setting Nout: a task without outputs asks for no actions")
        self.actions, self.name = actions, name
        unseen: dict[str, Any] = {"var_rec": 0} if noise else {"var_rec": 0, "var_in": 0}
        self._training = dataclasses.replace(self.model.training, **unseen)
        Nin, Nout = self.model.network.Nin, self.model.network.Nout
        spaces = gymnasium.spaces
        self.observation_space = spaces.Box(-np.inf, np.inf, (Nin,), np.float32)
        self.action_space = (
            spaces.Box(-np.inf, np.inf, (Nout,), np.float32)
            if actions == "outputs"
            else spaces.Discrete(Nout + 1)
        )
        self._conditions: dict[str, Any] = {}
        self._dataset: Dataset | None = None
        self._batch: Any = None
        self._trial: Any = None
        self._step = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray, dict[str, Any]]:
        """Begin the next trial, or with `seed` the first one of a new stream."""
        super().reset(seed=seed)
        if seed is not None or self._dataset is None:
            self._dataset = Dataset(
                1, self, "float32", self.model.network, self._training,
                seed=int(self.np_random.integers(2**32)), name=self.name, needs_targets=False,
            )  # fmt: skip
        self._conditions = dict(options or {})
        self._batch = self._dataset()
        (self._trial,) = self._dataset.get_trials()
        self._step = 0
        if self.actions == "choices":
            self._require_choices()
        return self._batch.inputs[0, 0].copy(), self._info()

    def step(self, action: Any) -> tuple[NDArray, float, bool, bool, dict[str, Any]]:
        """Answer the present observation; terminated after the last of the trial."""
        steps = 0 if self._batch is None else len(self._batch.inputs)
        if self._step == steps:
            raise TaskError("step: no trial is running; call reset() first")
        target, mask = self._batch.targets[self._step, 0], self._batch.mask[self._step, 0]
        reward = self._reward(action, target, mask)
        info = {
            **self._info(),
            "t": float(self._trial["t"][self._step]),
            "target": target.copy(),
            "mask": mask.copy(),
        }
        self._step += 1
        last = self._step == steps
        observation = self._batch.inputs[self._step - last, 0].copy()
        return observation, reward, last, False, info

    def generate_trial(
        self, rng: np.random.RandomState, dt: float, params: dict[str, Any]
    ) -> dict[str, Any]:
        """The task's trial under the conditions that reset was given."""
        return self.model.task.generate_trial(rng, dt, {**params, **self._conditions})

    def _require_choices(self) -> None:
        """TaskError where the targets that count are not two levels, one for the chosen output."""
        targets = self._batch.targets[self._batch.mask > 0]
        levels = np.unique(targets)
        if len(levels) > 2 or self.model.network.Nout < 2:
            raise TaskError(
                f"task {task_name(self.model.task)!r}: its targets are no choices, they take "
                f"{len(levels)} values on {self.model.network.Nout} outputs; use actions='outputs'"
            )

    def _info(self) -> dict[str, Any]:
        """What every info has; copies, for the task's own trial may be shown again."""
        return {
            "trial": dict(self._trial.get("info") or {}),
            "epochs": dict(self._trial.get("epochs") or {}),
        }

    def _reward(self, action: Any, target: NDArray, mask: NDArray) -> float:
        if self.actions == "outputs":
            action = np.asarray(action)
            if action.shape != target.shape or not np.isfinite(action).all():
                raise TaskError(
                    f"action: expected {len(target)} finite numbers, one for each output, got "
                    f"{action!r}"
                )
            return -float(np.sum(mask * (action - target) ** 2))
        if not self.action_space.contains(action):
            raise TaskError(f"action: expected 0 (none) to {len(target)}, got {action!r}")
        asked = 0 if np.ptp(target) == 0 else 1 + int(np.argmax(target))
        return float(np.mean(mask)) * (int(action) == asked)
