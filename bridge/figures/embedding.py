"""Figures 3.11 and 3.12: t-SNE of true against generated images (van der Maaten, Hinton, 2008).

One embedding of both sets together, so that their distances mean the same; deterministic.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bridge.figures import style
from bridge.runs import MissingResults, Results

PERPLEXITY = 30.0
RANDOM_STATE = 0


class Embedding(NamedTuple):
    """Plane coordinates (trial, 2), class and origin of every image."""

    places: np.ndarray
    labels: np.ndarray
    generated: np.ndarray


@style.styled
def figure_3_11(results: Results) -> Figure:
    """The first generator's samples among the true images of the first context.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    return _draw(results, contexts=1)


@style.styled
def figure_3_12(results: Results) -> Figure:
    """The second generator's samples among the true images of the first two contexts.

    Parameters
    ----------
    results
        What a run folder holds.

    Returns
    -------
    Figure
        Of matplotlib.
    """
    return _draw(results, contexts=2)


def embed(results: Results, contexts: int) -> Embedding:
    """t-SNE of the true images of the first `contexts` contexts and as many generated images."""
    from sklearn.manifold import TSNE  # slow to import, and only two figures need it

    seed = results.seeds_with_samples(contexts)[0]
    classes = [k for context in results.contexts[:contexts] for k in context]
    true, generated_images = results.true_images(), results.generated(seed, contexts)
    kept = np.isin(true.labels, classes)
    n = min(int(kept.sum()), len(generated_images.labels))
    if n <= PERPLEXITY:
        raise MissingResults(f"{n} images are too few for t-SNE of perplexity {PERPLEXITY:.0f}")
    images = np.concatenate([true.images[kept], generated_images.images[:n]])
    pixels = images.reshape(len(images), -1).astype(np.float64)
    tsne = TSNE(perplexity=PERPLEXITY, init="pca", random_state=RANDOM_STATE)
    places = tsne.fit_transform(pixels)
    return Embedding(
        places,
        np.concatenate([true.labels[kept], generated_images.labels[:n]]),
        np.arange(len(images)) >= kept.sum(),
    )


def _draw(results: Results, contexts: int) -> Figure:
    places, labels, generated = embed(results, contexts)
    figure = style.new_figure(style.SINGLE, 3.3)
    axes = style.panels(figure, 1, 1)[0, 0]
    keys = []
    for k in sorted(set(labels.tolist())):
        colour = style.CLASSES[k]
        name = results.class_names[k]
        here = labels == k
        axes.scatter(
            *places[here & ~generated].T,
            s=14,
            marker="o",
            facecolor="none",
            edgecolor=colour,
            linewidth=0.8,
        )
        axes.scatter(*places[here & generated].T, s=16, marker="x", color=colour, linewidth=0.8)
        keys.append(Line2D([], [], color=colour, marker="s", linestyle="", label=name))
    keys += [
        Line2D([], [], color="0.3", marker="o", markerfacecolor="none", linestyle="", label="true"),
        Line2D([], [], color="0.3", marker="x", linestyle="", label="generated"),
    ]
    figure.legend(handles=keys, loc="outside upper center", ncols=3, handletextpad=0.3)
    axes.set(
        xticks=[], yticks=[], xlabel="t-SNE 1 (arbitrary units)", ylabel="t-SNE 2 (arbitrary units)"
    )
    axes.spines[:].set_visible(True)
    return figure
