"""Several tasks at the same time, as one: each trial is of one of them, drawn at random.

    model = interleaved({"pro": Model("pro.py"), "anti": Model("anti.py")})
    model.train("both.npz")

A trial's info says which task it is of, under 'task' (catch trials, whose info is empty, do not);
validation goes through the tasks in turn. Performance is that of the task that is worst.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pycog_dgr.config import setting_names
from pycog_dgr.data import task_source
from pycog_dgr.errors import SettingError, TaskError
from pycog_dgr.tasks.model import Model

OWN = "interleaved"  # key of a trial: which task it is of
SIZES = ("Nin", "N", "Nout")


class Interleaved:
    """A task whose trials are those of several tasks.

    Parameters
    ----------
    models
        name -> Model; all of the same sizes.
    shares
        name -> share of the trials, summing to 1; equal ones where it is None.
    """

    def __init__(
        self, models: Mapping[str, Model], shares: Mapping[str, float] | None = None
    ) -> None:
        if len(models) < 2:
            raise SettingError("interleaved: give at least two models")
        given = shares or dict.fromkeys(models, 1 / len(models))
        if set(given) != set(models) or not np.isclose(sum(given.values()), 1):
            raise SettingError(
                f"interleaved: shares must be given for {', '.join(models)} and sum to 1"
            )
        self.names = list(models)
        self.models = list(models.values())
        self.shares = [given[name] for name in self.names]
        self.__name__ = " and ".join(self.names)
        sources = [task_source(model.task, model.training.performance) for model in self.models]
        self.source = f"interleaved {list(zip(self.names, self.shares, sources, strict=True))}"

    def generate_trial(self, rng: np.random.RandomState, dt: float, params: dict) -> dict:
        """A trial of one of the tasks; params['task'] names it, otherwise it is drawn."""
        which = int(np.searchsorted(np.cumsum(self.shares[:-1]), rng.rand(), side="right"))
        index = params.get("minibatch_index")
        if "task" in params:
            which = self._number(params["task"])
        elif params["name"] == "validation" and index is not None:
            within, which = divmod(index, len(self.names))
            params = {**params, "minibatch_index": within}
        trial = self.models[which].task.generate_trial(rng, dt, params)
        info = trial.get("info") or {}
        info = {**info, "task": self.names[which]} if info else info
        return {**trial, "info": info, OWN: which}

    def _number(self, name: str) -> int:
        if name not in self.names:
            raise TaskError(f"no task {name!r} among the interleaved; there are {self.names}")
        return self.names.index(name)

    def performance(self, trials: list[dict], z: np.ndarray) -> float:
        """The lowest performance among the tasks whose trials are there."""
        found = []
        for which, model in enumerate(self.models):
            own = [i for i, trial in enumerate(trials) if trial[OWN] == which]
            if own and model.training.performance is not None:
                found.append(model.training.performance([trials[i] for i in own], z[:, own]))
        return float(min(found))


def interleaved(
    models: Mapping[str, Model], shares: Mapping[str, float] | None = None, **changes: Any
) -> Model:
    """A Model that learns several tasks at the same time.

    Parameters
    ----------
    models
        name -> Model. Network and training are those of the first.
    shares
        name -> share of the trials; equal ones where it is None.
    **changes
        Settings other than the first model's, as terminate or n_validation.

    Returns
    -------
    Model
        Of the Interleaved task.

    Raises
    ------
    SettingError
        Where the models differ in size, or one has no performance.
    """
    first, *others = models.values()
    for name in SIZES:
        sizes = {getattr(model.network, name) for model in (first, *others)}
        if len(sizes) > 1:
            raise SettingError(
                f"interleaved: the tasks have {name} = {', '.join(map(str, sorted(sizes)))}; give "
                "all the inputs and outputs of all"
            )
    missing = [name for name, model in models.items() if model.training.performance is None]
    if missing:
        raise SettingError(f"interleaved: {missing[0]!r} has no performance to judge by")
    task = Interleaved(models, shares)
    own = {**vars(first.network), **vars(first.training)}
    names = [name for name in setting_names() if name != "seed" or first.has_own_seed]
    settings = {name: own[name] for name in names}
    settings |= {"performance": task.performance, **changes}
    return Model(task=task, **settings)
