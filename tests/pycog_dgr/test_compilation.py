"""What Numba keeps on disk is compiled anew where any kernel has changed, in whatever file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pycog_dgr

OUTPUTS = """
import numpy as np
from pycog_dgr.kernels import Readout, get_kernels
readout = Readout(np.eye(1), np.zeros(1), "rectify")
one = np.ones((1, 1, 1))
print(get_kernels("numba").outputs(readout, one, one, one).z.item())
"""


def outputs(folder):
    """The output 1 of a rectified unit, as a process of its own computes it."""
    environment = os.environ | {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "kept")}
    done = subprocess.run(
        [sys.executable, "-c", OUTPUTS], env=environment, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_a_kernel_that_calls_one_of_another_file_follows_its_change(tmp_path):
    shutil.copytree(Path(pycog_dgr.__file__).parent, tmp_path / "pycog_dgr")
    assert outputs(tmp_path) == 1
    kept = {path.name for path in (tmp_path / "kept").rglob("*.nbc")}
    assert outputs(tmp_path) == 1
    assert {path.name for path in (tmp_path / "kept").rglob("*.nbc")} == kept
    called = tmp_path / "pycog_dgr" / "kernels" / "activations_numba.py"
    source = called.read_text()
    changed = source.replace("return type(x)(0.5) * (x + abs(x))", "return x + abs(x)")
    assert changed != source
    called.write_text(changed)
    assert outputs(tmp_path) == 2
