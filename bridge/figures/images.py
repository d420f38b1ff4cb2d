"""Figures 2.1 to 2.3, 3.9 and 3.10: true images, one image as the network reads it, samples."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bridge.figures import measures, style
from bridge.runs import LabelledImages, MissingResults, Results

PER_ROW = 16  # samples of each generator where all are shown
PER_CLASS = 10  # true images of each class in Figure 2.1
GAP = 2  # pixels between images
PER_SIDE = 8  # a generator's samples are shown as PER_SIDE x PER_SIDE
SHOWN_SEEDS = 3
PIXEL_MAX = 255  # pixel value of full ink, the scale of the thesis' biological solver


@style.styled
def figure_2_1(results: Results) -> Figure:
    """True test images, one class a row.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    true = results.true_images()
    classes = sorted(set(true.labels.tolist()))
    rows = [_first_of_class(true, k, PER_CLASS) for k in classes]
    figure = style.new_figure(style.SINGLE, style.SINGLE * len(rows) / PER_CLASS)
    axes = style.panels(figure, 1, 1)[0, 0]
    _show_grid(axes, rows)
    return figure


@style.styled
def figure_2_2(results: Results) -> Figure:
    """The contexts in the order learnt, each with its own classes.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    true = results.true_images()
    figure = style.new_figure(style.DOUBLE, 0.25 + style.DOUBLE / max(4, len(results.contexts)))
    style.space_between(figure, 0.08)
    axes = style.panels(figure, 1, len(results.contexts))[0]
    for panel, (number, context) in zip(axes, enumerate(results.contexts, 1), strict=True):
        absent = [k for k in context if k not in true.labels]
        if absent:
            raise MissingResults(f"samples/true.npz holds no image of class {absent[0]}")
        images = np.concatenate([_first_of_class(true, k, 8) for k in context])
        side = 4
        _show_grid(panel, [images[i : i + side] for i in range(0, len(images), side)])
        panel.set_title(f"context {number}")
    return figure


@style.styled
def figure_2_3(results: Results) -> Figure:
    """One image with the value of each of its pixels: row t is the input of step t.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    true = results.true_images()
    image = true.images[0]
    steps, inputs = image.shape
    figure = style.new_figure(style.DOUBLE, style.DOUBLE)
    axes = style.panels(figure, 1, 1)[0, 0]
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    for t, i in np.ndindex(image.shape):
        ink = image[t, i]
        axes.text(
            i,
            t,
            f"{ink * PIXEL_MAX:.0f}",
            ha="center",
            va="center",
            fontsize=5.2,
            color="white" if ink > 0.5 else "0.6" if ink == 0 else "black",
        )
    axes.set_xticks(np.arange(inputs), range(1, inputs + 1), fontsize=6)
    axes.set_yticks(np.arange(steps), range(1, steps + 1), fontsize=6)
    axes.set_xticks(np.arange(inputs + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(steps + 1) - 0.5, minor=True)
    axes.grid(False)
    axes.grid(True, which="minor", color="0.8", linewidth=0.4)
    axes.tick_params(which="both", length=0)
    axes.set_xlabel("input unit (image column)")
    axes.set_ylabel("time step (image row)")
    return figure


@style.styled
def figure_3_9(results: Results) -> Figure:
    """Samples of the first generator.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    return _generator_samples(results, context=1)


@style.styled
def figure_3_10(results: Results) -> Figure:
    """Samples of the second generator.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    return _generator_samples(results, context=2)


@style.styled
def figure_samples(results: Results) -> Figure:
    """Samples of every generator of one seed, a row each.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    seed = results.seeds_with_samples(1)[0]
    contexts = [
        k for k in range(1, len(results.contexts)) if results.paths.generated(seed, k).is_file()
    ]
    figure = style.new_figure(style.DOUBLE, 0.2 + 0.42 * len(contexts))
    axes = style.panels(figure, 1, 1)[0, 0]
    rows = [results.generated(seed, k).images[:PER_ROW] for k in contexts]
    _show_grid(axes, rows)
    pitch = rows[0].shape[1] + GAP
    axes.set_yticks([(r + 0.5) * pitch for r in range(len(rows))], contexts)
    axes.tick_params(length=0)
    axes.set_ylabel("generator after context")
    return figure


def _generator_samples(results: Results, context: int) -> Figure:
    """The first samples of each seed as drawn, none picked."""
    seeds = results.seeds_with_samples(context)[:SHOWN_SEEDS]
    collapsed = measures.collapsed_generators(results) if results.has("diagnostics") else []
    width = style.DOUBLE if len(seeds) > 1 else style.SINGLE
    figure = style.new_figure(width, min(width / len(seeds), style.SINGLE) + 0.2)
    style.space_between(figure, 0.06)
    axes = style.panels(figure, 1, len(seeds))[0]
    for panel, seed in zip(axes, seeds, strict=True):
        images = results.generated(seed, context).images[: PER_SIDE**2]
        _show_grid(panel, [images[i : i + PER_SIDE] for i in range(0, len(images), PER_SIDE)])
        bad = (seed, context) in collapsed
        panel.set_title(
            f"seed {seed}{': collapsed' if bad else ''}",
            color=style.VERMILION if bad else style.BLACK,
        )
    return figure


def _first_of_class(kept: LabelledImages, k: int, n: int) -> np.ndarray:
    return kept.images[kept.labels == k][:n]


def _show_grid(axes: Axes, rows: list[np.ndarray]) -> None:
    """Show `rows` of images (trial, height, width) on one canvas, black ink on white."""
    height, width = rows[0].shape[1:]
    columns = max(len(row) for row in rows)
    canvas = np.zeros((len(rows) * (height + GAP) - GAP, columns * (width + GAP) - GAP))
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            top, left = r * (height + GAP), c * (width + GAP)
            canvas[top : top + height, left : left + width] = image
    axes.imshow(canvas, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    style.bare(axes)
