"""`dgr doctor`: a task's first updates under other settings, side by side."""

import argparse
import contextlib
import json
import logging
import math
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, Any

from bridge.commands import whole

if TYPE_CHECKING:  # it loads PyTensor
    from pycog_dgr.commands.doctor import Outcome

EXAMPLES = """
  dgr doctor my_task.py                             200 updates under each change
  dgr doctor dms --updates 4000 --seeds 3           to the criterion, three initial networks
  dgr doctor dms --json                             every seed's own numbers
"""
COLUMNS = (
    "change", "loss before", "after", "performance", "clipped (%)", "skipped",
    "updates to criterion",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("task", help="a task's name (`dgr tasks`), or the path of a model file")
    parser.add_argument("--updates", type=whole(1), default=200, metavar="N", help="at most")
    parser.add_argument("--seeds", type=whole(1), default=1, metavar="N",
                        help="initial networks; numbers are their medians")  # fmt: skip
    parser.add_argument("--json", action="store_true",
                        help="print every seed's numbers as JSON, at the end")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Print the table, in Markdown, a row as soon as it is known. Errors: PycogDgrError."""
    from pycog_dgr.commands.doctor import outcomes
    from pycog_dgr.commands.task import find_task
    from pycog_dgr.tasks import BUNDLED

    path = find_task(arguments.task, BUNDLED)
    with contextlib.nullcontext() if arguments.verbose else silent_training():
        rows = outcomes(path, arguments.updates, arguments.seeds)
        if arguments.json:
            print(json.dumps([as_json(row) for row in rows], indent=1))
            return 0
        print(f"| {' | '.join(COLUMNS)} |\n|---|{'---:|' * (len(COLUMNS) - 1)}", flush=True)
        for row in rows:
            cells = [row.refused, *"–" * (len(COLUMNS) - 2)] if row.refused else numbers(row)
            print(f"| {row.change} | {' | '.join(cells)} |", flush=True)
    return 0


@contextlib.contextmanager
def silent_training() -> Iterator[None]:
    """Errors of trainings only: what exploded is told by the table, and its file is gone."""
    logger = logging.getLogger("pycog_dgr.training")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def as_json(row: "Outcome") -> dict[str, Any]:
    """A change, why it was refused or None, and the numbers of each seed; None for what is none."""
    trainings = [
        {name: None if math.isnan(value) else value for name, value in numbers._asdict().items()}
        for numbers in row.trainings
    ]
    return {"change": row.change, "refused": row.refused or None, "seeds": trainings}


def numbers(row: "Outcome") -> list[str]:
    """The cells of a row: medians over seeds, and every seed's updates to the criterion."""

    def middle(name: str, form: str, factor: float = 1) -> str:
        value = median(getattr(training, name) for training in row.trainings)
        return "–" if math.isnan(value) else format(factor * value, form)

    met = [training.criterion for training in row.trainings]
    return [
        middle("loss_before", ".3g"),
        middle("loss_after", ".3g"),
        middle("performance", ".1f"),
        middle("clipped", ".0f", 100),
        middle("skipped", ".0f"),
        ", ".join("–" if math.isnan(updates) else f"{updates:,}" for updates in met),
    ]
