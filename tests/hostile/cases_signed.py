"""Files with a good checksum whose contents make no sense all the same."""

import numpy as np

from bridge import data as batches
from bridge import networks as solvers
from bridge.errors import ArchiveError, BatchError, BridgeError
from bridge.runs import STATE, JobState
from pycog_dgr import RNN
from pycog_dgr.errors import CheckpointError, PycogDgrError
from pycog_dgr.files import checkpoint, legacy
from tests.hostile import case
from tests.hostile.case import Case
from tests.hostile.valid import (
    small_batch,
    small_checkpoint,
    small_solver,
)


def _save(**changes):
    def prepare(folder):
        checkpoint.save(folder / "a.npz", small_checkpoint(**changes))
        return lambda: RNN(folder / "a.npz")

    return prepare


def _wrong_weights(**changes):
    whole = small_checkpoint()
    return {"best": whole.best._replace(weights=whole.best.weights._replace(**changes))}


def signed_saves():
    sizes = small_checkpoint().settings
    nan = np.full((6, 6), np.nan)
    for name, changes, words in (
        ("a matrix of the wrong shape", _wrong_weights(Wrec=np.zeros((5, 6))), ["Wrec", "(5, 6)"]),
        ("a matrix of one dimension", _wrong_weights(Wout=np.zeros(12)), ["Wout"]),
        ("NaN in its best weights", _wrong_weights(Wrec=nan), ["Wrec", "finite"]),
        ("infinite inputs weights", _wrong_weights(Win=np.full((6, 1), np.inf)), ["Win"]),
        ("text for weights", _wrong_weights(Wrec=np.full((6, 6), "x")), ["Wrec"]),
        ("no recurrent weights", _wrong_weights(Wrec=None), ["Wrec"]),
        ("more units than weights", {"settings": {**sizes, "N": 10**9}}, ["expected"]),
        ("a negative number of units", {"settings": {**sizes, "N": -6}}, []),
        ("tau of zero", {"settings": {**sizes, "tau": 0}}, ["tau"]),
        ("a tau of NaN", {"settings": {**sizes, "tau": float("nan")}}, ["tau"]),
        ("a setting that nobody knows", {"settings": {**sizes, "taus": 3}}, ["taus", "tau"]),
        ("settings that are text", {"settings": {**sizes, "N": "six"}}, ["six"]),
        ("an unknown activation", {"settings": {**sizes, "hidden_activation": "evil"}}, ["evil"]),
        ("an iteration of 0", {"iteration": 0}, ["iteration"]),
        ("an iteration that is text", {"iteration": "3"}, ["iteration"]),
        (
            "a random state that is none",
            {"rng_gradient": ("MT19937", np.zeros(3), 0, 0, 0.0)},
            ["rng_gradient"],
        ),
        ("a random state of another kind", {"rng_validation": ("PCG64",)}, ["rng_validation"]),
        (
            "a best cost that is NaN",
            {"best": small_checkpoint().best._replace(cost=np.nan)},
            ["cost"],
        ),
    ):
        yield Case(f"signed save file with {name}", _save(**changes), PycogDgrError, tuple(words))
    for name, tree in (
        ("nothing", None),
        ("a list", [1, 2]),
        ("no best", {"settings": {}}),
        ("an array that is not there", {"best": {"__array__": "x"}}),
        ("a best that is text", {"best": "x"}),
        ("a connectivity that is none", {"best": {"__connectivity__": 1}}),
        (
            "a ragged connectivity",
            {"best": {"__connectivity__": {"C": [[1], [1, 2]], "Cfixed": None}}},
        ),
    ):

        def prepare(folder, tree=tree):
            case.signed_save(folder / "a.npz", tree)
            return lambda: legacy.open_save(folder / "a.npz")

        yield Case(f"signed save file that holds {name}", prepare, CheckpointError, ("a.npz",))


def signed_archives():
    batch = small_batch()
    arrays = {"images": batch.images, "targets": batch.targets, "weights": batch.weights}
    bad = {
        "NaN pixels": ({"images": np.full_like(batch.images, np.nan)}, ["NaN"]),
        "pixels of 255": ({"images": 255 * batch.images}, ["[0, 1]", "255"]),
        "negative pixels": ({"images": batch.images - 1}, ["[0, 1]"]),
        "whole numbers for pixels": ({"images": np.ones((6, 28, 28), int)}, ["floats"]),
        "flat images": ({"images": batch.images.reshape(6, 784)}, ["(6, 784)"]),
        "images without columns": ({"images": np.zeros((6, 28, 0))}, ["(6, 28, 0)"]),
        "targets that sum to 2": ({"targets": 2 * batch.targets}, ["sum"]),
        "negative targets": ({"targets": -batch.targets}, ["negative"]),
        "infinite targets": ({"targets": np.full_like(batch.targets, np.inf)}, ["finite"]),
        "targets of another number": ({"targets": batch.targets[:2]}, ["(2, 10)"]),
        "targets of no class": ({"targets": batch.targets[:, :0]}, ["(6, 0)"]),
        "flat targets": ({"targets": batch.targets[:, 0]}, ["(6,)"]),
        "weights that are NaN": ({"weights": batch.weights * np.nan}, ["weights"]),
        "negative weights": ({"weights": -batch.weights}, ["weights"]),
        "too few weights": ({"weights": batch.weights[:1]}, ["(1,)"]),
    }
    for name, (changed, words) in bad.items():

        def prepare(folder, changed=changed):
            case.signed_archive(folder / "b.npz", batches.EXAMPLES, {**arrays, **changed}, {})
            return lambda: batches.load_examples(folder / "b.npz")

        yield Case(f"signed batch with {name}", prepare, BatchError, ("b.npz", *words))
    for name, metadata in (("a list", [1]), ("a number", 7), ("nothing", None)):

        def prepare(folder, metadata=metadata):
            case.signed_archive(folder / "b.npz", batches.EXAMPLES, arrays, metadata)
            return lambda: batches.load_examples(folder / "b.npz")

        yield Case(f"signed batch whose metadata is {name}", prepare, ArchiveError, ("b.npz",))

    def lacking(folder):
        case.signed_archive(folder / "b.npz", batches.EXAMPLES, {"images": batch.images}, {})
        return lambda: batches.load_examples(folder / "b.npz")

    yield Case("signed batch without targets", lacking, BatchError, ("targets", "weights"))

    def of_three(folder):
        batches.save_examples(folder / "b.npz", small_batch())
        return lambda: batches.load_examples(folder / "b.npz", n_classes=3)

    yield Case("a batch of ten classes for three", of_three, BatchError, ("10", "3"))


def signed_networks():
    solver, _, _ = small_solver()
    state = solver.state()
    other = {name: np.full_like(value, np.nan) for name, value in state.items()}
    for name, arrays, metadata, words in (
        ("a huge layer", state, {"name": "lstm", "options": {"n_hidden": 10**6}}, ["n_hidden"]),
        ("an unknown option", state, {"name": "lstm", "options": {"n_hiden": 3}}, ["n_hidden"]),
        ("options that are a list", state, {"name": "lstm", "options": [3]}, ["options"]),
        (
            "a layer that is text",
            state,
            {"name": "lstm", "options": {"n_hidden": "3"}},
            ["n_hidde"],
        ),
        ("a negative layer", state, {"name": "lstm", "options": {"n_hidden": -3}}, ["n_hidden"]),
        ("a seed among its options", state, {"name": "lstm", "options": {"seed": 3}}, []),
        ("another layer than it says", state, {"name": "lstm", "options": {"n_hidden": 4}}, []),
        ("an unknown name", state, {"name": "../lstm", "options": {}}, ["../lstm"]),
        ("a name that is a list", state, {"name": ["lstm"], "options": {}}, []),
        ("no name", state, {}, []),
        ("a generator's name", state, {"name": "gan", "options": {}}, ["gan"]),
        ("NaN weights", other, {"name": "lstm", "options": {"n_hidden": 3}}, ["NaN"]),
        (
            "a weight missing",
            dict(list(state.items())[1:]),
            {"name": "lstm", "options": {"n_hidden": 3}},
            ["lacks"],
        ),
        (
            "a weight too many",
            {**state, "x": np.ones(1)},
            {"name": "lstm", "options": {"n_hidden": 3}},
            ["'x'"],
        ),
        (
            "whole numbers for weights",
            {k: v.astype(int) for k, v in state.items()},
            {"name": "lstm", "options": {"n_hidden": 3}},
            ["dtype"],
        ),
    ):

        def prepare(folder, arrays=arrays, metadata=metadata):
            case.signed_archive(folder / "s.npz", solvers.KIND, arrays, metadata)
            return lambda: solvers.read_network(folder / "s.npz", solvers.SOLVERS)

        yield Case(f"signed network with {name}", prepare, ArchiveError, ("s.npz", *words))


def signed_jobs():
    for name, notes in (
        ("rows that are text", {"rows": "x", "finished": False}),
        ("rows of text", {"rows": ["x"], "finished": False}),
        ("no rows", {"finished": True}),
        ("finished as text", {"rows": [], "finished": "yes"}),
        ("a context of the past", {"rows": [], "finished": False, "context": -1}),
        ("a context that is text", {"rows": [], "finished": False, "context": "../1"}),
        ("a negative position", {"rows": [], "finished": False, "done": -2}),
        ("notes that are a list", [1, 2]),
    ):

        def prepare(folder, notes=notes):
            case.signed_archive(folder / "state.npz", STATE, {}, notes)
            return lambda: JobState(folder / "state.npz")

        yield Case(f"signed job state with {name}", prepare, BridgeError, ("state.npz",))


CASES = [*signed_saves(), *signed_archives(), *signed_networks(), *signed_jobs()]
