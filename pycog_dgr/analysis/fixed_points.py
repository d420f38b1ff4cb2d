"""Fixed and slow points of a trained network, their stability, and where each was found from.

    F(x)    = -x + f(x) Wrec^T + u Win^T + brec           tau dx/dt without noise, inputs held
    q(x)    = |F(x)|^2 / 2                                0 at a fixed point, small at a slow one
    J(x)    = diag(1/tau) (-I + Wrec diag f'(x))          dx/dt near x, in 1/ms

q is minimised from many states, and every minimum that comes near 0 is sharpened by Newton's method
on F = 0; scipy does both. (Rectified units are solved region by region besides.) Deviations
along eigenvectors of J whose eigenvalue has a negative real part decay.

Kinks: where the activation is a rectification, F is linear within the region of states in which
the same units are active, and has no derivative at its borders, x_i = 0. A point at which some unit
lies on such a border is marked in `kinks`: J is then that of the side on which the unit is silent,
`eigenvalues_active` has the other side's, and `stability` is 'undetermined', even if both sides
agree, because linear stability cannot decide there.

Source: D. Sussillo & O. Barak, Neural Computation 25, 626 (2013).

    symbol  name         shape         unit
    x       states       (point, N)    dimensionless
    u       inputs       (Nin,)        dimensionless, as the network sees them, baseline included
    q       q            (point,)      dimensionless
    J       jacobian     (N, N)        1/ms
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.analysis.interface import TrainedNetwork
from pycog_dgr.errors import PycogDgrError
from pycog_dgr.kernels import ACTIVATIONS

FIXED = 1e-12  # q below which a point counts as fixed
SLOW = 1e-3  # q below which a minimum is kept as a slow point
SAME = 1e-3  # distance, as a share of a point's length (of 1 where it is shorter)
ON_BORDER = 1e-6  # |x_i| of a unit at its kink
SHARPENED = 1e-2  # q below which Newton's method is tried
NEAR = 0.3  # how far sharpening may move a point, as a share of its length (of 1 if shorter)
REGIONS = 50  # crossed on the way to a fixed point of rectified units
KINKED = ("rectify", "rtanh")  # f' jumps at 0


class Dynamics(NamedTuple):
    """A network without noise under constant inputs."""

    Wrec: NDArray  # (N, N), effective
    drive: NDArray  # (N,), u Win^T + brec
    tau: NDArray  # (N,), ms
    activation: str

    @classmethod
    def of(cls, rnn: TrainedNetwork, inputs: ArrayLike | None = None) -> Dynamics:
        """The dynamics of an RNN while the task shows `inputs`.

        Parameters
        ----------
        rnn
            A pycog_dgr.RNN; its present weights count, lesions included.
        inputs
            (Nin,) as the task shows them; nothing where it is None. The network's baseline is
            added, and the sum rectified if the network rectifies inputs.
        """
        p, Wrec = rnn.p, np.asarray(rnn.Wrec, float)
        drive = np.asarray(rnn.brec, float)
        if rnn.Win is not None:
            Nin = rnn.Win.shape[1]
            shown = np.zeros(Nin) if inputs is None else np.asarray(inputs, float)
            if shown.shape != (Nin,) or not np.isfinite(shown).all():
                raise PycogDgrError(
                    f"inputs: expected {Nin} finite numbers, one per input, got shape {shown.shape}"
                )
            u = shown + p["baseline_in"]
            drive = drive + (np.maximum(u, 0) if p["rectify_inputs"] else u) @ rnn.Win.T.astype(
                float
            )
        elif inputs is not None:
            raise PycogDgrError("inputs: this network has none")
        tau = np.broadcast_to(np.asarray(p["tau"], float), len(Wrec))
        return cls(Wrec, drive, tau, p["hidden_activation"])

    def f(self, x: NDArray) -> NDArray:
        """Rates of states."""
        return ACTIVATIONS[self.activation].f(x)

    def df(self, x: NDArray, at_kink: float = 0.0) -> NDArray:
        """f'(x); `at_kink` at units whose state is within ON_BORDER of a kink at 0."""
        if self.activation not in KINKED:
            return ACTIVATIONS[self.activation].df(x, self.f(x), at_kink)
        on_border = np.abs(x) <= ON_BORDER
        slope = ACTIVATIONS[self.activation].df(x, self.f(x), at_kink)
        return np.where(on_border, at_kink, slope)

    def F(self, x: NDArray) -> NDArray:
        """Tau dx/dt of states (..., N)."""
        return -x + self.f(x) @ self.Wrec.T + self.drive

    def jacobian(self, x: NDArray, at_kink: float = 0.0) -> NDArray:
        """J (N, N) in 1/ms at a state (N,)."""
        return (-np.eye(len(x)) + self.Wrec * self.df(x, at_kink)) / self.tau[:, np.newaxis]

    def kinks(self, x: NDArray) -> NDArray:
        """Units of states (..., N) that lie on a kink of the activation."""
        if self.activation not in KINKED:
            return np.zeros(x.shape, bool)
        return np.abs(x) <= ON_BORDER


@dataclass(frozen=True)
class FixedPoints:
    """Points, the fixed ones first, then by q.

    Attributes
    ----------
    x, r : (point, N)
        States and rates.
    q : (point,)
        |F|^2 / 2; at most FIXED at a fixed point.
    speed : (point,)
        |dx/dt| in 1/ms.
    fixed : (point,) of bool
    stability : (point,) of text
        'stable', 'unstable' (some eigenvalue has a positive real part), or 'undetermined' (on a
        kink, or an eigenvalue of real part 0). Of a slow point it says what nearby states do
        relative to it.
    eigenvalues, eigenvalues_active : (point, N), complex, 1/ms
        Of J, largest real part first; the second with units on a kink taken as active. They are the
        same where no unit is on one.
    kinks : (point, N) of bool
    found : (point,)
        How many of the starting states ended there.
    """

    x: NDArray
    r: NDArray
    q: NDArray
    speed: NDArray
    fixed: NDArray
    stability: NDArray
    eigenvalues: NDArray
    eigenvalues_active: NDArray
    kinks: NDArray
    found: NDArray

    def __len__(self) -> int:
        return len(self.q)

    def select(self, which: NDArray) -> FixedPoints:
        """Some of the points: indices, or (point,) of bool."""
        return FixedPoints(**{name: value[which] for name, value in vars(self).items()})


def find_fixed_points(
    rnn: TrainedNetwork | Dynamics,
    starts: ArrayLike,
    inputs: ArrayLike | None = None,
    slow: float = SLOW,
    same: float = SAME,
) -> FixedPoints:
    """Fixed and slow points reached from many states.

    Parameters
    ----------
    rnn
        A pycog_dgr.RNN, or its Dynamics.
    starts
        (start, N): states to begin at, as samples of trajectories, rnn.x.T[::50].
    inputs
        As for Dynamics.of.
    slow
        Largest q of a point that is kept; 0 keeps fixed points alone.
    same
        Distance at which two points are one, as a share of their length.

    Returns
    -------
    FixedPoints

    Raises
    ------
    PycogDgrError
        Where starts or inputs do not fit the network.
    """
    dynamics = rnn if isinstance(rnn, Dynamics) else Dynamics.of(rnn, inputs)
    N = len(dynamics.drive)
    states = np.atleast_2d(np.asarray(starts, float))
    if states.ndim != 2 or states.shape[1] != N or not np.isfinite(states).all():
        raise PycogDgrError(f"starts: expected finite states (start, {N}), got {states.shape}")
    ends = np.array([_descend(dynamics, x) for x in states])
    q = np.sum(dynamics.F(ends) ** 2, axis=1) / 2
    order = np.argsort(q, kind="stable")
    ends, q = ends[order], q[order]
    kept = q <= max(slow, FIXED)
    points, found = _distinct(ends[kept], same)
    return _described(dynamics, points, found)


def _descend(dynamics: Dynamics, start: NDArray) -> NDArray:
    """The minimum of q below a state, sharpened where it may be a fixed point."""
    from scipy.optimize import minimize, root

    def q_and_gradient(x: NDArray) -> tuple[float, NDArray]:
        F = dynamics.F(x)
        return float(F @ F) / 2, (F @ dynamics.Wrec) * dynamics.df(x) - F

    def unscaled(x: NDArray) -> NDArray:
        return dynamics.jacobian(x) * dynamics.tau[:, np.newaxis]

    options = {"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-16, "gtol": 1e-10}
    low = minimize(q_and_gradient, start, jac=True, method="L-BFGS-B", options=options)
    x, q = low.x, low.fun
    if q > SHARPENED:
        return x
    sharp = root(dynamics.F, x, jac=unscaled, method="hybr", options={"xtol": 1e-14}).x
    limit = NEAR * max(1.0, float(np.linalg.norm(x)))
    candidates = (x, sharp, _within_regions(dynamics, x))
    near = [point for point in candidates if np.linalg.norm(point - x) <= limit]
    return min(near, key=lambda point: float(np.sum(dynamics.F(point) ** 2)))


def _within_regions(dynamics: Dynamics, x: NDArray) -> NDArray:
    """Newton's method for rectified units: the fixed point of the region that x lies in, and so on.

    Within a region F is linear, and so one step is exact. Descent of q ends on borders between
    regions, where it has no gradient to follow; this step crosses them.
    """
    if dynamics.activation != "rectify":
        return x
    for _ in range(REGIONS):
        active = (x > 0).astype(float)
        try:
            target = np.linalg.solve(np.eye(len(x)) - dynamics.Wrec * active, dynamics.drive)
        except np.linalg.LinAlgError:
            return x
        if np.array_equal(target > 0, active > 0):
            return target
        x = target
    return x


def _distinct(points: NDArray, same: float) -> tuple[NDArray, NDArray]:
    """Points (point, N) without repetitions, the first of each kept, and how often each stood."""
    kept: list[NDArray] = []
    count: list[int] = []
    for x in points:
        distances = [np.linalg.norm(x - other) for other in kept]
        limit = same * max(1.0, float(np.linalg.norm(x)))
        near = next((i for i, distance in enumerate(distances) if distance <= limit), None)
        if near is None:
            kept.append(x)
            count.append(1)
        else:
            count[near] += 1
    return np.array(kept).reshape(len(kept), points.shape[1]), np.array(count, int)


def _described(dynamics: Dynamics, x: NDArray, found: NDArray) -> FixedPoints:
    F = dynamics.F(x)
    kinks = dynamics.kinks(x)
    silent = np.array([_eigenvalues(dynamics, point, 0.0) for point in x])
    active = np.array([_eigenvalues(dynamics, point, 1.0) for point in x])
    shape = x.shape
    q = np.sum(F**2, axis=1) / 2
    return FixedPoints(
        x=x, r=dynamics.f(x), q=q, speed=np.linalg.norm(F / dynamics.tau, axis=1),
        fixed=q <= FIXED,
        stability=np.array(
            [_stability(e, k.any()) for e, k in zip(silent, kinks, strict=True)], dtype="U12"
        ),
        eigenvalues=silent.reshape(shape), eigenvalues_active=active.reshape(shape),
        kinks=kinks, found=found,
    )  # fmt: skip


def _eigenvalues(dynamics: Dynamics, x: NDArray, at_kink: float) -> NDArray:
    values = np.linalg.eigvals(dynamics.jacobian(x, at_kink)).astype(complex)
    return values[np.argsort(-values.real, kind="stable")]


def _stability(eigenvalues: NDArray, on_kink: bool) -> str:
    largest = eigenvalues.real.max()
    if on_kink or abs(largest) <= 1e-9:
        return "undetermined"
    return "stable" if largest < 0 else "unstable"
