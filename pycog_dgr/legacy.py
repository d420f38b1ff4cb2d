"""Original pycog save files (Python 2 pickles, protocol 2), read without unpickling.

A pickle is a program for a stack machine, and Python's own machine runs whatever the program names.
The one below knows only the instructions that occur in pycog's files, and only six names; each
stands for a function of this file that checks its arguments and builds plain data:

    numpy ndarray, numpy.core.multiarray _reconstruct    arrays of numbers or text
    numpy dtype, numpy.core.multiarray scalar            their types, single numbers
    numpy.random __RandomState_ctor                      state of a random stream (MT19937)
    pycog.connectivity Connectivity                      its C and fixed weights
    collections OrderedDict                              a dictionary

Anything else - another name, another instruction, an object array, an array that claims more bytes
than the file holds - is a CheckpointError, and nothing has been executed. No class is instantiated
by name, no attribute is set, no __setstate__ is called.
"""

import logging
import pickletools
from pathlib import Path

import numpy as np

from . import checkpoint
from .checkpoint import Best, Checkpoint
from .config import NetworkConfig, TrainingConfig, names
from .connectivity import Connectivity, Parameters, Weights
from .errors import CheckpointError

logger = logging.getLogger(__name__)

MAX_BYTES = 2**28  # of the file; pycog's largest networks save about 10 MB
MAX_DEPTH = 100  # of containers within containers
MARK = object()


def open_save(path):
    """Read a save file, ours or the original's; told apart by content, not by name."""
    path = Path(path)
    if path.is_file() and _first_bytes(path, 2) == b"\x80\x02":
        return load(path)
    return checkpoint.load(path)


def is_legacy(path):
    """Whether `path` is an existing file that begins like a protocol 2 pickle."""
    return Path(path).is_file() and _first_bytes(path, 2) == b"\x80\x02"


def load(path):
    """The Checkpoint in an original save file. CheckpointError for anything that is not one."""
    save = read(path)
    try:
        return _checkpoint(save)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: a pickle, but not a pycog save file: {error!r}") from error


def _first_bytes(path, count):
    with open(path, "rb") as file:
        return file.read(count)


def _checkpoint(save):
    """pycog's dictionary as a Checkpoint."""
    params = save["params"]
    known = {*names(NetworkConfig), *names(TrainingConfig)}
    dropped = sorted(set(params) - known)
    if dropped:
        logger.info("not taken over from the original file: %s", ", ".join(dropped))
    best = save["best"]
    effective = Weights(*best["params"])
    raw = dict(zip(Parameters._fields, effective, strict=True))
    raw |= dict(zip(save["varlist"], save["current"], strict=True))
    return Checkpoint(
        settings={name: value for name, value in params.items() if name in known},
        trained=tuple(save["varlist"]),
        iteration=int(save["iter"]),
        parameters=Parameters(**raw),
        best=Best(int(best["iter"]), best["cost"], list(best["other_costs"]), effective, None),
        costs_history=[[int(n), list(costs)] for n, costs in save["costs_history"]],
        Omega_history=[[int(n), float(Omega)] for n, Omega in save["Omega_history"]],
        rng_gradient=save["rng_gradient"],
        rng_validation=save["rng_validation"],
    )


# -- what the names in a file stand for -----------------------------------------------------------


class _Pending:
    """Something that a BUILD instruction completes; `value` is what it then is."""

    def __init__(self, finish):
        self.finish = finish
        self.value = None
        self.done = False

    def build(self, state):
        if self.done:
            raise CheckpointError("an object is filled in twice")
        self.value, self.done = self.finish(state), True


class _Name:
    """A name on the list, as a value on the stack; `make(arguments)` is what calling it does."""

    def __init__(self, label, make):
        self.label = label
        self.make = make


def _expect(condition, what):
    if not condition:
        raise CheckpointError(f"{what} is not what pycog writes")


def _is_dimension(n):
    return isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= MAX_BYTES


def _make_dtype(arguments):
    kind = arguments[0] if arguments else None
    _expect(isinstance(kind, str) and kind[:1] in tuple("biufcSU"), f"dtype {kind!r}")
    _expect(kind[1:].isdigit() and int(kind[1:]) <= 2**16, f"dtype {kind!r}")

    def finish(state):
        _expect(isinstance(state, tuple) and len(state) >= 2, "a dtype's state")
        _expect(state[1] in ("<", ">", "|", "=") and state[2:5] == (None,) * 3, "a dtype's state")
        return np.dtype(kind).newbyteorder(state[1])

    return _Pending(finish)


def _numbers(dtype, count, data):
    """`count` numbers from the file's bytes, which must be exactly that many."""
    _expect(isinstance(dtype, _Pending) and isinstance(dtype.value, np.dtype), "an array's dtype")
    _expect(isinstance(data, str), "an array's data")
    data = data.encode("latin-1")
    _expect(len(data) == count * dtype.value.itemsize, f"{len(data)} bytes for {count} numbers")
    numbers = np.frombuffer(data, dtype.value)
    return numbers.astype(dtype.value.newbyteorder("="))


def _make_array(arguments):
    _expect(len(arguments) == 3 and arguments[0] is NAMES["numpy ndarray"], "an array")

    def finish(state):
        _expect(isinstance(state, tuple) and len(state) == 5, "an array's state")
        _, shape, dtype, fortran, data = state
        _expect(isinstance(shape, tuple) and all(map(_is_dimension, shape)), "an array's shape")
        count = 1
        for n in shape:
            count *= n
        return _numbers(dtype, count, data).reshape(shape, order="F" if fortran else "C")

    return _Pending(finish)


def _make_scalar(arguments):
    _expect(len(arguments) == 2, "a number")
    return _numbers(*arguments[:1], 1, arguments[1])[0]


def _make_random_state(arguments):
    _expect(arguments == (), "a random state")

    def finish(state):
        _expect(isinstance(state, tuple) and len(state) == 5, "a random state")
        name, key, position, has_gauss, cached = state
        key = key.value if isinstance(key, _Pending) else None
        _expect(name == "MT19937" and isinstance(key, np.ndarray), "a random state")
        _expect(key.shape == (624,) and key.dtype == np.uint32, "a random state")
        _expect(isinstance(position, int) and 0 <= position <= 624, "a random state")
        _expect(has_gauss in (0, 1) and isinstance(cached, float), "a random state")
        return name, key, int(position), int(has_gauss), cached

    return _Pending(finish)


def _make_connectivity(arguments):
    _expect(arguments == (), "a Connectivity")

    def finish(state):
        _expect(isinstance(state, dict), "a Connectivity")
        parts = [_plain(state.get(name), {}, 0) for name in ("C", "idx_fixed", "fixed")]
        _expect(all(isinstance(part, np.ndarray) for part in parts), "a Connectivity")
        C, where, fixed = parts
        _expect(where.dtype.kind in "iu" and where.shape == fixed.shape, "a Connectivity")
        Cfixed = np.zeros(C.size)
        _expect(((where >= 0) & (where < C.size)).all(), "a Connectivity's index")
        Cfixed[where] = fixed  # before the original scaled mask_fixed to the spectral radius
        return Connectivity(C, Cfixed.reshape(C.shape))

    return _Pending(finish)


def _make_dictionary(arguments):
    pairs = arguments[0] if arguments else []
    _expect(isinstance(pairs, list) and all(len(pair) == 2 for pair in pairs), "a dictionary")
    return {_key(key): value for key, value in pairs}


def _key(key):
    _expect(isinstance(key, (str, int, float, bool)), f"a dictionary's key of {type(key).__name__}")
    return key


def _not_callable(arguments):
    raise CheckpointError("numpy's ndarray is not called in pycog's files")


NAMES = {
    label: _Name(label, make)
    for label, make in {
        "numpy ndarray": _not_callable,
        "numpy dtype": _make_dtype,
        "numpy.core.multiarray _reconstruct": _make_array,
        "numpy.core.multiarray scalar": _make_scalar,
        "numpy.random __RandomState_ctor": _make_random_state,
        "pycog.connectivity Connectivity": _make_connectivity,
        "collections OrderedDict": _make_dictionary,
    }.items()
}


# -- the machine ----------------------------------------------------------------------------------


def read(path):
    """The plain data in a pickle: dictionaries, lists, tuples, text, numbers and arrays.

    CheckpointError names the instruction at fault and its position in the file.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such save file")
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{path}: larger than {MAX_BYTES} bytes, too large for a pycog file")
    machine = _Machine()
    position = 0
    try:
        for opcode, argument, position in pickletools.genops(path.read_bytes()):
            machine.run(opcode.name, argument)
        return _plain(machine.result, {}, 0)
    except CheckpointError as error:
        raise CheckpointError(f"{path}, byte {position}: refused: {error}") from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise CheckpointError(
            f"{path}, byte {position}: damaged, or not a pickle of pycog's: {error!r}"
        ) from error


class _Machine:
    """Stack, marks and memo of one pickle."""

    CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}  # noqa: RUF012
    LITERALS = frozenset(
        "BININT BININT1 BININT2 LONG1 BINFLOAT BINSTRING SHORT_BINSTRING BINUNICODE".split()
    )

    def __init__(self):
        self.stack = []
        self.memo = {}
        self.result = None

    def run(self, name, argument):
        push = self.stack.append
        if name in self.LITERALS:
            push(argument)
        elif name in self.CONSTANTS:
            push(self.CONSTANTS[name])
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            push(self.memo[argument])
        elif name == "GLOBAL":
            _expect(argument in NAMES, f"the name {argument!r}")
            push(NAMES[argument])
        elif name == "PROTO":
            _expect(argument == 2, f"pickle protocol {argument}")
        elif name == "STOP":
            self.result = self.stack.pop()
        else:
            method = getattr(self, f"do_{name}", None)
            _expect(method is not None, f"the instruction {name}")
            method()

    def since_mark(self):
        """Pop everything above the last mark, and the mark."""
        values = []
        while self.stack[-1] is not MARK:
            values.append(self.stack.pop())
        self.stack.pop()
        return values[::-1]

    def pop(self, count):
        _expect(len(self.stack) >= count, "an empty stack")
        values = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return values

    def top(self, kind):
        _expect(bool(self.stack) and type(self.stack[-1]) is kind, "adding to this")
        return self.stack[-1]

    def do_MARK(self):
        self.stack.append(MARK)

    def do_EMPTY_DICT(self):
        self.stack.append({})

    def do_EMPTY_LIST(self):
        self.stack.append([])

    def do_EMPTY_TUPLE(self):
        self.stack.append(())

    def do_TUPLE(self):
        self.stack.append(tuple(self.since_mark()))

    def do_TUPLE1(self):
        self.stack.append(tuple(self.pop(1)))

    def do_TUPLE2(self):
        self.stack.append(tuple(self.pop(2)))

    def do_TUPLE3(self):
        self.stack.append(tuple(self.pop(3)))

    def do_APPEND(self):
        (value,) = self.pop(1)
        self.top(list).append(value)

    def do_APPENDS(self):
        values = self.since_mark()
        self.top(list).extend(values)

    def do_SETITEM(self):
        key, value = self.pop(2)
        self.top(dict)[_key(key)] = value

    def do_SETITEMS(self):
        values = self.since_mark()
        target = self.top(dict)
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[_key(key)] = value

    def do_REDUCE(self):
        name, arguments = self.pop(2)
        _expect(isinstance(name, _Name) and type(arguments) is tuple, "calling this")
        self.stack.append(name.make(arguments))

    def do_NEWOBJ(self):
        name, arguments = self.pop(2)
        connectivity = NAMES["pycog.connectivity Connectivity"]
        _expect(name is connectivity and type(arguments) is tuple, "making this")
        self.stack.append(name.make(arguments))

    def do_BUILD(self):
        (state,) = self.pop(1)
        self.top(_Pending).build(state)


def _plain(value, seen, depth):
    """`value` with every completed object in its place; shared lists stay shared."""
    if depth > MAX_DEPTH:
        raise CheckpointError(f"containers nested deeper than {MAX_DEPTH}, which")
    if id(value) in seen:
        return seen[id(value)]
    if isinstance(value, _Pending):
        _expect(value.done, "an object that is never filled in")
        return value.value
    if isinstance(value, _Name) or value is MARK:
        raise CheckpointError(f"{getattr(value, 'label', 'a mark')} as a value")
    if isinstance(value, list):
        seen[id(value)] = plain = []
        plain.extend(_plain(item, seen, depth + 1) for item in value)
        return plain
    if isinstance(value, dict):
        seen[id(value)] = plain = {}
        plain.update((key, _plain(item, seen, depth + 1)) for key, item in value.items())
        return plain
    if isinstance(value, tuple):
        seen[id(value)] = tuple(_plain(item, seen, depth + 1) for item in value)
        return seen[id(value)]
    return value
