"""Pickles, digits, model files, and files that are absent, foreign or no files."""

import os

import numpy as np

from bridge import data as batches
from bridge import files
from bridge.crosscheck import cases as crosscases
from bridge.data import datasets
from bridge.errors import ArchiveError, BridgeError, DataError
from bridge.files import archive
from pycog_dgr.errors import CheckpointError, PycogDgrError, TaskError
from pycog_dgr.files import legacy, pickle_reader
from pycog_dgr.tasks.model import Model
from tests.hostile import case
from tests.hostile.case import Case
from tests.hostile.valid import (
    ORIGINAL_SAVE,
    digit_files,
    read_images,
    small_batch,
    write_files,
)


def pickles():
    for protocol in (0, 1, 2, 3, 4, 5):

        def prepare(folder, protocol=protocol):
            (folder / "a.pkl").write_bytes(case.malicious_pickle(folder, protocol))
            return lambda: legacy.load(folder / "a.pkl")

        yield Case(
            f"a malicious pickle of protocol {protocol}", prepare, CheckpointError, ("a.pkl",)
        )
    hostile = {
        "that begins as pycog's do": b"\x80\x02cposix\nsystem\nU\x0ctouch CANARYtR.",
        "with a setting in __builtin__": b"\x80\x02c__builtin__\neval\nU\x041+11\x85R.",
        "that imports by its position": b"\x80\x02\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
        "with an extension code": b"\x80\x02\x82\x01.",
        "with a persistent id": b"\x80\x02Pid\n.",
        "that is a number": b"\x80\x02K\x01.",
        "that never stops": b"\x80\x02}",
        "of nothing": b"\x80\x02.",
        "without an iteration": ORIGINAL_SAVE.read_bytes().replace(b"U\x04iter", b"U\x04itar"),
    }
    for name, data in hostile.items():

        def prepare(folder, data=data):
            (folder / "a.pkl").write_bytes(data)
            return lambda: legacy.open_save(folder / "a.pkl")

        yield Case(f"a pickle {name}", prepare, CheckpointError, ("a.pkl",))

    def endless(folder):
        (folder / "a.pkl").write_bytes(b"\x80\x02" + b"]" * 3000 + b".")

        def read():
            most, pickle_reader.MAX_INSTRUCTIONS = pickle_reader.MAX_INSTRUCTIONS, 2000
            try:
                legacy.open_save(folder / "a.pkl")
            finally:
                pickle_reader.MAX_INSTRUCTIONS = most

        return read

    yield Case("a pickle of endless lists", endless, CheckpointError, ("over 2000 instructions",))

    def huge_number(folder):
        whole = ORIGINAL_SAVE.read_bytes()
        place = whole.index(b"U\x04cost") + 6
        place += 2 if whole[place : place + 1] == b"q" else 0  # the memo
        assert whole[place : place + 1] == b"G"
        number = b"\x8a\xff" + b"\x7f" * 255
        (folder / "a.pkl").write_bytes(whole[:place] + number + whole[place + 9 :])
        return lambda: legacy.open_save(folder / "a.pkl")

    yield Case("a pickle with a cost beyond all floats", huge_number, CheckpointError, ("a.pkl",))


def digits():
    def changed(name, data):
        def prepare(folder):
            write_files(folder, digit_files())
            path = folder / "MNIST" / "raw" / name
            path.write_bytes(data(path.read_bytes()))
            return lambda: read_images(folder)

        return prepare

    labels, images = "t10k-labels-idx1-ubyte", "train-images-idx3-ubyte"
    for name, file, data, words in (
        ("a label of 10", labels, lambda d: d[:-1] + b"\x0a", ["label 10", "0..9"]),
        ("a label of 255", "train-labels-idx1-ubyte", lambda d: d[:8] + b"\xff" + d[9:], ["255"]),
        ("a claim of 4 billion images", images, lambda d: d[:4] + b"\xff" * 4 + d[8:], []),
        ("images for labels", labels, lambda d: digit_files()[f"MNIST/raw/{images}"], []),
        ("a file still zipped", images, lambda d: __import__("gzip").compress(d), []),
        ("an empty file", images, lambda d: b"", []),
        ("a malicious pickle", labels, lambda d: b"\x80\x02cposix\nsystem\nU\x02id\x85R.", []),
        ("bytes behind the end", images, lambda d: d + b"x", []),
    ):
        yield Case(f"digits with {name}", changed(file, data), DataError, (file, *words))

    def only_gz(folder):
        raw = folder / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for name in datasets.FILES:
            (raw / f"{name}.gz").write_bytes(b"\x1f\x8b\x08" + bytes(20))
        return lambda: read_images(folder)

    yield Case("digits that are zipped, and damaged", only_gz, DataError, ("gunzip",))

    def pickled(folder):
        processed = folder / "MNIST" / "processed"
        processed.mkdir(parents=True)
        for name in ("training.pt", "test.pt"):
            (processed / name).write_bytes(case.malicious_pickle(folder, 2))
        return lambda: read_images(folder)

    yield Case("digits as an old torchvision pickled them", pickled, DataError, ("processed",))

    def loop(folder):
        (folder / "MNIST").mkdir()
        os.symlink(folder / "MNIST" / "raw", folder / "MNIST" / "raw")
        return lambda: read_images(folder)

    yield Case("digits behind a symbolic link to itself", loop, BridgeError, ("raw",))


MODELS = {
    "a syntax error": (b"N = = 3", ["line 1"]),
    "Python of no kind": (b"print 'x' if", ["line 1"]),
    "a null byte": (b"N = 3\x00", []),
    "another encoding": ("N = 'ü'".encode("utf-16"), []),
    "a division by zero": (b"N = 3\nM = 1 / 0", ["line 2", "ZeroDivisionError"]),
    "an import that does not exist": (b"import nonesuch", ["line 1", "nonesuch"]),
    "endless recursion": (b"def f():\n    f()\nf()", ["RecursionError"]),
    "brackets in brackets": (b"N = " + b"(" * 5000 + b")" * 5000, []),
    "a return outside of functions": (b"return 3", []),
    "no task": (b"N = 3", ["generate_trial"]),
    "a task that is a number": (b"N = 3\ngenerate_trial = 3", ["generate_trial"]),
    "a misspelt setting": (
        b"hidden_activatoin = 'tanh'\ndef generate_trial(*a): pass",
        ["hidden_activation"],
    ),
    "a setting of the wrong type": (b"N = 'six'\ndef generate_trial(*a): pass", ["N", "six"]),
    "tau of zero": (b"tau = 0\ndef generate_trial(*a): pass", ["tau"]),
    "ragged signs": (b"N = 2\nei = [[1], [1, 2]]\ndef generate_trial(*a): pass", ["ei"]),
    "two megabytes of comments": (b"#" * 2**21, ["too large"]),
}


def models():
    for name, (data, words) in MODELS.items():

        def prepare(folder, data=data):
            (folder / "model.py").write_bytes(data)
            return lambda: Model(folder / "model.py")

        yield Case(f"a model file with {name}", prepare, PycogDgrError, ("model.py", *words))
    yield Case(
        "a model file that is a folder",
        lambda folder: lambda: Model(folder),
        TaskError,
        ("cannot read",),
    )
    yield Case(
        "a model file that is absent",
        lambda folder: lambda: Model(folder / "m.py"),
        TaskError,
        ("m.py", "cannot read"),
    )


def others():
    def absent(read, name, words=("no such",)):
        return lambda folder: lambda: read(folder / name)

    for name, read in (
        ("save file", legacy.open_save),
        ("batch", batches.load_examples),
        ("export", files.read_export),
    ):
        yield Case(
            f"a {name} that is absent", absent(read, "none.npz"), words=("none.npz", "no such")
        )
        yield Case(
            f"a {name} that is a folder",
            lambda folder, read=read: ((folder / "f.npz").mkdir(), lambda: read(folder / "f.npz"))[
                1
            ],
            words=("f.npz",),
        )
        yield Case(
            f"a {name} behind a link to itself",
            lambda folder, read=read: (
                os.symlink(folder / "l.npz", folder / "l.npz"),
                lambda: read(folder / "l.npz"),
            )[1],
            words=("l.npz",),
        )
    yield Case(
        "weights of an unknown ending",
        absent(files.read_export, "w.pkl"),
        words=("w.pkl", ".safetensors"),
    )
    yield Case(
        "objects to export",
        lambda folder: lambda: files.export(folder / "w.safetensors", {"a": np.array([{}])}),
        ArchiveError,
        ("object",),
    )
    yield Case(
        "text to export",
        lambda folder: lambda: files.export(folder / "w.npz", {"a": np.array(["x"])}),
        ArchiveError,
        ("'a'",),
    )
    yield Case(
        "notes that are no text",
        lambda folder: lambda: files.export(folder / "w.safetensors", {"a": np.ones(1)}, n=3),
        ArchiveError,
        ("'n'",),
    )
    yield Case(
        "metadata that is no JSON",
        lambda folder: (
            lambda: archive.save(folder / "w.npz", "kind", {"a": np.ones(1)}, n=object())
        ),
        ArchiveError,
        ("w.npz",),
    )
    yield Case(
        "a batch whose origin is no JSON",
        lambda folder: (
            lambda: batches.save_examples(
                folder / "w.npz",
                batches.examples(small_batch().images, small_batch().targets, who={1j}),
            )
        ),
        ArchiveError,
        ("w.npz",),
    )

    def foreign(folder):
        from safetensors.numpy import save

        (folder / "w.safetensors").write_bytes(save({"a": np.ones(3)}))
        return lambda: files.read_export(folder / "w.safetensors")

    yield Case("safetensors of another program", foreign, ArchiveError, ("not written by dgr",))

    def long_header(folder):
        (folder / "w.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
        return lambda: files.read_export(folder / "w.safetensors")

    yield Case("safetensors with an endless header", long_header, ArchiveError, ("w.safetensors",))
    yield Case(
        "a saved network for a task that climbs",
        lambda folder: lambda: crosscases.task("../../etc/passwd"),
        words=("unknown task",),
    )


CASES = [*pickles(), *digits(), *models(), *others()]
