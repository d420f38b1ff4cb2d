"""What holds for the whole source: nothing is unpickled or evaluated; `import bridge` is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for package in ("pycog_dgr", "torch_dgr", "bridge", "examples", "benchmarks")
    for path in (ROOT / package).rglob("*.py")
)
MODULES = {  # none of their loaders is safe
    "pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal",
    "jsonpickle", "hickle", "yaml", "runpy", "tarfile",
}  # fmt: skip
CALLS = {  # by their full names, whatever they are called where they are used
    "eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec", "builtins.compile",
    "builtins.__import__", "os.system", "os.popen", "tempfile.mktemp", "shutil.unpack_archive",
    "torch.load", "torch.jit.load", "torch.export.load", "torch.serialization.load",
    "torch.hub.load", "pandas.read_pickle",
    "numpy.load", "numpy.lib.format.read_array", "numpy.lib.npyio.NpzFile", "numpy.genfromtxt",
}  # fmt: skip
SAFE_WITH = {  # calls that one keyword makes safe
    "numpy.load": ("allow_pickle", "False"),
    "numpy.lib.format.read_array": ("allow_pickle", "False"),
    "torch.load": ("weights_only", "True"),
}
METHODS = {"extractall", "load_module", "exec_module", "__setstate__", "__reduce__"}
# Model and figure files are programs of the user's own, which are run because they were named.
ALLOWED = {
    "pycog_dgr/compat/scripts.py": {"exec", "compile", "exec_module"},
    "pycog_dgr/tasks/model.py": {"exec", "compile", "builtins.__import__"},
    # to know the calls of old files by
    "pycog_dgr/tasks/python2.py": {"the module's name as text: cPickle"},
    "pycog_dgr/tasks/fix_pickle.py": {
        "the module's name as text: pickle",
        "the module's name as text: cPickle",
    },
    "pycog_dgr/commands/taskrun.py": {"exec_module"},
}


def full_name(function: ast.expr, imported: dict[str, str]) -> str:
    """The dotted name of what is called, the aliases of the file's imports resolved."""
    first, dot, rest = ast.unparse(function).partition(".")
    return imported.get(first, first) + dot + rest


def imports(tree: ast.AST) -> dict[str, str]:
    """Every name that a file's imports bind, and what it stands for."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {
                one.asname or one.name.split(".")[0]: one.name
                if one.asname
                else one.name.split(".")[0]
                for one in node.names
            }
        if isinstance(node, ast.ImportFrom) and not node.level:
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return found


def offences(source: str) -> set[str]:
    """What in a file could load or run what it should not, by full names."""
    tree = ast.parse(source)
    imported = imports(tree)
    found = {name for name in imported.values() if name.split(".")[0] in MODULES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            found.add(node.attr)
        if isinstance(node, ast.Constant) and node.value in MODULES:
            found.add(f"the module's name as text: {node.value}")  # for import_module
        if not isinstance(node, ast.Call):
            continue
        called = full_name(node.func, imported)
        options = {word.arg: ast.unparse(word.value) for word in node.keywords}
        word, value = SAFE_WITH.get(called, ("", None))
        if called in CALLS and (value is None or options.get(word) != value):
            found.add(called)
        if options.get("allow_pickle", "False") != "False" or options.get("shell") == "True":
            found.add(f"{called} with allow_pickle or shell")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled_or_evaluated(path):
    allowed = ALLOWED.get(str(path.relative_to(ROOT)), set())
    assert offences(path.read_text(encoding="utf-8")) == allowed


@pytest.mark.parametrize("source", [
    "import pickle", "import pickle as p", "from pickle import loads", "import joblib",
    "import dill\ndill.loads(x)", "from shelve import open", "import marshal", "import yaml",
    "from yaml import safe_load", "import cloudpickle.cloudpickle", "import runpy",
    "import torch\ntorch.load(x)", "import torch as t\nt.load(x)",
    "from torch import load\nload(x)", "import torch\ntorch.jit.load(x)",
    "from torch import load as read\nread(x, weights_only=False)",
    "import numpy as np\nnp.load(x)", "import numpy\nnumpy.load(x, allow_pickle=True)",
    "from numpy import load\nload(x)", "import numpy as np\nnp.load(x, allow_pickle=y)",
    "from numpy.lib import format\nformat.read_array(x)",
    "import numpy as np\nnp.lib.format.read_array(x, allow_pickle=True)",
    "import numpy as np\nnp.savez(x, allow_pickle=True)", "import pandas as pd\npd.read_pickle(x)",
    "eval(x)", "exec(x)", "__import__(x)", "compile(x, y, z)", "import builtins\nbuiltins.eval(x)",
    "from os import system\nsystem(x)", "import subprocess\nsubprocess.run(x, shell=True)",
    "import importlib\nimportlib.import_module('pickle').loads(x)",
    "import zipfile\nzipfile.ZipFile(x).extractall()", "import shutil\nshutil.unpack_archive(x)",
    "x.__setstate__(y)", "import tarfile",
])  # fmt: skip
def test_the_search_finds_every_way_that_is_known(source):
    assert offences(source)


@pytest.mark.parametrize("source", [
    "import numpy as np\nnp.load(x, allow_pickle=False)",
    "import pickletools\npickletools.genops(x)", "from bridge.files.archive import load\nload(x)",
    "import json\njson.load(x)", "import re\nre.compile(x)",
    "import tomllib\ntomllib.load(x)", "self._compile(x)", "model.eval()",
])  # fmt: skip
def test_the_search_leaves_the_harmless_alone(source):
    assert offences(source) == set()


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("bridge", ("torch", "pytensor", "matplotlib")),
        ("bridge.networks", ("torch", "pytensor")),
        ("bridge.cli", ("torch", "pytensor", "matplotlib", "numpy")),
        ("bridge.runs", ("torch", "pytensor", "matplotlib")),
        ("pycog_dgr", ("torch", "torch_dgr", "bridge")),
        ("torch_dgr", ("pytensor", "pycog_dgr", "bridge")),
    ],
)
def test_importing_one_package_loads_no_other(module, absent):
    code = f"import sys, {module}; print(*[m for m in {absent!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
