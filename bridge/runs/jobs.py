"""The jobs a run is made of. Each keeps its state in one file and can be taken up.

GeneratorJob    the generators of contexts 1..n-1 of one seed (they serve every solver)
SequentialJob   one solver over all contexts with one kind of replay
JointJob        one solver on all classes at once
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from bridge.runs.job_state import JobState
from bridge.runs.paths import RunPaths
from bridge.runs.setting import Setting

Advance = Callable[[int], None]
"""Told how many iterations were just done."""

Row = dict[str, Any]


class Job(Protocol):
    """One piece of a run that a worker does from beginning to end."""

    @property
    def name(self) -> str:
        """Of its folder under work/."""

    @property
    def waits_for(self) -> str | None:
        """The name of the job that must be finished before this one starts."""

    def folders(self, paths: RunPaths) -> tuple[Path, ...]:
        """Where it alone writes, and who holds its lock; its own folder under work/ comes first."""

    def iterations(self, setting: Setting) -> int:
        """Updates in all."""

    def run(self, setting: Setting, state: JobState, advance: Advance) -> None:
        """Do what is left to do."""

    def tabulated(self, rows: list[Row]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each of its rows with the name of the table that it stands in."""
