"""Our save files: everything comes back, damage is noticed, the previous file is kept."""

import dataclasses
import io
import os
import zipfile

import numpy as np
import pytest

from pycog_dgr import CheckpointError, Connectivity
from pycog_dgr.files import (
    Best,
    Checkpoint,
    DamagedError,
    checkpoint,
    load_or_previous,
    previous,
    remove_partial_files,
)
from pycog_dgr.network import Parameters, Weights
from tests.sealed import header_of, npy, resealed, with_header


def made(**changes):
    rng = np.random.RandomState(3)
    raw = Parameters(None, *(rng.normal(size=s) for s in ((3, 3), (2, 3), 3, 2, 3)))
    whole = Checkpoint(
        settings={
            "N": 3, "ei": np.array([1, 1, -1]), "mode": "batch", "dt": None, "tau": np.float64(50),
            "Crec": Connectivity(1 - np.eye(3), np.diag([0.0, 0.5, 0.0])),
            "structure": {"inputs": ["left", "right"], "groups": {"a": (range(2), "blue")}},
        },
        trained=("Wrec", "Wout"),
        iteration=11,
        parameters=raw,
        best=Best(6, 0.5, [0.7, 60.0], Weights(*raw), raw),
        costs_history=[[0, [np.inf, 0.7]], [40, [0.5, 0.6]]],
        Omega_history=[[40, 0.1]],
        rng_gradient=rng.get_state(),
        rng_validation=np.random.RandomState(4).get_state(),
        optimiser={"Wrec_m": np.zeros((3, 3), np.float32)},
        callback_results=[0.5, 0.5],
    )  # fmt: skip
    return dataclasses.replace(whole, **changes)


def test_everything_comes_back(tmp_path):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made())
    got, want = checkpoint.load(path), made()
    for ours, theirs in zip(got.parameters[1:], want.parameters[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert got.parameters.Win is None and got.best.weights.Win is None
    np.testing.assert_array_equal(got.settings["Crec"].mask_fixed, np.diag([0, 0.5, 0]))
    np.testing.assert_array_equal(got.settings["ei"], [1, 1, -1])
    assert got.settings["structure"]["groups"] == {"a": [[0, 1], "blue"]}
    assert got.settings["tau"] == 50 and got.settings["dt"] is None
    for name in ("trained", "iteration", "costs_history", "Omega_history", "callback_results"):
        assert getattr(got, name) == getattr(want, name)
    assert got.best.other_costs == [0.7, 60.0]
    assert got.optimiser["Wrec_m"].dtype == np.float32
    stream = np.random.RandomState()
    stream.set_state(got.rng_gradient)
    want_stream = np.random.RandomState()
    want_stream.set_state(want.rng_gradient)
    assert stream.normal() == want_stream.normal()


def test_a_file_converted_from_pycog_has_no_raw_best(tmp_path):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made(best=made().best._replace(parameters=None)))
    assert checkpoint.load(path).best.parameters is None


def test_the_previous_file_is_kept(tmp_path):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made(iteration=1))
    checkpoint.save(path, made(iteration=2))
    assert checkpoint.load(path).iteration == 2
    assert checkpoint.load(previous(path)).iteration == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["save.npz", "save.npz.previous"]


def test_a_value_that_is_not_data_is_refused_and_the_old_file_stays(tmp_path):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made())
    before = path.read_bytes()
    for bad, message in (
        ({"terminate": lambda history: True}, "settings/terminate: a function"),
        ({"tau": np.array([None])}, "arrays of object"),
        ({1: 2}, "settings: a dict"),
        ({"a": {"b/c": np.ones(1)}, "a/b": {"c": np.ones(1)}}, "two values"),
    ):
        with pytest.raises(CheckpointError, match=message):
            checkpoint.save(path, made(settings=bad))
    assert path.read_bytes() == before


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made())
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left"):
        checkpoint.save(path, made(iteration=99))
    assert path.read_bytes() == before
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_missing_file_or_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        checkpoint.load(tmp_path / "none.npz")
    with pytest.raises(CheckpointError, match="is a folder"):
        checkpoint.load(tmp_path)
    with pytest.raises(CheckpointError, match=r"the folder .*none does not exist; make it first"):
        checkpoint.save(tmp_path / "none" / "save.npz", made())


def test_arrays_of_another_npy_version_are_refused(tmp_path):
    path = tmp_path / "save.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("header.npy", "w") as file:
        np.lib.format.write_array(file, np.zeros(3), version=(2, 0))
    with pytest.raises(CheckpointError, match=r"header\.npy: .*version \(2, 0\)"):
        checkpoint.load(path)


def claim_much(members):
    """A header that claims 8 TB."""
    buffer = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(buffer, header)
    members["parameters/Wrec.npy"] = buffer.getvalue() + bytes(72)


def spoil_header(members):
    members["parameters/Wrec.npy"] = npy(np.zeros(4)).replace(b"(4,), }", b"(4,(((]")


def objects(members):
    members["parameters/Wrec.npy"] = npy(np.array([print], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("parameters/Wrec.npy"), "parameters/Wrec: its array is missing"),
        (lambda m: m.pop("header.npy"), "another program"),
        (lambda m: with_header(m, kind="other"), "another program"),
        (lambda m: with_header(m, format=99), "version 99"),
        (claim_much, "damaged"),
        (spoil_header, "damaged"),
        (lambda m: m.update({"parameters/Wrec.npy": npy(np.zeros(1), version=(2, 0))}), "damaged"),
        (objects, "damaged"),
        (lambda m: m.update({"parameters/Wrec.npy": b"not npy"}), "damaged"),
        (lambda m: m.update({"parameters/Wrec.npy": npy(np.zeros((2, 3)))}), r"shape \(2, 3\)"),
    ],
)
def test_damage_is_noticed_under_a_good_digest_too(tmp_path, change, message):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made())
    resealed(path, change)
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load(path)


def test_one_changed_number_is_noticed(tmp_path):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="digest"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tree: tree.pop("best"), "'best' is missing"),
        (lambda tree: tree.update(settings=[1]), "settings: expected a dictionary, got a list"),
        (lambda tree: tree.update(iteration=0), "iteration: expected a whole number from 1, got 0"),
        (lambda tree: tree.update(trained=["x"]), "trained/0: expected one of Win"),
        (lambda tree: tree["best"].update(cost=np.nan), "best/cost"),
        (lambda tree: tree["best"]["weights"].update(Wrec=None), "best/weights/Wrec: expected an"),
        (lambda tree: tree["costs_history"].append(3), "costs_history/2: expected a list"),
        (lambda tree: tree.update(costs_hist=[]), "'costs_hist' is not known here"),
    ],
)
def test_entries_that_are_missing_or_wrong_are_named(tmp_path, change, message):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made())

    def edit(members):
        tree = header_of(members)["metadata"]
        change(tree)
        with_header(members, metadata=tree)

    resealed(path, edit)
    with pytest.raises(CheckpointError, match=message) as caught:
        checkpoint.load(path)
    assert len(str(caught.value)) < 500


def test_a_truncated_file_points_to_the_one_before(tmp_path):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made())
    checkpoint.save(path, made())
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(CheckpointError, match=r"one before it is .*previous"):
        checkpoint.load(path)


def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "save.npz"
    checkpoint.save(path, made())
    with pytest.raises(CheckpointError, match="more than the 100 allowed"):
        checkpoint.load(path, max_bytes=100)


def cut_short(path, by=300):
    path.write_bytes(path.read_bytes()[:-by])


def test_the_file_before_a_damaged_one_takes_its_place_and_the_log_names_both(tmp_path, caplog):
    path = tmp_path / "save.npz"
    for iteration in (1, 2):
        checkpoint.save(path, made(iteration=iteration))
    cut_short(path)
    spoilt = path.read_bytes()
    assert load_or_previous(path, checkpoint.load, DamagedError).iteration == 1
    assert f"{path}: damaged" in caplog.text and "save.npz.previous" in caplog.text
    assert (tmp_path / "save.npz.damaged").read_bytes() == spoilt
    checkpoint.save(path, made(iteration=3))
    assert load_or_previous(path, checkpoint.load, DamagedError).iteration == 3
    assert checkpoint.load(previous(path)).iteration == 1
    assert len(list(tmp_path.iterdir())) == 3


def test_nothing_is_made_up_where_both_files_are_damaged_or_the_newest_is_gone(tmp_path):
    path = tmp_path / "save.npz"
    for iteration in (1, 2):
        checkpoint.save(path, made(iteration=iteration))
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(CheckpointError, match=r"is gone, but .*previous is there: rename"):
        load_or_previous(path, checkpoint.load, DamagedError)
    path.write_bytes(whole[:-9])
    cut_short(previous(path))
    with pytest.raises(CheckpointError, match="damaged, and so is the file before it"):
        load_or_previous(path, checkpoint.load, DamagedError)
    assert path.read_bytes() == whole[:-9]


def test_a_newer_version_is_not_taken_for_damage(tmp_path):
    path = tmp_path / "save.npz"
    for iteration in (1, 2):
        checkpoint.save(path, made(iteration=iteration))
    resealed(path, lambda members: with_header(members, format=99))
    with pytest.raises(CheckpointError, match="version 99"):
        load_or_previous(path, checkpoint.load, DamagedError)


def test_a_kill_between_keeping_and_renaming_disturbs_no_later_save(tmp_path):
    """The file and the one kept before it are then one file; a killed link's name may be left."""
    path = tmp_path / "save.npz"
    checkpoint.save(path, made(iteration=1))
    os.link(path, previous(path))
    (tmp_path / ".save.npz.previous.0a1b.part").touch()
    for iteration in (2, 3):
        checkpoint.save(path, made(iteration=iteration))
    assert checkpoint.load(previous(path)).iteration == 2
    remove_partial_files(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["save.npz", "save.npz.previous"]


def test_what_killed_writes_left_is_removed_and_no_other_files_part(tmp_path):
    """'run1' once took the half-written 'run10' for its own."""
    path = tmp_path / "save[1]"
    checkpoint.save(path, made())
    own = (".save[1].0a1b.part", ".save[1].previous.7.part")
    others = (".save[1].npz.0a1b.part", ".save[1]0.0a1b.part", ".other.npz.abc.part")
    for name in own + others:
        (tmp_path / name).touch()
    remove_partial_files(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*others, "save[1]"])


def test_half_a_character_is_refused_before_it_is_written(tmp_path):
    """A name from a path in another encoding; it could be written, and not be read again."""
    with pytest.raises(CheckpointError, match="cannot be stored as JSON"):
        checkpoint.save(tmp_path / "save.npz", made(stopped="d\udcc3"))
    checkpoint.save(tmp_path / "save.npz", made(callback_results="𝄞"))
    assert checkpoint.load(tmp_path / "save.npz").callback_results == "𝄞"
