"""The command line that every benchmark has: python -m benchmarks.NAME [--quick] [--all]."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import results
from benchmarks.results import Goal
from benchmarks.timing import ONE_THREAD, pin_to_quietest_core

Measure = Callable[[argparse.Namespace], tuple[dict[str, Any], list[Goal]]]


def run(
    benchmark: str,
    measure: Measure,
    lines: Callable[[dict[str, Any]], str],
    description: str,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    pinned: bool = True,
) -> None:
    """Measure on one thread, save the result, print it with its goals."""
    with_environment(ONE_THREAD)
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds: to see that it runs")
    parser.add_argument("--all", action="store_true", help="also what compiles for minutes")
    for name, keywords in (options or {}).items():
        parser.add_argument(name, **keywords)
    arguments = parser.parse_args()
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    if pinned:
        pin_to_quietest_core()
    numbers, goals = measure(arguments)
    folder = results.QUICK if arguments.quick else results.RESULTS
    path = results.save(benchmark, numbers, goals, folder)
    print(lines(numbers))
    if goals:
        print(results.table(goals))
    print(path)


def with_environment(wanted: Mapping[str, str]) -> None:
    """Start this very command anew unless the environment is as wanted.

    The libraries read how many threads to use when they are loaded, which has happened by now.
    """
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **wanted})
