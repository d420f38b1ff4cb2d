"""What several peers need from this machine."""

import shutil

from benchmarks.peers import Unavailable


def need_compiler(who: str) -> str:
    """The path of g++, or Unavailable."""
    compiler = shutil.which("g++")
    if compiler is None:
        raise Unavailable(f"{who} needs g++, which is not on this machine")
    return compiler
