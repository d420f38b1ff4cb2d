"""Compare pycog_dgr with the original's numbers: every file of a folder of golden fixtures.

    python tests/golden_check.py [FOLDER] [--only KIND ...] [--each]

Prints, per kind of case, how many files and comparisons there were and the largest error of every
quantity beside its tolerance. Exits with 1 if an error is beyond its tolerance, a comparison
raises, or a file is unread. A kind is a module of tests/golden_kinds with `reads(path) -> bool`
and `check(path)` yielding (quantity, error, tolerance); tolerances stand in those modules.
"""

import argparse
import re
import sys
import time
import traceback
from collections import defaultdict
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

KINDS = (
    "init", "step", "mnist", "functions", "tools", "data", "train", "run", "saves", "timing",
)  # fmt: skip
DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / "shared" / "golden"
PROSE = (".md",)
# p0_loss -> loss, after50_Wrec -> after50_Wrec, "fast: x" -> x: what one line of the table sums up
FAMILIES = re.compile(r"^((fast|scan): )?(p\d+_)?")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="compare with the original's numbers")
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, metavar="KIND")
    parser.add_argument("--each", action="store_true", help="a line for every file")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"{options.folder}: no such folder")

    kinds = {name: import_module(f"tests.golden_kinds.{name}") for name in options.only}
    files = sorted(path for path in options.folder.rglob("*") if path.is_file())
    files = [path for path in files if path.suffix not in PROSE]
    if not files:
        parser.error(f"{options.folder} holds no golden fixtures")
    failures = []
    for name, kind in kinds.items():
        chosen = [path for path in files if kind.reads(path)]
        if chosen:
            failures += report(name, *compared(kind, chosen, options.each))
        elif options.only != KINDS:
            failures.append(f"{options.folder} holds no file of the kind {name!r}")
    if options.only == KINDS:
        failures += unread(files, kinds.values())
    print(f"\nfailures: {len(failures)}" if failures else "\nall within tolerance")
    for failure in failures:
        print(f"  {failure}")
    return 1 if failures else 0


def compared(kind, paths, each):
    """({quantity: (errors, tolerance, count)}, failures, files, seconds) of one kind's files."""
    largest = defaultdict(lambda: [0.0, 0.0, 0])
    failures = []
    start = time.perf_counter()
    for path in paths:
        count, worst = 0, 0.0
        precision = "float32" if path.stem.endswith("_f32") else "float64"
        try:
            for what, error, tolerance in kind.check(path):
                count += 1
                worst = max(worst, error)
                entry = largest[FAMILIES.sub("", what), precision]
                entry[:] = max(entry[0], error), max(entry[1], tolerance), entry[2] + 1
                if not error <= tolerance:
                    failures.append(f"{path.name}: {what}: error {error:.2g} > {tolerance:g}")
        except Exception:
            failures.append(f"{path.name}: {traceback.format_exc(limit=-2)}")
        if not count:
            failures.append(f"{path.name}: nothing was compared")
        if each:
            print(f"  {path.name}: {count} comparisons, largest error {worst:.2g}", flush=True)
    return largest, failures, len(paths), time.perf_counter() - start


def report(name, largest, failures, n_files, seconds):
    """Print one kind's table; return its failures."""
    total = sum(count for _, _, count in largest.values())
    print(f"\n{name}: {n_files} files, {total} comparisons, {seconds:.0f} s")
    exact = [quantity for quantity, (error, _, _) in largest.items() if error == 0]
    for (quantity, precision), (error, tolerance, count) in sorted(largest.items()):
        if error:
            verdict = "" if error <= tolerance else "   BEYOND TOLERANCE"
            print(
                f"  {quantity:<34.34} {precision}  largest error {error:8.2g}"
                f"  tolerance {tolerance:g}  ({count} times){verdict}"
            )
    if exact:
        print(f"  equal to the last bit: {len(exact)} further quantities")
    sys.stdout.flush()
    return failures


def unread(files, kinds):
    """A failure for every file that no kind reads."""
    return [
        f"{path}: UNREAD, no kind of tests/golden_kinds knows it"
        for path in files
        if not any(kind.reads(path) for kind in kinds)
    ]


if __name__ == "__main__":
    sys.exit(main())
