"""What is a user's own: calls of their functions, whose errors say where, and their source.

The digest of a task's source tells whether a result belongs to the task as it is now. It covers the
files in which generate_trial and the other functions are defined, or the functions' text where they
are in no file (a notebook); what those import, and values from outside, it does not see.
"""

import functools
import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pycog_dgr.data.trial import Task, task_name
from pycog_dgr.errors import PycogDgrError, TaskError

Result = TypeVar("Result")
OWN = Path(__file__).resolve().parents[1]
MESSAGE_LENGTH = 200  # of another program's error


def user_call(what: str, function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function of the user's, and name it in the error where it fails.

    Parameters
    ----------
    what
        What the function is, for the error's message.
    function
        The function.
    *arguments
        What it is called with.

    Returns
    -------
    Result
        What the function returns.

    Raises
    ------
    TaskError
        Where it fails, or calls sys.exit. Errors of this package, which name what is at fault
        themselves, and Ctrl-C pass.
    """
    try:
        return function(*arguments)
    except PycogDgrError:
        raise
    except (Exception, SystemExit) as error:
        raise user_error(what, error) from error


def user_error(what: str, error: BaseException) -> TaskError:
    """What `user_call` raises where the function fails with `error`.

    Parameters
    ----------
    what
        What the function is.
    error
        What it raised.

    Returns
    -------
    TaskError
        With both in its message.
    """
    said = " ".join(str(error)[:MESSAGE_LENGTH].split())
    return TaskError(f"{what} fails: {type(error).__name__}: {said}")


def task_source(task: Task, *functions: Callable | None) -> dict[str, str | None]:
    """Name of a task and SHA-256 of its source, as {"name": ..., "digest": ...}.

    Parameters
    ----------
    task
        The task; a text `source` of its own, where it has one, stands for the file.
    *functions
        What else of the task's decides a result: performance, callback, terminate.

    Returns
    -------
    dict
        The digest is None where some function has no source that can be read.
    """
    first = getattr(task, "source", None)
    texts = [first if isinstance(first, str) else _source_of(task.generate_trial)]
    texts += [_source_of(function) for function in functions if function is not None]
    known = [text for text in texts if text is not None]
    digest = hashlib.sha256("\0".join(dict.fromkeys(known)).encode())
    complete = len(known) == len(texts)
    return {"name": readable(task_name(task)), "digest": digest.hexdigest() if complete else None}


def readable(text: str) -> str:
    """Text from a path as text.

    Parameters
    ----------
    text
        Perhaps with bytes that the locale could not read.

    Returns
    -------
    str
        These read as UTF-8.
    """
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _source_of(function: Any) -> str | None:
    """The text of the file that defines a function, or of the function; None if there is none."""
    while isinstance(function, functools.partial):
        function = function.func
    if not (inspect.isroutine(function) or inspect.isclass(function)):
        function = type(function)
    try:
        path = Path(inspect.getsourcefile(inspect.unwrap(function)) or "")
        if path.is_file():
            if path.resolve().is_relative_to(OWN):  # which version it is, others record
                return f"{function.__module__}.{function.__qualname__}"
            return path.read_text(encoding="utf-8", errors="replace")
        if path.name == "<string>":  # of exec; Python 3.13 has the text of `python -c` there
            return None
        return inspect.getsource(function)
    except (OSError, TypeError, AttributeError):
        return None
