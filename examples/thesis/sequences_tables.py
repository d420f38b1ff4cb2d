"""Tables of sequences.py: CSV files, and means over seeds as Markdown."""

import csv
import io

import numpy as np

from bridge.files import write_whole

ERRORS = ("task 1 before", "task 1 after", "task 2 after")
RESULTS = ("seed", "condition", "strength", "p", *ERRORS)
CURVES = ("seed", "condition", "task", "update", "error 1", "error 2")


def slug(name):
    """A condition's name as that of a file: "EWC, λ = 5000" -> "EWC-5000"."""
    return "-".join(name.replace(", λ =", "").split())


def write_csv(path, columns, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())


def table(results, references):
    """Mean and standard deviation over seeds of the errors (RMSE), as Markdown."""
    lines = [
        "| task 2 learnt with | task 1 before | task 1 after | task 2 after |",
        "|---|---:|---:|---:|",
    ]
    for name in dict.fromkeys(row["condition"] for row in results):
        cells = []
        for column in ERRORS:
            values = [row[column] for row in results if row["condition"] == name]
            if None in values:
                cells.append("")
                continue
            spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for name, (one, two) in references.items():
        lines.append(f"| *{name}* | {one:.3f} | {one:.3f} | {two:.3f} |")
    return "\n".join(lines)
