"""Contexts, labels, mixes and protocols that make no sense."""

import numpy as np

from bridge import data as batches
from bridge import networks as solvers
from bridge import replay
from bridge import replay as protocols
from bridge.data import Contexts, datasets
from bridge.errors import BatchError, BridgeError, DataError, SettingError
from tests.bridge.helpers import tiny_digits
from tests.hostile.case import call
from tests.hostile.valid import small_batch, small_solver

RNG = np.random.default_rng(0)


def continual_learning():
    digits = tiny_digits(4)
    batch = small_batch()
    for name, classes, words in (
        ("no context", (), ["no contexts"]),
        ("an empty context", ((0, 1), ()), ["context 2"]),
        ("a class twice", ((0, 0),), ["[0]"]),
        ("contexts that overlap", ((0, 1), (1,)), ["[1]"]),
        ("a class beyond nine", ((0, 10),), ["[10]"]),
        ("a negative class", ((-1,),), ["[-1]"]),
        ("a class of a half", ((0.5,),), ["0.5"]),
        ("letters", (("a",),), ["a"]),
    ):
        yield call(f"contexts with {name}", Contexts, digits, classes, error=DataError, words=words)
    for text in ("", ",", "01,,23", "a", "0 1", "-1", "²", "01;23", "../../etc"):
        yield call(
            f"contexts written {text!r}",
            batches.parse_contexts,
            text,
            error=SettingError,
            words=["separate contexts by commas"],
        )
    yield call("an unknown data set", datasets.load, "../mnist", error=SettingError)
    yield call(
        "a negative split",
        datasets.load,
        "mnist5k",
        None,
        -1,
        error=SettingError,
        words=["split_seed"],
    )
    for name, labels, n, words in (
        ("a label of ten", [10], 10, ["10"]),
        ("a negative label", [-1], 10, ["-1"]),
        ("labels of a half", [0.5], 10, ["float"]),
        ("labels of NaN", [np.nan], 10, ["float"]),
        ("labels of text", ["a"], 10, []),
        ("labels in a square", [[1]], 10, ["(1, 1)"]),
        ("any label without a class", [0], 0, ["0"]),
    ):
        yield call(
            f"one-hot targets of {name}", batches.one_hot, labels, n, error=BatchError, words=words
        )
    for name, changes, words in (
        ("a list of images", {"images": [[[1.0]]]}, ["images"]),
        ("a list of targets", {"targets": [[1.0]]}, ["targets"]),
        ("targets of text", {"targets": np.full((6, 10), "x")}, ["targets"]),
        ("a list of weights", {"weights": [1.0]}, ["weights"]),
        ("weights of objects", {"weights": np.full(6, None)}, ["weights"]),
    ):
        yield call(
            f"examples with {name}",
            batches.Examples,
            error=BatchError,
            words=words,
            **{
                "images": batch.images,
                "targets": batch.targets,
                "weights": batch.weights,
                **changes,
            },
        )
    nothing = batches.Examples(batch.images[:0], batch.targets[:0], batch.weights[:0])
    narrow = batches.examples(batch.images[:, :, :27], batch.targets)
    three = batches.examples(batch.images, batches.one_hot(np.zeros(6, int), 3))
    for name, arguments, words in (
        ("nothing real", (nothing, batch, 0.5), ["real"]),
        ("a real weight of 1", (batch, batch, 1.0), ["weight"]),
        ("a real weight of NaN", (batch, batch, np.nan), ["weight"]),
        ("images of two sizes", (batch, narrow, 0.5), ["27"]),
        ("targets of two widths", (batch, three, 0.5), ["(3,)"]),
    ):
        yield call(f"a mix of {name}", batches.mix, *arguments, error=BatchError, words=words)
    for name, options, words in (
        ("no real image", {"real_share": 0}, ["real_share"]),
        ("a share of NaN", {"real_share": np.nan}, ["real_share"]),
        ("a negative number of samples", {"replayed": -1}, ["replayed"]),
        ("samples of NaN", {"replayed": np.nan}, ["replayed"]),
        ("endless samples", {"replayed": np.inf}, ["replayed"]),
        ("a weight of 1", {"real_weight": 1}, ["real_weight"]),
    ):
        yield call(f"a mix with {name}", protocols.Mix, error=SettingError, words=words, **options)
    for name, options, words in (
        ("no iterations", {"iterations": ()}, ["iterations"]),
        ("an iteration of 0", {"iterations": (5, 0)}, ["iterations"]),
        ("no mix", {"mixes": ()}, ["mix"]),
        ("a batch of 0", {"batch_size": 0}, ["batch_size"]),
        ("a negative number of epochs", {"joint_epochs": -1}, ["joint_epochs"]),
    ):
        yield call(
            f"a plan with {name}",
            protocols.Plan,
            error=SettingError,
            words=words,
            **{"iterations": (1,), "mixes": (protocols.Mix(),), **options},
        )
    for name, options, words in (
        ("an unknown selection", {"selection": "tset"}, ["did you mean 'test'"]),
        ("unknown generator data", {"generator_data": "samples"}, ["samples"]),
        ("unknown labels", {"labels": "sfot"}, ["did you mean 'soft'"]),
        ("no evaluation", {"evaluations": 0}, ["evaluations"]),
        ("a selection on no image", {"selection_images": -1}, ["selection_images"]),
    ):
        yield call(
            f"a protocol with {name}",
            protocols.Protocol,
            error=SettingError,
            words=words,
            name="x",
            summary="x",
            contexts=((0,),),
            solvers={},
            generator=protocols.TEXT.generator,
            **options,
        )
    for scale in (0, -1, np.nan, np.inf, 1e300):
        yield call(
            f"a budget times {scale}",
            protocols.Budget().times,
            scale,
            error=SettingError,
            words=["scale"],
        )
    yield call(
        "an unknown protocol",
        protocols.protocol_named,
        "txt",
        error=SettingError,
        words=["did you mean 'text'"],
    )
    yield call(
        "an unknown solver",
        solvers.make_solver,
        "lsmt",
        1,
        error=SettingError,
        words=["did you mean 'lstm'"],
    )
    yield call(
        "an unknown generator",
        solvers.make_generator,
        "../gan",
        1,
        error=SettingError,
        words=["gan"],
    )
    yield call("a solver that is a list", solvers.make_solver, ["lstm"], 1, error=BridgeError)
    yield call(
        "an unknown option of a solver",
        solvers.make_solver,
        "lstm",
        1,
        n_hiden=3,
        error=SettingError,
        words=["did you mean 'n_hidden'"],
    )
    yield call(
        "an unknown kind of labels",
        replay.label,
        batch.images,
        small_solver()[0],
        "medium",
        error=SettingError,
        words=["medium"],
    )
    yield call(
        "samples of NaN pixels",
        replay.draw_samples,
        _Constant(np.nan),
        3,
        RNG,
        error=BatchError,
        words=["samples"],
    )
    yield call(
        "samples beyond 1",
        replay.draw_samples,
        _Constant(1.5),
        3,
        RNG,
        error=BatchError,
        words=["samples", "1.5"],
    )


class _Constant:
    """A generator whose pixels all have one value."""

    def __init__(self, value):
        self.value = value

    def sample(self, n, rng, classes=None):
        return np.full((n, 28, 28), self.value, np.float32)


CASES = [*continual_learning()]
