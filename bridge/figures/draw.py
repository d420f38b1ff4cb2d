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

    What a run lacks makes a FigureResult without files. A file of an earlier drawing stays as it is
    then, since it may be all that is left of what it shows; the log warns of it.

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
    drawn = [_drawn(entry, results, _files(entry.name, out, formats)) for entry in entries]
    absent = [one.name for one in drawn if not one.files]
    earlier = [file.name for name in absent for file in _files(name, out, formats) if file.exists()]
    if earlier:
        log.warning(
            "%s lacks what it takes to draw these figures again; in %s an earlier drawing of them "
            "is left as it is: %s", folder, out, ", ".join(earlier),
        )  # fmt: skip
    return drawn


def _files(name: str, out: Path, formats: Sequence[str]) -> tuple[Path, ...]:
    return tuple(out / f"{name}.{format}" for format in formats)


def _drawn(entry: Entry, results: Results, files: tuple[Path, ...]) -> FigureResult:
    """One figure in its files, or the reason why there is none."""
    try:
        figure = entry.draw(results)
    except MissingResults as reason:
        log.debug("%s is not drawn: %s", entry.title, reason)  # the report says so, too
        return FigureResult(
            entry.name, entry.title, entry.about, (), str(reason), entry.family, entry.about
        )
    for file in files:
        _save(figure, file, file.suffix.removeprefix("."))
    whole = caption(entry, results)
    return FigureResult(entry.name, entry.title, whole, files, "", entry.family, entry.about)


@styled
def _save(figure: Figure, path: Path, format: str) -> None:
    """Write `figure` to `path` entirely or not at all."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=format, metadata=UNDATED[format])
    write_whole(path, buffer.getvalue())
