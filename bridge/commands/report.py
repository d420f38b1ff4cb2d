"""`dgr report`: draw a run's figures and write its report.html again; nothing is trained."""

import argparse
import json
from pathlib import Path

from bridge.report import markdown_table, table_rows, write_report

EXAMPLES = """
  dgr report runs/mnist5k-text         draws every figure and report.html again
  dgr report runs/mnist5k-text --table
  dgr report runs/mnist5k-text --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("folder", type=Path, help="a results folder, e.g. runs/mnist5k-text")
    parser.add_argument(
        "--beside",
        type=Path,
        nargs="+",
        default=(),
        metavar="RUN",
        help="other results folders: protocols and variations are drawn side by side",
    )
    parser.add_argument(
        "--table",
        action="store_true",
        help="only print the table thesis | ours | difference as Markdown",
    )
    parser.add_argument("--json", action="store_true", help="only print that table as JSON")


def run(arguments: argparse.Namespace) -> int:
    if arguments.json:
        print(json.dumps(table_rows(arguments.folder), indent=1))
    elif arguments.table:
        print(markdown_table(arguments.folder))
    else:
        print(f"report: {write_report(arguments.folder, beside=arguments.beside)}")
    return 0
