"""Model files: a Python file that declares a network and a task, as for the original pycog.

    Model('rdm_fixed.py').train('rdm_fixed.npz', seed=1)
    Model(N=50, Nin=2, Nout=2, generate_trial=generate_trial).train('mine.npz')

Every module-level name of the file that is a setting (config.py) is one; `generate_trial`, or a
`task` object that has it, is the task. Files written for the original run unmodified: inside a
model file `pycog` means pycog_dgr, whenever it is imported, and `range`, `keys`, `values` and
`items` return lists where the file imports pycog, because Python 2's did. Nothing outside the file
notices: sys.modules stays as it is.
"""

import ast
import builtins
import dataclasses
import difflib
import logging
import traceback
import types
from pathlib import Path

from pycog_dgr.config import UNUSED_IN_PYCOG, setting_names, settings
from pycog_dgr.data import task_name
from pycog_dgr.errors import PycogDgrError, SettingError, TaskError

logger = logging.getLogger(__name__)

PACKAGE = __name__.partition(".")[0]
LISTS_IN_PYTHON_2 = ("keys", "values", "items")
MAX_BYTES = 2**20  # of a model file
TOO_ALIKE = 0.9  # a name this similar to a setting's is taken for a misspelling of it


class Model:
    """A task and checked settings.

    modelfile   path of a model file; or
    kwargs      settings, and `generate_trial` or `task`

    Attributes: m (what was given, as a namespace), task, network, training. SettingError names an
    unknown or wrong setting and its near miss, TaskError a missing task or unreadable file.
    """

    def __init__(self, modelfile=None, **kwargs):
        if modelfile is None:
            self.m = types.SimpleNamespace(**kwargs)
            given = {k: v for k, v in kwargs.items() if k not in ("generate_trial", "task")}
            where = "Model"
        else:
            if kwargs:
                raise SettingError(
                    f"Model: give a model file or settings, not both; put {sorted(kwargs)} into "
                    f"{modelfile}"
                )
            self.m = load_model_file(modelfile)
            given = _settings_in(vars(self.m), modelfile)
            where = str(modelfile)
        self.task = _task(self.m, where)
        self.has_own_seed = "seed" in given
        try:
            self.network, self.training = settings(**given)
        except SettingError as error:
            raise SettingError(f"{where}: {error}") from error

    def train(self, savefile, seed=None, recover=True, **options):
        """Train, saving to `savefile`; see training.train for recover, the options and the result.

        seed   of the initial weights; a model file's own `seed` goes first, as in the original
        """
        from pycog_dgr.training.loop import train

        training = self.training
        if seed is not None and self.has_own_seed:
            logger.warning("seed %s is not used: the model sets seed = %s", seed, training.seed)
        elif seed is not None:
            training = dataclasses.replace(training, seed=seed)
        return train(self.task, self.network, training, savefile, recover=recover, **options)


def _task(m, where):
    """The object with generate_trial; a function is given a name for messages."""
    if hasattr(m, "task"):
        task = m.task
    elif hasattr(m, "generate_trial"):
        task = types.SimpleNamespace(generate_trial=m.generate_trial, __name__=Path(where).stem)
    else:
        raise TaskError(
            f"{where}: no task; define generate_trial(rng, dt, params) or an object `task` with it"
        )
    if not callable(getattr(task, "generate_trial", None)):
        raise TaskError(f"{where}: task {task_name(task)!r} has no function generate_trial")
    return task


def _settings_in(values, modelfile):
    """The settings among a file's names; SettingError for a name that looks like a misspelt one."""
    known = [*setting_names(), *UNUSED_IN_PYCOG]
    for name, value in values.items():
        if name in known or name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=TOO_ALIKE)
        if near and near[0] not in values:
            raise SettingError(
                f"{modelfile}: {name!r} is not a setting; did you mean {near[0]!r}? If it is "
                "something else, give it a less similar name"
            )
    return {name: value for name, value in values.items() if name in known}


# -- loading a file -------------------------------------------------------------------------------


def load_model_file(path):
    """Run a model file and return it as a module, which is not put into sys.modules.

    TaskError names the file and line where it cannot be read, is not Python 3, or fails.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TaskError(f"{path}: larger than {MAX_BYTES} bytes, too large for a model file")
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path}: cannot read the model file: {error}") from error
    except TaskError:
        raise
    except ValueError as error:  # a null byte, before Python 3.12
        raise TaskError(f"{path}: not Python 3 ({error})") from error
    except (RecursionError, MemoryError) as error:  # the parser's, of brackets in brackets
        raise TaskError(f"{path}: nested too deeply for Python's parser") from error
    except SyntaxError as error:
        raise TaskError(
            f"{path}, line {error.lineno}: not Python 3 ({error.msg}); print is a function there"
        ) from error
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    own_builtins = {**vars(builtins), "__import__": _import_pycog}
    if _imports_pycog(tree):
        own_builtins |= {"range": _list_range, "xrange": range}
        tree = ast.fix_missing_locations(_ListViews().visit(tree))
        if not _true_division(tree):
            logger.warning("%s: / is true division here, it was not in Python 2", path)
    module.__builtins__ = own_builtins
    try:
        exec(compile(tree, str(path), "exec", dont_inherit=True), vars(module))
    except PycogDgrError:
        raise
    except Exception as error:
        raise TaskError(
            f"{path}, line {_line_in(path, error)}: the model file fails: {error!r}"
        ) from error
    return module


def _line_in(path, error):
    """The last line of the file `path` that an error came through; '?' where it did not."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), "?")


def _import_pycog(name, *context):
    """`import` inside a model file: pycog is pycog_dgr."""
    package, dot, rest = name.partition(".")
    return builtins.__import__(PACKAGE + dot + rest if package == "pycog" else name, *context)


def _list_range(*limits):
    return list(range(*limits))


def _imports_pycog(tree):
    """Whether the file was written for the original."""
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.extend(alias.name for alias in node.names)
    return any(name is not None and name.partition(".")[0] == "pycog" for name in imported)


def _true_division(tree):
    """Whether the file divides as Python 3 does: no division, or from __future__ imported."""
    nodes = list(ast.walk(tree))
    asked = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "division" for alias in node.names)
        for node in nodes
    )
    return asked or not any(isinstance(node, ast.Div) for node in nodes)


class _ListViews(ast.NodeTransformer):
    """x.keys() -> list(x.keys()), and so for values and items."""

    def visit_Call(self, node):
        self.generic_visit(node)
        method = node.func
        is_view = isinstance(method, ast.Attribute) and method.attr in LISTS_IN_PYTHON_2
        if not is_view or node.args or node.keywords:
            return node
        return ast.Call(ast.Name("list", ast.Load()), [node], [])
