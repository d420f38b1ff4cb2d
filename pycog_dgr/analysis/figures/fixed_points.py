"""Figure of fixed and slow points: in the plane of the trajectories, and their eigenvalues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import ColorType
from numpy.typing import NDArray

from pycog_dgr.analysis.figures import style
from pycog_dgr.analysis.fixed_points import FixedPoints
from pycog_dgr.analysis.regression import principal_components
from pycog_dgr.errors import PycogDgrError

MARKS: dict[str, dict[str, Any]] = {  # stability -> how a point is drawn
    "stable": {"marker": "o", "facecolor": style.BLACK, "edgecolor": style.BLACK},
    "unstable": {"marker": "o", "facecolor": "white", "edgecolor": style.BLACK},
    "undetermined": {"marker": "s", "facecolor": "0.8", "edgecolor": style.BLACK},
}
SLOW_MARK: dict[str, Any] = {"marker": "x", "facecolor": style.ORANGE}
SIZE = 26  # of a mark, points squared
PER_SECOND = 1000  # 1/ms to 1/s


@style.styled
def draw_fixed_points(
    trajectories: Sequence[NDArray],
    points: FixedPoints,
    colours: Sequence[ColorType] | None = None,
    title: str = "",
    labels: Sequence[str] | None = None,
) -> Figure:
    """Trajectories and points in the plane of the trajectories' first two components, and spectra.

    Parameters
    ----------
    trajectories
        States (time, N) of one trial each, as rnn.x.T.
    points
        As from find_fixed_points.
    colours
        One per trajectory.
    title
        Of the left panel.
    labels
        One per trajectory, for the legend.

    Returns
    -------
    Figure
        Of matplotlib. Eigenvalues are those of a linear approximation, in which units on a
        kink are silent.

    Raises
    ------
    PycogDgrError
        Where there is no trajectory.
    """
    if not trajectories:
        raise PycogDgrError("draw_fixed_points: give at least one trajectory of states (time, N)")
    fig, axes = style.figure(["A B"], [3.0], {0: [1.4, 1]})
    plane = principal_components(np.concatenate(trajectories).astype(float), 2)
    ax = axes["A"]
    for i, states in enumerate(trajectories):
        path = (states - plane.mean) @ plane.axes
        colour = style.GREY if colours is None else colours[i]
        label = None if labels is None else labels[i]
        ax.plot(*path.T, color=colour, linewidth=0.8, alpha=0.8, zorder=1, label=label)
        ax.plot(*path[0], color=colour, marker=".", markersize=3, zorder=1)
    _points(ax, (points.x - plane.mean) @ plane.axes, points)
    ax.set(
        xlabel=f"Component 1 ({100 * plane.share[0]:.0f} % of variance)",
        ylabel=f"Component 2 ({100 * plane.share[1]:.0f} %)", title=title,
    )  # fmt: skip
    _spectra(axes["B"], points)
    return fig


def _points(ax: Axes, at: NDArray, points: FixedPoints) -> None:
    for name, mark in MARKS.items():
        own = points.fixed & (points.stability == name)
        if own.any():
            ax.scatter(
                at[own, 0],
                at[own, 1],
                s=SIZE,
                linewidth=0.9,
                zorder=3,
                label=f"fixed, {name}",
                **mark,
            )
    slow = ~points.fixed
    if slow.any():
        ax.scatter(
            at[slow, 0], at[slow, 1], s=SIZE, linewidth=1, zorder=2, label="slow", **SLOW_MARK
        )
    if len(points):
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), handletextpad=0.4)  # over no point
    else:
        style.say(ax, "no fixed or slow point was found from these states")


def _spectra(ax: Axes, points: FixedPoints) -> None:
    """Eigenvalues of the fixed points in the complex plane, in 1/s."""
    for name, colour in zip(MARKS, (style.BLUE, style.VERMILION, style.GREY), strict=True):
        own = points.fixed & (points.stability == name)
        values = PER_SECOND * points.eigenvalues[own].ravel()
        if len(values):
            ax.scatter(values.real, values.imag, s=5, color=colour, linewidth=0, label=name)
    ax.axvline(0, color=style.BLACK, linewidth=0.6, linestyle=":")
    ax.set(xlabel="Real part of eigenvalues (1/s)", ylabel="Imaginary part (1/s)")
    if points.fixed.any():
        ax.legend(loc="best")
    else:
        style.say(ax, "no fixed point")
