"""What holds for the whole source: no pickle is loaded, and `import bridge` loads no backend."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for package in ("pycog_dgr", "torch_dgr", "bridge", "examples", "benchmarks")
                 for path in (ROOT / package).rglob("*.py"))
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled_or_evaluated(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not FORBIDDEN_MODULES & {name.name.split(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in FORBIDDEN_MODULES
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            options = {word.arg: ast.unparse(word.value) for word in node.keywords}
            assert called not in ("eval", "torch.load"), f"line {node.lineno}: {called}"
            if called in ("np.load", "numpy.load"):
                assert options.get("allow_pickle") == "False", f"line {node.lineno}"
            assert options.get("allow_pickle", "False") == "False", f"line {node.lineno}"


@pytest.mark.parametrize(("module", "absent"), [
    ("bridge", ("torch", "pytensor", "matplotlib")),
    ("bridge.solvers", ("torch", "pytensor")),
    ("bridge.cli", ("torch", "pytensor")),
    ("pycog_dgr", ("torch", "torch_dgr", "bridge")),
    ("torch_dgr", ("pytensor", "pycog_dgr", "bridge")),
])
def test_importing_one_package_loads_no_other(module, absent):
    code = f"import sys, {module}; print(*[m for m in {absent!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
