"""Old source is read as Python reads it, and Python 2 as Python 3; the file is never touched."""

import codecs
import textwrap

import pytest

from pycog_dgr import Model, TaskError
from pycog_dgr.compat import translated
from pycog_dgr.tasks.model import load_model_file
from pycog_dgr.tasks.python2 import Change, translate
from pycog_dgr.tasks.source import parse

TRIAL = "\ndef generate_trial(rng, dt, params):\n    pass\n"


def written(tmp_path, text, encoding="utf-8", mark=b""):
    path = tmp_path / "old.py"
    path.write_bytes(mark + textwrap.dedent(text).encode(encoding))
    return path


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("range(2) + range(1)", [0, 1, 0]),
        ("zip([1, 2], 'ab')[1]", (2, "b")),
        ("map(None, [1, 2])", [1, 2]),
        ("map(str, xrange(2))[0]", "0"),
        ("filter(None, [0, 3])[0]", 3),
        ("reduce(lambda a, b: a + b, range(4))", 6),
        ("{1: 2}.keys()[0] + {1: 2}.values()[0]", 3),
        ("[k for k, v in {1: 2}.iteritems()]", [1]),
        ("{1: 2}.iterkeys().next()", 1),
        ("{1: 2}.has_key(1)", True),
        ("unicode(3) + unichr(97) + ur'x'", "3ax"),
        ("isinstance('a', basestring)", True),
        ("long(3) + 010 + 4L", 15),
        ("cmp(1, 2)", -1),
        ("`3`", "3"),
        ("1 <> 2", True),
        ("sorted([3, 1], key=lambda (a): -a)", [3, 1]),
    ],
)
def test_an_expression_of_python_2_has_the_value_it_had(tmp_path, line, value):
    path = written(tmp_path, f"from pycog import tasktools\nx = {line}\n")
    assert load_model_file(path).x == value


@pytest.mark.parametrize(
    "text",
    [
        "print 'a', 3",
        "import sys\nprint >>sys.stderr, 'a'",
        "try:\n    1 % 0\nexcept ZeroDivisionError, error:\n    x = error",
        "import cPickle as pickle\npickle.HIGHEST_PROTOCOL",
        "from StringIO import StringIO",
        "import ConfigParser, Queue",
        "from itertools import izip\nlist(izip([1], [2]))",
        "exec 'y = 1'",
        "def f((a, b), c):\n    return a\nf((1, 2), 3)",
        "try:\n    raise ValueError, 'x'\nexcept ValueError:\n    pass",
        "if 1:\n        x = 1\n\ty = 2",  # a tab beside eight spaces
        "import sys\nsys.maxint",
    ],
)
def test_a_statement_of_python_2_runs(tmp_path, text):
    load_model_file(written(tmp_path, text))


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # Python 2's habit
def test_a_pickle_of_python_2_is_read_also_from_a_file_opened_as_text(tmp_path):
    """Protocol 0, as cPickle.dump wrote it: a dictionary with a string and a numpy array."""
    (tmp_path / "old.pkl").write_bytes(
        b"(dp1\nS'name'\np2\nS'\\xe4'\np3\nsS'r'\np4\n"
        b"cnumpy.core.multiarray\n_reconstruct\np5\n(cnumpy\nndarray\np6\n(I0\ntS'b'\ntR"
        b"(I1\n(I2\ntcnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
        b"S'\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?\\x00\\x00\\x00\\x00\\x00\\x00\\xf0\\xbf'\ntbs."
    )
    path = written(
        tmp_path,
        f"""
        import cPickle as pickle
        with open({str(tmp_path / "old.pkl")!r}) as f:
            x = pickle.load(f)
        y = pickle.load(open({str(tmp_path / "old.pkl")!r}, 'rb'))
        with open({str(tmp_path / "new.pkl")!r}, 'w') as f:
            pickle.dump([x, y], f, pickle.HIGHEST_PROTOCOL)
        pickle.dump(x, file({str(tmp_path / "other.pkl")!r}, 'w'))
        z, w = pickle.load(file({str(tmp_path / "new.pkl")!r}))
        """,
    )
    module = load_model_file(path)
    for read in (module.x, module.y, module.z, module.w):
        assert read["name"] == "ä" and read["r"].tolist() == [1, -1]
    assert (tmp_path / "other.pkl").stat().st_size


def test_every_change_is_told_by_line_and_the_file_stays(tmp_path, caplog):
    text = "N = 5\nfor i in xrange(3):\n    pass\nprint N\n" + TRIAL
    path = written(tmp_path, text)
    before = path.read_bytes()
    source = parse(path)
    assert source.changes == [
        Change(2, "for i in xrange(3):", "for i in range(3):"),
        Change(4, "print N", "print(N)"),
    ]
    assert "read as Python 3 with changes in line 2, 4" in caplog.text
    assert path.read_bytes() == before
    assert translated(path) == text.replace("xrange", "range").replace("print N", "print(N)")


def test_lines_keep_their_numbers(tmp_path):
    path = written(tmp_path, "x = reduce(max, range(3))\nprint x\n\nx.nowhere\n")
    with pytest.raises(TaskError, match=r"line 4: the model file fails: AttributeError"):
        load_model_file(path)


def test_a_translation_that_is_kept_needs_nothing_of_ours(tmp_path):
    namespace = {}
    text = translated(written(tmp_path, "x = reduce(max, zip([1], [2])[0])\n"))
    exec(text, namespace)
    assert namespace["x"] == 2


def test_python_3_is_left_alone(tmp_path, caplog):
    text = "a = zip([1], [2])\nlong = 3\nb = long\nfor k in {}.keys():\n    print(k, 1)\n"
    path = written(tmp_path, text)
    assert translated(path) == text and not parse(path).changes
    assert not isinstance(load_model_file(path).a, list) and not caplog.text


def test_a_port_to_python_3_prints_as_before(tmp_path, capsys):
    load_model_file(written(tmp_path, "import pycog\nprint('a', 1, sep='-')\nprint()\n"))
    assert capsys.readouterr().out == "a-1\n\n"


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, b""])
def test_a_byte_order_mark_is_read(tmp_path, mark):
    path = written(tmp_path, "N = 7  # µ" + TRIAL, mark=mark)
    assert Model(path).network.N == 7


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
def test_an_encoding_in_the_first_lines_is_read(tmp_path, encoding):
    text = f"#!/usr/bin/env python\n# -*- coding: {encoding} -*-\nname = 'Ärger'\n"
    assert load_model_file(written(tmp_path, text, encoding)).name == "Ärger"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("x = 'Ä'".encode("latin-1"), "name its encoding in the first line"),
        (b"# coding: klingon\nx = 1", "unknown encoding"),
        (b"x = 1\ny = = 2\nprint 3", "line 2: not Python 3"),
        (b"x = 1\nprint 'a\n", "line 2: not Python 3"),
        (b"x = \0", "not Python 3"),
    ],
)
def test_what_no_python_can_read_names_file_and_remedy(tmp_path, data, message):
    path = tmp_path / "bad.py"
    path.write_bytes(data)
    with pytest.raises(TaskError, match=message) as raised:
        parse(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("x = 1/2", r"/ is true division here, it was not in Python 2 \(line 2\)"),
        ("x = round(2.5)", r"round takes halves to the even number here"),
        ("from __future__ import division; x = 1/2", None),
    ],
)
def test_what_gave_other_numbers_is_warned_of(tmp_path, caplog, line, warning):
    text = f"from pycog import tasktools\n{line}\n"
    if "__future__" in line:
        text = f"{line}\nfrom pycog import tasktools\n"
    load_model_file(written(tmp_path, text))
    assert warning is None or caplog.text.count("Python 2") == 1
    assert (warning or "") in caplog.text.replace("(line 2)", r"\(line 2\)")
    assert bool(caplog.text) == (warning is not None)


def test_translating_twice_changes_nothing_more():
    text = "from pycog import tasktools\nx = zip(range(3), {}.keys())\nprint x\n"
    text += "pickle.dump(pickle.load(f), open('a'))\n"
    once = translate(text, "x").text
    assert translate(once, "x").text == once
