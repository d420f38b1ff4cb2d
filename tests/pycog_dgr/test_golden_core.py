"""The kinds init, step, mnist and functions of `make golden`, on the copies in tests/golden.

The tolerances stand in tests/golden_kinds/tolerances.py.
"""

import pytest

from tests.golden_kinds import functions, init, mnist, step
from tests.pycog_dgr.golden import GOLDEN, assert_within, found


@pytest.mark.parametrize("path", found(init), ids=lambda path: path.stem)
def test_initial_weights_and_masks_equal_the_original(path):
    assert_within(init.check(path))


@pytest.mark.parametrize("path", found(step), ids=lambda path: path.stem)
def test_forward_gradients_and_fifty_updates_equal_the_original(path):
    assert_within(step.check(path, backends=("fast",)))


# PyTensor takes seconds to prepare a scan; `make golden` runs every file through it
BY_SCAN = ("a_ei", "vectau_seed", "regs_fixed")


@pytest.mark.parametrize(
    "path",
    [path for path in found(step) if "f64" in path.stem and any(n in path.stem for n in BY_SCAN)],
    ids=lambda path: path.stem,
)
def test_the_reference_by_scan_equals_the_original(path):
    assert_within(step.check(path, backends=("scan",)))


@pytest.mark.parametrize("path", found(mnist), ids=lambda path: path.stem)
def test_the_thesis_network_equals_the_original(path):
    assert_within(mnist.check(path, backends=("fast",)))


def test_activations_losses_and_connectivity_equal_the_original():
    assert_within(functions.check(GOLDEN / "misc_seed5_f64.npz"))
