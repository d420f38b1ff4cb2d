"""One results folder, read for drawing: the only place where figures and report touch files.

A file that is absent is `MissingResults`: a figure that needs it is not drawn. A file that is
there and wrong is a plain `ResultsError`, which nothing catches on the way to the user.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.data import class_names
from bridge.errors import ResultsError
from bridge.runs.config import REMEDY, RunConfig, read_config, read_json
from bridge.runs.paths import RunPaths
from bridge.runs.samples import LabelledImages, Structure, read_images, read_structure
from bridge.runs.tables import TABLES, MissingResults, Table, read_table


@dataclass(frozen=True)
class Results:
    """A results folder: its configuration, its manifest, and its tables and samples on demand."""

    folder: Path
    config: RunConfig
    manifest: Mapping[str, Any]
    _tables: dict[str, Table] = field(default_factory=dict, repr=False, compare=False)

    @property
    def paths(self) -> RunPaths:
        """Where its files are."""
        return RunPaths(self.folder)

    @property
    def seeds(self) -> list[int]:
        """The seeds of the run."""
        return list(self.config.seeds)

    @property
    def solvers(self) -> list[str]:
        """The solvers of the run."""
        return list(self.config.solvers)

    @property
    def contexts(self) -> list[tuple[int, ...]]:
        """The classes of each context, in the order learnt."""
        return list(self.config.contexts)

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes of its data are called."""
        return class_names(self.config.data)

    @property
    def context_names(self) -> list[str]:
        """The classes of each context by their names, in the order learnt."""
        named = self.class_names
        return [", ".join(named[k] for k in context) for context in self.contexts]

    def has(self, name: str) -> bool:
        """Whether table `name` is in the folder."""
        return self.paths.table(name).is_file()

    def table(self, name: str) -> Table:
        """Table `name`, checked; MissingResults where the run has none."""
        if name not in self._tables:
            path, schema = self.paths.table(name), TABLES[name]
            table = read_table(path, schema)
            if "context" in schema.columns:
                _check_contexts(path, table, schema.first_context, len(self.contexts))
            self._tables[name] = table
        return self._tables[name]

    def true_images(self) -> LabelledImages:
        """True test images of every class."""
        return read_images(self.paths.true_images)

    def generated(self, seed: int, context: int) -> LabelledImages:
        """Samples of the generator that has learnt `context` contexts; labels by the reference."""
        return read_images(self.paths.generated(seed, context))

    def seeds_with_samples(self, context: int) -> list[int]:
        """Seeds whose generator after `context` contexts left samples; MissingResults if none."""
        seeds = [s for s in self.seeds if self.paths.generated(s, context).is_file()]
        if not seeds:
            wanted = RunPaths(Path()).generated("*", context)
            raise MissingResults(f"{self.folder}: no samples of generator {context} ({wanted})")
        return seeds

    def structure(self, seed: int) -> Structure:
        """The trained biological RNN of `seed`; its weights must obey its own signature."""
        return read_structure(self.paths.structure(seed))

    def initial(self, seed: int) -> Structure:
        """The same network before its first update; MissingResults in runs of earlier versions."""
        return read_structure(self.paths.initial(seed))

    def seed_with_structure(self) -> int:
        """The first seed whose trained network was kept."""
        for seed in self.seeds:
            if self.paths.structure(seed).is_file():
                return seed
        raise MissingResults(f"{self.folder}: no trained biological RNN (samples/structure-seed-*)")


def load_results(folder: str | Path) -> Results:
    """Open a results folder.

    Parameters
    ----------
    folder
        As `dgr reproduce` writes it.

    Returns
    -------
    Results
        Reads tables and samples when they are asked for.

    Raises
    ------
    ResultsError
        It is not one, or its configuration or manifest is damaged.
    """
    folder = Path(folder)
    config, manifest = read_config(folder), RunPaths(folder).manifest
    return Results(folder, config, read_json(manifest, dict) if manifest.is_file() else {})


def _check_contexts(path: Path, table: Table, first: int, n: int) -> None:
    strange = [k for k in table.distinct("context") if not first <= k <= n]
    if strange:
        raise ResultsError(
            f"{path}: names context {strange[0]}, but config.json has contexts 1 to {n}; {REMEDY}"
        )
