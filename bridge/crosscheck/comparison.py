"""The same weights and the same batches through numpy, PyTensor and torch: do they agree?

    difference   max over entries of (largest - smallest value among the backends)
    relative     difference / largest entry of the tensor

A tensor passes where its relative difference is within tolerance. Of what does not, the first in
the order of computation is named: the tensor, its place (time steps count from 1, as in the
equations), and the backend that stands apart, the one farthest from the median of three or more.

Tolerances (float64 / float32): forward pass and loss 1e-12 / 1e-5, gradients and Omega
1e-10 / 1e-4, parameters after training 1e-8 / 1e-2.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby, islice, pairwise
from typing import Any, NamedTuple

import numpy as np

from bridge.crosscheck.backends import BACKENDS, Backend, Quantities, Start
from bridge.errors import SettingError
from pycog_dgr.data import Batch

TOLERANCES = {
    "float64": {"forward": 1e-12, "gradient": 1e-10, "parameters": 1e-8},
    "float32": {"forward": 1e-5, "gradient": 1e-4, "parameters": 1e-2},
}
FORWARD = ("Win", "Wrec", "Wout", "x", "r", "z", "loss", "error")
OVER_TIME = ("x", "r", "z", "D")
BACKWARD = ("D",)  # computed from the last time step to the first
AXES = {"x": "unit", "r": "unit", "D": "unit", "z": "output"}

Tick = Callable[[str], None]  # is called with what is being done


@dataclass(frozen=True)
class Case:
    """A network, its training, and a supply of batches.

    batches: a function that starts the supply afresh. images: test batches whose outputs at the
    last step are labels, for networks that classify.
    """

    name: str
    start: Start
    batches: Callable[[], Iterable[Batch]]
    images: Callable[[], Iterable[Batch]] | None = None


@dataclass(frozen=True)
class Difference:
    """One tensor compared among backends."""

    quantity: str
    shape: tuple[int, ...]
    backends: tuple[str, ...]
    absolute: float
    relative: float
    tolerance: float
    apart: str | None = None  # the backend that stands apart, where beyond tolerance
    place: str | None = None  # and where

    @property
    def agrees(self) -> bool:
        return self.relative <= self.tolerance


@dataclass(frozen=True)
class Labels:
    """How many test images two networks label alike."""

    comparison: str
    alike: int
    images: int

    @property
    def agrees(self) -> bool:
        return self.alike == self.images


@dataclass(frozen=True)
class Report:
    """All comparisons of one case, in the order of computation."""

    case: str
    dtype: str
    steps: int
    differences: tuple[Difference, ...]
    labels: tuple[Labels, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether all is within tolerance; labels count in float64 alone."""
        labels_agree = self.dtype != "float64" or all(labels.agrees for labels in self.labels)
        return labels_agree and all(difference.agrees for difference in self.differences)

    @property
    def first(self) -> Difference | None:
        """The first tensor that differs, or None."""
        return next((one for one in self.differences if not one.agrees), None)


def crosscheck(
    case: Case,
    steps: int = 100,
    dtype: str = "float64",
    backends: Mapping[str, Callable[[Start, str], Backend]] = BACKENDS,
    tick: Tick = lambda what: None,
) -> Report:
    """Compare the backends on one batch, then after 1, 10, 100, ... and `steps` updates."""
    if dtype not in TOLERANCES:
        raise SettingError(f"dtype is {dtype!r}; give one of {', '.join(TOLERANCES)}")
    if steps < 1:
        raise SettingError(f"steps is {steps}; give at least 1")
    networks = {name: make(case.start, dtype) for name, make in backends.items()}
    first_batch = next(iter(case.batches()))
    by_backend = {}
    for name, backend in networks.items():
        tick(f"{case.name}: one batch, {name}")
        by_backend[name] = backend.quantities(first_batch)
    differences = compare(by_backend, dtype)

    trained: dict[int, dict[str, Quantities]] = {}
    trainees = {name: backend for name, backend in networks.items() if backend.trains}
    for name, backend in trainees.items():
        tick(f"{case.name}: {steps} updates, {name}")
        for count, held in _train(backend, case, steps).items():
            trained.setdefault(count, {})[name] = held
    for count, parameters in trained.items():
        differences += compare(parameters, dtype, after=count)
    tick(f"{case.name}: test images")
    labels = [] if case.images is None else label_agreement(case, trainees, dtype, backends)
    return Report(case.name, dtype, steps, tuple(differences), tuple(labels))


def _train(backend: Backend, case: Case, steps: int) -> dict[int, Quantities]:
    """Train for `steps` updates; return raw parameters after powers of ten and the last."""
    snapshots = {}
    kept = {steps, *(10**power for power in range(len(str(steps))))}
    for count, batch in enumerate(islice(case.batches(), steps), start=1):
        backend.update(batch)
        if count in kept:
            held = backend.parameters()._asdict()
            snapshots[count] = {name: one for name, one in held.items() if one is not None}
    return snapshots


# -- comparing -----------------------------------------------------------------------------------


def compare(
    quantities: Mapping[str, Quantities], dtype: str, after: int | None = None
) -> list[Difference]:
    """Compare the backends quantity by quantity, in the order of the one that has most.

    after: how many updates, where the quantities are trained parameters.
    """
    order = max(quantities.values(), key=len)
    differences = []
    for quantity in order:
        values = {
            name: np.asarray(held[quantity], dtype=float)
            for name, held in quantities.items()
            if quantity in held
        }
        if after is not None:
            kind, title = "parameters", f"{quantity} after {after}"
        else:
            kind, title = "forward" if quantity in FORWARD else "gradient", quantity
        differences.append(difference(title, values, TOLERANCES[dtype][kind]))
    return differences


def difference(quantity: str, values: Mapping[str, np.ndarray], tolerance: float) -> Difference:
    """Compare one tensor among backends; NaN agrees with NaN alone."""
    shapes = {value.shape for value in values.values()}
    if len(shapes) > 1:
        raise SettingError(
            f"{quantity} has different shapes: "
            f"{ {name: value.shape for name, value in values.items()} }"
        )
    stacked = np.stack(list(values.values()))
    missing = np.isnan(stacked)
    with np.errstate(invalid="ignore"):
        spread = stacked.max(axis=0) - stacked.min(axis=0)
    spread = np.where(missing.all(axis=0), 0, np.where(missing.any(axis=0), np.inf, spread))
    spread = np.where(np.isnan(spread), 0, spread)  # infinities of the same sign
    finite = np.abs(stacked[np.isfinite(stacked)])
    scale = finite.max(initial=0)
    absolute = float(spread.max(initial=0))
    relative = absolute / scale if scale > 0 else (0.0 if absolute == 0 else np.inf)
    result = Difference(quantity, spread.shape, tuple(values), absolute, float(relative), tolerance)
    if result.agrees:
        return result
    place = first_place(quantity, spread, tolerance * scale)
    words = place_in_words(quantity, place)
    shown = ", ".join(f"{name} {value[place]:.12g}" for name, value in values.items())
    return replace(result, apart=stands_apart(values, place), place=f"{words}({shown})")


def stands_apart(values: Mapping[str, np.ndarray], place: tuple[int, ...]) -> str:
    """The backend farthest from the median at a place; of two alone nobody can say which."""
    if len(values) == 2:
        return " or ".join(values)
    there = {name: float(np.nan_to_num(value[place], nan=np.inf)) for name, value in values.items()}
    median = np.median(list(there.values()))
    with np.errstate(invalid="ignore"):
        return max(there, key=lambda name: np.nan_to_num(abs(there[name] - median), nan=0))


def first_place(quantity: str, spread: np.ndarray, limit: float) -> tuple[int, ...]:
    """Index of the largest spread; over time, of the first step (of computation) beyond limit."""
    if quantity not in OVER_TIME:
        return tuple(int(one) for one in np.unravel_index(np.argmax(spread), spread.shape))
    steps = np.flatnonzero(spread.max(axis=(1, 2)) > limit)
    t = int(steps[-1] if quantity in BACKWARD else steps[0])
    return (t, *(int(one) for one in np.unravel_index(np.argmax(spread[t]), spread[t].shape)))


def place_in_words(quantity: str, place: Sequence[int]) -> str:
    if quantity in OVER_TIME:
        t, trial, index = place
        return f"time step {t + 1}, trial {trial}, {AXES[quantity]} {index} "
    return f"[{', '.join(map(str, place))}] " if place else ""


# -- labels of test images -----------------------------------------------------------------------


def label_agreement(
    case: Case,
    trained: Mapping[str, Backend],
    dtype: str,
    backends: Mapping[str, Callable[[Start, str], Backend]] = BACKENDS,
) -> list[Labels]:
    """Compare labels of the test images: of networks trained alike, and of each moved across.

    'A's weights in B' runs the raw parameters that A ended with in backend B and compares with A.
    """
    own = {name: labels_of(backend, case) for name, backend in trained.items()}
    names = list(own)
    agreements = [
        _alike(f"trained in {one} and in {other}", own[one], own[other])
        for one, other in pairwise(names)
    ]
    for source, backend in trained.items():
        moved = case.start._replace(parameters=backend.parameters())
        for target, make in backends.items():
            if target != source:
                agreements.append(
                    _alike(
                        f"trained in {source}, run in {target}",
                        own[source],
                        labels_of(make(moved, dtype), case),
                    )
                )
    return agreements


def labels_of(backend: Backend, case: Case) -> np.ndarray:
    """The class with the largest output at the last time step, of every test image."""
    assert case.images is not None
    return np.concatenate([backend.outputs(batch)[-1].argmax(axis=1) for batch in case.images()])


def _alike(comparison: str, one: np.ndarray, other: np.ndarray) -> Labels:
    return Labels(comparison, int((one == other).sum()), len(one))


# -- telling -------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One line of the printed table."""

    quantity: str
    shape: str
    absolute: str
    relative: str
    tolerance: str
    verdict: str


def table(report: Report) -> str:
    """A report as text: a line a tensor, a line for the parameters after so many updates, the
    labels, and the first tensor that differs.
    """
    title = f"{report.case} ({report.dtype})"
    rows = [Row(title, "shape", "absolute", "relative", "tolerance", "")]
    rows += [_row(one.quantity, one) for one in report.differences if " after " not in one.quantity]
    for title, group in groupby(
        (one for one in report.differences if " after " in one.quantity),
        key=lambda one: one.quantity.split(" ", 1)[1],
    ):
        rows.append(_row(f"parameters {title}", max(group, key=lambda one: one.relative)))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for row in rows:
        numbers = (row[column].rjust(widths[column]) for column in range(1, 5))
        lines.append(" ".join([row.quantity.ljust(widths[0]), *numbers, row.verdict]).rstrip())
    lines += [
        f"  {one.comparison}: {one.alike} of {one.images} test images labelled alike"
        + ("" if one.agrees else "  DIFFERS")
        for one in report.labels
    ]
    if report.first is not None:
        lines.append(
            f"  FIRST DIFFERENCE: {report.first.quantity}, {report.first.apart} stands "
            f"apart at {report.first.place}"
        )
    return "\n".join(lines)


def _row(title: str, one: Difference) -> Row:
    return Row(
        f"  {title}",
        "x".join(map(str, one.shape)) or "1",
        f"{one.absolute:.1e}",
        f"{one.relative:.1e}",
        f"{one.tolerance:.0e}",
        "" if one.agrees else f"DIFFERS: {one.quantity.split(' after ')[0]}, {one.apart}",
    )


def as_json(reports: Sequence[Report]) -> dict[str, Any]:
    """All reports as plain values; infinite differences as text."""

    def plain(value: Any) -> Any:
        if isinstance(value, float) and not np.isfinite(value):
            return str(value)
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value

    return plain(
        {
            "agrees": all(report.agrees for report in reports),
            "cases": [
                {
                    **asdict(report),
                    "agrees": report.agrees,
                    "first": None if report.first is None else asdict(report.first),
                }
                for report in reports
            ],
        }
    )
