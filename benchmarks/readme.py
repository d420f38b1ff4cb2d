"""The README's tables of speed, from benchmarks/results: python -m benchmarks.readme"""

from __future__ import annotations

from typing import Any

from benchmarks import results
from benchmarks.__main__ import BENCHMARKS
from benchmarks.compare import GOALS, PEAK_GOALS


def steps(step: dict[str, Any]) -> list[str]:
    """One row a way to make the step: CPU ms at each size, and its ratio to the floor."""
    sizes = step["sizes"].values()
    lines = [
        "| one train step, CPU ms (ratio to the floor) | "
        + " | ".join(size["size"] for size in sizes)
        + " |",
        "|---|" + "---:|" * len(sizes),
    ]
    for row, label in step["labels"].items():
        if not any(row in size["ms"] for size in sizes):
            continue
        cells = []
        for size in sizes:
            if row not in size["ms"]:
                cells.append("–")
                continue
            ms, floor = (size["ms"][name]["cpu"]["median"] for name in (row, "floor"))
            cells.append(f"{ms:.{2 if ms < 10 else 1}f} ({ms / floor:.2f})")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines


def comparison(compare: dict[str, Any]) -> list[str]:
    """One row a work of benchmarks.compare: both times, their ratio, and peak memory."""
    lines = [
        "| | before, CPU ms | after, CPU ms | after / before | asked | peak MB, before and after |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, one in compare["work"].items():
        asked = GOALS.get(name)
        missed = asked is not None and one["ratio"] > asked
        ratio = f"**{one['ratio']:.2f}, missed**" if missed else f"{one['ratio']:.2f}"
        peak = f"{one['after_peak_mb']:.0f}"
        if name in PEAK_GOALS:
            met = one["after_peak_mb"] <= PEAK_GOALS[name]
            peak += f" (at most {PEAK_GOALS[name]} asked{'' if met else ', **missed**'})"
        before, after = (three_digits(one[f"{which}_ms"]) for which in ("before", "after"))
        lines.append(
            f"| {name} | {before} | {after} | {ratio} | "
            f"{'' if asked is None else f'at most {asked:g}'} | "
            f"{one['before_peak_mb']:.0f}, {peak} |"
        )
    return lines


def three_digits(ms: float) -> str:
    return f"{ms:.{2 if ms < 10 else 1 if ms < 100 else 0}f}"


def goals(found: list[results.Goal]) -> list[str]:
    """Every goal with what came out, missed ones in bold."""
    lines = ["| goal | asked | measured |", "|---|---|---:|"]
    for goal in found:
        measured = "–" if goal.measured is None else f"{goal.measured:.2f}{goal.unit}"
        shown = f"**{measured}, missed**" if goal.met is False else measured
        lines.append(f"| {goal.what} | {goal.sense} {goal.limit:g}{goal.unit} | {shown} |")
    return lines


def main() -> None:
    found = {
        name: results.load(results.path_of(name))
        for name in (*BENCHMARKS, "compare")
        if results.path_of(name).exists()
    }
    if "compare" in found:
        compare, _ = found.pop("compare")
        machine, loads = compare["machine"], [one["load"] for one in compare["work"].values()]
        print(
            f"{machine['date'][:10]}, {machine['cpu']}, commit {machine['commit']} beside "
            f"{compare['before']}, load {min(loads):.0f} to {max(loads):.0f}:\n"
        )
        print("\n".join(comparison(compare)), end="\n\n")
    machine = found["step"][0]["machine"]
    print(f"{machine['cpu']}, one core, medians, {machine['date'][:10]}:\n")
    print("\n".join(steps(found["step"][0])), end="\n\n")
    print("\n".join(goals([goal for _, some in found.values() for goal in some])))


if __name__ == "__main__":
    main()
