"""A batch drawn by the torch GAN and labelled by the PyTensor network trains either network."""

import subprocess
import sys

import numpy as np
import pytest

from bridge import cli
from bridge.data import load_examples
from bridge.errors import ArchiveError
from bridge.networks import (
    GENERATORS,
    SOLVERS,
    load_network,
    make_generator,
    make_solver,
    save_network,
)
from tests.bridge.helpers import tiny_digits


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """The files of a briefly trained GAN and of a briefly trained biological network."""
    folder = tmp_path_factory.mktemp("networks")
    digits, rng = tiny_digits().train, np.random.default_rng(0)
    gan, biornn = make_generator("gan", 1), make_solver("biornn", 1)
    gan.fit(digits.images, iterations=3, rng=rng)
    biornn.fit(digits.images, np.eye(10)[digits.labels], iterations=3, rng=rng)
    save_network(folder / "gan.npz", gan, "gan", {})
    save_network(folder / "biornn.npz", biornn, "biornn", {})
    return folder


@pytest.mark.parametrize("learner", sorted(SOLVERS))
def test_two_processes_that_share_only_the_file(networks, tmp_path, learner, capsys):
    batch = tmp_path / "batch.npz"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "bridge",
            "sample",
            networks / "gan.npz",
            networks / "biornn.npz",
            batch,
            "-n",
            "80",
        ],
        check=True,
    )
    assert (
        cli.main(
            [
                "fit",
                str(batch),
                str(tmp_path / "new.npz"),
                "--solver",
                learner,
                "--iterations",
                "2",
            ]
        )
        == 0
    )
    assert "agrees with" in capsys.readouterr().out
    drawn = load_examples(batch)
    labeller = load_network(networks / "biornn.npz", SOLVERS)
    np.testing.assert_array_equal(
        drawn.targets.argmax(axis=1), labeller.predict(drawn.images).argmax(axis=1)
    )
    assert drawn.origin["generator"].endswith("gan.npz")
    assert drawn.origin["solver"].endswith("biornn.npz")


def test_the_file_trains_as_the_same_batch_in_memory_does(networks, tmp_path):
    batch, new = tmp_path / "batch.npz", tmp_path / "new.npz"
    cli.main(
        [
            "sample",
            str(networks / "gan.npz"),
            str(networks / "biornn.npz"),
            str(batch),
            "-n",
            "80",
            "--seed",
            "3",
        ]
    )
    cli.main(["fit", str(batch), str(new), "--solver", "lstm", "--iterations", "2"])
    gan, labeller = (
        load_network(networks / "gan.npz", GENERATORS),
        load_network(networks / "biornn.npz", SOLVERS),
    )
    images = gan.sample(80, np.random.default_rng(3))
    targets = np.eye(10)[labeller.predict(images).argmax(axis=1)]
    solver = make_solver("lstm", 1)
    solver.fit(images, targets, iterations=2, rng=np.random.default_rng(1))
    found = load_network(new, SOLVERS).state()
    for name, value in solver.state().items():
        np.testing.assert_array_equal(found[name], value)


def test_a_generator_is_not_taken_for_a_solver(networks):
    with pytest.raises(ArchiveError, match=r"gan\.npz.*'gan', expected lstm or mlp or biornn"):
        load_network(networks / "gan.npz", SOLVERS)
