"""A sweep file: which experiment, with which settings and seeds. Read from TOML and checked.

    experiment = "task"            # or "replay"
    task = "rdm_fixed.py"          # a model file, beside this one (experiment = "task")
    seeds = 3                      # 1, 2, 3; or a list
    retries = 2                    # of a cell that fails

    [settings]                     # of every cell
    max_iter = 2000

    [grid]                         # every combination; or [[cells]], or [random]
    learning_rate = [0.01, 0.03]
    N = [50, 100]

`[[cells]]` writes out each cell's settings. `[random]` has `samples`, `seed` and a table `settings`
whose values are a list to choose from or a range, `{low = 1e-4, high = 1e-1, log = true}`. Sample i
depends on the seed and on i alone, so that asking for more samples adds to those that are there.
"""

import itertools
import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from bridge.errors import SettingError

MOST_CELLS = 100_000
LARGEST_FILE = 2**20  # bytes
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Values = Annotated[list[Any], Meta(min_length=1)]
Settings = dict[str, Any]


class Range(msgspec.Struct, forbid_unknown_fields=True):
    """Bounds within which a setting of `[random]` is drawn, evenly, or evenly on a log scale."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.high - self.low < math.inf:
            raise ValueError("`low` must be below `high`, both of them finite")
        if self.log and not self.low > 0:
            raise ValueError("`low` must be above 0 where `log` is true")


def drawn(how: Range | list[Any], rng: np.random.Generator) -> Any:
    """One value within a range, or from a list."""
    if isinstance(how, list):
        return how[rng.integers(len(how))]
    if how.log:
        return float(np.exp(rng.uniform(np.log(how.low), np.log(how.high))))
    return float(rng.uniform(how.low, how.high))


class Random(msgspec.Struct, forbid_unknown_fields=True):
    """The table `[random]`."""

    samples: Annotated[int, Meta(ge=1)]
    settings: Annotated[dict[str, Range | Values], Meta(min_length=1)]
    seed: Seed = 1

    def points(self) -> list[Settings]:
        """The settings of every sample."""
        streams = (np.random.default_rng([self.seed, i]) for i in range(self.samples))
        return [{name: drawn(how, rng) for name, how in self.settings.items()} for rng in streams]


class SweepFile(msgspec.Struct, forbid_unknown_fields=True):
    """What a sweep file may hold."""

    experiment: Literal["task", "replay"]
    seeds: Annotated[int, Meta(ge=1)] | Annotated[list[Seed], Meta(min_length=1)]
    task: str | None = None
    retries: Annotated[int, Meta(ge=0, le=100)] = 2
    settings: Settings = {}
    grid: Annotated[dict[str, Values], Meta(min_length=1)] | None = None
    cells: Annotated[list[Settings], Meta(min_length=1)] | None = None
    random: Random | None = None
    cluster: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if sum(search is not None for search in (self.grid, self.cells, self.random)) != 1:
            raise ValueError("give exactly one of the tables [grid], [[cells]] and [random]")
        if self.n_cells > MOST_CELLS:
            raise ValueError(f"over {MOST_CELLS:,} cells; give fewer values or seeds")
        if (self.experiment == "task") != (self.task is not None):
            raise ValueError('`task` names a model file where experiment = "task", and only there')
        repeated = set(self.settings) & set(self.axes)
        if repeated:
            raise ValueError(f"{sorted(repeated)[0]!r} is both in [settings] and swept")

    @property
    def n_cells(self) -> int:
        """How many cells there are, some of which may be the same."""
        n_seeds = self.seeds if isinstance(self.seeds, int) else len(self.seeds)
        if self.random is not None:
            return n_seeds * self.random.samples
        if self.cells is not None:
            return n_seeds * len(self.cells)
        assert self.grid is not None
        return n_seeds * math.prod(len(values) for values in self.grid.values())

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the settings that differ between cells."""
        return tuple(dict.fromkeys(name for point in self.points for name in point))

    @property
    def points(self) -> list[Settings]:
        """The swept settings of every cell, before seeds."""
        if self.random is not None:
            return self.random.points()
        if self.cells is not None:
            return self.cells
        assert self.grid is not None
        values = itertools.product(*self.grid.values())
        return [dict(zip(self.grid, chosen, strict=True)) for chosen in values]

    @property
    def all_seeds(self) -> list[int]:
        """The seeds, written out."""
        return list(range(1, self.seeds + 1)) if isinstance(self.seeds, int) else self.seeds


def read_sweep_file(path: Path) -> SweepFile:
    """The sweep file at `path`.

    Parameters
    ----------
    path : Path

    Returns
    -------
    SweepFile

    Raises
    ------
    SettingError
        Where the file cannot be read or holds something else; the message names the key.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"more than {LARGEST_FILE:,} bytes")
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), SweepFile)
    except OSError as error:
        raise SettingError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (ValueError, RecursionError) as error:  # TOML, UTF-8 and msgspec errors are ValueErrors
        words = " ".join(str(error).split())[:300]
        raise SettingError(f"{path}: not a sweep file: {words}") from None
