"""Mutate every kind of file; does each end in one documented error, quickly and in little memory?

    python tests/fuzz.py [--times 2000] [--seed 1] [--kinds "save file" trials ...]

Every kind of tests/hostile/valid.py is changed in two ways, `times` each:

    bytes     a bit, a byte, a piece of the file, anywhere
    content   what the file says, so changed that the change passes for the writer's own: entries of
              headers, arrays, cells and instructions, under a good digest where there is one

A reader may read the file or refuse it with a documented error of less than 500 letters; anything
else is a fault, as is a read of more than 5 s of the processor or 500 MB, and the file CANARY,
which nothing may make. Each batch is read in a fork of this process. A table is printed; the exit
status is 1 where there is a fault.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: a thread pool does not survive a fork

import argparse
import contextlib
import copy
import io
import itertools
import json
import logging
import pickletools
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from pycog_dgr import RNN
from tests.hostile import case
from tests.hostile.valid import KINDS, Kind
from tests.sealed import sealed

BATCH = 100  # reads in one fork
MOST_SECONDS, MOST_BYTES = 5.0, 500e6
MOST_LETTERS = 500  # of a message, the folder's name aside
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 3, 2**31, 2**63, 10**400, 0.5, -0.0, 1e308, float("nan"),
    float("inf"), "", "x", "../x", "header", "\x00", "é", "a" * 5000, [], {}, [1], [[]], {"a": 1},
    [1, [2, [3]]], {"__array__": "x"}, {"__array__": 3}, {"__connectivity__": {}},
]  # fmt: skip
SHAPES = ("()", "(0,)", "(1,)", "(2, 3)", "(10**9,)", "(-1,)", "(0, 10**30)", "(1000000000000,)")
DTYPES = ("'<f8'", "'<f4'", "'|u1'", "'<i8'", "'|b1'", "'<U3'", "'|S3'", "'>f8'", "'|O'", "'<c16'")
DAMAGES = (
    case.truncated, case.one_bit_flipped, case.one_byte_replaced, case.a_piece_lost,
    case.a_piece_zeroed,
)  # fmt: skip
Chance = np.random.Generator


# -- changes of bytes -----------------------------------------------------------------------------


def changed_bytes(data: bytes, chance: Chance) -> bytes:
    """One damage, or several."""
    for _ in range(1 + int(chance.geometric(0.5) > 1)):
        if data:
            data = DAMAGES[chance.integers(len(DAMAGES))](data, chance)
    return data


# -- changes of content ---------------------------------------------------------------------------


def changed_tree(tree: Any, chance: Chance) -> Any:
    """A JSON value with one to three entries replaced, removed, copied or renamed."""
    tree = copy.deepcopy(tree)
    for _ in range(1 + chance.integers(3)):
        places = list(containers(tree))
        if not places:
            return VALUES[chance.integers(len(VALUES))]
        place = places[chance.integers(len(places))]
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key, what = keys[chance.integers(len(keys))], chance.integers(6)
        if what == 0:
            del place[key]
        elif what == 1:
            other = places[chance.integers(len(places))]
            place[key] = copy.deepcopy(other)
        elif what == 2 and isinstance(place, dict):
            place[str(VALUES[chance.integers(len(VALUES))])[:40]] = place.pop(key)
        else:
            place[key] = copy.deepcopy(VALUES[chance.integers(len(VALUES))])
    return tree


def containers(tree: Any) -> Any:
    """All lists and dictionaries in a JSON value that hold something."""
    if isinstance(tree, (dict, list)) and tree:
        yield tree
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from containers(item)


def changed_npz(data: bytes, chance: Chance) -> bytes:
    """An npz with its header or an array changed, and its digest made anew."""
    members = case.members_of(data)
    names = [name for name in members if name != "header.npy"]
    what = chance.integers(10)
    if what < 6 or not names:
        header = json.loads(np.load(io.BytesIO(members["header.npy"])).tobytes())
        whole = chance.random() < 0.3
        for key in ("metadata", "tree"):
            if not whole and key in header:
                header[key] = changed_tree(header[key], chance)
        header = changed_tree(header, chance) if whole else header
        members["header.npy"] = case.text_member(json.dumps(header))
    else:
        name = names[chance.integers(len(names))]
        body = members[name][-chance.integers(1, 40) :] if chance.random() < 0.5 else bytes(24)
        shape, dtype = SHAPES[chance.integers(len(SHAPES))], DTYPES[chance.integers(len(DTYPES))]
        if what == 6:
            del members[name]
        elif what == 7:
            members[f"{name[:-4]}x.npy"] = members.pop(name)
        elif what == 8:
            members[name] = case.npy(shape.replace("10**9", "1000000000"), dtype, body)
        else:
            members[name] = other_array(members[name], chance)
    method = zipfile.ZIP_DEFLATED if chance.random() < 0.5 else zipfile.ZIP_STORED
    return sealed(case.zipped(members, method))


def other_array(member: bytes, chance: Chance) -> bytes:
    """A sound array in the place of one: of another dtype, shape or with other numbers."""
    array = np.load(io.BytesIO(member))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        changes: list[Callable[[], np.ndarray]] = [
            lambda: array[:-1] if array.ndim else array.reshape(1),
            lambda: array[np.newaxis],
            lambda: array.astype("<i8"),
            lambda: array.astype("<f4"),
            lambda: array.astype("<U3"),
            lambda: array * 0 + np.nan,
            lambda: array * 0 - 1,
            lambda: np.zeros((0, *array.shape[1:]), array.dtype),
            lambda: np.full(array.shape, 1e300),
        ]
        with contextlib.suppress(TypeError, ValueError):
            array = changes[chance.integers(len(changes))]()
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def changed_json(data: bytes, chance: Chance) -> bytes:
    return json.dumps(changed_tree(json.loads(data), chance)).encode()


def changed_toml(data: bytes, chance: Chance) -> bytes:
    tree = changed_tree(tomllib.loads(data.decode()), chance)
    lines = tree.items() if isinstance(tree, dict) else [("x", tree)]
    return "".join(f"{json.dumps(key)} = {as_toml(value)}\n" for key, value in lines).encode()


def as_toml(value: Any) -> str:
    """A value on one line of TOML, which has no null."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {as_toml(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, float):
        return str(value)
    return "2020-01-01" if value is None else json.dumps(value)


def changed_csv(data: bytes, chance: Chance) -> bytes:
    """A table with a cell, a row or a column replaced, removed or doubled."""
    rows = [line.split(",") for line in data.decode().splitlines()]
    i = int(chance.integers(len(rows)))
    j, what = int(chance.integers(len(rows[i]))), chance.integers(7)
    if what == 0:
        del rows[i]
    elif what == 1:
        del rows[i][j]
    elif what == 2:
        rows.insert(i, rows[i] * 2)
    elif what == 3:
        rows = [row[:j] + row[j + 1 :] for row in rows]
    elif what == 4:
        rows = rows[:i]
    else:
        rows[i][j] = str(VALUES[chance.integers(len(VALUES))])
    return "\n".join(",".join(row) for row in rows).encode()


def changed_safetensors(data: bytes, chance: Chance) -> bytes:
    """Another JSON header, of the length that the file says."""
    (length,) = struct.unpack("<Q", data[:8])
    text = json.dumps(changed_tree(json.loads(data[8 : 8 + length]), chance)).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def changed_pickle(data: bytes, chance: Chance) -> bytes:
    """Instructions left out, doubled, exchanged, or with another one in front."""
    starts = [start for _, _, start in pickletools.genops(data)] + [len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(starts)]
    i, j = sorted(chance.integers(1, len(pieces), size=2).tolist())
    what = chance.integers(5)
    if what == 0:
        del pieces[i]
    elif what == 1:
        pieces[i:i] = pieces[i : min(j, i + 50)]
    elif what == 2:
        pieces[i], pieces[j] = pieces[j], pieces[i]
    elif what == 3:
        pieces[i:i] = [bytes([chance.choice(list(b"()]}Nt\x85\x86\x87RbsuaehqK0.1"))])]
    else:
        pieces[i:j] = []
    return b"".join(pieces)


def changed_text(data: bytes, chance: Chance) -> bytes:
    """Lines left out, doubled or exchanged, or a word in the place of another."""
    lines = data.splitlines(keepends=True)
    i, j = (int(k) for k in chance.integers(len(lines), size=2))
    lines[i] = [b"", lines[i] * 2, lines[j], lines[i].replace(b"1", b"-1e9")][chance.integers(4)]
    return b"".join(lines)


def changer(kind: Kind) -> Callable[[bytes, Chance], bytes]:
    """What changes the content of a kind of file."""
    suffix = Path(kind.place).suffix
    return {
        ".npz": changed_npz, ".json": changed_json, ".csv": changed_csv, ".pkl": changed_pickle,
        ".safetensors": changed_safetensors, ".py": changed_text, ".toml": changed_toml,
    }.get(suffix, changed_bytes)  # fmt: skip


# -- reading --------------------------------------------------------------------------------------


def outcome(kind: Kind, folder: Path) -> tuple[str, str]:
    """('read', ''), ('refused', message) or (a fault, what it is)."""
    try:
        kind.read(folder)
        return "read", ""
    except case.DOCUMENTED as error:
        said = str(error).replace(str(folder), "")
        return ("refused", said) if len(said) < MOST_LETTERS else ("too long", said)
    except MemoryError:
        return "no memory", ""
    except BaseException:
        return "traceback", traceback.format_exc()


def read_batch(kind: Kind, files: list[bytes], heard: int) -> None:
    """Read files one by one, in a fork; a line of JSON for each goes to the descriptor `heard`."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    kind.beside(folder)
    with os.fdopen(heard, "w") as pipe:
        for data in files:
            path = folder / kind.place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            started = time.process_time()
            what, why = outcome(kind, folder)
            seconds = time.process_time() - started
            grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
            if case.canary_of(folder).exists():
                what = "executed"
            elif seconds > MOST_SECONDS:
                what = "too slow"
            elif grown > MOST_BYTES:
                what = "too much memory"
            print(json.dumps([what, why, seconds, grown]), file=pipe, flush=True)
    shutil.rmtree(folder)


def in_a_fork(kind: Kind, files: list[bytes]) -> list[list[Any]]:
    """What `read_batch` says of the files; the one at which the fork died is a fault."""
    heard, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        with contextlib.suppress(BaseException):
            signal.alarm(int(60 + MOST_SECONDS * 4))
            read_batch(kind, files, told)
        os._exit(0)
    os.close(told)
    with os.fdopen(heard) as pipe:
        found = [json.loads(line) for line in pipe]
    os.waitpid(pid, 0)
    if len(found) < len(files):
        found.append(["died", "", 0.0, 0])
        found += in_a_fork(kind, files[len(found) :]) if len(found) < len(files) else []
    return found


def warm_up(kind: Kind, whole: bytes) -> None:
    """Load and compile, once and not in every fork, what a reader needs."""
    RNN(verbose=False).run(T=10)  # in float32; the networks of the files are in float64
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kind.beside(folder)
        (folder / kind.place).parent.mkdir(parents=True, exist_ok=True)
        (folder / kind.place).write_bytes(whole)
        kind.read(folder)


def fuzz(name: str, times: int, seed: int, keep: Path) -> Counter:
    """One kind of file: how often what happened; faults are kept as files in `keep`."""
    kind, count = KINDS[name], Counter()
    whole, chance = kind.data(), np.random.default_rng([seed, sum(name.encode())])
    warm_up(kind, whole)
    for way, change in (("bytes", changed_bytes), ("content", changer(kind))):
        for first in range(0, times, BATCH):
            files = [change(whole, chance) for _ in range(min(BATCH, times - first))]
            for i, (what, why, seconds, grown) in enumerate(in_a_fork(kind, files)):
                count[way] += 1
                count[what] += 1
                count["slowest"] = max(count["slowest"], seconds)
                count["most"] = max(count["most"], grown)
                if what not in ("read", "refused"):
                    count["faults"] += 1
                    path = keep / f"{name}-{way}-{first + i}-{what}".replace(" ", "_")
                    path.write_bytes(files[i])
                    path.with_suffix(".txt").write_text(why)
    return count


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="mutate every kind of file and read it")
    parser.add_argument("--times", type=int, default=2000, help="of each of the two ways")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    options = parser.parse_args(arguments)
    keep = Path(tempfile.mkdtemp(prefix="fuzz-faults-"))
    print(f"{'':20}{'bytes':>7}{'content':>9}{'read':>7}{'refused':>9}{'faults':>8}"
          f"{'slowest s':>11}{'most MB':>9}", flush=True)  # fmt: skip
    faults = 0
    for name in options.kinds:
        count = fuzz(name, options.times, options.seed, keep)
        faults += count["faults"]
        print(f"{name:20}{count['bytes']:7}{count['content']:9}{count['read']:7}"
              f"{count['refused']:9}{count['faults']:8}{count['slowest']:11.2f}"
              f"{count['most'] / 1e6:9.0f}", flush=True)  # fmt: skip
    if faults:
        print(f"{faults} faults; the files and what happened are in {keep}")
        return 1
    shutil.rmtree(keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
