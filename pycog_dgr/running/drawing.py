"""Draw trials of a task and their noise, in the order of the original, into blocks.

One trial draws in this order, and skips what has no variance: the trial itself, input noise
(time, Nin), recurrent noise (time, N), initial-state noise sigma0 N(0, 1) (N,). From the task's own
stream a trial's noise is drawn before the next trial; the fast stream is another one, so that the
noise of a whole block is drawn at once, the same numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import NetworkConfig
from pycog_dgr.data import (
    AS_DRAWN,
    NormalStream,
    Sampler,
    input_noise_sampler,
    normal_stream,
    recurrent_noise_sampler,
)
from pycog_dgr.errors import TaskError
from pycog_dgr.running.arguments import ASKED, TrialSource, time_axis
from pycog_dgr.running.integrate import Block, DrawnTrial
from pycog_dgr.running.perturbations import Perturbation

AT_ONCE = 2**25  # numbers of noise drawn at once: 128 MB


class Drawing:
    """What one call of `run` or `run_trials` draws.

    Parameters
    ----------
    p
        The network's settings by name.
    network
        Its checked ones.
    Nin
        Inputs; 0 where the network has no Win.
    dtype
        The network's number type.
    x0
        The states that trials start from, (N,).
    sigma0
        Standard deviation of the noise on them.
    rng, noise_stream
        What trials are drawn from, and which stream the noise comes from (data/noise.py).
    perturbations
        What is done to each trial.
    """

    def __init__(
        self,
        p: Mapping[str, Any],
        network: NetworkConfig,
        Nin: int,
        dtype: np.dtype,
        x0: NDArray,
        sigma0: float,
        rng: np.random.RandomState,
        noise_stream: str,
        perturbations: Sequence[Perturbation],
    ) -> None:
        self.network, self.Nin, self.dtype = network, Nin, dtype
        self.dt, self.x0, self.sigma0 = p["dt"], x0, sigma0
        self.rng, self.stream = rng, normal_stream(noise_stream, rng)
        self.perturbations = perturbations
        self.input_noise, self.recurrent_noise = noise_samplers(p)

    # -- trials ---------------------------------------------------------------------------------

    def rest(self, T: float | None) -> DrawnTrial:
        """A trial of T ms without a task."""
        if T is None:
            raise TaskError(f"run: {ASKED}")
        t = time_axis(T, self.dt, self.network.N, self.dtype)
        return DrawnTrial(t, 0, 0, 0, self.x0, info=None)

    def trial(self, source: TrialSource, params: Mapping[str, Any]) -> DrawnTrial:
        """A trial of the task, drawn, without noise."""
        trial = source.trial(params, self.rng, self.dt)
        t = np.empty(len(trial["t"]) + 1)
        t[0], t[1:] = 0, trial["t"]
        info = {**(trial.get("info") or {}), "epochs": trial.get("epochs")}
        return DrawnTrial(t, trial["inputs"] if self.Nin else 0, 0, 0, self.x0, info)

    def block(self, n_trial: int, longest: int) -> Block:
        """Room for so many trials, or as many as together have about AT_ONCE noise numbers."""
        N = self.network.N
        n_rows = max(min(n_trial * longest, AT_ONCE // N), longest)
        block = Block(n_trial, n_rows, self.Nin, N, self.dtype)
        block.x[:] = self.x0
        return block

    def add(self, block: Block, trial: DrawnTrial) -> None:
        """Add a trial; where its noise comes from the task's stream, that is drawn now."""
        block.add(trial)
        if not isinstance(self.stream, NormalStream):
            self.draw_noise(block)

    # -- noise ----------------------------------------------------------------------------------

    def draw_noise(self, block: Block) -> None:
        """Draw the noise of the trials that have none yet, and do to them what is to be done."""
        new = range(block.n_drawn, len(block.trials))
        block.n_drawn = len(block.trials)
        if not new:
            return
        correlated = self.input_noise.correlated or self.recurrent_noise.correlated
        if not isinstance(self.stream, NormalStream) or correlated:
            for i in new:
                block.put(i, self._perturbed(self._with_noise(block, i)))
            return
        self._draw_together(block, new, self.stream)
        if self.perturbations:
            for i in new:
                block.put(i, self._perturbed(block.drawn(i)))

    def _perturbed(self, drawn: DrawnTrial) -> DrawnTrial:
        for perturbation in self.perturbations:
            drawn = perturbation.applied(drawn, self.network)
        return drawn

    def _with_noise(self, block: Block, i: int) -> DrawnTrial:
        """A trial with its noise, in the block's rows where it can be drawn there."""
        trial, own, stream = block.trials[i], block.rows(i), self.stream
        noise_in = None
        if self.Nin:
            noise_in = self.input_noise(stream, (len(trial.t), self.Nin), block.noise_in[own])
        noise = self.recurrent_noise(stream, (len(trial.t), self.network.N), block.noise[own])
        x0 = trial.x0
        if self.sigma0 > 0:
            x0 = (x0 + self.sigma0 * stream.normal(size=len(x0))).astype(self.dtype)
        return trial._replace(
            noise_in=0 if noise_in is None else noise_in, noise=0 if noise is None else noise, x0=x0
        )

    def _draw_together(self, block: Block, new: range, stream: NormalStream) -> None:
        """The noise of some trials, in the block's rows: the same numbers as one by one."""
        first = block.rows(new.start).start
        whole = slice(first, block.taken)
        samplers = ((self.input_noise, block.noise_in), (self.recurrent_noise, block.noise))
        sizes = [0 if sampler.silent else array.shape[1] for sampler, array in samplers]
        ends, counts = requests_of(
            first, tuple(block.ends[new.start :]), *sizes, self.network.N * (self.sigma0 > 0)
        )
        *positions, of_start = stream.places(counts)
        for (sampler, array), begins in zip(samplers, positions, strict=True):
            if array.shape[1]:
                sampler.of_trials(stream, begins, ends, array[whole])
        if self.sigma0 > 0:
            drawn = np.empty((len(new), self.network.N), np.float32)
            stream.trials(of_start, np.arange(1, len(new) + 1), AS_DRAWN, drawn)
            block.x[new.start : new.stop] = self.x0 + self.sigma0 * drawn


@functools.lru_cache(maxsize=16)
def requests_of(
    first: int, ends: tuple[int, ...], Nin: int, N: int, at_start: int
) -> tuple[NDArray, NDArray]:
    """Of trials in the rows from `first` on, each up to its end: their ends from there on, and how
    many numbers (trial, 3) each needs, so many for inputs and units a step and for its start.
    """
    from_first = np.array(ends) - first
    steps = np.diff(from_first, prepend=0)
    counts = np.stack([steps * Nin, steps * N, np.full_like(steps, at_start)], axis=1)
    return from_first, counts


def noise_samplers(p: Mapping[str, Any]) -> tuple[Sampler, Sampler]:
    """What draws the noise of inputs and of units; made once where settings are plain numbers."""
    given = [p[name] for name in ("tau_in", "var_in", "tau", "var_rec", "dt")]
    plain = all(isinstance(value, (int, float)) for value in given)
    return _samplers_of_numbers(*given) if plain else _samplers(*given)


def _samplers(tau_in: Any, var_in: Any, tau: Any, var_rec: Any, dt: Any) -> tuple[Sampler, Sampler]:
    return (
        input_noise_sampler(tau_in=tau_in, dt=dt, var_in=var_in),
        recurrent_noise_sampler(tau=tau, dt=dt, var_rec=var_rec),
    )


_samplers_of_numbers = functools.lru_cache(maxsize=16)(_samplers)
