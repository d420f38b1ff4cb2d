"""Run a trained network: the face that pycog users know.

    rnn = RNN('savefile.npz', {'dt': 0.5})
    info = rnn.run(inputs=(generate_trial, params), seed=100)
    rnn.t (time,), rnn.u (Nin, time), rnn.r (N, time), rnn.z (Nout, time)

The best weights of the save file are run, those smaller than `threshold` set to zero. The time axis
starts at 0: sample 0 is the initial state, which is not integrated; noise is drawn for it all the
same. One run draws from one stream, in this order, and skips what has no variance: the trial, input
noise (time, Nin), recurrent noise (time, N), initial-state noise sigma0 N(0, 1) (N,).

In continuous mode a run starts where the last one ended. Without a save file the network is a set
of N independent Ornstein-Uhlenbeck processes. Equations: simulate.py; noise: dataset.py.
"""

import functools
import logging
from typing import NamedTuple

import numpy as np

from pycog_dgr.config import setting_names, settings, suggestion
from pycog_dgr.data import (
    checked_trial,
    input_noise_sampler,
    normal_stream,
    recurrent_noise_sampler,
)
from pycog_dgr.errors import SettingError, TaskError
from pycog_dgr.files.legacy import open_save
from pycog_dgr.network import Weights, activation, outputs, step

logger = logging.getLogger(__name__)

RUN_DEFAULTS = {
    "threshold": 1e-4,  # smaller effective weights are set to zero
    "sigma0": 0.0,  # standard deviation of the noise on the initial state
}
OU_DEFAULTS = {
    "N": 100,
    "hidden_activation": "linear",
    "baseline_in": 0,
    "rectify_inputs": False,
    "var_in": 0.01**2,
    "var_rec": 0.15**2,
    "dt": 0.5,  # ms
    "tau": 100,  # ms
}
LARGE_STEP = 1 / 10  # of tau
TOGETHER = 64  # trials integrated together: many, but their present state stays in the cache
AT_ONCE = 2**24  # numbers of noise drawn at once: 64 MB
IN_CACHE = 2**16  # numbers worked on at once where arrays are larger than the cache


class Run(NamedTuple):
    """One trial: t (time,), u (Nin, time) or None, r (N, time), z (Nout, time), info."""

    t: np.ndarray
    u: np.ndarray | None
    r: np.ndarray
    z: np.ndarray
    info: dict | None


class _Drawn(NamedTuple):
    """What is random about one trial: t (time,), the task's inputs `shown` (time - 1, Nin) or 0,
    noise_in (time, Nin) or 0, noise (time, N) or 0, x0 (N,), info."""

    t: np.ndarray
    shown: np.ndarray | int
    noise_in: np.ndarray | int
    noise: np.ndarray | int
    x0: np.ndarray
    info: dict | None


class RNN:
    """A network to run.

    savefile    written by Model.train, or by the original pycog; None for independent
                Ornstein-Uhlenbeck processes
    rnnparams   settings that override the file's (dt, var_rec, baseline_in, mode, threshold,
                sigma0, ...)
    verbose     report on the network in the log at level INFO rather than DEBUG

    SettingError for an unknown or unfit setting, CheckpointError for an unreadable file.
    """

    def __init__(self, savefile=None, rnnparams=None, verbose=True):
        self.level = logging.INFO if verbose else logging.DEBUG
        if savefile is None:
            self.costs_history = self.Omega_history = None
            self._configure(OU_DEFAULTS, rnnparams or {})
            N = self.p["N"]
            W = Weights(
                Win=None,
                Wrec=np.zeros((N, N), np.float32),
                Wout=None,
                brec=np.zeros(N, np.float32),
                bout=np.zeros(0, np.float32),
                x0=np.full(N, 0.1, np.float32),
            )
            logger.log(self.level, "no save file: %d Ornstein-Uhlenbeck processes", N)
        else:
            save = open_save(savefile)
            self.costs_history, self.Omega_history = save.costs_history, save.Omega_history
            self._configure(save.settings, rnnparams or {})
            W = save.best.weights
            logger.log(
                self.level, "%s: %d updates, best loss %.6g, spectral radius %.6g", savefile,
                save.best.iteration - 1, save.best.cost, spectral_radius(W.Wrec),
            )  # fmt: skip
        threshold = self.p["threshold"]
        self.weights = W._replace(
            **{
                name: None if value is None else np.where(np.abs(value) < threshold, 0, value)
                for name, value in W._asdict().items()
                if name.startswith("W")
            }
        )
        self.dtype = W.Wrec.dtype
        self.x_last = None
        self.t = self.u = self.r = self.z = None

    Win = property(lambda self: self.weights.Win, doc="(N, Nin), or None")
    Wrec = property(lambda self: self.weights.Wrec, doc="(N, N)")
    Wout = property(lambda self: self.weights.Wout, doc="(Nout, N), or None")
    brec = property(lambda self: self.weights.brec, doc="(N,)")
    bout = property(lambda self: self.weights.bout, doc="(Nout,)")
    x0 = property(lambda self: self.weights.x0, doc="(N,)")

    def _configure(self, saved, overrides):
        given = {**RUN_DEFAULTS, **saved, **overrides}
        own = {name: given.pop(name) for name in RUN_DEFAULTS}
        for name, value in own.items():
            if not np.isscalar(value) or not value >= 0:
                raise SettingError(f"setting {name}: expected a number of at least 0, got {value}")
        known = (*RUN_DEFAULTS, *setting_names())
        for name in overrides:
            if name not in known:
                raise SettingError(f"unknown setting {name!r}{suggestion(name, known)}")
        network, training = settings(**given)
        self.p = {**vars(network), **vars(training), **own}
        if np.any(self.p["dt"] > LARGE_STEP * np.asarray(self.p["tau"])):
            logger.log(
                self.level,
                "dt = %g ms is large for tau; from %g ms down, runs are close to continuous time",
                self.p["dt"],
                LARGE_STEP * np.min(self.p["tau"]),
            )

    # -- running --------------------------------------------------------------------------------

    def run(self, T=None, inputs=None, rng=None, seed=1234):
        """Run one trial and keep it in t, u, r and z (units first).

        T        duration in ms, without a task; or
        inputs   (generate_trial, params), as in (task.generate_trial, {'name': 'test'})
        rng      numpy RandomState to draw from; a new one of `seed` where it is None

        Returns the trial's info with its epochs, None without a task.
        """
        rng = np.random.RandomState(seed) if rng is None else rng
        drawn = self._draw(rng, rng, T, inputs, *self._noise())
        (run,), x_last = self._integrate([drawn])
        self.t, self.u, self.r, self.z, info = run
        if self.p["mode"] == "continuous":
            self.x_last = x_last[0]
        return info

    def run_trials(
        self, generate_trial, params, rng=None, seed=1234, noise_stream="fast", chunk=TOGETHER
    ):
        """Run many trials at once: a list of Run, one for each dictionary in `params`.

        rng           numpy RandomState to draw from; a new one of `seed` where it is None
        noise_stream  'fast', or 'original' for the trials that calls of `run` with one common rng
                      would give (noise.py)
        chunk         trials integrated together, fewer where they are long; the results are the
                      same, but for rounding

        Every trial starts from x0, or, in continuous mode after a run, from where that run ended;
        the network's own state does not change.
        """
        rng = np.random.RandomState(seed) if rng is None else rng
        stream = normal_stream(noise_stream, rng)
        noise_of = self._noise()
        drawn = (self._draw(rng, stream, None, (generate_trial, one), *noise_of) for one in params)
        return [run for part in self._parts(drawn, chunk) for run in self._integrate(part)[0]]

    def _parts(self, drawn, chunk):
        """Lists of at most `chunk` trials, which together have about AT_ONCE noise numbers."""
        part, numbers = [], 0
        for one in drawn:
            part.append(one)
            numbers += len(one.t) * self.p["N"]
            if len(part) >= chunk or numbers >= AT_ONCE:
                yield part
                part, numbers = [], 0
        if part:
            yield part

    def _noise(self):
        """What draws the noise of inputs and of units, prepared for many trials."""
        p = self.p
        return (
            input_noise_sampler(tau_in=p["tau_in"], dt=p["dt"], var_in=p["var_in"]),
            recurrent_noise_sampler(tau=p["tau"], dt=p["dt"], var_rec=p["var_rec"]),
        )

    def _draw(self, rng, stream, T, inputs, input_noise, recurrent_noise):
        """Everything random about one trial, in the order of draws: the task's part from `rng`,
        noise from `stream`."""
        p, W = self.p, self.weights
        dt = p["dt"]
        info, shown = None, 0
        if inputs is not None:
            generate_trial, params = inputs
            trial = generate_trial(rng, dt, params)
            Nin = 0 if W.Win is None else p["Nin"]
            checked_trial(trial, Nin, 0, generate_trial, params)
            t = np.zeros(len(trial["t"]) + 1)
            t[1:] = trial["t"]
            info = {**(trial.get("info") or {}), "epochs": trial.get("epochs")}
            if Nin:
                shown = trial["inputs"]
        elif T is None:
            raise TaskError("run: give the duration T in ms, or inputs=(generate_trial, params)")
        else:
            t = np.linspace(0, T, int(T / dt) + 1, dtype=self.dtype)

        noise_in = None
        if W.Win is not None:
            noise_in = input_noise(stream, (len(t), p["Nin"]))
        noise = recurrent_noise(stream, (len(t), p["N"]))
        x0 = W.x0 if self.x_last is None else self.x_last
        if self.x_last is None and p["sigma0"] > 0:
            x0 = (x0 + p["sigma0"] * stream.normal(size=p["N"])).astype(self.dtype)
        noise_in, noise = (0 if drawn is None else drawn for drawn in (noise_in, noise))
        return _Drawn(t, shown, noise_in, noise, x0, info)

    def _integrate(self, drawn):
        """Trials of any lengths together: their Runs, and the last states of the longest."""
        p, W = self.p, self.weights
        f, g = activation(p["hidden_activation"]), activation(p["output_activation"])
        alpha = np.asarray(p["dt"] / p["tau"], self.dtype)
        order = sorted(range(len(drawn)), key=lambda b: -len(drawn[b].t))  # the longest first, so
        drawn = [drawn[b] for b in order]  # that those still running are always the first ones
        steps = np.array([len(one.t) for one in drawn])
        u = self._inputs(drawn, steps)
        r = self._drive(drawn, steps, u)  # the rates take the place of what drove them
        x = np.stack([one.x0 for one in drawn]).astype(self.dtype, copy=False)
        r[0] = f(x)
        running = np.searchsorted(-steps, -np.arange(len(r)))  # trials, at every time step
        alpha = np.broadcast_to(alpha, len(x[0])).copy()
        integrator()(x, W.Wrec, alpha, p["hidden_activation"], running, r)
        z = outputs(r, W, g)
        runs = [None] * len(drawn)
        for b, one in enumerate(drawn):
            own = slice(steps[b]), b
            u_own = None if u is None else u[own].T
            runs[order[b]] = Run(one.t, u_own, r[own].T, z[own].T, one.info)
        return runs, x

    def _drive(self, drawn, steps, u):
        """What reaches the units from outside: u Win^T + brec + noise (time, trial, N)."""
        W = self.weights
        drive = np.empty((max(steps), len(drawn), self.p["N"]), self.dtype)
        for b, one in enumerate(drawn):
            drive[: steps[b], b] = one.noise
            drive[steps[b] :, b] = 0
        window = max(1, IN_CACHE // drive[0].size)
        for t in range(0, len(drive), window):
            if W.brec.any():
                drive[t : t + window] += W.brec
            if u is not None:
                part = u[t : t + window]
                driven = part.reshape(-1, part.shape[-1]) @ W.Win.T
                drive[t : t + window] += driven.reshape(*part.shape[:-1], -1)
        return drive

    def _inputs(self, drawn, steps):
        """Inputs (time, trial, Nin) with baseline and noise; sample 0 shows nothing of the task."""
        p = self.p
        if self.Win is None:
            return None
        u = np.zeros((max(steps), len(drawn), p["Nin"]), self.dtype)
        for b, one in enumerate(drawn):
            u[1 : steps[b], b] = one.shown
        u += self.dtype.type(p["baseline_in"])
        for b, one in enumerate(drawn):
            u[: steps[b], b] += np.asarray(one.noise_in, self.dtype)
        return np.maximum(u, 0, out=u) if p["rectify_inputs"] else u

    # -- figures --------------------------------------------------------------------------------

    def plot_costs(self):
        """Figure of the loss, the regulariser and the error during training."""
        from pycog_dgr.analysis.figures import (
            network as network_figures,  # matplotlib only where a figure is asked for
        )

        return network_figures.plot_costs(self)

    @staticmethod
    def plot_connection_matrix(plot, W, smap_exc=None, smap_inh=None, labelsize=5):
        """Show W (post, pre) on a Subplot: positive weights blue, negative ones red."""
        from pycog_dgr.analysis.figures import network as network_figures

        network_figures.plot_connection_matrix(plot, W, smap_exc, smap_inh, labelsize)

    def plot_structure(self, sortby=None):
        """Figure of all weights and their distributions; `sortby` orders the units."""
        from pycog_dgr.analysis.figures import network as network_figures

        return network_figures.plot_structure(self, sortby)


@functools.cache
def integrator():
    """`run` of recurrence_numba.py, or `run_by_numpy` where Numba cannot run."""
    try:
        from pycog_dgr.kernels.recurrence_numba import run
    except (ImportError, RuntimeError, OSError) as error:  # no Numba, or nowhere to keep its code
        logger.warning("Numba cannot run here (%s): networks are run by numpy, slower", error)
        return run_by_numpy
    return run


def run_by_numpy(x, Wrec, alpha, hidden_activation, running, r):
    """Rates at t = 1.. take the place of what drove the units, in r (time, trial, N).

    x (trial, N) comes in as the initial states and goes out as the last ones; at step t the first
    `running[t]` trials still run.
    """
    f, Wrec_T = activation(hidden_activation), np.ascontiguousarray(Wrec.T)
    for t, n in enumerate(running[1:], start=1):
        x[:n] = step(x[:n], r[t - 1, :n], Wrec_T, r[t, :n], alpha)
        r[t, :n] = f(x[:n])


def spectral_radius(A):
    """Largest absolute eigenvalue of A (N, N)."""
    return float(np.max(np.abs(np.linalg.eigvals(A))))
