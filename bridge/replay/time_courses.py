"""A generator of input time courses: what stands for the trials of earlier tasks.

A trial's inputs (time, Nin) are taken for an image whose columns are the inputs, scaled to [0, 1]
input by input, with one column more that is 1 while the trial lasts; trials of all lengths are
padded with 0. The generator of images is the conditional one of generative replay, whose classes
are the tasks: it goes on from task to task and stays aligned with its predecessor.

    image   (time, Nin + 1) in [0, 1]     inputs = low + (high - low) image[:, :-1]
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bridge.errors import BatchError, SettingError
from bridge.networks import make_generator

ENDS = 0.5  # the trial lasts while its own column is above


class TimeCourses:
    """Learns the inputs of one task after the other, and draws new ones.

    Parameters
    ----------
    n_tasks, n_steps, Nin
        Tasks in all, time steps of the longest trial, inputs.
    seed
        Of the generator's weights and of all that is drawn while it learns.
    **options
        Of the conditional variational autoencoder.

    Attributes
    ----------
    learnt
        The numbers of the tasks that it has learnt, in their order.

    Raises
    ------
    SettingError
        A size or option that does not exist.
    """

    def __init__(self, n_tasks: int, n_steps: int, Nin: int, *, seed: int, **options: Any) -> None:
        self.n_tasks, self.n_steps, self.Nin = n_tasks, n_steps, Nin
        self.rng = np.random.default_rng(seed)
        self.generator = make_generator(
            "conditional_vae", seed, n_classes=n_tasks, image_shape=(n_steps, Nin + 1), **options
        )
        self.ranges: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # task -> low, high: (Nin,) each

    @property
    def learnt(self) -> tuple[int, ...]:
        """The tasks that can be sampled."""
        return tuple(self.ranges)

    def learn(self, task: int, inputs: Sequence[np.ndarray], *, iterations: int) -> None:
        """Learn the inputs of the next task.

        Parameters
        ----------
        task
            Its number, from 0; each is learnt once.
        inputs
            Time courses, each (time, Nin), without noise.
        iterations
            Batches of 64.

        Raises
        ------
        BatchError
            None, of another size, longer than `n_steps`, or not finite.
        """
        if not len(inputs):
            raise BatchError(f"task {task}: no time courses to learn; give some")
        for number, shown in enumerate(inputs):
            if np.ndim(shown) != 2 or shown.shape[1] != self.Nin or len(shown) > self.n_steps:
                raise BatchError(
                    f"inputs {number} of task {task} have shape {np.shape(shown)}; expected "
                    f"(time, {self.Nin}), at most {self.n_steps} time steps"
                )
            if not np.isfinite(shown).all():
                raise BatchError(f"inputs {number} of task {task} are not finite")
        low = np.min([shown.min(axis=0) for shown in inputs], axis=0)
        high = np.max([shown.max(axis=0) for shown in inputs], axis=0)
        images = np.zeros((len(inputs), self.n_steps, self.Nin + 1), np.float32)
        for image, shown in zip(images, inputs, strict=True):
            image[: len(shown), :-1] = (shown - low) / np.where(high > low, high - low, 1)
            image[: len(shown), -1] = 1
        targets = np.zeros((len(images), self.n_tasks))
        targets[:, task] = 1
        self.generator.fit(images, targets, iterations=iterations, rng=self.rng)
        self.ranges[task] = low, high

    def sample(self, n: int, rng: np.random.Generator, task: int) -> list[np.ndarray]:
        """Draw time courses of a task that was learnt.

        Parameters
        ----------
        n
            How many.
        rng
            The source of all random numbers.
        task
            Its number.

        Returns
        -------
        list of np.ndarray
            Each (time, Nin), as long as the generator makes it.

        Raises
        ------
        SettingError
            A task that was not learnt.
        """
        if task not in self.ranges:
            raise SettingError(f"task {task} was not learnt; there are {list(self.learnt)}")
        low, high = self.ranges[task]
        images = self.generator.sample(n, rng, np.full(n, task))
        lasts = images[:, :, -1] > ENDS
        lengths = np.maximum(self.n_steps - lasts[:, ::-1].argmax(axis=1), 1)
        lengths[~lasts.any(axis=1)] = 1
        inputs = low + (high - low) * images[:, :, :-1]
        return [shown[:length] for shown, length in zip(inputs, lengths, strict=True)]
