"""Where everything in a run folder is: the only place that knows the names of its files.

config.json                                  what was asked for
manifest.json                                command, versions, machine, minutes, jobs
tables/NAME.csv                              the numbers; see `bridge.runs.tables`
samples/true.npz                             true images
samples/seed-S/generated-context-K.npz       samples of a generator
samples/structure-seed-S.npz                 effective weights of a trained network
samples/initial-seed-S.npz                   those of the same network before its first update
work/JOB/state.npz                           from which a killed job goes on
work/JOB/iterations.txt                      how many of its updates are done, for the bar
work/JOB/diverged.npz                        the first update that a guard replaced
work/generators-S/generator-K.npz            finished generators
work/JOB/solver-K.npz                        the solver that went on from context K
work/JOB/held-K.npz                          penalties that hold it to the contexts up to K
work/calls.json                              when each call began and how long it took
figures/, report.html, log.txt
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunPaths:
    """The files of the run in `folder`; nothing is read or made."""

    folder: Path

    @property
    def config(self) -> Path:
        """What was asked for."""
        return self.folder / "config.json"

    @property
    def manifest(self) -> Path:
        """Where the numbers come from; written last."""
        return self.folder / "manifest.json"

    @property
    def log(self) -> Path:
        """What the packages logged."""
        return self.folder / "log.txt"

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / "report.html"

    @property
    def figures(self) -> Path:
        """The folder of the drawn figures."""
        return self.folder / "figures"

    @property
    def samples(self) -> Path:
        """The folder of images and weights that figures show."""
        return self.folder / "samples"

    @property
    def work(self) -> Path:
        """The folder of states and networks; not published."""
        return self.folder / "work"

    @property
    def calls(self) -> Path:
        """How long each call took."""
        return self.work / "calls.json"

    @property
    def true_images(self) -> Path:
        """Some test images of every class."""
        return self.samples / "true.npz"

    def table(self, name: str) -> Path:
        """One table of numbers."""
        return self.folder / "tables" / f"{name}.csv"

    def generated(self, seed: int | str, k: int) -> Path:
        """Samples of the generator that has learnt k contexts."""
        return self.samples_of(seed) / f"generated-context-{k}.npz"

    def samples_of(self, seed: int | str) -> Path:
        """The folder of the samples of a seed's generators."""
        return self.samples / f"seed-{seed}"

    def structure(self, seed: int | str) -> Path:
        """Effective weights of a trained biological network."""
        return self.samples / f"structure-seed-{seed}.npz"

    def initial(self, seed: int | str) -> Path:
        """Effective weights of the same network before its first update."""
        return self.samples / f"initial-seed-{seed}.npz"

    def job(self, name: str) -> Path:
        """The folder of a job, whose lock lies beside it."""
        return self.work / name

    def state(self, job: str) -> Path:
        """The state file of a job."""
        return self.job(job) / "state.npz"

    def iterations(self, job: str) -> Path:
        """How many of a job's updates are done."""
        return self.job(job) / "iterations.txt"

    def generator(self, seed: int, k: int) -> Path:
        """The finished generator of context k."""
        return self.work / f"generators-{seed}" / f"generator-{k}.npz"

    def solver(self, job: str, k: int) -> Path:
        """The solver that went on from context k."""
        return self.work / job / f"solver-{k}.npz"

    def held(self, job: str, k: int) -> Path:
        """The penalties that hold a job's solver to the contexts up to k."""
        return self.work / job / f"held-{k}.npz"

    def numbers(self) -> Iterator[tuple[str, list[Path]]]:
        """The files that hold numbers, as names in the folder, by kind: table, sample, work."""
        for kind, pattern in (
            ("table", "tables/*.csv"),
            ("sample", "samples/**/*.npz"),
            ("work", "work/*/*.npz"),
        ):
            yield kind, sorted(path.relative_to(self.folder) for path in self.folder.glob(pattern))
