"""Every figure of the catalogue, drawn into files."""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from bridge.errors import unknown
from bridge.figures.catalogue import CATALOGUE, Entry, caption, comparisons
from bridge.figures.style import styled
from bridge.files import write_whole
from bridge.runs import MissingResults, Results, load_results

log = logging.getLogger(__name__)

UNDATED = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}  # the same bytes again


@dataclass(frozen=True)
class FigureResult:
    """One drawn figure with its files, or one that was not drawn with the reason.

    `caption` is whole, for a figure that stands alone; `about` is what it does not share with the
    other figures of its run.
    """

    name: str
    title: str
    caption: str
    files: tuple[Path, ...]
    reason_if_not_drawn: str = ""
    family: str = "thesis"
    about: str = ""


def draw_all(
    folder: str | Path,
    out: str | Path | None = None,
    formats: Sequence[str] = ("png", "pdf"),
    beside: Sequence[str | Path] = (),
) -> list[FigureResult]:
    """Draw every figure of the catalogue.

    What a run lacks makes a FigureResult without files; the file of an earlier drawing is then
    removed, so that no figure of another run is left standing.

    Parameters
    ----------
    folder
        A results folder.
    out
        Where the figures go; None for folder/figures.
    formats
        Any of png, pdf, svg.
    beside
        Other results folders, for the figures that compare runs.

    Returns
    -------
    list of FigureResult
        One for each figure of the catalogue.

    Raises
    ------
    ResultsError
        The folder or one of its files is malformed.
    SettingError
        An unknown format.
    """
    for format in formats:
        if format not in UNDATED:
            raise unknown("format of figures", format, UNDATED)
    results = load_results(folder)
    out = Path(out) if out is not None else results.paths.figures
    others = [load_results(other) for other in beside]
    entries = [*(comparisons(others) if others else ()), *CATALOGUE]
    return [_drawn(entry, results, out, formats) for entry in entries]


def _drawn(entry: Entry, results: Results, out: Path, formats: Sequence[str]) -> FigureResult:
    """One figure in its files, or the reason why there is none."""
    files = tuple(out / f"{entry.name}.{format}" for format in formats)
    try:
        figure = entry.draw(results)
    except MissingResults as reason:
        log.debug("%s is not drawn: %s", entry.title, reason)  # the report says so, too
        for file in files:
            file.unlink(missing_ok=True)
        return FigureResult(
            entry.name, entry.title, entry.about, (), str(reason), entry.family, entry.about
        )
    for file, format in zip(files, formats, strict=True):
        _save(figure, file, format)
    whole = caption(entry, results)
    return FigureResult(entry.name, entry.title, whole, files, "", entry.family, entry.about)


@styled
def _save(figure: Figure, path: Path, format: str) -> None:
    """Write `figure` to `path` entirely or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format, metadata=UNDATED[format])
    write_whole(path, buffer.getvalue())
