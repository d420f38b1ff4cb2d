"""One module a command: add_arguments(parser), run(arguments) -> exit status."""

import argparse
import os
from pathlib import Path

from bridge.errors import SettingError
from pycog_dgr.commands import whole

__all__ = ["add_cluster", "check_folder", "check_output", "whole"]


def check_output(path: Path) -> None:
    """SettingError, before any work is done, where `path` cannot become a file.

    Parameters
    ----------
    path
        What a command will write.
    """
    if path.is_dir():
        raise SettingError(f"{path}: is a folder; give the name of a file to write")
    check_folder(path.absolute().parent)


def check_folder(folder: Path) -> None:
    """SettingError where `folder` is not and cannot become one that can be written to.

    Parameters
    ----------
    folder
        Where a command will write.
    """
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        raise SettingError(f"{folder}: {there} is a file, not a folder; give another place")
    if not os.access(there, os.W_OK):
        raise SettingError(f"{folder}: {there} cannot be written to; give another place")


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Declare --scheduler and --cluster: where to run, if not on this machine.

    Parameters
    ----------
    parser
        Of a command.
    """
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a running Dask cluster")
    where.add_argument(
        "--cluster", choices=("slurm", "pbs", "sge"), help="workers are jobs of this batch system"
    )
