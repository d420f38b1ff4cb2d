"""`dgr tasks`: the tasks that come with the package."""

import argparse
import json

EXAMPLES = """
  dgr tasks
  dgr tasks --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each task: its name and what is asked of the network."""
    from pycog_dgr.tasks import bundled_tasks, first_line

    tasks = bundled_tasks()
    if arguments.json:
        print(json.dumps({name: first_line(path) for name, path in tasks.items()}, indent=1))
        return 0
    width = max(map(len, tasks))
    for name, path in tasks.items():
        print(f"{name:{width}}  {first_line(path)}")
    print("\ndgr task NAME trains one, tests it and draws it; dgr task --help says more")
    return 0
