"""Results folders whose configuration, tables or samples are not what a run writes."""

import json

import numpy as np

from bridge.errors import ResultsError
from bridge.report import markdown_table, write_report
from bridge.runs import SAMPLES, claim, load_results
from tests.hostile import case
from tests.hostile.case import Case
from tests.hostile.valid import (
    small_batch,
    write_run,
)


def _changed(place, change):
    """A results folder in which the JSON at `place` went through `change`."""

    def prepare(folder):
        write_run(folder / "run")
        path = folder / "run" / place
        value = json.loads(path.read_text())
        path.write_text(json.dumps(change(value)))
        return lambda: markdown_table(folder / "run") and write_report(folder / "run", figures=())

    return prepare


CONFIG_CHANGES = {
    "seeds of text": {"seeds": ["../../etc/passwd"]},
    "no seeds": {"seeds": []},
    "solvers that climb": {"solvers": ["../../x"]},
    "solvers that are dictionaries": {"solvers": [{}]},
    "replays that are numbers": {"replays": [1]},
    "contexts of letters": {"contexts": [["a"]]},
    "contexts beyond nine": {"contexts": [[0, 10]]},
    "negative contexts": {"contexts": [[-1, 0]]},
    "an empty context": {"contexts": [[]]},
    "the same class twice": {"contexts": [[0, 1], [1, 2]]},
    "data that is a path": {"data": "/etc/passwd"},
    "data that is a number": {"data": 7},
    "a protocol that is text": {"protocol": "text"},
    "a protocol without a name": {"protocol": {"leaks": []}},
    "leaks that are text": {"protocol": {"name": "text", "leaks": "none"}},
    "a budget that is a list": {"budget": [1]},
    "a generator that is a number": {"protocol": {"name": "text", "generator": 3}},
}


def results_folders():
    for name, change in CONFIG_CHANGES.items():
        yield Case(
            f"config.json with {name}",
            _changed("config.json", lambda value, change=change: {**value, **change}),
            ResultsError,
            ("config.json",),
        )
    for name, value in (("a list", [1]), ("text", "x"), ("a number", 3)):
        for place in ("config.json", "manifest.json"):
            yield Case(
                f"{place} that is {name}",
                _changed(place, lambda _, value=value: value),
                ResultsError,
                (place,),
            )

    texts = {
        "config.json nested too deeply": ("config.json", b"[" * 10**5),
        "config.json in another encoding": ("config.json", '{"data": "ü"}'.encode("utf-16")),
        "a table with a missing column": ("tables/accuracy.csv", b"solver,replay\nlstm,none\n"),
        "a table with a short row": (
            "tables/joint.csv",
            b"solver,variant,seed,epoch,test,validation\nlstm,thesis\n",
        ),
        "a table with NaN": (
            "tables/joint.csv",
            b"solver,variant,seed,epoch,test,validation\nlstm,thesis,1,1,nan,5\n",
        ),
        "a table with 101 %": (
            "tables/joint.csv",
            b"solver,variant,seed,epoch,test,validation\nlstm,thesis,1,1,101,5\n",
        ),
        "a table with an infinite seed": (
            "tables/joint.csv",
            b"solver,variant,seed,epoch,test,validation\nlstm,thesis,inf,1,10,5\n",
        ),
        "a table with a row twice": (
            "tables/joint.csv",
            b"solver,variant,seed,epoch,test,validation\n" + 2 * b"lstm,thesis,1,1,10,5\n",
        ),
        "a table with a context too many": (
            "tables/warmstart.csv",
            b"solver,variant,seed,context,overall,new,old\nbiornn,weights kept,1,99,1,1,1\n",
        ),
        "a table of null bytes": ("tables/joint.csv", bytes(1000)),
        "a table with an endless cell": ("tables/joint.csv", b'"' + b"x" * 200_000),
        "a table that is a binary": ("tables/joint.csv", bytes(range(256))),
    }
    for name, (place, data) in texts.items():

        def prepare(folder, place=place, data=data):
            write_run(folder / "run")
            (folder / "run" / place).write_bytes(data)

            def read():
                results = load_results(folder / "run")
                for table in ("accuracy", "joint", "warmstart"):
                    results.table(table)

            return read

        yield Case(name, prepare, ResultsError, (place,))

    for name, arrays, words in (
        ("labels beyond nine", {"labels": np.full(6, 10)}, ["0-9"]),
        ("negative labels", {"labels": np.full(6, -1)}, ["0-9"]),
        ("labels of floats", {"labels": np.ones(6)}, ["float"]),
        ("no label", {"images": np.zeros((0, 28, 28)), "labels": np.zeros(0, int)}, ["0"]),
        ("infinite pixels", {"images": np.full((6, 28, 28), np.inf)}, ["infinite"]),
    ):

        def prepare(folder, arrays=arrays):
            write_run(folder)
            (folder / "samples").mkdir()
            whole = {"images": small_batch().images, "labels": np.arange(6), **arrays}
            case.signed_archive(folder / "samples" / "true.npz", SAMPLES, whole, {})
            return lambda: load_results(folder).true_images()

        yield Case(f"samples with {name}", prepare, ResultsError, ("true.npz", *words))

    for name, arrays, words in (
        ("weights of the wrong shape", {"Wrec": np.ones((3, 4))}, ["(3, 4)"]),
        ("signs of 2", {"ei": np.full(4, 2)}, ["ei"]),
        ("a column against its sign", {"Wrec": -np.ones((4, 4))}, ["Dale"]),
        ("NaN weights", {"Wrec": np.full((4, 4), np.nan)}, ["Wrec"]),
        ("weights of no dimension", {"Wout": np.ones(())}, ["Wout"]),
        ("signs of no dimension", {"ei": np.ones(())}, ["ei"]),
    ):

        def prepare(folder, arrays=arrays):
            write_run(folder)
            (folder / "samples").mkdir()
            whole = {
                "Win": np.ones((4, 28)),
                "Wrec": np.ones((4, 4)),
                "Wout": np.ones((10, 4)),
                "ei": np.ones(4, int),
                **arrays,
            }
            case.signed_archive(folder / "samples" / "structure-seed-1.npz", SAMPLES, whole, {})
            return lambda: load_results(folder).structure(1)

        yield Case(f"a structure with {name}", prepare, ResultsError, ("structure", *words))

    held = {"data": "mnist5k", "seeds": [1], "solvers": ["lstm"], "replays": ["none"], "audits": []}
    for name, value in (
        ("a list", [1]),
        ("no seeds", {"data": "mnist5k"}),
        ("seeds that are text", {**held, "seeds": "1"}),
        ("seeds of text", {**held, "seeds": ["x"]}),
        ("solvers that climb", {**held, "solvers": ["../x"]}),
        ("replays that are a number", {**held, "replays": 3}),
    ):

        def prepare(folder, value=value):
            (folder / "config.json").write_text(json.dumps(value))
            return lambda: claim(folder, held)

        yield Case(
            f"a folder to extend whose config.json holds {name}",
            prepare,
            ResultsError,
            ("config.json",),
        )


CASES = [*results_folders()]
