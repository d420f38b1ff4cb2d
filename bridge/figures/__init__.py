"""The thesis' figures from a results folder. Trains nothing; every figure can be drawn again.

    from bridge.figures import draw_all, figure_3_3, load_results
    draw_all("runs/mnist5k-text")                    all figures as PNG and PDF
    figure_3_3(load_results("runs/mnist5k-text"))    one of them, as a matplotlib Figure

A figure whose tables or samples the run lacks is not drawn and says why; nothing is invented.
"""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from bridge.errors import SettingError
from bridge.figures.algorithm import figure_3_1
from bridge.figures.audit import (
    figure_audit_joint,
    figure_audit_warmstart,
    figure_diagnostics_classes,
    figure_diagnostics_drift,
)
from bridge.figures.catalogue import CATALOGUE, caption
from bridge.figures.digits import figure_2_1, figure_2_2, figure_2_3, figure_3_9, figure_3_10
from bridge.figures.embedding import figure_3_11, figure_3_12
from bridge.figures.learning import (
    figure_3_2,
    figure_3_3,
    figure_3_4,
    figure_3_5,
    figure_3_6,
    figure_3_7,
    figure_3_8,
)
from bridge.figures.network import figure_2_6
from bridge.figures.style import styled
from bridge.files.archive import write_whole
from bridge.runs.reading import Results, load_results
from bridge.runs.tables import MissingResults

__all__ = [
    "CATALOGUE",
    "FigureResult",
    "MissingResults",
    "Results",
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
    "figure_diagnostics_classes",
    "figure_diagnostics_drift",
    "load_results",
]

log = logging.getLogger(__name__)

UNDATED = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}  # the same bytes again


@dataclass(frozen=True)
class FigureResult:
    """One drawn figure with its files, or one that was not drawn with the reason."""

    name: str
    title: str
    caption: str
    files: tuple[Path, ...]
    reason_if_not_drawn: str = ""
    family: str = "thesis"


def draw_all(
    folder: str | Path, out: str | Path | None = None, formats: Sequence[str] = ("png", "pdf")
) -> list[FigureResult]:
    """Draw every figure of the catalogue from results `folder` into `out` (folder/figures).

    Raises ResultsError where the folder or one of its files is malformed; what is merely absent
    makes a FigureResult without files. The file of an earlier drawing is then removed, so that
    no figure of another run is left standing.
    """
    unknown = [format for format in formats if format not in UNDATED]
    if unknown:
        raise SettingError(f"cannot draw format '{unknown[0]}'; known: {', '.join(UNDATED)}")
    results = load_results(folder)
    out = Path(out) if out is not None else results.folder / "figures"
    drawn = []
    for entry in CATALOGUE:
        files = tuple(out / f"{entry.name}.{format}" for format in formats)
        try:
            figure = entry.draw(results)
        except MissingResults as reason:
            log.warning("%s is not drawn: %s", entry.title, reason)
            for file in files:
                file.unlink(missing_ok=True)
            drawn.append(
                FigureResult(entry.name, entry.title, entry.about, (), str(reason), entry.family)
            )
            continue
        for file, format in zip(files, formats, strict=True):
            _save(figure, file, format)
        drawn.append(
            FigureResult(entry.name, entry.title, caption(entry, results), files, "", entry.family)
        )
    return drawn


@styled
def _save(figure: Figure, path: Path, format: str) -> None:
    """Write `figure` to `path` entirely or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format, metadata=UNDATED[format])
    write_whole(path, buffer.getvalue())
