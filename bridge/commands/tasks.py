"""`dgr tasks`: the tasks that come with the package."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each task: its name and what is asked of the network."""
    from pycog_dgr.tasks import bundled_tasks, first_line

    tasks = bundled_tasks()
    width = max(map(len, tasks))
    for name, path in tasks.items():
        print(f"{name:{width}}  {first_line(path)}")
    print("\ndgr task NAME trains one, tests it and draws it; dgr task --help says more")
    return 0
