"""What Numba keeps on disk is compiled anew where any kernel has changed, in whatever file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit

import pycog_dgr
from pycog_dgr.kernels.compilation import wide_vectors
from pycog_dgr.kernels.tiles import VECTOR_BYTES

OUTPUTS = """
import numpy as np
from pycog_dgr.kernels import get_kernels
one = np.ones((1, 1, 1))
print(get_kernels("numba").outputs("rectify", one, one, one).z.item())
"""
RATES = """
import numpy as np
from pycog_dgr.kernels import Recurrence, get_kernels
from pycog_dgr.kernels.tiles import VECTOR_BYTES
rng, N = np.random.default_rng(0), 37
recurrence = Recurrence(rng.normal(size=(N, 2)), rng.normal(size=(N, N)) / 6, *np.zeros((2, N)),
                        np.full(N, 0.3), "tanh")
batch = rng.normal(size=(9, 11, 2)), rng.normal(size=(9, 11, N))
r, expected = (get_kernels(name).forward(recurrence, *batch).r for name in ("numba", "numpy"))
print(VECTOR_BYTES, np.abs(r - expected).max())
"""


def printed(script, folder, package, **settings):
    """What a process of its own prints, whose compiled code is kept in a folder."""
    environment = os.environ | {"PYTHONPATH": str(package), "NUMBA_CACHE_DIR": str(folder / "kept")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment | settings, cwd=folder,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [float(number) for number in done.stdout.split()]


def outputs(folder):
    """The output 1 of a rectified unit."""
    return printed(OUTPUTS, folder, package=folder)[0]


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


@pytest.mark.parametrize(
    "settings",
    [
        {"NUMBA_CPU_NAME": "generic"},
        {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"},
    ],
    ids=["any processor", "AVX2"],
)
def test_vectors_are_as_long_as_those_that_numba_may_use(tmp_path, settings):
    width, difference = printed(RATES, tmp_path, Path(pycog_dgr.__file__).parents[1], **settings)
    assert width == 32 and difference < 1e-13


def test_loops_on_wide_vectors_use_the_longest_registers():
    @njit
    def double(x):
        wide_vectors()
        for i in range(len(x)):
            x[i] *= 2

    double(np.ones(64, np.float32))
    [instructions] = double.inspect_asm().values()
    assert ("zmm" in instructions) == (VECTOR_BYTES == 64)
