"""What a results folder says, in plain words: every sentence is computed from its numbers."""

from collections.abc import Iterable

from bridge.figures import measures, style
from bridge.figures.measures import Spread
from bridge.report.comparison import REPRODUCED_WITHIN, Row, comparison, signed
from bridge.runs import MissingResults, Results

ORDER = ("none", "noise", "generative", "exact")  # least to most that is kept, if replay works


def alarms(results: Results) -> list[str]:
    """What a reader must know before any number: collapsed generators, leaks, a single seed."""
    found = []
    if results.has("diagnostics"):
        collapsed = measures.collapsed_generators(results)
        if collapsed:
            named = "; ".join(
                f"seed {seed}, generator after {_contexts(k)}" for seed, k in collapsed
            )
            found.append(
                f"COLLAPSED: {_count(len(collapsed), 'generator')} of this run with "
                "samples all alike, or with almost none of some class that had to be "
                f"replayed: {named}. What is missing there cannot be protected by "
                "replay."
            )
    found += [f"LEAK in this protocol: {leak}" for leak in leaks(results)]
    if len(results.seeds) == 1:
        found.append("One seed only: no spread is known, and small differences mean nothing.")
    reason = measures.comparable(results)
    if reason:
        found.append(f"The thesis' numbers are not shown beside these: {reason}.")
    unfinished = _unfinished(results)
    if unfinished:
        found.append(f"Unfinished: {unfinished}.")
    return found


def leaks(results: Results) -> list[str]:
    """What in the protocol raises the numbers unduly, as its own configuration names it."""
    return [str(leak).rstrip(".") + "." for leak in results.config.protocol.leaks]


def summary(results: Results) -> list[str]:
    """The main findings."""
    rows = comparison(results)
    return [
        *_numbers(results),
        *_final_accuracy(results, rows),
        *_replay_order(results),
        *_joint(rows),
        *_reproduced(rows),
    ]


def audit(results: Results) -> list[str]:
    """What the audit's variants show."""
    return [*_joint_variants(results), *_warm_starts(results)]


def _numbers(results: Results) -> Iterable[str]:
    if len(results.seeds) == 2:
        first, second = results.seeds
        yield (
            f"Numbers are those of two seeds ({first}, {second}), the lower one first, accuracy on "
            "test data."
        )
    elif len(results.seeds) > 2:
        yield (
            f"Numbers are means ± 1 standard deviation over {len(results.seeds)} seeds "
            f"({', '.join(map(str, results.seeds))}), accuracy on test data."
        )


def _contexts(k: int) -> str:
    return _count(k, "context")


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _percent(spread: Spread | None) -> str:
    return "not run" if spread is None else f"{spread} %"


def _against(row: Row) -> str:
    """Text as ", thesis 77 %, 3.1 points below", or nothing where the thesis has no number."""
    if row.published is None:
        return ""
    difference = row.difference or 0.0
    where = "above" if difference > 0 else "below"
    return f" (thesis: {row.published:g} %; ours is {abs(difference):.1f} points {where})"


def _name(solver: str) -> str:
    label = style.solver_look(solver)[0]
    return label if label.isupper() else label[0].lower() + label[1:]


def _final_accuracy(results: Results, rows: list[Row]) -> Iterable[str]:
    for solver in results.solvers:
        mine = [r for r in rows if (r.solver, r.quantity) == (solver, "overall") and r.ours]
        if mine:
            last = mine[-1]
            yield (
                f"After {_contexts(last.after)} with generative replay the {_name(solver)} "
                f"classifies {_percent(last.ours)} of the test images of classes seen so far "
                f"correctly{_against(last)}."
            )


def _replay_order(results: Results) -> Iterable[str]:
    if not results.has("accuracy"):
        return
    for solver in results.solvers:
        kept = {}
        for replay in ORDER:
            curve = measures.by_context(results, solver, "old", replay)
            if curve and max(curve) == len(results.contexts):
                kept[replay] = curve[max(curve)]
        if len(kept) < 2:
            continue
        listed = ", ".join(
            f"{_percent(value)} with {style.replay_look(replay)[0]}"
            for replay, value in kept.items()
        ).replace("with no replay", "without replay")
        means = [round(value.mean, 1) for value in kept.values()]  # as printed
        order = (
            ""
            if means == sorted(means)
            else "; this is not the order that replay should bring ("
            + " ≤ ".join(style.replay_look(replay)[0] for replay in kept)
            + ")"
        )
        yield (
            f"Of the test images of earlier contexts the {_name(solver)} still names after the "
            f"last one: {listed}{order}."
        )


def _joint(rows: list[Row]) -> Iterable[str]:
    for solver in dict.fromkeys(row.solver for row in rows):
        mine = [r for r in rows if (r.solver, r.quantity) == (solver, "joint")]
        both = [r for r in mine if r.ours and r.published is not None]
        if both:
            last = both[-1]
            beyond = [r for r in mine if r.ours and r.after > last.after]
            later = (
                f"; after {_count(beyond[-1].after, 'epoch')} it reaches "
                f"{_percent(beyond[-1].ours)}"
                if beyond
                else ""
            )
            yield (
                f"Trained on all classes together, the {_name(solver)} reaches "
                f"{_percent(last.ours)} after {_count(last.after, 'epoch')}"
                f"{_against(last)}{later}."
            )


def _reproduced(rows: list[Row]) -> Iterable[str]:
    gaps = [(row, row.difference) for row in rows if row.difference is not None]
    if not gaps:
        return
    met = sum(row.reproduced for row, _ in gaps)
    above = sum(gap > REPRODUCED_WITHIN for _, gap in gaps)
    below = sum(gap < -REPRODUCED_WITHIN for _, gap in gaps)
    row, widest = max(gaps, key=lambda pair: abs(pair[1]))
    what, after, *_ = row.cells()
    yield (
        f"Of {len(gaps)} published numbers that this run can answer: {met} met within "
        f"{REPRODUCED_WITHIN:g} points, {above} exceeded, {below} not reached. The "
        f"largest difference is {signed(widest)} points ({what}, after {after})."
    )


def _joint_variants(results: Results) -> Iterable[str]:
    if not results.has("joint"):
        return
    table = results.table("joint")
    for solver in results.solvers:
        curves = {
            variant: measures.by_epoch(results, solver, variant)
            for variant in table.where(solver=solver).distinct("variant")
        }
        if len(curves) < 2:
            continue
        best = max(curves, key=lambda variant: curves[variant][max(curves[variant])].mean)
        epoch = max(curves[best])
        yield (
            f"Of {len(curves)} curves of the {_name(solver)} trained on all classes "
            f"together, “{_variant(best)}” ends highest, at "
            f"{_percent(curves[best][epoch])} after {_count(epoch, 'epoch')}."
        )
        published = measures.thesis_curve(results, solver, "joint")
        if published:
            at = max(published)
            goal = published[at] - REPRODUCED_WITHIN
            reach = [v for v, c in curves.items() if at in c and c[at].mean >= goal]
            names = ", ".join(f"“{_variant(v)}”" for v in reach) or "none of them"
            yield (
                f"The thesis has {published[at]:g} % after {_count(at, 'epoch')}; within "
                f"{REPRODUCED_WITHIN:g} points of it or above, after as many epochs: {names}."
            )


def _variant(variant: str) -> str:
    return "main curve" if variant == measures.THESIS_VARIANT else variant


def _warm_starts(results: Results) -> Iterable[str]:
    if not results.has("warmstart"):
        return
    table = results.table("warmstart")
    for solver in table.distinct("solver"):
        rows = table.where(solver=solver)
        last = int(rows["context"].max())
        ends = {
            v: measures.grouped(rows.where(variant=v, context=last), "context", "overall")
            for v in rows.distinct("variant")
        }
        listed = ", ".join(
            f"{_percent(end[last])} with “{variant}”" for variant, end in ends.items() if end
        )
        yield (f"Warm start of the {_name(solver)}, all classes after {_contexts(last)}: {listed}.")


def _unfinished(results: Results) -> str:
    """Which part of the configured seeds and contexts the accuracy table lacks."""
    try:
        rows = results.table("accuracy").where(replay="generative", selected=1)
    except MissingResults:
        return ""
    done = set(
        zip(rows["solver"].tolist(), rows["seed"].tolist(), rows["context"].tolist(), strict=True)
    )
    wanted = len(results.solvers) * len(results.seeds) * len(results.contexts)
    if "generative" not in results.config.replays or len(done) >= wanted:
        return ""
    return (
        f"{len(done)} of {wanted} contexts with generative replay (solvers × seeds × "
        "contexts) are in the results; means are over the seeds that got there"
    )
