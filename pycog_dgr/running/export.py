"""Trials and weights for other programs.

    trials_dataset(trials)        xarray.Dataset, and so netCDF
    conditions_table(trials)      pandas.DataFrame, one row a trial, and so CSV
    samples_table(trials, name)   pandas.DataFrame, one row a sample, one column a unit
    matlab_variables(trials)      what scipy.io.savemat writes: arrays, and structs info and epochs
    weight_arrays(file)           name -> array, and so safetensors or a torch state_dict

The libraries are those of the extra [export]; each is imported where it is asked for. `export`
writes a file in the format of its suffix, whole or not at all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.errors import CheckpointError, MissingExtraError, TaskError
from pycog_dgr.files import open_save, write_atomically

if TYPE_CHECKING:
    from pycog_dgr.running.trials import Trials

ARRAYS = {"inputs": "input", "rates": "unit", "states": "unit", "outputs": "output",
          "targets": "output"}  # fmt: skip
UNITS = {"t": "ms", "inputs": "1", "rates": "1", "states": "1", "outputs": "1", "targets": "1"}
LONGEST_NAME = 31  # of a variable in MATLAB


def _imported(module: str) -> Any:
    """A module of the extra [export]; MissingExtraError says what to install."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"cannot import {module} ({error}); pip install 'dgr[export]'"
        ) from error


def trials_dataset(trials: Trials) -> Any:
    """Trials as an xarray.Dataset.

    Returns
    -------
    Arrays with the dimensions trial, time (a coordinate, in ms) and input, unit or output; one
    variable `info_NAME` and `epoch_NAME` for each condition and epoch.
    """
    xarray = _imported("xarray")
    variables: dict[str, Any] = {"lengths": ("trial", trials.lengths, {"units": "samples"})}
    for name, last in ARRAYS.items():
        array = getattr(trials, name)
        if array is not None:
            variables[name] = (("trial", "time", last), array, {"units": UNITS[name]})
    for name, column in trials.info.items():
        dims = ("trial", *(f"info_{name}_{axis}" for axis in range(1, column.ndim)))
        variables[f"info_{name}"] = (dims, column)
    for name, span in trials.epochs.items():
        variables[f"epoch_{name}"] = (("trial", "edge"), span, {"units": "ms"})
    coordinates = {"time": ("time", trials.t, {"units": "ms"}), "edge": ["start", "end"]}
    return xarray.Dataset(variables, coordinates, {"source": "pycog_dgr trials"})


def conditions_table(trials: Trials) -> Any:
    """A pandas.DataFrame with one row a trial: its conditions, epochs (ms) and length.

    Entries of info that are arrays have one column for each number, NAME_0, NAME_1, ...
    """
    pandas = _imported("pandas")
    columns: dict[str, Any] = {}
    for name, column in trials.info.items():
        flat = column.reshape(len(column), -1)
        names = [name] if column.ndim == 1 else [f"{name}_{i}" for i in range(flat.shape[1])]
        columns |= dict(zip(names, flat.T, strict=True))
    for name, span in trials.epochs.items():
        columns |= {f"{name}_start": span[:, 0], f"{name}_end": span[:, 1]}
    columns["samples"] = trials.lengths
    return pandas.DataFrame(columns, index=pandas.RangeIndex(len(trials), name="trial"))


def samples_table(trials: Trials, name: str = "rates") -> Any:
    """A pandas.DataFrame with one row a sample and one column a unit.

    Parameters
    ----------
    name
        'inputs', 'rates', 'states', 'outputs' or 'targets'.

    Returns
    -------
    DataFrame
        Indexed by trial and time (ms); samples beyond a trial's end are left out.
    """
    pandas = _imported("pandas")
    array = getattr(trials, name) if name in ARRAYS else None
    if array is None:
        known = ", ".join(own for own in ARRAYS if getattr(trials, own) is not None)
        raise TaskError(f"trials have no {name!r}; there are {known}")
    there = trials.present()
    trial, sample = np.nonzero(there)
    index = pandas.MultiIndex.from_arrays([trial, trials.t[sample]], names=["trial", "time"])
    columns = [f"{ARRAYS[name]}_{i}" for i in range(array.shape[2])]
    return pandas.DataFrame(array[there], index=index, columns=columns)


def matlab_variables(trials: Trials) -> dict[str, Any]:
    """Trials as scipy.io.savemat takes them: arrays, and the structs `info` and `epochs`."""
    variables: dict[str, Any] = {"t": trials.t, "lengths": trials.lengths}
    variables |= {
        name: getattr(trials, name) for name in ARRAYS if getattr(trials, name) is not None
    }
    for struct in ("info", "epochs"):
        columns = getattr(trials, struct)
        too_long = [name for name in columns if not name.isidentifier() or len(name) > LONGEST_NAME]
        if too_long:
            raise TaskError(
                f"{struct}[{too_long[0]!r}] cannot be a variable in MATLAB: rename it in the task, "
                f"to a name of at most {LONGEST_NAME} letters, digits and _"
            )
        variables[struct] = {
            name: column.astype(object) if column.dtype.kind == "U" else column
            for name, column in columns.items()
        }
    return variables


def weight_arrays(path: str | Path) -> dict[str, NDArray]:
    """Weights of the best network in a save file, ours or the original's.

    Returns
    -------
    'Win', 'Wrec', 'Wout', 'brec', 'bout', 'x0' -> effective values, the ones in the equations, and
    where the file has them 'raw.Win', ... -> raw ones, which training goes on from. What a network
    does not have is absent.
    """
    best = open_save(path).selected
    arrays = {name: value for name, value in best.weights._asdict().items() if value is not None}
    if best.parameters is not None:
        raw = best.parameters._asdict()
        arrays |= {f"raw.{name}": value for name, value in raw.items() if value is not None}
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}


# -- files ----------------------------------------------------------------------------------------


def _netcdf(trials: Trials, path: Path) -> None:
    _imported("h5netcdf")
    _imported("h5py")
    trials_dataset(trials).to_netcdf(path, engine="h5netcdf")


def _csv(trials: Trials, path: Path) -> None:
    conditions_table(trials).to_csv(path)


def _matlab(trials: Trials, path: Path) -> None:
    _imported("scipy.io").savemat(path, matlab_variables(trials), do_compression=True)


def _safetensors(arrays: dict[str, NDArray], path: Path) -> None:
    _imported("safetensors.numpy").save_file(arrays, path)


TRIAL_FORMATS: dict[str, Callable[[Any, Path], None]] = {
    ".nc": _netcdf, ".csv": _csv, ".mat": _matlab,
}  # fmt: skip
WEIGHT_FORMATS: dict[str, Callable[[Any, Path], None]] = {".safetensors": _safetensors}


def export(content: Trials | dict[str, NDArray], path: str | Path) -> None:
    """Write trials or weights in the format of a file's suffix.

    Parameters
    ----------
    content
        Trials (.nc, .csv: conditions alone, .mat), or weight_arrays (.safetensors).
    path
        The file to write; its folder must be there.

    Raises
    ------
    CheckpointError
        For a suffix that none of these has, or a file that cannot be written.
    MissingExtraError
        Where the format's library is not installed.
    """
    path = Path(path)
    formats = WEIGHT_FORMATS if isinstance(content, dict) else TRIAL_FORMATS
    if path.suffix not in formats:
        what = "weights" if isinstance(content, dict) else "trials"
        raise CheckpointError(f"{path}: {what} are exported to {', '.join(formats)}")
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / path.name
        formats[path.suffix](content, whole)
        try:
            write_atomically(path, whole.read_bytes())
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be written: {error}") from error
