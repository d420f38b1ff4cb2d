"""`dgr neurogym`: the environments of the installed NeuroGym, and which of them train."""

import argparse
import json

from bridge.commands import whole

EXAMPLES = """
  dgr neurogym
  dgr neurogym --updates 100
  dgr neurogym --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--updates", type=whole(1), default=10, metavar="N", help="train so many")
    parser.add_argument("--json", action="store_true", help="print the table as JSON, at the end")


def run(arguments: argparse.Namespace) -> int:
    """Print the table, in Markdown, a row as soon as it is known. Errors: MissingExtraError."""
    from pycog_dgr.tasks.neurogym_table import rows, version

    if arguments.json:
        environments = [row._asdict() for row in rows(arguments.updates)]
        print(json.dumps({"neurogym": version(), "environments": environments}, indent=1))
        return 0
    print(f"NeuroGym {version()}\n")
    print("| environment | makes trials | trains | remark |\n|---|---|---|---|")
    for row in rows(arguments.updates):
        print(f"| {row.name} | {row.makes_trials} | {row.trains} | {row.remark} |", flush=True)
    return 0
