"""`dgr export FILE OUT`: trials and weights for other programs."""

import argparse
import io
from pathlib import Path
from typing import Any

from bridge.commands import check_output

EXAMPLES = """
  dgr export trials.npz trials.nc      all trials, for xarray and others
  dgr export trials.npz trials.mat     for MATLAB
  dgr export my_task.npz weights.pt    a network's weights, for torch
  dgr export network.npz network.safetensors
"""
TORCH = (".pt", ".pth")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("file", type=Path, help="trials.npz, or the save file of a network")
    parser.add_argument(
        "out", type=Path,
        help="of trials: .nc (netCDF), .mat (MATLAB), .csv (conditions); of a network: "
        ".safetensors, .pt (a torch state_dict)",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace the file if it is there")


def run(arguments: argparse.Namespace) -> int:
    """Write the file. Errors: CheckpointError, MissingExtraError."""
    from pycog_dgr.errors import CheckpointError
    from pycog_dgr.files import write_atomically
    from pycog_dgr.running import Trials
    from pycog_dgr.running.export import TRIAL_FORMATS, WEIGHT_FORMATS, export, weight_arrays

    out = arguments.out
    check_output(out)
    if out.exists() and not arguments.force:
        raise CheckpointError(f"{out}: is already there; pass --force to replace it")
    if out.suffix in TRIAL_FORMATS:
        trials = Trials.load(arguments.file)
        export(trials, out)
        print(f"{out}: {len(trials)} trials")
        return 0
    if out.suffix not in (*WEIGHT_FORMATS, *TORCH):
        known = ", ".join([*TRIAL_FORMATS, *WEIGHT_FORMATS, TORCH[0]])
        raise CheckpointError(f"{out}: give a name that ends in one of {known}")
    arrays = weight_arrays(arguments.file)
    if out.suffix in TORCH:
        write_atomically(out, state_dict_bytes(arrays))
    else:
        export(arrays, out)
    print(f"{out}: {', '.join(arrays)}")
    return 0


def state_dict_bytes(arrays: dict[str, Any]) -> bytes:
    """What torch.save writes of a state_dict: name -> tensor."""
    import torch

    buffer = io.BytesIO()
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, buffer)
    return buffer.getvalue()
