"""All benchmarks, one after another, and one table of goals: python -m benchmarks [--only NAME]

With --before FOLDER, a checkout of an earlier commit, the two are timed side by side first.

Results go to benchmarks/results/*.json and benchmarks.png. Each benchmark also runs alone:
python -m benchmarks.step.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks import figure, results
from benchmarks.timing import ONE_THREAD, ROOT

BENCHMARKS = (
    "step", "batches", "gan", "coldstart", "criterion", "profile_reproduce", "scaling",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS)
    parser.add_argument("--quick", action="store_true", help="few rounds: to see that it runs")
    parser.add_argument("--all", action="store_true", help="also what compiles for minutes")
    parser.add_argument("--before", help="a checkout of an earlier commit, timed side by side")
    arguments = parser.parse_args()
    flags = [f"--{name}" for name in ("quick", "all") if getattr(arguments, name)]
    failed = []
    own_flags = {"compare": ["--before", arguments.before]} if arguments.before else {}
    names = [*own_flags, *arguments.only]
    for name in names:
        print(f"--- {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *flags, *own_flags.get(name, [])]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **ONE_THREAD}, check=False)
        failed += [name] if done.returncode else []
    made = [name for name in names if name not in failed]
    folder = results.QUICK if arguments.quick else results.RESULTS
    found = {name: results.load(results.path_of(name, folder)) for name in made}
    drawn = figure.draw(
        {name: result for name, (result, _) in found.items()}, folder / "benchmarks.png"
    )
    print("\n" + results.table(goal for _, goals in found.values() for goal in goals))
    if drawn:
        print(drawn)
    if failed:
        print(f"failed: {', '.join(failed)} (see above)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
