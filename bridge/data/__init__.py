"""Images as numpy: data sets, their contexts, and the examples that networks hand each other."""

from bridge.data.augment import Augmentation, augment
from bridge.data.contexts import Contexts, parse_contexts
from bridge.data.datasets import (
    N_CLASSES,
    NAMES,
    ImageData,
    Labelled,
    class_names,
    is_known,
    load,
)
from bridge.data.examples import (
    EXAMPLES,
    Examples,
    check_images,
    examples,
    labelled,
    load_examples,
    mix,
    one_hot,
    save_examples,
)
from bridge.data.permuted import PermutedContexts

__all__ = [
    "EXAMPLES",
    "NAMES",
    "N_CLASSES",
    "Augmentation",
    "Contexts",
    "Examples",
    "ImageData",
    "Labelled",
    "PermutedContexts",
    "augment",
    "check_images",
    "class_names",
    "examples",
    "is_known",
    "labelled",
    "load",
    "load_examples",
    "mix",
    "one_hot",
    "parse_contexts",
    "save_examples",
]
