"""Command lines that cannot be carried out: each ends in one line and a status that is not 0."""

import json
import os
import resource
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bridge import data as batches
from bridge import networks as solvers
from tests.hostile import case
from tests.hostile.valid import (
    KINDS,
    ORIGINAL_SAVE,
    digit_files,
    small_generator,
    small_solver,
    write_files,
    write_run,
)


class Line(NamedTuple):
    """A command line to be run in an empty folder after `prepare`; `words` must be said."""

    name: str
    command: str
    words: tuple[str, ...] = ()
    prepare: Callable[[Path], None] = lambda folder: None


def networks(folder):
    """generator.npz, solver.npz and batch.npz, all sound."""
    for name, made in (("generator.npz", small_generator), ("solver.npz", small_solver)):
        solvers.save_network(folder / name, *made())
    (folder / "batch.npz").write_bytes(KINDS["replay batch"].data())


def damaged_networks(folder):
    networks(folder)
    for name in ("generator.npz", "solver.npz", "batch.npz"):
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 4
        (folder / name).write_bytes(data)


def malicious(folder):
    for name in ("generator.npz", "solver.npz", "batch.npz", "a.pkl"):
        (folder / name).write_bytes(case.malicious_pickle(folder, 2))


def malicious_arrays(folder):
    for name in ("generator.npz", "solver.npz", "batch.npz"):
        (folder / name).write_bytes(case.zipped({"header.npy": case.malicious_member(folder)}))


def empty_batch(folder):
    arrays = {
        "images": np.zeros((0, 28, 28), np.float32),
        "targets": np.zeros((0, 10)),
        "weights": np.zeros(0),
    }
    case.signed_archive(folder / "batch.npz", batches.EXAMPLES, arrays, {})


def a_file(folder):
    networks(folder)
    (folder / "file").write_bytes(b"mine")
    (folder / "original.pkl").write_bytes(ORIGINAL_SAVE.read_bytes())


def a_folder_of_others(folder):
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("years of work")


def other_configuration(folder):
    write_run(folder / "run")


def hostile_configuration(folder):
    write_run(folder / "run")
    value = json.loads((folder / "run" / "config.json").read_text())
    (folder / "run" / "config.json").write_text(json.dumps({**value, "solvers": ["../../x"]}))


def no_configuration(folder):
    (folder / "run").mkdir()
    (folder / "run" / "config.json").write_text("[" * 5000)


def damaged_digits(folder):
    write_files(folder, digit_files())  # of other sizes than MNIST's


def model_files(folder):
    (folder / "fails.py").write_text("N = 1 / 0")
    (folder / "exits.txt").write_text("N = 1")


LINES = [
    Line("no command", "", ("COMMAND",)),
    Line("an unknown command", "reprodcue", ("reprodcue",)),
    Line("an unknown option", "data --rot x", ("--rot",)),
    Line(
        "a generator that is absent",
        "sample none.npz solver.npz out.npz",
        ("none.npz", "no such"),
        networks,
    ),
    Line(
        "a damaged generator",
        "sample generator.npz solver.npz out.npz",
        ("generator.npz",),
        damaged_networks,
    ),
    Line(
        "a solver for a generator",
        "sample solver.npz solver.npz out.npz",
        ("'lstm'", "gan"),
        networks,
    ),
    Line(
        "a generator for a solver",
        "sample generator.npz generator.npz out.npz",
        ("'gan'",),
        networks,
    ),
    Line(
        "a malicious generator",
        "sample generator.npz solver.npz out.npz",
        ("generator.npz",),
        malicious,
    ),
    Line(
        "a generator of objects",
        "sample generator.npz solver.npz out.npz",
        ("generator.npz",),
        malicious_arrays,
    ),
    Line("no sample", "sample generator.npz solver.npz out.npz -n 0", ("-n", "'0'"), networks),
    Line("-5 samples", "sample generator.npz solver.npz out.npz -n -5", ("-n", "'-5'"), networks),
    Line("1e3 samples", "sample generator.npz solver.npz out.npz -n 1e3", ("'1e3'",), networks),
    Line(
        "too many samples",
        "sample generator.npz solver.npz out.npz -n 10000000000000",
        ("whole number",),
        networks,
    ),
    Line(
        "samples beyond all memory",
        "sample generator.npz solver.npz out.npz -n 2147483647",
        ("memory",),
        networks,
    ),
    Line(
        "a negative seed",
        "sample generator.npz solver.npz out.npz --seed -1",
        ("--seed",),
        networks,
    ),
    Line(
        "unknown labels",
        "sample generator.npz solver.npz out.npz --labels sfot",
        ("did you mean 'soft'",),
        networks,
    ),
    Line("samples into a folder", "sample generator.npz solver.npz .", ("is a folder",), networks),
    Line(
        "samples below a file",
        "sample generator.npz solver.npz file/out.npz",
        ("is a file",),
        a_file,
    ),
    Line(
        "samples into /proc", "sample generator.npz solver.npz /proc/out.npz", ("/proc",), networks
    ),
    Line(
        "samples under a name too long",
        f"sample generator.npz solver.npz {'x' * 300}.npz",
        ("too long",),
        networks,
    ),
    Line("a batch that is absent", "fit none.npz out.npz", ("none.npz", "no such")),
    Line(
        "a damaged batch", "fit batch.npz out.npz --solver lstm", ("batch.npz",), damaged_networks
    ),
    Line("a malicious batch", "fit batch.npz out.npz", ("batch.npz",), malicious),
    Line(
        "a batch without a trial",
        "fit batch.npz out.npz --solver lstm",
        ("no example",),
        empty_batch,
    ),
    Line("a network for a batch", "fit solver.npz out.npz", ("dgr network",), networks),
    Line(
        "an unknown solver",
        "fit batch.npz out.npz --solver lsmt",
        ("did you mean 'lstm'",),
        networks,
    ),
    Line(
        "a damaged solver to go on from",
        "fit batch.npz out.npz --from none.npz",
        ("none.npz",),
        networks,
    ),
    Line(
        "a generator to go on from",
        "fit batch.npz out.npz --from generator.npz",
        ("'gan'",),
        networks,
    ),
    Line("-1 iterations", "fit batch.npz out.npz --iterations -1", ("--iterations",), networks),
    Line(
        "learning below a file",
        "fit batch.npz file/out.npz --solver lstm --iterations 1",
        ("is a file",),
        a_file,
    ),
    Line("a save file that is absent", "convert none.pkl new.npz", ("none.pkl", "no such")),
    Line("a malicious save file", "convert a.pkl new.npz", ("refused", "posix system"), malicious),
    Line("an archive to convert", "convert batch.npz new.npz", ("need no conversion",), networks),
    Line("conversion over a file", "convert original.pkl file", ("--force",), a_file),
    Line("conversion over a folder", "convert original.pkl . --force", ("is a folder",), a_file),
    Line("conversion into no folder", "convert original.pkl no/new.npz", ("no/new.npz",), a_file),
    Line("an unknown task to compare", "crosscheck --task rdm_fixd", ("did you mean 'rdm_fixed'",)),
    Line("a task that climbs", "crosscheck --task ../../etc/passwd", ("unknown task",)),
    Line(
        "a task file that fails",
        "crosscheck --task fails.py",
        ("fails.py, line 1", "division"),
        model_files,
    ),
    Line("a task file that is absent", "crosscheck --task none.py", ("none.py",)),
    Line("a malicious network to compare", "crosscheck --weights a.pkl", ("refused",), malicious),
    Line(
        "a damaged network to compare",
        "crosscheck --weights solver.npz",
        ("solver.npz",),
        damaged_networks,
    ),
    Line("-1 steps", "crosscheck --steps -1", ("--steps",)),
    Line("half precision", "crosscheck --dtype float16", ("float16",)),
    Line("a comparison into a file", "crosscheck --out file", ("is a file",), a_file),
    Line("an unknown protocol", "reproduce --protocol txt", ("did you mean 'text'",)),
    Line("a protocol that is a path", "reproduce --protocol ../../x", ("unknown protocol",)),
    Line("an unknown replay", "reproduce --replays none,exakt", ("did you mean 'exact'",)),
    Line("no solver", "reproduce --solvers ,", ("unknown solver",)),
    Line("no seed", "reproduce --seeds 0", ("seeds",)),
    Line("a billion seeds", "reproduce --seeds 1000000000", ("--seeds",)),
    Line("a first seed of -1", "reproduce --seed -1", ("--seed",)),
    Line("no worker", "reproduce --workers 0", ("--workers",)),
    Line("a scale of NaN", "reproduce --scale nan", ("scale",)),
    Line("an infinite scale", "reproduce --scale inf", ("scale",)),
    Line("a negative scale", "reproduce --scale -1", ("scale",)),
    Line("contexts in superscript", "reproduce --contexts ²", ("commas",)),
    Line("an unknown data set", "reproduce --data mnits", ("did you mean 'mnist'",)),
    Line(
        "damaged digits",
        "reproduce --data mnist --data-root . --out new",
        ("ubyte",),
        damaged_digits,
    ),
    Line("results into a file", "reproduce --out file", ("is a file",), a_file),
    Line("results below a file", "reproduce --out file/new", ("is a file",), a_file),
    Line(
        "results into a folder of others",
        "reproduce --out mine",
        ("not a results folder",),
        a_folder_of_others,
    ),
    Line(
        "results of another configuration",
        "reproduce --out run --protocol notebooks",
        ("another configuration",),
        other_configuration,
    ),
    Line("results beside nonsense", "reproduce --out run", ("config.json",), no_configuration),
    Line("a report on no folder", "report none", ("none", "not a results folder")),
    Line("a report on a file", "report file", ("file",), a_file),
    Line("a report on nonsense", "report run", ("config.json",), no_configuration),
    Line("a report on names that climb", "report run --table", ("solvers",), hostile_configuration),
    Line("a rerun of no folder", "rerun none", ("none",)),
    Line("a rerun of names that climb", "rerun run", ("config.json",), hostile_configuration),
    Line("a rerun with no worker", "rerun run --workers 0", ("--workers",), other_configuration),
    Line("an unknown set to look at", "data mnits", ("did you mean 'mnist'",)),
    Line("damaged digits to look at", "data mnist --data-root .", ("ubyte",), damaged_digits),
    Line("a new task whose name climbs", "new-task ../evil", ("../evil",)),
    Line("a new task in a file", "new-task mine --out file", ("file",), a_file),
]


@contextmanager
def files_of_at_most(size: int):
    """What a full disk is like: writing beyond `size` bytes in one file fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def listing(folder: Path) -> dict[str, tuple]:
    """Every file under a folder with its size and time, links and folders by name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file"
        changed = (state.st_size, state.st_mtime_ns) if kind == "file" else ()
        found[os.fspath(path.relative_to(folder))] = (kind, *changed)
    return found
