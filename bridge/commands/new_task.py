"""`dgr new-task NAME`: write a task file that trains as it is, to be changed line by line."""

import argparse
import importlib.util
import keyword
from importlib import resources
from pathlib import Path

from bridge.errors import SettingError
from bridge.files import write_whole

TEMPLATE = "template.py"
PLACEHOLDER = "NAME"

EXAMPLES = """
  dgr new-task go_later                writes go_later.py; python go_later.py trains it
  dgr new-task go_later --out tasks
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", help="of the task: a Python name in small letters, as go_nogo")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("."),
        metavar="FOLDER",
        help="where to write NAME.py",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the file. Errors: SettingError, where the name will not do or the file is there."""
    path = write_task(arguments.name, arguments.out)
    print(f"written: {path}; it trains as it is: python {path}")
    return 0


def write_task(name: str, folder: Path) -> Path:
    """Write FOLDER/NAME.py and return its path; see `run` for errors."""
    check_name(name)
    path = folder / f"{name}.py"
    if path.exists():
        raise SettingError(f"{path}: is already there; choose another name, or remove it first")
    write_whole(path, template(name).encode())
    return path


def template(name: str) -> str:
    """The text of a new task called `name`."""
    text = resources.files("pycog_dgr.tasks").joinpath(TEMPLATE).read_text(encoding="utf-8")
    return text.replace(PLACEHOLDER, name)


def check_name(name: str) -> None:
    """SettingError unless a file NAME.py can be imported and hides no module by its name."""
    is_name = name.isidentifier() and name.isascii() and name == name.lower()
    if not is_name or keyword.iskeyword(name):
        raise SettingError(
            f"task name {name!r}: give small letters, digits and _, a letter first, "
            "and no word of Python's own; such as go_nogo"
        )
    if importlib.util.find_spec(name) is not None:
        raise SettingError(
            f"task name {name!r}: {name}.py would hide the Python module of that "
            f"name from what is run beside it; choose another, such as {name}_task"
        )
