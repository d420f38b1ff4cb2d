"""Two processes that compile into one empty cache at the same time: both train, to the same bits.

PyTensor keeps compiled C files under base_compiledir, Numba its machine code in NUMBA_CACHE_DIR.
Both folders are new each time and shared by the two processes, which start together.
"""

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pycog_dgr.training import BACKENDS

logger = logging.getLogger(__name__)

TIMES = 10
PATIENCE = 300  # seconds for one pair, on a busy machine
ROOT = Path(__file__).parents[2]
TRAIN = """
import hashlib, sys
from pathlib import Path
from pycog_dgr import Model
from tests.pycog_dgr import tiny

start = Path(sys.argv[1])
while not start.exists():
    pass
model = Model(**{**tiny.SETTINGS, "max_iter": 2}, generate_trial=tiny.generate_trial)
result = model.train(sys.argv[2], backend=sys.argv[3])
assert result.iterations == 2, result
print(hashlib.sha256(result.checkpoint.parameters.Wrec.tobytes()).hexdigest())
"""


def trained_together(folder: Path, backend: str) -> tuple[list[str], float]:
    """What two processes with one cold cache say, and the seconds that they took."""
    folder.mkdir()
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "PYTENSOR_FLAGS": f"base_compiledir={folder / 'pytensor'}",
        "NUMBA_CACHE_DIR": str(folder / "numba"),
    }
    began = time.monotonic()
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN, folder / "start", folder / f"{who}.npz", backend],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for who in ("one", "two")
    ]  # fmt: skip
    (folder / "start").touch()
    said = []
    try:
        for process in pair:
            out, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, err
            said.append(out.strip())
    finally:
        for process in pair:
            process.kill()
            process.wait()
    return said, time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(TIMES))
def test_two_processes_share_a_cold_cache(attempt, tmp_path):
    said, seconds = trained_together(tmp_path / "run", "auto")
    logger.info("pair %d of %d: %.1f s", attempt + 1, TIMES, seconds)
    assert said[0] == said[1] != ""


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_shares_a_cold_cache(backend, tmp_path):
    """'scan' compiles C with PyTensor, 'fast' machine code with Numba."""
    said, seconds = trained_together(tmp_path / "run", backend)
    logger.info("backend %s: %.1f s", backend, seconds)
    assert said[0] == said[1] != ""
