"""A pickle reader that executes nothing, for the save files of the original pycog.

A pickle is a program for a stack machine, and Python's own machine runs whatever the program names.
The one below knows only the instructions that occur in pycog's files (Python 2, protocol 2) and in
those of its ports to Python 3 (protocols 2 to 5), and only the names below; each stands for a
function of this file that checks its arguments and builds plain data:

    numpy ndarray, numpy.core.multiarray _reconstruct    arrays of numbers or text
    numpy.core.numeric _frombuffer                       the same from Python 3
    _codecs encode, __builtin__ bytes                    their bytes in protocol 2
    numpy dtype, numpy.core.multiarray scalar            their types, single numbers
    numpy.random __RandomState_ctor, and of Python 3:    state of a random stream (MT19937)
    numpy.random._pickle __randomstate_ctor, __bit_generator_ctor, numpy.random._mt19937 MT19937
    pycog.connectivity Connectivity                      its C and fixed weights
    collections OrderedDict                              a dictionary

numpy.core is numpy._core in files that numpy 2 wrote. Anything else - another name, another
instruction, an object array, bytes used more often than a file that pycog wrote does - is a
CheckpointError, and nothing has been executed. No class is instantiated by name, no attribute is
set, no __setstate__ is called.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from pycog_dgr.config import Connectivity
from pycog_dgr.errors import CheckpointError
from pycog_dgr.files.npz import shortened

MAX_BYTES = 2**28  # of the file; pycog's largest networks save about 10 MB
MAX_DEPTH = 100  # of containers within containers
MAX_ITEMS = 300_000  # in all containers, shared ones counted every time
MAX_DIMENSIONS = 8  # of an array; pycog's have 3
BYTES_A_BYTE = 3  # decoded, of one in the file: text, its bytes, numbers
SPARE_BYTES = 2**20  # decoded beyond that
MAX_INSTRUCTIONS = 3 * MAX_ITEMS  # each may put an object of tens of bytes on the stack
PICKLE, ZIP = b"\x80", b"PK\x03\x04"  # how a pickle of protocol 2 or later, and a zip begin
MARK = object()

Maker = Callable[[Any], Any]  # what calling a name does with its arguments

# -- what the names in a file stand for -----------------------------------------------------------


class _Budget:
    """What one file may still cost: bytes of arrays and text, and items that are walked over.

    What is shared in the file counts every time it is used, so a small file stays cheap.
    """

    def __init__(self, size: int) -> None:
        self.bytes = BYTES_A_BYTE * size + SPARE_BYTES
        self.items = MAX_ITEMS

    def take_bytes(self, count: int) -> None:
        self.bytes -= count
        _expect(self.bytes >= 0, "using the same bytes so often")

    def take_items(self, count: int) -> None:
        self.items -= count
        _expect(self.items >= 0, f"more than {MAX_ITEMS} items")


class _Pending:
    """Something that a BUILD instruction completes; `value` is what it then is."""

    def __init__(self, finish: Callable[[Any], Any]) -> None:
        self.finish = finish
        self.value: Any = None
        self.done = False

    def build(self, state: Any) -> None:
        if self.done:
            raise CheckpointError("an object is filled in twice")
        self.value, self.done = self.finish(state), True


class _Name:
    """A name on the list, as a value on the stack; `make(arguments, budget)` is calling it."""

    def __init__(self, label: str, make: Callable[[tuple, _Budget], Any]) -> None:
        self.label = label
        self.make = make


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise CheckpointError(f"{what} is not what pycog writes")


def _is_dimension(n: Any) -> bool:
    return isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= MAX_BYTES


def _make_dtype(arguments: tuple, budget: _Budget) -> Any:
    kind: Any = arguments[0] if arguments else None
    _expect(isinstance(kind, str) and kind[:1] in tuple("biufcSU"), "a dtype of this name")
    _expect(kind[1:].isdecimal() and len(kind) <= 6, "a dtype of this size")

    def finish(state: Any) -> Any:
        _expect(isinstance(state, tuple) and len(state) >= 2, "a dtype's state")
        _expect(state[1] in ("<", ">", "|", "=") and state[2:5] == (None,) * 3, "a dtype's state")
        return np.dtype(kind).newbyteorder(state[1])

    return _Pending(finish)


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, tuple) and len(shape) <= MAX_DIMENSIONS and all(map(_is_dimension, shape))
    )


def _numbers(dtype: Any, count: int, data: Any, budget: _Budget) -> NDArray:
    """`count` numbers from the file's bytes, which must be exactly that many."""
    _expect(isinstance(dtype, _Pending) and isinstance(dtype.value, np.dtype), "an array's dtype")
    _expect(isinstance(data, (str, bytes)), "an array's data")
    budget.take_bytes(len(data))
    data = data.encode("latin-1") if isinstance(data, str) else data
    _expect(len(data) == count * dtype.value.itemsize, f"{len(data)} bytes for {count} numbers")
    numbers = np.frombuffer(data, dtype.value)
    return numbers.astype(dtype.value.newbyteorder("="))


def _make_array(arguments: tuple, budget: _Budget) -> Any:
    _expect(len(arguments) == 3 and arguments[0] is NAMES["numpy ndarray"], "an array")

    def finish(state: Any) -> Any:
        _expect(isinstance(state, tuple) and len(state) == 5, "an array's state")
        _, shape, dtype, fortran, data = state
        _expect(_is_shape(shape), "an array's shape")
        numbers = _numbers(dtype, math.prod(shape), data, budget)
        return numbers.reshape(shape, order="F" if fortran else "C")

    return _Pending(finish)


def _make_array_of_bytes(arguments: tuple, budget: _Budget) -> Any:
    _expect(len(arguments) == 4, "an array")
    data, dtype, shape, order = arguments
    _expect(_is_shape(shape), "an array's shape")
    _expect(order in ("C", "F"), "an array's order")
    return _numbers(dtype, math.prod(shape), data, budget).reshape(shape, order=order)


def _make_bytes(arguments: tuple, budget: _Budget) -> Any:
    _expect(len(arguments) == 2 and arguments[1] == "latin1", "encoded bytes")
    _expect(isinstance(arguments[0], str), "encoded bytes")
    budget.take_bytes(len(arguments[0]))
    return arguments[0].encode("latin-1")


def _make_no_bytes(arguments: tuple, budget: _Budget) -> Any:
    _expect(arguments == (), "bytes")
    return b""


def _make_scalar(arguments: tuple, budget: _Budget) -> Any:
    _expect(len(arguments) == 2, "a number")
    return _numbers(arguments[0], 1, arguments[1], budget)[0]


def _make_random_state(arguments: tuple, budget: _Budget) -> Any:
    made_of = tuple(_plain(argument, budget) for argument in arguments)
    _expect(made_of in ((), ("MT19937",)), "a random state")

    def finish(state: Any) -> Any:
        state = _plain(state, budget)
        if isinstance(state, dict):  # of Python 3
            _expect(isinstance(state.get("state"), dict), "a random state")
            inner = state["state"]
            state = (state.get("bit_generator"), inner.get("key"), inner.get("pos"),
                     state.get("has_gauss"), state.get("gauss"))  # fmt: skip
        _expect(isinstance(state, tuple) and len(state) == 5, "a random state")
        name, key, position, has_gauss, cached = state
        _expect(name == "MT19937" and isinstance(key, np.ndarray), "a random state")
        _expect(key.shape == (624,) and key.dtype == np.uint32, "a random state")
        _expect(isinstance(position, int) and 0 <= position <= 624, "a random state")
        _expect(has_gauss in (0, 1) and isinstance(cached, float), "a random state")
        return name, key, int(position), int(has_gauss), cached

    return _Pending(finish)


def _make_bit_generator(arguments: tuple, budget: _Budget) -> Any:
    """What a RandomState of numpy 1.24 or later is made of; its own state holds the numbers."""
    _expect(arguments in (("MT19937",), (NAMES[MERSENNE_TWISTER],)), "a bit generator")
    return _Pending(lambda state: "MT19937")


def _make_connectivity(arguments: tuple, budget: _Budget) -> Any:
    _expect(arguments == (), "a Connectivity")

    def finish(state: Any) -> Any:
        _expect(isinstance(state, dict), "a Connectivity")
        parts = [_plain(state.get(name), budget) for name in ("C", "idx_fixed", "fixed")]
        _expect(all(isinstance(part, np.ndarray) for part in parts), "a Connectivity")
        C, where, fixed = parts
        _expect(where.dtype.kind in "iu" and where.shape == fixed.shape, "a Connectivity")
        budget.take_bytes(8 * C.size)
        Cfixed = np.zeros(C.size)
        _expect(((where >= 0) & (where < C.size)).all(), "a Connectivity's index")
        Cfixed[where] = fixed  # before the original scaled mask_fixed to the spectral radius
        return Connectivity(C, Cfixed.reshape(C.shape))

    return _Pending(finish)


def _make_dictionary(arguments: tuple, budget: _Budget) -> Any:
    pairs = arguments[0] if arguments else []
    _expect(isinstance(pairs, list), "a dictionary")
    budget.take_items(len(pairs))
    _expect(all(len(pair) == 2 for pair in pairs), "a dictionary")
    return {_key(key): value for key, value in pairs}


def _key(key: Any) -> Any:
    _expect(isinstance(key, (str, int, float, bool)), f"a dictionary's key of {type(key).__name__}")
    return key


def _not_callable(arguments: tuple, budget: _Budget) -> NoReturn:
    raise CheckpointError("numpy's classes are not called in pycog's files")


MERSENNE_TWISTER = "numpy.random._mt19937 MT19937"
CORES = ("numpy.core", "numpy._core")  # what numpy 1 and numpy 2 call it
NAMES = {
    label: _Name(label, make)
    for label, make in {
        "numpy ndarray": _not_callable,
        "numpy dtype": _make_dtype,
        **{f"{core}.multiarray _reconstruct": _make_array for core in CORES},
        **{f"{core}.multiarray scalar": _make_scalar for core in CORES},
        **{f"{core}.numeric _frombuffer": _make_array_of_bytes for core in CORES},
        "_codecs encode": _make_bytes,
        "__builtin__ bytes": _make_no_bytes,
        "numpy.random __RandomState_ctor": _make_random_state,
        "numpy.random._pickle __randomstate_ctor": _make_random_state,
        "numpy.random._pickle __bit_generator_ctor": _make_bit_generator,
        MERSENNE_TWISTER: _not_callable,
        "pycog.connectivity Connectivity": _make_connectivity,
        "collections OrderedDict": _make_dictionary,
    }.items()
}


# -- the machine ----------------------------------------------------------------------------------


def read(path: str | Path) -> Any:
    """The plain data in a pickle: dictionaries, lists, tuples, text, numbers and arrays.

    CheckpointError names the instruction at fault and its position in the file, or what the file
    would cost.
    """
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path}: is a folder, not a save file")
    if not path.is_file():
        raise CheckpointError(f"{path}: no such save file")
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{path}: larger than {MAX_BYTES} bytes, too large for a pycog file")
    data = path.read_bytes()
    if data.startswith(ZIP):
        raise CheckpointError(
            f"{path}: not a save file of the original pycog but a zip archive, as our own are; "
            "those need no conversion"
        )
    if not data.startswith(PICKLE):
        raise CheckpointError(f"{path}: not a save file of the original pycog, which is a pickle")
    budget = _Budget(len(data))
    machine = _Machine(budget)
    position: int | None = 0
    try:
        for count, (opcode, argument, start) in enumerate(pickletools.genops(data)):
            position = start or 0
            _expect(count < MAX_INSTRUCTIONS, f"a program of over {MAX_INSTRUCTIONS} instructions")
            machine.run(opcode.name, argument)
        return _plain(machine.result, budget)
    except CheckpointError as error:
        raise CheckpointError(f"{path}, byte {position}: refused: {error}") from error
    except (
        ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError
    ) as error:  # fmt: skip
        raise CheckpointError(
            f"{path}, byte {position}: damaged, or not a pickle of pycog's: "
            f"{shortened(repr(error))}"
        ) from error


def _name(label: str) -> _Name:
    _expect(label in NAMES, f"the name {shortened(label, 80)!r}")
    return NAMES[label]


CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
NUMBERS = frozenset(["BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"])
TEXTS = frozenset(["BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE"])
BYTES = frozenset(["BINBYTES", "SHORT_BINBYTES", "BYTEARRAY8"])
LITERALS = NUMBERS | TEXTS
PROTOCOLS = range(2, 6)


class _Machine:
    """Stack, marks and memo of one pickle."""

    def __init__(self, budget: _Budget) -> None:
        self.budget = budget
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.result: Any = None

    def run(self, name: str, argument: Any) -> None:
        push = self.stack.append
        if name in LITERALS:
            push(argument)
        elif name in BYTES:
            push(bytes(argument))
        elif name in CONSTANTS:
            push(CONSTANTS[name])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            push(self.memo[argument])
        elif name == "GLOBAL":
            push(_name(argument))
        elif name == "PROTO":
            _expect(argument in PROTOCOLS, f"pickle protocol {argument}")
        elif name == "FRAME":
            pass  # how much to read at once
        else:
            method: Any = getattr(self, f"do_{name}", None)
            _expect(method is not None, f"the instruction {name}")
            method()

    def since_mark(self) -> list[Any]:
        """Pop everything above the last mark, and the mark."""
        values = []
        while self.stack[-1] is not MARK:
            values.append(self.stack.pop())
        self.stack.pop()
        return values[::-1]

    def pop(self, count: int) -> list[Any]:
        _expect(len(self.stack) >= count, "an empty stack")
        values = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return values

    def top(self, kind: type) -> Any:
        _expect(bool(self.stack) and type(self.stack[-1]) is kind, "adding to this")
        return self.stack[-1]

    def do_MEMOIZE(self) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def do_STOP(self) -> None:
        self.result = self.stack.pop()

    def do_STACK_GLOBAL(self) -> None:
        module, name = self.pop(2)
        _expect(isinstance(module, str) and isinstance(name, str), "a name")
        self.stack.append(_name(f"{module} {name}"))

    def do_MARK(self) -> None:
        self.stack.append(MARK)

    def do_EMPTY_DICT(self) -> None:
        self.stack.append({})

    def do_EMPTY_LIST(self) -> None:
        self.stack.append([])

    def do_EMPTY_TUPLE(self) -> None:
        self.stack.append(())

    def do_TUPLE(self) -> None:
        self.stack.append(tuple(self.since_mark()))

    def do_TUPLE1(self) -> None:
        self.stack.append(tuple(self.pop(1)))

    def do_TUPLE2(self) -> None:
        self.stack.append(tuple(self.pop(2)))

    def do_TUPLE3(self) -> None:
        self.stack.append(tuple(self.pop(3)))

    def do_APPEND(self) -> None:
        (value,) = self.pop(1)
        self.top(list).append(value)

    def do_APPENDS(self) -> None:
        values = self.since_mark()
        self.top(list).extend(values)

    def do_SETITEM(self) -> None:
        key, value = self.pop(2)
        self.top(dict)[_key(key)] = value

    def do_SETITEMS(self) -> None:
        values = self.since_mark()
        target = self.top(dict)
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[_key(key)] = value

    def do_REDUCE(self) -> None:
        name, arguments = self.pop(2)
        _expect(isinstance(name, _Name) and type(arguments) is tuple, "calling this")
        self.stack.append(name.make(arguments, self.budget))

    def do_NEWOBJ(self) -> None:
        name, arguments = self.pop(2)
        connectivity = NAMES["pycog.connectivity Connectivity"]
        _expect(name is connectivity and type(arguments) is tuple, "making this")
        self.stack.append(name.make(arguments, self.budget))

    def do_BUILD(self) -> None:
        (state,) = self.pop(1)
        self.top(_Pending).build(state)


def _plain(value: Any, budget: _Budget) -> Any:
    """`value` with every completed object in its place."""

    def walk(value: Any, depth: int) -> Any:
        budget.take_items(1)
        _expect(depth <= MAX_DEPTH, f"nesting deeper than {MAX_DEPTH}")
        if isinstance(value, _Pending):
            _expect(value.done, "an object that is never filled in")
            return value.value
        if type(value) in (list, tuple):
            return type(value)([walk(item, depth + 1) for item in value])
        if type(value) is dict:
            return {key: walk(item, depth + 1) for key, item in value.items()}
        _expect(value is not MARK and not isinstance(value, _Name), "a name or mark as a value")
        return value

    return walk(value, 0)
