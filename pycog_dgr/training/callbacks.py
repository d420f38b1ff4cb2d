"""What watches a training: a progress bar, a table, TensorBoard, or a class of your own.

    model.train("save.npz", callbacks=[CsvLog("log.csv"), TensorBoard("runs/1")])

    class Stop(Callback):
        def validated(self, n_trials, costs): ...

A callback sees every update and every validation after it was made; it changes nothing.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycog_dgr.config import TrainingConfig
from pycog_dgr.errors import CheckpointError, MissingExtraError
from pycog_dgr.files import write_atomically

if TYPE_CHECKING:
    from pycog_dgr.training.step import StepReport  # only then: it loads PyTensor

MOST_UPDATES = TrainingConfig().max_iter  # a larger limit than anyone waits for: no bar to fill
COLUMNS = (
    "updates", "trials", "loss", "error", "performance", "last_loss", "gradient_norm", "Omega",
)  # fmt: skip


class Callback:
    """Base of what watches a training; override what is of interest."""

    def updated(self, n_updates: int, report: StepReport) -> None:
        """After every update: how many there were, and what the last one saw."""

    def validated(self, n_trials: int, costs: list[float]) -> None:
        """After every validation: trials trained on, [loss, RMSE] or [loss, RMSE, performance]."""

    def close(self) -> None:
        """When training ends, however it ends."""


@contextlib.contextmanager
def watching(
    callbacks: Sequence[Callback],
    on_update: Callable | None = None,
    on_validation: Callable | None = None,
) -> Iterator[dict[str, Callable | None]]:
    """on_update and on_validation for training.train that tell all callbacks; closed at the end."""
    updated = [*([on_update] if on_update else []), *(one.updated for one in callbacks)]
    validated = [*([on_validation] if on_validation else []), *(one.validated for one in callbacks)]

    def tell(functions: list[Callable]) -> Callable | None:
        def told(*arguments: Any) -> None:
            for function in functions:
                function(*arguments)

        return told if functions else None

    try:
        yield {"on_update": tell(updated), "on_validation": tell(validated)}
    finally:
        for one in callbacks:
            one.close()


class ProgressBar(Callback):
    """A bar on a terminal or in a notebook, nothing elsewhere.

    It shows updates, trials, error, best error and performance.

    Parameters
    ----------
    title
        What the bar is called.
    training
        Its n_gradient and max_iter are shown.
    iteration, errors
        Where a training that goes on stood, and its errors so far.
    """

    def __init__(
        self,
        title: str,
        training: TrainingConfig,
        iteration: int | None = None,
        errors: Sequence[float] = (),
    ) -> None:
        from tqdm.auto import tqdm

        self.n_gradient = training.n_gradient
        self.errors = list(errors)
        self.begun = iteration is not None
        limit = training.max_iter
        counted = "{n_fmt}/{total_fmt}" if limit < MOST_UPDATES else "{n_fmt}"
        in_notebook = tqdm.__module__ == "tqdm.notebook"
        self.bar = tqdm(
            desc=title,
            initial=0 if iteration is None else iteration - 1,
            total=limit if limit < MOST_UPDATES else None,
            bar_format=f"{{desc}}: {counted} updates [{{elapsed}}, {{rate_noinv_fmt}}]{{postfix}}",
            unit=" updates",
            disable=not (in_notebook or sys.stderr.isatty()),
        )

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def updated(self, n_updates: int, report: StepReport) -> None:
        if not self.begun:  # a training that goes on: what it did before took no time now
            self.begun = True
            self.bar.initial = self.bar.n = n_updates - 1
        self.bar.update(n_updates - self.bar.n)

    def validated(self, n_trials: int, costs: list[float]) -> None:
        _, error, *performance = costs
        self.errors.append(error)
        shown = [
            f"{n_trials:,} trials",
            f"error {error:.3g} (best {min(self.errors):.3g})",
            *(f"performance {value:.1f}" for value in performance),
        ]
        self.bar.set_postfix_str(", ".join(shown))

    def close(self) -> None:
        self.bar.close()


class _Latest(Callback):
    """Keeps the last update, for what is written at validations."""

    updates = 0
    report: StepReport | None = None

    def updated(self, n_updates: int, report: StepReport) -> None:
        self.updates, self.report = n_updates, report

    def row(self, n_trials: int, costs: list[float]) -> dict[str, float]:
        """Values of COLUMNS, NaN for what there is not."""
        report = self.report or (math.nan, math.nan, math.nan)
        numbers = [self.updates, n_trials, *costs[:2], costs[2] if len(costs) > 2 else math.nan]
        return dict(zip(COLUMNS, [*numbers, *report[:3]], strict=True))


class CsvLog(_Latest):
    """One line a validation in a CSV file, written whole each time; see COLUMNS.

    A training that goes on goes on with its file: lines of validations that it makes again are
    replaced.

    Parameters
    ----------
    path
        The file; its folder must be there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.absolute().parent.is_dir():
            raise CheckpointError(f"{path}: the folder does not exist; make it first")

    def validated(self, n_trials: int, costs: list[float]) -> None:
        rows = [row for row in self._rows() if float(row["trials"]) < n_trials]
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, self.row(n_trials, costs)])
        write_atomically(self.path, text.getvalue().encode())

    def _rows(self) -> list[dict[str, str]]:
        if not self.path.exists():
            return []
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                lines = csv.reader(file)
                if tuple(next(lines, ())) != COLUMNS:
                    raise ValueError("other columns")
                rows = [dict(zip(COLUMNS, line, strict=True)) for line in lines]
            for row in rows:
                _ = [float(value) for value in row.values()]
        except (OSError, ValueError, csv.Error):
            raise CheckpointError(
                f"{self.path}: is there already, and no log of a training; give another name"
            ) from None
        return rows


class TensorBoard(_Latest):
    """Scalars that `tensorboard --logdir FOLDER` shows, by the extra [tensorboard].

    Parameters
    ----------
    folder
        Where event files go.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise MissingExtraError(
                f"TensorBoard: cannot import tensorboardX ({error}); pip install 'dgr[tensorboard]'"
            ) from error
        self.writer = SummaryWriter(str(folder))

    def validated(self, n_trials: int, costs: list[float]) -> None:
        for name, value in self.row(n_trials, costs).items():
            if name not in ("updates", "trials") and math.isfinite(value):
                self.writer.add_scalar(name, value, n_trials)
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()
