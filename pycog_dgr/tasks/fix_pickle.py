"""A fixer of 2to3's kind: pickles that Python 2 wrote, and files that were opened as text for them.

    pickle.load(f)          pickle.load(getattr(f, 'buffer', f), encoding='latin1')
    pickle.loads(s)         pickle.loads(s, encoding='latin1')
    pickle.dump(x, f, 2)    pickle.dump(x, getattr(f, 'buffer', f), 2)

Python 2 had one kind of string, for text and bytes: numpy's arrays are in its pickles as strings,
which only 'latin1' gives back. A text file was a file of bytes; here these are its `buffer`.
"""

from __future__ import annotations

from typing import Any

from fissix.fixer_base import BaseFix
from fissix.fixer_util import Comma, KeywordArg, Name, String

MODULES = ("pickle", "cPickle", "pkl", "cpickle")


class FixPickle(BaseFix):
    """Load and dump of a module that is called as pickle is."""

    BM_compatible = True
    PATTERN = """
        power< module=NAME trailer< '.' method=('load' | 'loads' | 'dump') >
               trailer< '(' arguments=any ')' > any* >
    """

    def transform(self, node: Any, results: dict[str, Any]) -> None:
        """Change the call in place."""
        if results["module"].value not in MODULES:
            return
        method, arguments = results["method"][0].value, results["arguments"]
        several = arguments.type == self.syms.arglist
        if method == "dump" and several:
            _as_bytes(arguments.children[2])
        elif method != "dump" and not several:
            encoding = KeywordArg(Name("encoding"), String("'latin1'"))
            encoding.prefix = " "
            parent = arguments.parent
            if method == "load":
                arguments = _as_bytes(arguments)
            parent.insert_child(2, Comma())
            parent.insert_child(3, encoding)


def _as_bytes(file: Any) -> Any:
    """The argument `file` replaced by the bytes under it, where it is a text file."""
    text = str(file).strip()
    if text.startswith(("getattr(", "(lambda")):  # translated before
        return file
    bytes_of = "getattr({0}, 'buffer', {0})"
    if not text.isidentifier():  # evaluated once; what is not detached is closed with its owner
        bytes_of = "(lambda f: f.detach() if hasattr(f, 'buffer') else f)({0})"
    new = Name(bytes_of.format(text), prefix=file.prefix)
    file.replace(new)
    return new
