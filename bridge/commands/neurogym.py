"""`dgr neurogym`: the environments of the installed NeuroGym, and which of them train."""

import argparse

from bridge.commands import whole

EXAMPLES = """
  dgr neurogym
  dgr neurogym --updates 100
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--updates", type=whole(1), default=10, metavar="N", help="train so many")


def run(arguments: argparse.Namespace) -> int:
    """Print the table, in Markdown, a row as soon as it is known. Errors: MissingExtraError."""
    from pycog_dgr.tasks.neurogym_table import rows, version

    print(f"NeuroGym {version()}\n")
    print("| environment | makes trials | trains | remark |\n|---|---|---|---|")
    for row in rows(arguments.updates):
        print(f"| {row.name} | {row.makes_trials} | {row.trains} | {row.remark} |", flush=True)
    return 0
