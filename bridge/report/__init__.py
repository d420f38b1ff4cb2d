"""One self-contained report.html for a results folder: what was found, and all that it rests on.

    write_report(folder)       folder/report.html, with every figure inside it
    markdown_table(folder)     thesis | ours | difference, for a README

No sentence of the findings is written in advance; see `bridge.report.words`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bridge import thesis
from bridge.figures import FigureResult, draw_all, measures, style
from bridge.figures.catalogue import protocol_name, provenance
from bridge.files.archive import write_whole
from bridge.report import page, words
from bridge.report.comparison import (
    HEADER,
    REPRODUCED_WITHIN,
    comparison,
    markdown_table,
    signed,
)
from bridge.runs.reading import Results, load_results
from bridge.runs.tables import MissingResults

__all__ = ["markdown_table", "write_report"]

GENERATOR_QUANTITIES = ("effective classes", "diversity")
SOLVER_QUANTITIES = ("label drift", "old called new")
COMPARED_REPLAYS = ("none", "noise", "generative", "exact")


def write_report(folder: str | Path, figures: Sequence[FigureResult] | None = None) -> Path:
    """Write folder/report.html and return its path; draws the figures unless they are given.

    Raises ResultsError where the folder or one of its files is malformed. What is merely absent
    is said in its place.
    """
    results = load_results(folder)
    if figures is None:
        figures = draw_all(folder)
    sections = [
        page.Section("comparison", "Thesis and this run", _or_reason(_comparison, results)),
        page.Section("replay", "Kinds of replay compared", _or_reason(_replays, results)),
        page.Section("protocol", "Data and protocol", _protocol(results)),
        page.Section(
            "audit", "What does not reproduce, and why", _audit(results) + _drawn(figures, "audit")
        ),
        page.Section(
            "diagnostics",
            "Replay diagnostics",
            _or_reason(_diagnostics, results) + _drawn(figures, "diagnostics"),
        ),
        page.Section("figures", "The thesis' figures", _drawn(figures, "thesis")),
        page.Section("manifest", "How this was made", _manifest(results)),
    ]
    lead = page.paragraphs(words.alarms(results), "alarm")
    lead += f"<h2>Summary</h2>\n{page.bullets(words.summary(results))}"
    path = results.folder / "report.html"
    write_whole(
        path,
        page.page(
            "Deep generative replay: thesis and reproduction", provenance(results), lead, sections
        ).encode(),
    )
    return path


def _or_reason(section: Callable[[Results], str], results: Results) -> str:
    try:
        return section(results)
    except MissingResults as reason:
        return page.paragraphs([f"Not in this run: {reason}."], "note")


def _drawn(figures: Sequence[FigureResult], family: str) -> str:
    return "".join(page.figure(drawn) for drawn in figures if drawn.family == family)


def _comparison(results: Results) -> str:
    rows = comparison(results)
    if not rows:
        raise MissingResults("neither sequential nor joint accuracy")
    marks = [
        "new"
        if before is None or (before.solver, before.quantity) != (row.solver, row.quantity)
        else ""
        for before, row in zip([None, *rows], rows, strict=False)
    ]
    return page.table(
        HEADER,
        [row.cells() for row in rows],
        "Test accuracy. Ours: mean ± standard deviation over n seeds; difference: ours minus "
        "thesis.",
        numbers=range(1, 5),
        marks=marks,
    ) + page.paragraphs([f"Thesis: {thesis.CITATION}."], "note")


def _replays(results: Results) -> str:
    rows = []
    last = len(results.contexts)
    for solver in results.solvers:
        for replay in COMPARED_REPLAYS:
            found = [
                measures.by_context(results, solver, quantity, replay).get(last)
                for quantity in style.QUANTITIES
            ]
            if any(found):
                rows.append(
                    (
                        style.solver_look(solver)[0],
                        style.replay_look(replay)[0],
                        *(value if value else "" for value in found),
                        next(value.n for value in found if value),
                    )
                )
        joint = measures.joint_final(results, solver)
        if joint:
            rows.append(
                (
                    style.solver_look(solver)[0],
                    style.replay_look("joint")[0],
                    joint,
                    "",
                    "",
                    joint.n,
                )
            )
    if not rows:
        raise MissingResults("no replay type has reached the last context")
    header = (
        "solver",
        "replay",
        *(f"{label} (%)" for label, *_ in style.QUANTITIES.values()),
        "seeds",
    )
    return page.table(
        header,
        rows,
        f"Test accuracy after all {last} contexts, the same budget "
        "for each kind; joint training: all digits, after its last epoch.",
        numbers=range(2, 6),
    )


def _protocol(results: Results) -> str:
    leaks = words.leaks(results)
    body = page.paragraphs([provenance(results)])
    if leaks:
        body += page.paragraphs(
            [f"The protocol “{protocol_name(results)}” has these leaks, which flatter its numbers:"]
        ) + page.bullets(leaks)
    else:
        body += page.paragraphs([f"The protocol “{protocol_name(results)}” names no leak."])
    summary = results.config["protocol"].get("summary")
    if summary:
        body += page.paragraphs([summary])
    contexts = "; ".join(", ".join(map(str, context)) for context in results.contexts)
    rows = [
        ("seeds", ", ".join(map(str, results.seeds))),
        ("contexts", contexts),
        *_flat("budget", results.config.get("budget", {})),
        *_flat("", results.config["protocol"]),
    ]
    return body + page.table(("setting", "value"), rows)


def _audit(results: Results) -> str:
    found = words.audit(results)
    body = _verdicts(results)
    body += (
        page.paragraphs(found)
        if found
        else page.paragraphs(["This run holds no audit variants."], "note")
    )
    body += "<h3>What the publication leaves open</h3>\n" + page.bullets(thesis.OPEN_QUESTIONS)
    if results.has("joint"):
        body += _or_reason(_joint_variants, results)
    return body


def _verdicts(results: Results) -> str:
    """How far each published curve is met, curve by curve."""
    answered = [row for row in comparison(results) if row.difference is not None]
    rows = []
    for solver, quantity in dict.fromkeys((row.solver, row.quantity) for row in answered):
        mine = [row for row in answered if (row.solver, row.quantity) == (solver, quantity)]
        gaps = [row.difference for row in mine]
        rows.append(
            (
                mine[0].cells()[0],
                mine[0].source,
                len(mine),
                sum(row.reproduced for row in mine),
                signed(min(gaps)),
                signed(max(gaps)),
            )
        )
    if not rows:
        return page.paragraphs(["No published number can be compared with this run."], "note")
    return page.table(
        ("published curve", "source", "numbers", "met", "lowest difference", "highest difference"),
        rows,
        f"Met: within {REPRODUCED_WITHIN:g} points of the thesis.",
        numbers=range(2, 6),
    )


def _joint_variants(results: Results) -> str:
    table = results.table("joint")
    rows = []
    for solver in results.solvers:
        for variant in table.where(solver=solver).distinct("variant"):
            curve = measures.by_epoch(results, solver, variant)
            first, last = min(curve), max(curve)
            name = "main curve" if variant == measures.THESIS_VARIANT else variant
            rows.append(
                (style.solver_look(solver)[0], name, curve[first], curve[last], last, curve[last].n)
            )
    return page.table(
        ("solver", "variant", "first epoch (%)", "last epoch (%)", "epochs", "seeds"),
        rows,
        "Joint training on all digits: test accuracy.",
        numbers=range(2, 6),
    )


def _diagnostics(results: Results) -> str:
    table = results.table("diagnostics")
    collapsed = set(measures.collapsed_generators(results))
    generators = [
        (seed, k)
        for seed in results.seeds
        for k in sorted(table.where(solver="", seed=seed).distinct("context"))
    ]
    rows = [
        (
            seed,
            k,
            *(_value(table, q, seed, k) for q in GENERATOR_QUANTITIES),
            "COLLAPSED" if (seed, k) in collapsed else "no",
        )
        for seed, k in generators
    ]
    marks = ["bad" if pair in collapsed else "" for pair in generators]
    body = page.table(
        ("seed", "contexts learnt", *GENERATOR_QUANTITIES, "collapsed"),
        rows,
        "Generators. Effective classes: exponential of the entropy of the class "
        "shares. Diversity: mean pairwise distance relative to real images.",
        numbers=range(4),
        marks=marks,
    )
    drift = []
    for solver in results.solvers:
        curves = [measures.diagnostic(results, q, solver) for q in SOLVER_QUANTITIES]
        for k in sorted({k for curve in curves for k in curve}):
            drift.append(
                (
                    style.solver_look(solver)[0],
                    k,
                    *(curve[k].scaled(100) if k in curve else "" for curve in curves),
                )
            )
    return body + page.table(
        ("solver", "contexts learnt", *(f"{q} (%)" for q in SOLVER_QUANTITIES)),
        drift,
        "Solvers. Label drift: replayed samples of old classes whose label disagrees with the "
        "reference classifier. Old called new: real old digits taken for a new class.",
        numbers=range(1, 4),
    )


def _value(table: Any, quantity: str, seed: int, context: int) -> str:
    found = table.where(solver="", quantity=quantity, seed=seed, context=context)["value"]
    return f"{found[0]:.2f}" if len(found) else ""


def _manifest(results: Results) -> str:
    if not results.manifest:
        return page.paragraphs(
            ["This run has no manifest.json: how it was made is not known."], "alarm"
        )
    return page.table(("", "value"), _flat("", results.manifest))


def _flat(prefix: str, value: Any) -> list[tuple[str, str]]:
    """Nested settings as (dotted name, text) pairs."""
    if isinstance(value, dict) and value:
        return [
            pair
            for key, inner in value.items()
            for pair in _flat(f"{prefix}.{key}" if prefix else str(key), inner)
        ]
    if isinstance(value, list):
        apart = "; " if any(isinstance(item, dict) for item in value) else ", "
        value = apart.join(map(_short, value))
    return [(prefix, "none" if value in (None, "", {}) else str(value))]


def _short(item: Any) -> str:
    """One item of a list of settings: "real_share 0.5, replayed 9"."""
    if isinstance(item, dict):
        return ", ".join(f"{key} {_short(value)}" for key, value in item.items())
    return f"{item:.4g}" if isinstance(item, float) else "none" if item is None else str(item)
