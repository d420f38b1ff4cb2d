"""The thesis' figures from a results folder. Trains nothing; every figure can be drawn again.

    from bridge.figures import draw_all, figure_3_3
    from bridge.runs import load_results
    draw_all("runs/mnist5k-text")                    all figures as PNG and PDF
    figure_3_3(load_results("runs/mnist5k-text"))    one of them, as a matplotlib Figure

A figure whose tables or samples the run lacks is not drawn, and the report says why.
"""

from bridge.figures.algorithm import figure_3_1
from bridge.figures.audit import (
    figure_audit_joint,
    figure_audit_warmstart,
    figure_diagnostics_classes,
    figure_diagnostics_drift,
)
from bridge.figures.catalogue import CATALOGUE
from bridge.figures.draw import FigureResult, draw_all
from bridge.figures.embedding import figure_3_11, figure_3_12
from bridge.figures.images import (
    figure_2_1,
    figure_2_2,
    figure_2_3,
    figure_3_9,
    figure_3_10,
    figure_samples,
)
from bridge.figures.learning import (
    figure_3_2,
    figure_3_3,
    figure_3_4,
    figure_3_5,
    figure_3_6,
    figure_3_7,
    figure_3_8,
    figure_confusion,
    figure_matrix,
)
from bridge.figures.network import figure_2_6, figure_connections

__all__ = [
    "CATALOGUE",
    "FigureResult",
    "draw_all",
    "figure_2_1",
    "figure_2_2",
    "figure_2_3",
    "figure_2_6",
    "figure_3_1",
    "figure_3_2",
    "figure_3_3",
    "figure_3_4",
    "figure_3_5",
    "figure_3_6",
    "figure_3_7",
    "figure_3_8",
    "figure_3_9",
    "figure_3_10",
    "figure_3_11",
    "figure_3_12",
    "figure_audit_joint",
    "figure_audit_warmstart",
    "figure_confusion",
    "figure_connections",
    "figure_diagnostics_classes",
    "figure_diagnostics_drift",
    "figure_matrix",
    "figure_samples",
]
