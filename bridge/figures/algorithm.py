"""Figure 3.1: deep generative replay as a chain of scholars (Shin, Lee, Kim and Kim, 2017)."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from bridge.figures import style
from bridge.runs import Results

SCHOLARS = 3  # drawn; a dotted arrow stands for the rest
WIDTH, HEIGHT = style.DOUBLE, 3.0  # in; the drawing's coordinates are inches
SCHOLAR_WIDTH, REPLAY_WIDTH, GAP = 1.22, 0.82, 0.27
GENERATOR_Y, SOLVER_Y, REAL_Y = 1.42, 0.66, 2.5  # middles of the boxes
BOX_HEIGHT = 0.5


@style.styled
def figure_3_1(results: Results) -> Figure:
    """Scholar t learns from context t and from what scholar t - 1 generates and labels.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    figure = style.new_figure(WIDTH, HEIGHT)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    style.bare(axes)
    shown = results.contexts[:SCHOLARS]
    left = (
        0.1
        if len(shown) == SCHOLARS
        else (WIDTH - len(shown) * SCHOLAR_WIDTH - (len(shown) - 1) * (2 * GAP + REPLAY_WIDTH)) / 2
    )
    for number, names in enumerate(results.context_names[: len(shown)], 1):
        _scholar(axes, left, number, names)
        right = left + SCHOLAR_WIDTH
        if number < len(shown):
            _replay(axes, right + GAP, number)
        elif len(results.contexts) > len(shown):
            _arrow(axes, (right, 1.04), (right + 0.5, 1.04), linestyle=":")
        left = right + 2 * GAP + REPLAY_WIDTH
    axes.text(
        WIDTH / 2,
        0.12,
        "loss of solver t  =  r · L(real data of context t)  +  "
        "(1 − r) · L(replayed data);   generator t learns the same images",
        ha="center",
        va="center",
        fontsize=7.5,
    )
    return figure


def _box(
    axes: Axes,
    left: float,
    middle: float,
    width: float,
    height: float,
    text: str,
    colour: str,
    fill: str = "white",
    **keywords: Any,
) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (left, middle - height / 2),
            width,
            height,
            facecolor=fill,
            edgecolor=colour,
            linewidth=1.1,
            zorder=2,
            boxstyle="round,pad=0,rounding_size=0.06",
        )
    )
    axes.text(
        left + width / 2,
        middle,
        text,
        ha="center",
        va="center",
        zorder=3,
        **{"fontsize": 7.5, **keywords},
    )


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], linestyle: str = "-"
) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=9,
            color="0.25",
            linewidth=1,
            linestyle=linestyle,
            shrinkA=0,
            shrinkB=0,
            zorder=4,
        )
    )


def _scholar(axes: Axes, left: float, number: int, names: str) -> None:
    middle, inset = left + SCHOLAR_WIDTH / 2, 0.13
    frame_bottom, frame_top = 0.32, 2.0
    real = f"real images of {names}" if style.is_short(names) else names
    _box(
        axes,
        left,
        REAL_Y,
        SCHOLAR_WIDTH,
        BOX_HEIGHT,
        f"context {number}\n{real}",
        style.GREY,
        "#F2F2F2",
    )
    _arrow(axes, (middle, REAL_Y - BOX_HEIGHT / 2), (middle, frame_top))
    _box(
        axes,
        left,
        (frame_bottom + frame_top) / 2,
        SCHOLAR_WIDTH,
        frame_top - frame_bottom,
        "",
        style.BLACK,
        "#FAFAFA",
    )
    axes.text(
        middle,
        1.84,
        f"scholar {number}",
        ha="center",
        va="center",
        fontsize=8,
        fontweight="bold",
        zorder=3,
    )
    inner = SCHOLAR_WIDTH - 2 * inset
    _box(axes, left + inset, GENERATOR_Y, inner, BOX_HEIGHT, f"generator {number}", style.GREEN)
    _box(axes, left + inset, SOLVER_Y, inner, BOX_HEIGHT, f"solver {number}", style.BLUE)


def _replay(axes: Axes, left: float, number: int) -> None:
    """What scholar `number` passes on: its generator's images with its solver's labels."""
    middle = (GENERATOR_Y + SOLVER_Y) / 2
    inner_right = left - GAP - 0.13
    _box(
        axes,
        left,
        middle,
        REPLAY_WIDTH,
        0.72,
        "replayed\nimages\nwith labels",
        style.ORANGE,
        "#FFF6E0",
    )
    _arrow(axes, (inner_right, GENERATOR_Y), (left, middle + 0.2))
    _arrow(axes, (inner_right, SOLVER_Y), (left, middle - 0.2))
    _arrow(axes, (left + REPLAY_WIDTH, middle), (left + REPLAY_WIDTH + GAP, middle))
