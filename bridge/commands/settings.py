"""`dgr settings [NAME]`: the settings of a network and its training, as the code declares them."""

import argparse
import json

EXAMPLES = """
  dgr settings                         all of them, one a line
  dgr settings learning_rate           one of them
  dgr settings --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", nargs="?", help="of a setting; without one, all are listed")
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print one setting or all. Errors: SettingError, which names those of a similar name."""
    from pycog_dgr.config.description import KINDS, described, described_setting

    shown = [described_setting(arguments.name)] if arguments.name else described()
    if arguments.json:
        print(json.dumps([one._asdict() for one in shown], indent=1))
    elif arguments.name:
        (one,) = shown
        print(f"{one.name}: {one.meaning}")
        unit = f" {one.unit}" if one.unit else ""
        print(f"  default  {one.default}{unit}\n  accepts  {one.accepts}")
    else:
        for kind, title in KINDS.items():
            print(f"{title}:")
            for one in shown:
                if one.kind == kind:
                    print(f"  {one.name:22}{one.default:12}{one.unit:4}{one.meaning}")
    return 0
