"""Run a trained network, by the interface that pycog users know.

    rnn = RNN('savefile.npz', {'dt': 0.5})
    info = rnn.run(inputs=(generate_trial, params), seed=100)
    rnn.t (time,), rnn.u (Nin, time), rnn.x (N, time), rnn.r (N, time), rnn.z (Nout, time)

The best weights of the save file are run, those smaller than `threshold` set to zero. The time axis
starts at 0: sample 0 is the initial state, which is not integrated; noise is drawn for it all the
same. One run draws from one stream, in this order, and skips what has no variance: the trial, input
noise (time, Nin), recurrent noise (time, N), initial-state noise sigma0 N(0, 1) (N,).

In continuous mode a run starts where the last one ended. Without a save file the network is a set
of N independent Ornstein-Uhlenbeck processes. Equations: integrate.py; noise: data/noise.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.config import setting_names, settings, suggestion
from pycog_dgr.errors import SettingError, TaskError
from pycog_dgr.files.legacy import open_save
from pycog_dgr.network import Weights, spectral_radius
from pycog_dgr.running.arguments import TrialSource, checked_seed
from pycog_dgr.running.drawing import Drawing
from pycog_dgr.running.integrate import Run, integrate_block
from pycog_dgr.running.lesions import checked_weights, lesioned
from pycog_dgr.running.perturbations import Perturbation

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
TOGETHER = 64  # trials drawn, and given to the kernels, at once


def _weight(name: str, shape: str) -> Any:
    """Property of an RNN: one of its effective weights, checked when it is assigned."""

    def read(self: RNN) -> Any:
        return getattr(self.weights, name)

    def assign(self: RNN, value: ArrayLike) -> None:
        checked = checked_weights(name, value, self.weights, self._network)
        self.weights = self.weights._replace(**{name: checked})

    return property(read, assign, doc=shape)


class RNN:
    """A network to run.

    Parameters
    ----------
    savefile
        Written by Model.train, or by the original pycog; None for independent Ornstein-Uhlenbeck
        processes.
    rnnparams
        Settings that override the file's (dt, var_rec, baseline_in, mode, threshold, sigma0, ...).
    verbose
        Report on the network in the log at level INFO rather than DEBUG.

    Raises
    ------
    SettingError
        For an unknown or unfit setting.
    CheckpointError
        For a file that cannot be read.
    """

    def __repr__(self) -> str:
        p = self.p
        sizes = f"{p['Nin']} inputs, {p['N']} units, {p['Nout']} outputs"
        return f"RNN({sizes}, tau {np.mean(p['tau']):g} ms, dt {p['dt']:g} ms)"

    def __init__(
        self,
        savefile: str | Path | None = None,
        rnnparams: dict[str, Any] | None = None,
        verbose: bool = True,
    ) -> None:
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
            best = save.selected
            W = best.weights
            logger.log(
                self.level, "%s: %d updates, best loss %.6g, spectral radius %.6g", savefile,
                best.iteration - 1, best.cost, spectral_radius(W.Wrec),
            )  # fmt: skip
            if best.iteration == 1 < save.iteration:
                logger.warning(
                    "%s: the best network is the initial one, of %d updates none has lowered the "
                    "loss; train longer, or with another learning_rate", savefile,
                    save.iteration - 1,
                )  # fmt: skip
        cut: dict[str, Any] = {
            name: None if value is None else np.where(np.abs(value) < self.p["threshold"], 0, value)
            for name, value in (("Win", W.Win), ("Wrec", W.Wrec), ("Wout", W.Wout))
        }
        self.weights: Weights = W._replace(**cut)
        self._trained = self.weights
        self.dtype = W.Wrec.dtype
        self._dtype_name = self.dtype.name  # numpy composes it at every question
        self.x_last: NDArray | None = None  # (N,), of the last run in continuous mode
        # of the last run: t (time,), u (Nin, time), x and r (N, time), z (Nout, time)
        self.t: Any = None
        self.u: Any = None
        self.x: Any = None
        self.r: Any = None
        self.z: Any = None

    # Effective values; others can be assigned, and are checked (lesions.py). The file stays.
    Win = _weight("Win", "(N, Nin), or None")
    Wrec = _weight("Wrec", "(N, N)")
    Wout = _weight("Wout", "(Nout, N), or None")
    brec = _weight("brec", "(N,)")
    bout = _weight("bout", "(Nout,)")
    x0 = _weight("x0", "(N,)")

    def lesion(
        self, units: Sequence[int] | NDArray = (), connections: ArrayLike | None = None
    ) -> None:
        """Cut units and recurrent connections of this network; see lesions.lesioned.

        Parameters
        ----------
        units
            Indices, or (N,) of bool.
        connections
            (N, N) of bool, post x pre.

        Raises
        ------
        SettingError
            For a unit that is not there, or a mask of another shape.
        """
        self.weights = lesioned(self.weights, units, connections)

    def restore(self) -> None:
        """Undo every lesion and assignment: the weights of the save file again."""
        self.weights = self._trained

    def arrays(self) -> dict[str, NDArray]:
        """Copies of the effective weights that there are, lesions included, by name.

        A torch state_dict is {name: torch.from_numpy(a) for name, a in rnn.arrays().items()}.

        Returns
        -------
        dict
            'Win', 'Wrec', 'Wout', 'brec', 'bout', 'x0' -> array.
        """
        present = self.weights._asdict().items()
        return {name: np.array(value) for name, value in present if value is not None}

    def export(self, path: str | Path) -> None:
        """Write `arrays` for other programs, as .safetensors.

        Parameters
        ----------
        path
            The file to write.

        Raises
        ------
        CheckpointError
            For another suffix, or a file that cannot be written.
        MissingExtraError
            Without the extra [export].
        """
        from pycog_dgr.running.export import export

        export(self.arrays(), path)

    def _configure(self, saved: dict[str, Any], overrides: dict[str, Any]) -> None:
        given = {**RUN_DEFAULTS, **saved, **overrides}
        own: dict[str, Any] = {name: given.pop(name) for name in RUN_DEFAULTS}
        for name, value in own.items():
            if np.ndim(value) or not value >= 0:
                raise SettingError(f"setting {name}: expected a number of at least 0, got {value}")
        known = (*RUN_DEFAULTS, *setting_names())
        for name in overrides:
            if name not in known:
                raise SettingError(f"unknown setting {name!r}{suggestion(name, known)}")
        self._network, self._training = settings(**given)
        self.p = {**vars(self._network), **vars(self._training), **own}
        if np.any(self.p["dt"] > LARGE_STEP * np.asarray(self.p["tau"])):
            logger.log(
                self.level,
                "dt = %g ms is large for tau; from %g ms down, runs are close to continuous time",
                self.p["dt"],
                LARGE_STEP * np.min(self.p["tau"]),
            )

    # -- running --------------------------------------------------------------------------------

    def run(
        self,
        T: float | None = None,
        inputs: tuple[Callable[..., dict], dict] | None = None,
        rng: np.random.RandomState | None = None,
        seed: int = 1234,
        start: ArrayLike | None = None,
        perturbations: Sequence[Perturbation] = (),
    ) -> dict[str, Any] | None:
        """Run one trial and keep it in t, u, x, r and z (units first).

        Parameters
        ----------
        T
            Duration in ms, without a task; or
        inputs
            (generate_trial, params), as in (task.generate_trial, {'name': 'test'}).
        rng
            The numpy RandomState to draw from; a new one of `seed` where it is None.
        start
            The state to start from, (N,), exactly; x0 (or where the last run ended, in continuous
            mode) where it is None.
        perturbations
            What is done to the network meanwhile: InputPulse, CurrentPulse, Kick.

        Returns
        -------
        The trial's info with its epochs, None without a task.

        Raises
        ------
        TaskError
            Where neither T nor inputs is given, or the task's trial does not fit the network.
        """
        x0 = self._start(start)
        source = None if inputs is None else TrialSource(inputs, self._Nin, self._dtype_name)
        with self._random_stream(rng, seed) as rng:
            drawing = self._drawing(rng, "original", x0, perturbations)
            if source is None:
                block = drawing.rest(T)
            else:
                [block] = drawing.blocks(source, [source.params], 1)
        [run] = integrate_block(
            block, self.weights, self._network, self._training, with_states=True
        )
        self.t, self.u, self.r, self.z, info, self.x = run
        if self.p["mode"] == "continuous":
            self.x_last = block.x[0]
        return info

    def run_trials(
        self,
        generate_trial: Callable[..., dict],
        params: Sequence[dict],
        rng: np.random.RandomState | None = None,
        seed: int = 1234,
        noise_stream: str = "fast",
        chunk: int = TOGETHER,
        *,
        start: ArrayLike | None = None,
        perturbations: Sequence[Perturbation] = (),
        states: bool = False,
    ) -> list[Run]:
        """Run many trials at once: a list of Run, one for each dictionary in `params`.

        Parameters
        ----------
        generate_trial, params
            The task's function, and what it is called with for each trial.
        rng
            The numpy RandomState to draw from; a new one of `seed` where it is None.
        noise_stream
            'fast', or 'original' for the trials that calls of `run` with one common rng would give
            (data/noise.py).
        chunk
            Trials drawn and integrated at once, fewer where they are long; the results are the
            same, but for rounding.
        start, perturbations
            As in `run`, for every trial.
        states
            Whether each Run has its states x.

        Every trial starts from x0, or, in continuous mode after a run, from where that run ended;
        the network's own state does not change.
        """
        x0, runs = self._start(start), []
        source = TrialSource((generate_trial, None), self._Nin, self._dtype_name)
        with self._random_stream(rng, seed) as rng:
            drawing = self._drawing(rng, noise_stream, x0, perturbations)
            for block in drawing.blocks(source, params, chunk):
                runs += integrate_block(block, self.weights, self._network, self._training, states)
        return runs

    @contextmanager
    def _random_stream(
        self, rng: np.random.RandomState | None, seed: int
    ) -> Iterator[np.random.RandomState]:
        """`rng`, or a stream of `seed`.

        Making one takes longer than a short run. One is kept, and lent to one call at a time.
        """
        if rng is not None:
            yield rng
            return
        checked_seed(seed)
        own = self.__dict__.pop("_stream", None) or np.random.RandomState()
        own.seed(seed)
        yield own
        self._stream = own

    def _start(self, start: ArrayLike | None) -> NDArray | None:
        """A state to start from, checked."""
        if start is None:
            return None
        x = np.array(start, self.dtype)
        if x.shape != (self.p["N"],) or not np.isfinite(x).all():
            raise TaskError(
                f"start: expected {self.p['N']} finite numbers, one per unit, got shape {x.shape}"
            )
        return x

    @property
    def _Nin(self) -> int:
        return 0 if self.weights.Win is None else self.p["Nin"]

    def _drawing(
        self,
        rng: np.random.RandomState,
        noise_stream: str,
        start: NDArray | None,
        perturbations: Sequence[Perturbation],
    ) -> Drawing:
        """What draws from `rng`; a state to start from, or to go on from, is without noise."""
        x0, sigma0 = (self.x_last, 0.0) if start is None else (start, 0.0)
        if x0 is None:
            x0, sigma0 = self.weights.x0, self.p["sigma0"]
        return Drawing(
            self.p, self._network, self._Nin, self.dtype, x0, sigma0, rng, noise_stream,
            perturbations,
        )  # fmt: skip

    # -- figures --------------------------------------------------------------------------------

    def plot_costs(self, fig: Any = None) -> Any:
        """Figure of the loss, the regulariser and the error during training, in `fig` if given."""
        # matplotlib only where a figure is asked for
        from pycog_dgr.analysis.figures import network as network_figures

        return network_figures.plot_costs(self, fig)

    @staticmethod
    def plot_connection_matrix(
        plot: Any, W: NDArray, smap_exc: Any = None, smap_inh: Any = None, labelsize: float = 5
    ) -> None:
        """Show W (post, pre) on a Subplot: positive weights blue, negative ones red."""
        from pycog_dgr.analysis.figures import network as network_figures

        network_figures.plot_connection_matrix(plot, W, smap_exc, smap_inh, labelsize)

    def plot_structure(self, sortby: Any = None, fig: Any = None) -> Any:
        """Figure of all weights and their distributions; `sortby` orders the units.

        Drawn into `fig`, a Figure or SubFigure of matplotlib, if given.
        """
        from pycog_dgr.analysis.figures import network as network_figures

        return network_figures.plot_structure(self, sortby, fig)
