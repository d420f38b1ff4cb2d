"""The sections of a report, each as finished HTML."""

from collections.abc import Callable, Sequence
from typing import Any

from bridge import thesis
from bridge.figures import FigureResult, measures, style
from bridge.figures.catalogue import protocol_name
from bridge.replay import BASELINES, SCENARIOS
from bridge.report import page, words
from bridge.report.comparison import HEADER, REPRODUCED_WITHIN, comparison, signed
from bridge.runs import MissingResults, Results

GENERATOR_QUANTITIES = ("effective classes", "diversity")
SOLVER_QUANTITIES = ("label drift", "old called new")
COMPARED_REPLAYS = ("none", "noise", "generative", "exact", *BASELINES)


def or_reason(section: Callable[[Results], str], results: Results) -> str:
    try:
        return section(results)
    except MissingResults as reason:
        return page.paragraphs([f"Not in this run: {reason}."], "note")


def drawn_figures(figures: Sequence[FigureResult], family: str) -> str:
    return "".join(page.figure(drawn) for drawn in figures if drawn.family == family)


def comparison_section(results: Results) -> str:
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
        "Test accuracy. Ours: mean ± standard deviation over n seeds, of two seeds both values; "
        "difference: mean of ours minus thesis.",
        numbers=range(1, 5),
        marks=marks,
    ) + page.paragraphs([f"Thesis: {thesis.CITATION}."], "note")


def replays_section(results: Results) -> str:
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
        "for each kind; joint training: all classes, after its last epoch.",
        numbers=range(2, 6),
    )


def transfer_section(results: Results) -> str:
    """Measures of continual learning, for each solver, kind of replay and way of asking."""
    rows, marks = [], []
    for solver in results.solvers:
        for replay in COMPARED_REPLAYS:
            for scenario in SCENARIOS:
                found = measures.transfer(results, solver, replay, scenario)
                if found is not None:
                    names = (style.solver_look(solver)[0], style.replay_look(replay)[0], scenario)
                    marks.append("new" if scenario == next(iter(SCENARIOS)) else "")
                    rows.append((*names, *(value or "" for value in found)))
    if not rows:
        raise MissingResults("no solver has been through all contexts")
    return page.table(
        ("solver", "replay", "asked", "average accuracy (%)", "forgetting", "backward", "forward"),
        rows,
        "The network after all contexts, asked in three ways. class: which of all classes; task: "
        "which class of the context that is named; domain: which place within its context. "
        "Forgetting (Chaudhry et al. 2018), backward and forward transfer (Lopez-Paz and Ranzato "
        "2017; forward: over the untrained network) in points.",
        numbers=range(3, 7),
        marks=marks,
    )


def protocol_section(results: Results) -> str:
    leaks, config = words.leaks(results), results.config.as_json()
    name = f"The protocol “{protocol_name(results)}”"
    if leaks:
        body = page.paragraphs([f"{name} has these leaks, which raise its numbers:"])
        body += page.bullets(leaks)
    else:
        body = page.paragraphs(
            [
                f"{name} trains its generators without real images of earlier contexts, and "
                "chooses nothing on test images."
            ]
        )
    if results.config.protocol.summary:
        body += page.paragraphs([results.config.protocol.summary])
    settings = {k: v for k, v in config["protocol"].items() if k not in ("summary", "contexts")}
    used = {k: v for k, v in settings["solvers"].items() if k in results.solvers}
    settings = {**settings, "solvers": used}
    rows = [
        ("seeds", ", ".join(map(str, results.seeds))),
        ("contexts", "; ".join(results.context_names)),
        *_flat("budget", config["budget"]),
        *_flat("", settings),
    ]
    return body + page.table(("setting", "value"), rows)


def audit_section(results: Results) -> str:
    found = words.audit(results)
    body = _verdicts(results)
    body += (
        page.paragraphs(found)
        if found
        else page.paragraphs(["This run holds no audit variants."], "note")
    )
    body += "<h3>What the publication leaves open</h3>\n" + page.bullets(thesis.OPEN_QUESTIONS)
    if results.has("joint"):
        body += or_reason(_joint_variants, results)
    return body


def _verdicts(results: Results) -> str:
    """How far each published curve is met, curve by curve."""
    answered = [row for row in comparison(results) if row.difference is not None]
    rows = []
    for solver, quantity in dict.fromkeys((row.solver, row.quantity) for row in answered):
        mine = [row for row in answered if (row.solver, row.quantity) == (solver, quantity)]
        gaps = [row.difference for row in mine if row.difference is not None]
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
        "Joint training on all classes: test accuracy.",
        numbers=range(2, 6),
    )


def diagnostics_section(results: Results) -> str:
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
        "reference classifier. Old called new: real old images taken for a new class.",
        numbers=range(1, 4),
    )


def _value(table: Any, quantity: str, seed: int, context: int) -> str:
    found = table.where(solver="", quantity=quantity, seed=seed, context=context)["value"]
    return f"{found[0]:.2f}" if len(found) else ""


def manifest_section(results: Results) -> str:
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
