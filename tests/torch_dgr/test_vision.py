"""torchvision's plain-Python part works beside whatever torch is installed."""

import importlib
import subprocess
import sys
import types

import pytest

from torch_dgr import vision
from torch_dgr.errors import TorchDgrError


def run_python(source):
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)


def test_datasets_and_transforms_can_be_imported_in_a_fresh_process():
    done = run_python(
        "from torch_dgr.vision import import_torchvision\n"
        "tv = import_torchvision()\n"
        "assert import_torchvision() is tv\n"
        "from torchvision import datasets, transforms\n"
        "assert tv.datasets.MNIST and tv.transforms.ToTensor\n"
        "assert tv.extension and tv._internally_replaced_utils  # nothing is left half imported\n"
    )
    assert done.returncode == 0, done.stderr


def test_a_failed_import_by_the_user_beforehand_does_no_harm():
    done = run_python(
        "try:\n    import torchvision\nexcept RuntimeError:\n    pass\n"
        "from torch_dgr.vision import import_torchvision\n"
        "assert import_torchvision().datasets.MNIST\n"
    )
    assert done.returncode == 0, done.stderr


def test_importing_vision_alone_imports_no_torchvision():
    done = run_python("import sys, torch_dgr.vision\nassert 'torchvision' not in sys.modules\n")
    assert done.returncode == 0, done.stderr


def test_nothing_is_declared_where_the_import_works_by_itself(monkeypatch):
    working = types.ModuleType("torchvision")
    monkeypatch.setattr(importlib, "import_module", lambda name: working)
    monkeypatch.setattr(
        vision, "_declare_box_suppression", lambda: pytest.fail("operators declared needlessly")
    )
    assert vision.import_torchvision() is working


def test_operators_are_declared_once_where_the_import_fails_for_want_of_them(monkeypatch):
    working, calls, declared = types.ModuleType("torchvision"), [], []

    def import_module(name):
        calls.append(name)
        if not declared:
            raise RuntimeError("operator torchvision::nms does not exist")
        return working

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(vision, "_forget_half_imported_modules", lambda: None)
    monkeypatch.setattr(vision, "_declare_box_suppression", lambda: declared.append(True))
    assert vision.import_torchvision() is working
    assert (len(calls), len(declared)) == (2, 1)


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (ModuleNotFoundError("No module named 'torchvision'"), r"pip install 'dgr\[mnist\]'"),
        (RuntimeError("different CUDA major versions"), "two versions that belong together"),
    ],
)
def test_other_failures_are_one_clear_error(monkeypatch, failure, remedy):
    def import_module(name):
        raise failure

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(
        vision, "_declare_box_suppression", lambda: pytest.fail("operators declared needlessly")
    )
    with pytest.raises(TorchDgrError, match=remedy):
        vision.import_torchvision()
