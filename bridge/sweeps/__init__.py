"""Sweeps: an experiment with many settings and seeds, a folder a cell, on one machine or many.

from bridge.runs import executor

sweep = open_sweep(Path("sweep.toml"))
with executor(workers=2) as pool:
    failed = run_sweep(sweep, pool)
"""

from bridge.sweeps.cells import Cell
from bridge.sweeps.figures import draw_axes
from bridge.sweeps.plan import SweepFile, read_sweep_file
from bridge.sweeps.sweep import Sweep, open_sweep, rows, run_sweep, write_table

__all__ = [
    "Cell",
    "Sweep",
    "SweepFile",
    "draw_axes",
    "open_sweep",
    "read_sweep_file",
    "rows",
    "run_sweep",
    "write_table",
]
