"""Draw trials of a task and their noise, in the order of the original, into blocks.

One trial draws in this order, and skips what has no variance: the trial itself, input noise
(time, Nin), recurrent noise (time, N), initial-state noise sigma0 N(0, 1) (N,). From the task's own
stream a trial's noise is drawn before the next trial; the fast stream is another one, so that the
noise of a whole block is drawn at once, the same numbers.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import NetworkConfig
from pycog_dgr.data import (
    AS_DRAWN,
    NormalStream,
    Requests,
    Trial,
    input_noise_sampler,
    normal_stream,
    recurrent_noise_sampler,
)
from pycog_dgr.errors import TaskError
from pycog_dgr.running.arguments import ASKED, TrialSource, time_axis
from pycog_dgr.running.integrate import Block
from pycog_dgr.running.perturbations import Perturbation

AT_ONCE = 2**25  # numbers of noise drawn at once: 128 MB
ONE_BY_ONE = 3  # times the memory: noise drawn trial by trial is float64, then copied to its block


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
        tau_in, var_in, tau, var_rec = (p[key] for key in ("tau_in", "var_in", "tau", "var_rec"))
        self.input_noise = input_noise_sampler(tau_in=tau_in, dt=self.dt, var_in=var_in)
        self.recurrent_noise = recurrent_noise_sampler(tau=tau, dt=self.dt, var_rec=var_rec)
        correlated = self.input_noise.correlated or self.recurrent_noise.correlated
        # the stream that noise of many trials comes from at once, where there is one
        can_wait = isinstance(self.stream, NormalStream) and not correlated
        self.together = cast(NormalStream, self.stream) if can_wait else None

    def rest(self, T: float | None) -> Block:
        """One trial of T ms without a task, drawn."""
        if T is None:
            raise TaskError(f"run: {ASKED}")
        t = time_axis(T, self.dt, self.network.N, self.dtype)
        noises = [] if self.together else [self._noise(len(t))]
        block = self._drawn([{"t": t[1:], "inputs": 0}], noises, t.dtype)
        block.infos = [None]
        return block

    def blocks(
        self, source: TrialSource, params: Iterable[Mapping[str, Any]], chunk: int
    ) -> Iterator[Block]:
        """A trial of the task for each of `params`, drawn: `chunk` together, fewer where long."""
        one_by_one = self.together is None
        most = AT_ONCE // self.network.N // (ONE_BY_ONE if one_by_one else 1)
        trials: list[Trial] = []
        noises: list[dict[str, Any]] = []
        n_rows = 0
        for trial in source.trials(params, self.rng, self.dt):
            steps = len(trial["t"]) + 1
            if trials and (len(trials) == chunk or n_rows + steps > most):
                yield self._drawn(trials, noises)
                trials, noises, n_rows = [], [], 0
            trials.append(trial)
            n_rows += steps
            if one_by_one:
                noises.append(self._noise(steps))
        if trials:
            yield self._drawn(trials, noises)

    def _drawn(
        self, trials: list[Trial], noises: list[dict[str, Any]], t_dtype: Any = np.float64
    ) -> Block:
        """Trials with their noise, perturbed; `noises` is empty where it is drawn together."""
        block = Block(trials, self.x0, self.Nin, t_dtype)
        if self.together:
            self._draw_together(block, self.together)
            if not self.perturbations:
                return block
        for i, noise in enumerate(noises or [{}] * len(trials)):
            drawn = block.drawn(i)._replace(**noise)
            for perturbation in self.perturbations:
                drawn = perturbation.applied(drawn, self.network)
            block.put(i, drawn)
        return block

    # -- noise ----------------------------------------------------------------------------------

    def _noise(self, n_time: int) -> dict[str, Any]:
        """The noise of one trial, by the names of DrawnTrial."""
        noise_in = None
        if self.Nin:
            noise_in = self.input_noise(self.stream, (n_time, self.Nin))
        noise = self.recurrent_noise(self.stream, (n_time, self.network.N))
        x0 = self.x0
        if self.sigma0 > 0:
            x0 = (x0 + self.sigma0 * self.stream.normal(size=len(x0))).astype(self.dtype)
        return {
            "noise_in": 0 if noise_in is None else noise_in,
            "noise": 0 if noise is None else noise,
            "x0": x0,
        }

    def _draw_together(self, block: Block, stream: NormalStream) -> None:
        """The noise of all trials, in the block's rows: the same numbers as one by one."""
        samplers = ((self.input_noise, block.noise_in), (self.recurrent_noise, block.noise))
        sizes = [0 if sampler.silent else array.shape[1] for sampler, array in samplers]
        at_start = self.network.N * (self.sigma0 > 0)
        ends, requests = requests_of(tuple(block.ends), *sizes, at_start)
        *positions, of_start = stream.places(requests)
        for (sampler, array), begins in zip(samplers, positions, strict=True):
            if array.shape[1]:
                sampler.of_trials(stream, begins, ends, array)
        if at_start:
            drawn = np.empty(block.x.shape, np.float32)
            stream.trials(of_start, np.arange(1, len(drawn) + 1), AS_DRAWN, drawn)
            block.x[:] = self.x0 + self.sigma0 * drawn


@functools.lru_cache(maxsize=16)
def requests_of(ends: tuple[int, ...], Nin: int, N: int, at_start: int) -> tuple[NDArray, Requests]:
    """Of trials in rows, each up to its end: their ends, and what they ask for, so many numbers for
    inputs and units a step and for the start.
    """
    steps = np.diff(ends, prepend=0)
    sizes = np.stack([steps * Nin, steps * N, np.full_like(steps, at_start)], axis=1)
    return np.array(ends), Requests.of(sizes)
