"""The page of a results folder, put together and written."""

from collections.abc import Sequence
from pathlib import Path

from bridge.figures import FigureResult, draw_all
from bridge.figures.catalogue import AUDITED, common_words, provenance
from bridge.files import utf8, write_whole
from bridge.report import page, words
from bridge.report.sections import (
    audit_section,
    comparison_section,
    diagnostics_section,
    drawn_figures,
    manifest_section,
    or_reason,
    protocol_section,
    replays_section,
    transfer_section,
)
from bridge.runs import load_results


def write_report(
    folder: str | Path,
    figures: Sequence[FigureResult] | None = None,
    beside: Sequence[str | Path] = (),
) -> Path:
    """Write folder/report.html and return its path. What is merely absent is said in its place.

    Parameters
    ----------
    folder
        A results folder.
    figures
        Those of `draw_all`; None to draw them.
    beside
        Other results folders, for the figures that compare runs.

    Returns
    -------
    Path
        FOLDER/report.html.

    Raises
    ------
    ResultsError
        The folder or one of its files is malformed.
    """
    results = load_results(folder)
    if figures is None:
        figures = draw_all(folder, beside=beside)
    compared = drawn_figures([figure for figure in figures if figure.files], "compared")
    parts = [
        *([page.Section("beside", "Beside other runs", compared)] if compared else ()),
        page.Section(
            "comparison",
            "Thesis and this run",
            or_reason(comparison_section, results),
        ),
        page.Section(
            "replay",
            "Kinds of replay compared",
            or_reason(replays_section, results),
        ),
        page.Section(
            "transfer",
            "Forgetting and transfer",
            or_reason(transfer_section, results),
        ),
        page.Section("protocol", "Data and protocol", protocol_section(results)),
        page.Section(
            "audit",
            "What does not reproduce, and why",
            audit_section(results)
            + page.paragraphs([AUDITED], "note")
            + drawn_figures(figures, "audit"),
        ),
        page.Section(
            "diagnostics",
            "Replay diagnostics",
            or_reason(diagnostics_section, results) + drawn_figures(figures, "diagnostics"),
        ),
        page.Section(
            "figures",
            "The thesis' figures",
            page.paragraphs([common_words(results)], "note") + drawn_figures(figures, "thesis"),
        ),
        page.Section("manifest", "How this was made", manifest_section(results)),
    ]
    lead = page.paragraphs(words.alarms(results), "alarm")
    lead += f"<h2>Summary</h2>\n{page.bullets(words.summary(results))}"
    path = results.paths.report
    write_whole(
        path,
        utf8(
            page.page(
                "Deep generative replay: thesis and reproduction", provenance(results), lead, parts
            )
        ),
    )
    return path
