"""Figures in the manner of pycog: a thin layer over matplotlib.

    fig = Figure(w=4, h=3)
    plot = fig.add([0.15, 0.15, 0.8, 0.8])
    plot.plot(x, y, color=Figure.colors('blue'))
    plot.xlabel('time (ms)')
    fig.save('name', path='figs')

Sizes are in inches, font sizes and widths in points, rectangles [left, bottom, width, height] in
fractions of the figure. A Subplot has everything that matplotlib's Axes has; `set_` may be left
out. No figure is kept by pyplot, and importing this module changes no matplotlib setting.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import matplotlib.figure
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import FigureBase
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch
from matplotlib.text import Text
from matplotlib.typing import ColorType
from numpy.typing import ArrayLike, NDArray

from pycog_dgr.errors import PycogDgrError

Rect = Sequence[float]  # left, bottom, width, height, in fractions of the figure


def apply_alpha(color: ColorType, alpha: float = 0.7) -> tuple[float, float, float]:
    """`color` as it looks at opacity alpha on white, as an opaque RGB tuple."""
    red, green, blue = (alpha * c + (1 - alpha) for c in to_rgb(color))
    return red, green, blue


colors: dict[str, ColorType] = {
    "strongblue": "#2171b5",
    "strongred": "#cb181d",
    "blue": apply_alpha("#447294"),
    "green": apply_alpha("#30701e"),
    "red": apply_alpha("#bf2121"),
    "orange": apply_alpha("#e58c2c"),
    "magenta": apply_alpha("#c42d95"),
    "purple": apply_alpha("#8064a2"),
    "salmon": "#ee9572",
    "darkred": "#8f2a2a",
    "lightred": "#bf6d6b",
    "darkblue": "#084594",
    "lightblue": "#8fbcdb",
    "lightgreen": "#78cd71",
    "darkgray": "0.3",
    "gray": "0.5",
    "lightgray": "0.7",
    "lightlightgray": "0.9",
    "black": "#000000",
    "white": "#ffffff",
}


def gradient(cmin: ColorType, cmax: ColorType) -> LinearSegmentedColormap:
    """Colour map from cmin to cmax."""
    return LinearSegmentedColormap.from_list("gradient", [to_rgb(cmin), to_rgb(cmax)], N=1000)


class Subplot:
    """One plot: matplotlib's Axes (in `ax`), with pycog's shorthands."""

    def __init__(
        self,
        figure: FigureBase,
        p: dict[str, Any],
        rect: Rect,
        projection: str | None = None,
    ) -> None:
        self.p = p
        self.ax = figure.add_axes(_rectangle(rect), projection=projection)

    def __getattr__(self, name: str) -> Any:
        ax = self.__dict__["ax"]
        for candidate in (name, f"set_{name}"):
            if hasattr(ax, candidate):
                return getattr(ax, candidate)
        raise AttributeError(f"neither Subplot nor matplotlib's Axes has {name!r}")

    # -- style ----------------------------------------------------------------------------------

    def format(self, style: str | None, p: Mapping[str, Any] | None = None) -> None:
        """'bottomleft': axes at the bottom and the left only; 'none': no axes; None: all."""
        p = self.p if p is None else p
        if style == "none":
            self.ax.set_axis_off()
        elif style == "bottomleft":
            self.ax.spines[["top", "right"]].set_visible(False)
            self.set_thickness(p["thickness"])
            self.set_tick_params(p["ticksize"], p["ticklabelsize"], p["ticklabelpad"])
        elif style is not None:
            raise PycogDgrError(f"Subplot style {style!r}: known are 'bottomleft', 'none' and None")

    def set_thickness(self, thickness: float) -> None:
        """Width of axes and ticks."""
        for spine in self.ax.spines.values():
            spine.set_linewidth(thickness)
        self.ax.tick_params(width=thickness)

    def set_tick_params(self, ticksize: float, ticklabelsize: float, ticklabelpad: float) -> None:
        """Length of the ticks, size of their labels, distance between both."""
        self.ax.tick_params(
            direction="out", size=ticksize, labelsize=ticklabelsize, pad=ticklabelpad
        )

    def axis_off(self, axis: str) -> None:
        """Hide one spine ('left', 'bottom', ...) and the ticks of its direction."""
        self.ax.spines[axis].set_visible(False)
        (self.yticks if axis in ("left", "right") else self.xticks)()

    def equal(self) -> None:
        return self.ax.set_aspect("equal")

    # -- axes -----------------------------------------------------------------------------------

    def _label(self, axis: str, text: str, kwargs: dict[str, Any]) -> Text:
        style = {"fontsize": self.p["axislabelsize"], "labelpad": self.p[f"labelpad{axis}"]}
        return getattr(self.ax, f"set_{axis}label")(text, **{**style, **kwargs})

    def xlabel(self, text: str, **kwargs: Any) -> Text:
        return self._label("x", text, kwargs)

    def ylabel(self, text: str, **kwargs: Any) -> Text:
        return self._label("y", text, kwargs)

    def xticks(self, ticks: ArrayLike = (), **kwargs: Any) -> list:
        return self.ax.set_xticks(ticks, **kwargs)

    def yticks(self, ticks: ArrayLike = (), **kwargs: Any) -> list:
        return self.ax.set_yticks(ticks, **kwargs)

    def xticklabels(self, labels: Sequence[str] = (), **kwargs: Any) -> list[Text]:
        return self.ax.set_xticklabels(labels, **kwargs)

    def yticklabels(self, labels: Sequence[str] = (), **kwargs: Any) -> list[Text]:
        return self.ax.set_yticklabels(labels, **kwargs)

    def lim(
        self,
        axis: str,
        data: Any,
        lower: float | None = None,
        upper: float | None = None,
        margin: float = 0.05,
        relative: bool = True,
    ) -> tuple[float, float]:
        """Fit an axis ('x' or 'y') to the data with a margin; returns the limits."""
        if axis not in ("x", "y"):
            raise PycogDgrError(f"lim: axis must be 'x' or 'y', not {axis!r}")
        parts = data if _ragged(data) else [data]
        values = np.concatenate([np.ravel(part) for part in parts])
        low, high = np.min(values), np.max(values)
        around = margin * (high - low) if relative else margin
        limits = (
            low - around if lower is None else lower,
            high + around if upper is None else upper,
        )
        getattr(self.ax, f"set_{axis}lim")(*limits)
        return limits

    # -- drawing --------------------------------------------------------------------------------

    def plot(self, *args: Any, **kwargs: Any) -> list[Line2D]:
        return self.ax.plot(*args, **{"clip_on": False, "zorder": 10, **kwargs})

    def legend(self, *args: Any, **kwargs: Any) -> Legend:
        style = {"bbox_transform": self.ax.transAxes, "frameon": False, "numpoints": 1}
        return self.ax.legend(*args, **{**style, **kwargs})

    def _corner(
        self,
        x: float,
        y: float,
        s: str,
        ha: str,
        va: str,
        fontsize: float,
        color: ColorType,
        kwargs: dict[str, Any],
    ) -> Text:
        style = {"ha": ha, "va": va, "fontsize": fontsize, "color": color}
        return self.ax.text(x, y, s, transform=self.ax.transAxes, **{**style, **kwargs})

    def text_upper_center(
        self,
        s: str,
        dx: float = 0,
        dy: float = 0,
        fontsize: float = 7.5,
        color: ColorType = "k",
        **kwargs: Any,
    ) -> Text:
        return self._corner(0.5 + dx, 1 + dy, s, "center", "bottom", fontsize, color, kwargs)

    def text_upper_left(
        self,
        s: str,
        dx: float = 0,
        dy: float = 0,
        fontsize: float = 7.5,
        color: ColorType = "k",
        **kwargs: Any,
    ) -> Text:
        return self._corner(0.04 + dx, 0.97 + dy, s, "left", "top", fontsize, color, kwargs)

    def text_upper_right(
        self,
        s: str,
        dx: float = 0,
        dy: float = 0,
        fontsize: float = 7.5,
        color: ColorType = "k",
        **kwargs: Any,
    ) -> Text:
        return self._corner(0.97 + dx, 0.97 + dy, s, "right", "top", fontsize, color, kwargs)

    def text_lower_center(
        self,
        s: str,
        dx: float = 0,
        dy: float = 0,
        fontsize: float = 7.5,
        color: ColorType = "k",
        **kwargs: Any,
    ) -> Text:
        return self._corner(0.5 + dx, dy, s, "center", "bottom", fontsize, color, kwargs)

    def text_lower_left(
        self,
        s: str,
        dx: float = 0,
        dy: float = 0,
        fontsize: float = 7.5,
        color: ColorType = "k",
        **kwargs: Any,
    ) -> Text:
        return self._corner(0.04 + dx, 0.03 + dy, s, "left", "bottom", fontsize, color, kwargs)

    def text_lower_right(
        self,
        s: str,
        dx: float = 0,
        dy: float = 0,
        fontsize: float = 7.5,
        color: ColorType = "k",
        **kwargs: Any,
    ) -> Text:
        return self._corner(0.97 + dx, 0.03 + dy, s, "right", "bottom", fontsize, color, kwargs)

    def hline(self, y: float, **kwargs: Any) -> list[Line2D]:
        """Horizontal line across the present limits."""
        return self.plot(self.ax.get_xlim(), [y, y], **{"zorder": 0, "color": "0.2", **kwargs})

    def vline(self, x: float, **kwargs: Any) -> list[Line2D]:
        """Vertical line across the present limits."""
        return self.plot([x, x], self.ax.get_ylim(), **{"zorder": 0, "color": "0.2", **kwargs})

    def circle(self, center: tuple[float, float], r: float, **kwargs: Any) -> Patch:
        return self.ax.add_patch(Circle(center, r, **{"zorder": 0, **kwargs}))

    def highlight(self, x1: float, x2: float, **kwargs: Any) -> Patch:
        """Grey band between x1 and x2; the limits stay."""
        limits = self.ax.get_xlim(), self.ax.get_ylim()
        style = {"facecolor": "0.9", "edgecolor": "none", "alpha": 0.7, "zorder": 1}
        band = self.ax.axvspan(x1, x2, **{**style, **kwargs})
        self.ax.set(xlim=limits[0], ylim=limits[1])
        return band

    def hist(
        self,
        data: Sequence[float] | NDArray,
        bins: int | str | Sequence[float] | None = None,
        get_binedges: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Normalised histogram; returns the densities, and with get_binedges the edges too.

        Number of bins: Sturges' rule below 200 values, Scott's above.
        """
        if bins is None:
            bins = "sturges" if len(data) < 200 else "scott"
        style = {"color": colors["blue"], "density": True, "histtype": "stepfilled", "linewidth": 0}
        density, edges, _ = self.ax.hist(data, bins, **{**style, **kwargs})
        return (density, edges) if get_binedges else density


class Subplot3D(Subplot):
    """One plot in three dimensions: Figure.add(projection='3d')."""

    def __init__(self, figure: FigureBase, p: dict[str, Any], rect: Rect) -> None:
        super().__init__(figure, p, rect, projection="3d")

    def zlabel(self, text: str, **kwargs: Any) -> Text:
        return self._label("z", text, kwargs)

    def zticks(self, ticks: ArrayLike = (), **kwargs: Any) -> list:
        return self.ax.set_zticks(ticks, **kwargs)  # type: ignore[attr-defined]  # of Axes3D

    def zcircle(self, center: tuple[float, float], r: float, z0: float, **kwargs: Any) -> Patch:
        """A circle in the plane z = z0, around `center` (x, y)."""
        from mpl_toolkits.mplot3d import art3d

        patch = self.ax.add_patch(Circle(center, r, **kwargs))
        art3d.pathpatch_2d_to_3d(patch, z=z0)
        return patch


def _rectangle(rect: Rect) -> tuple[float, float, float, float]:
    """`rect` as the four numbers it must be."""
    if len(rect) != 4:
        raise PycogDgrError(f"rect must be (left, bottom, width, height), not {rect!r}")
    left, bottom, width, height = rect
    return left, bottom, width, height


def _ragged(data: Any) -> bool:
    """Whether `data` is a list of arrays rather than of numbers."""
    return isinstance(data, (list, tuple)) and any(np.ndim(one) for one in data)


class Figure:
    """A figure of w x h inches; further keywords are defaults of its subplots (see `defaults`).

    With `fig`, a Figure or SubFigure of matplotlib, it is drawn there, at that one's size.
    """

    defaults = {  # noqa: RUF012 - as in pycog, where scripts read it
        "w": 6.5,
        "h": 5.5,
        "rect": [0.12, 0.12, 0.8, 0.8],
        "thickness": 0.7,
        "ticksize": 3.5,
        "axislabelsize": 8.5,
        "ticklabelsize": 7,
        "ticklabelpad": 2.5,
        "labelpadx": 7.5,
        "labelpady": 8.5,
        "labelpadz": 7.5,
        "format": "pdf",
    }

    def __init__(self, fig: FigureBase | None = None, **kwargs: Any) -> None:
        if unknown := sorted(set(kwargs) - set(self.defaults)):
            raise PycogDgrError(f"Figure: unknown {unknown}; known are {sorted(self.defaults)}")
        self.p = {**self.defaults, **kwargs}
        size = (self.p["w"], self.p["h"])
        self.fig = matplotlib.figure.Figure(figsize=size) if fig is None else fig
        self.plots: list[Subplot] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["fig"], name)

    @staticmethod
    def colors(name: str) -> ColorType:
        """A colour of `colors` by name; anything else is returned as it is."""
        return colors.get(name, name)

    def add(
        self,
        rect: Rect | None = None,
        style: str | None = "bottomleft",
        projection: str | None = None,
        **kwargs: Any,
    ) -> Subplot:
        """A new Subplot; keywords override the figure's defaults for it. projection='3d' is one."""
        p = {**self.p, **kwargs}
        rect = p["rect"] if rect is None else rect
        if projection == "3d":
            return Subplot3D(self.fig, p, rect)
        plot = Subplot(self.fig, p, rect, projection)
        if projection is None:
            plot.format(style, p)
            self.plots.append(plot)
        return plot

    def plotlabels(self, labels: Mapping[str, tuple[float, float]], **kwargs: Any) -> None:
        """Labels at positions of the whole figure: {'A': (x, y), ...}."""
        for label, (x, y) in labels.items():
            self.fig.text(x, y, label, ha="left", va="bottom", **kwargs)

    def shared_lim(
        self, plots: Sequence[Subplot], axis: str, data: ArrayLike, **kwargs: Any
    ) -> tuple[float, float]:
        """Subplot.lim with the same data for several plots; returns the limits."""
        limits = [plot.lim(axis, data, **kwargs) for plot in plots]
        return limits[-1]

    def save(
        self,
        name: str | None = None,
        path: str | Path = ".",
        fmt: str | None = None,
        transparent: bool = True,
        **kwargs: Any,
    ) -> Path:
        """Write PATH/NAME.FORMAT, making the folder; returns the path. NAME: as the script's."""
        name = Path(sys.argv[0]).stem if name is None else name
        target = Path(path) / f"{name}.{fmt or self.p['format']}"
        target.parent.mkdir(parents=True, exist_ok=True)
        whole = cast(matplotlib.figure.Figure, self.fig.figure)  # of a SubFigure: the one it is in
        whole.savefig(target, transparent=transparent, **kwargs)
        return target

    def close(self) -> None:
        """Forget the drawing."""
        self.fig.clear()
        self.plots = []
