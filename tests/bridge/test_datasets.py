"""Data leave as numpy, split by seed, and what is wrong with a folder is said."""

from dataclasses import replace

import numpy as np
import pytest

from bridge.data import Contexts, Labelled, datasets, is_known, load, parse_contexts
from bridge.errors import DataError, SettingError
from tests.bridge.helpers import tiny_digits


def test_embedded_digits_are_split_without_overlap_and_by_class():
    digits = load("mnist5k")
    parts = [digits.train, digits.validation, digits.test]
    assert [len(part.labels) for part in parts] == [3670, 330, 1000]
    everything = np.concatenate([part.images.reshape(-1, 784) for part in parts])
    assert len(np.unique(everything, axis=0)) == len(everything) == 5000
    for part in parts:
        assert len(set(np.bincount(part.labels))) == 1
        assert part.images.dtype == np.float32 and part.labels.dtype == np.int64
        assert part.images.min() == 0 and part.images.max() == 1


def test_the_split_follows_its_seed():
    assert load("mnist5k", split_seed=0) is load("mnist5k", split_seed=0)
    one, other = load("mnist5k", split_seed=0), load("mnist5k", split_seed=1)
    assert not np.array_equal(one.test.images, other.test.images)


def write_idx(folder, shrink=0):
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, shape in datasets.FILES.items():
        magic = np.array([0x0800 + len(shape), *shape], dtype=">u4").tobytes()
        (raw / name).write_bytes(magic + bytes(int(np.prod(shape)) - shrink))
    return raw


def test_an_existing_root_is_used_as_it_is(tmp_path):
    raw = write_idx(tmp_path)
    before = sorted(path.name for path in raw.iterdir())
    digits = load("mnist", tmp_path)
    assert len(digits.train.labels) + len(digits.validation.labels) == 60000
    assert len(digits.test.labels) == 10000
    assert sorted(path.name for path in raw.iterdir()) == before


def test_truncated_and_missing_files_are_named(tmp_path):
    write_idx(tmp_path / "truncated", shrink=7)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.*truncated or foreign"):
        load("mnist", tmp_path / "truncated")
    (write_idx(tmp_path / "lacking") / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte is missing.*mnist5k"):
        load("mnist", tmp_path / "lacking")


def test_offline_the_folder_is_named_and_nothing_is_left(tmp_path, monkeypatch):
    def offline(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    for _ in range(2):  # the second time as the first
        with pytest.raises(DataError, match=r"not in .*new/MNIST/raw.*--data mnist5k"):
            load("mnist", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_unknown_data_set_names_the_nearest():
    with pytest.raises(SettingError, match="did you mean 'mnist'"):
        load("mnits")


def test_contexts_hand_out_their_own_classes_only():
    contexts = Contexts(tiny_digits(), ((0, 1), (2, 3)))
    assert set(contexts.train(2).labels) == {2, 3} == set(contexts.validation(2).labels)
    assert contexts.seen(2) == (0, 1, 2, 3)
    assert set(contexts.test((1, 2)).labels) == {1, 2}


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (((0, 1), (1, 2)), r"context 2 repeats classes \[1\]"),
        (((0, 0),), r"repeats classes \[0\]"),
        (((0, 1), ()), "context 2 is empty"),
        (((0, 11),), r"names classes \[11\]"),
        ((), "no contexts"),
    ],
)
def test_impossible_contexts_are_named(classes, message):
    with pytest.raises(DataError, match=message):
        Contexts(tiny_digits(), classes)


def test_contexts_are_parsed_from_text():
    assert parse_contexts("01,23") == ((0, 1), (2, 3))
    with pytest.raises(SettingError, match="separate contexts by commas"):
        parse_contexts("0-1,23")


def test_labelled_first_and_of_keep_order():
    part = Labelled(np.zeros((4, 28, 28), np.float32), np.array([3, 1, 3, 2]))
    assert part.of((3, 2)).labels.tolist() == [3, 3, 2]
    assert part.first(2).labels.tolist() == [3, 1]


def test_images_that_are_not_the_published_ones_are_known_by_their_digest():
    digits = load("mnist5k")
    assert is_known(digits)
    train = digits.train._replace(images=digits.train.images.copy())
    train.images[:5] = 0  # five blanked digits
    assert not is_known(replace(digits, train=train))
