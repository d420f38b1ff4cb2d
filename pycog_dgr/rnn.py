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

import logging
from typing import NamedTuple

import numpy as np

from . import dataset
from .config import names, settings, suggestion
from .connectivity import Weights
from .errors import SettingError, TaskError
from .legacy import open_save
from .simulate import activation, outputs, simulate

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


class Run(NamedTuple):
    """One trial: t (time,), u (Nin, time) or None, r (N, time), z (Nout, time), info."""

    t: np.ndarray
    u: np.ndarray | None
    r: np.ndarray
    z: np.ndarray
    info: dict | None


class _Drawn(NamedTuple):
    """One trial before integration: t (time,), u (time, Nin) or None, noise (time, N), x0 (N,)."""

    t: np.ndarray
    u: np.ndarray | None
    noise: np.ndarray
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
        known = (*RUN_DEFAULTS, *(name for config in settings() for name in names(type(config))))
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
        drawn = self._draw(rng, T, inputs)
        (run,), x_last = self._integrate([drawn])
        self.t, self.u, self.r, self.z, info = run
        if self.p["mode"] == "continuous":
            self.x_last = x_last[0]
        return info

    def run_trials(self, generate_trial, params, rng=None, seed=1234, chunk=500):
        """Run many trials at once: a list of Run, one for each dictionary in `params`.

        The stream is used as by calls of `run` with one common rng, so the trials are the same;
        `chunk` of them are integrated together. Every trial starts from x0, or, in continuous
        mode after a run, from where that run ended; the network's own state does not change.
        """
        rng = np.random.RandomState(seed) if rng is None else rng
        params = list(params)
        runs = []
        for first in range(0, len(params), chunk):
            part = params[first : first + chunk]
            drawn = [self._draw(rng, None, (generate_trial, p)) for p in part]
            runs.extend(self._integrate(drawn)[0])
        return runs

    def _draw(self, rng, T, inputs):
        """Everything random about one trial, in the order of draws."""
        p, W = self.p, self.weights
        dt = p["dt"]
        info, shown = None, 0
        if inputs is not None:
            generate_trial, params = inputs
            trial = generate_trial(rng, dt, params)
            Nin = 0 if W.Win is None else p["Nin"]
            dataset.checked(trial, Nin, 0, generate_trial, {**params, "target_output": False})
            t = np.concatenate(([0], trial["t"]))
            info = {**(trial.get("info") or {}), "epochs": trial.get("epochs")}
            if Nin:
                shown = np.concatenate((np.zeros((1, Nin)), trial["inputs"]))
        elif T is None:
            raise TaskError("run: give the duration T in ms, or inputs=(generate_trial, params)")
        else:
            t = np.linspace(0, T, int(T / dt) + 1, dtype=self.dtype)

        n_time = len(t)
        u = None
        if W.Win is not None:
            u = np.zeros((n_time, p["Nin"]), self.dtype)
            u += shown
            noise_in = dataset.input_noise(
                rng, u.shape, tau_in=p["tau_in"], dt=dt, var_in=p["var_in"]
            )
            u = (p["baseline_in"] + u).astype(self.dtype)
            if noise_in is not None:
                u += noise_in.astype(self.dtype)
            if p["rectify_inputs"]:
                u = np.maximum(u, 0)
        noise = dataset.recurrent_noise(
            rng, (n_time, p["N"]), tau=p["tau"], dt=dt, var_rec=p["var_rec"]
        )
        noise = np.zeros((n_time, p["N"])) if noise is None else noise
        x0 = W.x0 if self.x_last is None else self.x_last
        if self.x_last is None and p["sigma0"] > 0:
            x0 = (x0 + p["sigma0"] * rng.normal(size=p["N"])).astype(self.dtype)
        return _Drawn(t, u, noise.astype(self.dtype), x0, info)

    def _integrate(self, drawn):
        """Trials of any lengths together: their Runs, and the last states (trial, N)."""
        p, W = self.p, self.weights
        n_time = max(len(one.t) for one in drawn)

        def padded(arrays):
            """(time, trial, unit) without sample 0."""
            stacked = np.zeros((n_time - 1, len(drawn), arrays[0].shape[1]), self.dtype)
            for b, array in enumerate(arrays):
                stacked[: len(array) - 1, b] = array[1:]
            return stacked

        x0 = np.stack([one.x0 for one in drawn])
        simulation = simulate(
            W,
            None if W.Win is None else padded([one.u for one in drawn]),
            padded([one.noise for one in drawn]),
            p["dt"] / p["tau"],
            hidden_activation=p["hidden_activation"],
            output_activation=p["output_activation"],
            start=x0,
        )
        r0 = activation(p["hidden_activation"])(x0)
        z0 = outputs(r0, W, activation(p["output_activation"]))
        runs = []
        for b, one in enumerate(drawn):
            steps = len(one.t) - 1
            r = np.concatenate((r0[b : b + 1], simulation.r[:steps, b]))
            z = np.concatenate((z0[b : b + 1], simulation.z[:steps, b]))
            runs.append(Run(one.t, None if one.u is None else one.u.T, r.T, z.T, one.info))
        return runs, simulation.x[-1] if n_time > 1 else x0

    # -- figures --------------------------------------------------------------------------------

    def plot_costs(self):
        """Figure of the loss, the regulariser and the error during training."""
        from . import networkplots  # matplotlib only where a figure is asked for

        return networkplots.plot_costs(self)

    @staticmethod
    def plot_connection_matrix(plot, W, smap_exc=None, smap_inh=None, labelsize=5):
        """Show W (post, pre) on a Subplot: positive weights blue, negative ones red."""
        from . import networkplots

        networkplots.plot_connection_matrix(plot, W, smap_exc, smap_inh, labelsize)

    def plot_structure(self, sortby=None):
        """Figure of all weights and their distributions; `sortby` orders the units."""
        from . import networkplots

        return networkplots.plot_structure(self, sortby)


def spectral_radius(A):
    """Largest absolute eigenvalue of A (N, N)."""
    return float(np.max(np.abs(np.linalg.eigvals(A))))
