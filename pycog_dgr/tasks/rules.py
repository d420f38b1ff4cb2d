"""Several tasks in one network: every task has the inputs of all, and an input that says which.

    inputs    the task's own, then zeros up to the largest number of inputs, then a rule each
    outputs   the task's own; all tasks have as many

    models = with_rules({"rdm": Model("rdm_fixed.py"), "dms": Model("dms.py")}, N=100, ei=ei)

The rule input of a trial's task is 1 while the trial lasts, the others are 0. G. R. Yang, M. R.
Joglekar, H. F. Song, W. T. Newsome and X.-J. Wang, Nature Neurosci. 22, 297 (2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pycog_dgr.data import Task, Trial, task_name, task_source
from pycog_dgr.errors import SettingError
from pycog_dgr.tasks.model import Model

OF_A_TASK = ("performance", "n_validation")  # settings that are each task's own unless given


class WithRule:
    """A task with further inputs: some that stay 0, then one for each rule, of which one is on.

    Parameters
    ----------
    task
        Anything with generate_trial.
    Nin
        Its inputs and those that stay 0.
    rule, n_rules
        Which rule input is 1, counted from 0, and how many there are.
    """

    def __init__(self, task: Task, Nin: int, rule: int, n_rules: int) -> None:
        self.task, self.Nin, self.rule, self.n_rules = task, Nin, rule, n_rules
        self.__name__ = task_name(task)
        self.source = f"rule {rule} of {n_rules} after {Nin} inputs, {task_source(task)}"

    def generate_trial(self, rng: np.random.RandomState, dt: float, params: dict) -> Trial:
        """A trial of the task, with its rule input on throughout."""
        trial = self.task.generate_trial(rng, dt, params)
        steps = len(trial["t"])
        inputs = np.zeros((steps, self.Nin + self.n_rules))
        own = np.asarray(trial["inputs"])
        inputs[:, : own.shape[1]] = own
        inputs[:, self.Nin + self.rule] = 1
        return {**trial, "inputs": inputs}


def with_rules(models: Mapping[str, Model], **settings: Any) -> dict[str, Model]:
    """The same tasks for one network, which a rule input each tells what to do.

    Parameters
    ----------
    models
        name -> Model; of each the task, its number of inputs and, unless they are given, its
        `performance` and `n_validation` are taken.
    **settings
        Of the network that is to learn them all, and of its training: N, ei, optimiser and so on.
        Nin and Nout follow from the tasks.

    Returns
    -------
    dict
        name -> Model, all of the same sizes: for training.train_in_turn, or `interleaved`.

    Raises
    ------
    SettingError
        Where there is no task, the tasks differ in Nout, or Nin or Nout is given.
    """
    if not models:
        raise SettingError("with_rules: give at least one model")
    for name in ("Nin", "Nout"):
        if name in settings:
            raise SettingError(f"with_rules: {name} follows from the tasks; leave it out")
    outputs = {name: model.network.Nout for name, model in models.items()}
    if len(set(outputs.values())) > 1:
        told = ", ".join(f"{name} {Nout}" for name, Nout in outputs.items())
        raise SettingError(f"with_rules: the tasks differ in Nout: {told}; give all the same")
    Nin = max(model.network.Nin for model in models.values())
    settings |= {"Nin": Nin + len(models), "Nout": next(iter(outputs.values()))}
    return {
        name: Model(
            task=WithRule(model.task, Nin, rule, len(models)),
            **{own: getattr(model.training, own) for own in OF_A_TASK} | settings,
        )
        for rule, (name, model) in enumerate(models.items())
    }
