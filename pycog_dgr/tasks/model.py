"""Model files: a Python file that declares a network and a task, as for the original pycog.

    Model('rdm_fixed.py').train('rdm_fixed.npz', seed=1)
    Model(N=50, Nin=2, Nout=2, generate_trial=generate_trial).train('mine.npz')

Every module-level name of the file that is a setting (config.py) is one; `generate_trial`, or a
`task` object that has it, is the task. Files written for the original run unmodified: inside a
model file `pycog` means pycog_dgr, whenever it is imported, and Python 2 is read as Python 3
(source.py). Nothing outside the file notices: sys.modules has no pycog.
"""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import difflib
import importlib
import logging
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pycog_dgr.config import UNUSED_IN_PYCOG, setting_names, settings
from pycog_dgr.data import task_name
from pycog_dgr.errors import PycogDgrError, SettingError, TaskError, TrainingInterrupted
from pycog_dgr.tasks.source import parse

if TYPE_CHECKING:  # what loads PyTensor is imported where a training begins
    from pycog_dgr.training import Callback, Result

logger = logging.getLogger(__name__)

PACKAGE = __name__.partition(".")[0]
PYCOG = f"{PACKAGE}.compat.pycog"  # what a model file finds as pycog
MESSAGE_LENGTH = 200  # of another program's error
TOO_ALIKE = 0.9  # a name this similar to a setting's is taken for a misspelling of it


class Model:
    """A task and checked settings.

    Parameters
    ----------
    modelfile
        Path of a model file; or
    **kwargs
        Settings, and `generate_trial` or `task`.

    Attributes
    ----------
    m
        What was given, as a namespace.
    task, network, training
        The object with generate_trial, and the settings.

    Raises
    ------
    SettingError
        Names an unknown or wrong setting and its near miss.
    TaskError
        A missing task, or a file that cannot be read.
    """

    def __repr__(self) -> str:
        return f"Model({task_name(self.task)}: {self.network.described()})"

    def __init__(self, modelfile: str | Path | None = None, **kwargs: Any) -> None:
        self.m: Any
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
        self._given = kwargs if modelfile is None else str(Path(modelfile).absolute())
        self._made = self.network, self.training

    def __reduce__(self) -> tuple:
        """Pickled as what it was made of, so that a worker can be handed one: a model file is read
        again there; of keywords, functions must be importable, as pickle demands.
        """
        changed = {
            name: {k: v for k, v in vars(own).items() if v is not getattr(made, k)}
            for name, own, made in zip(
                ("network", "training"), (self.network, self.training), self._made, strict=True
            )
        }
        return _remade, (self._given, {name: values for name, values in changed.items() if values})

    def train(
        self,
        savefile: str | Path,
        seed: int | None = None,
        compiledir: str | Path | None = None,
        recover: bool = True,
        gpus: int = 0,
        *,
        progress: bool = True,
        callbacks: Sequence[Callback] = (),
        on_update: Callable | None = None,
        on_validation: Callable | None = None,
        **options: Any,
    ) -> Result:
        """Train, saving to `savefile`.

        Parameters
        ----------
        savefile
            Where the training is saved; it goes on from there where the file exists.
        seed
            Of the initial weights; a model file's own `seed` goes first, as in the original.
        compiledir, gpus
            pycog's: the first is not needed, the second must be 0.
        recover
            False to start anew; see training.loop.train for this, for what follows, and for the
            errors.
        progress
            Show a bar, where there is a terminal or a notebook to show it in.
        callbacks
            What else watches (training.callbacks): CsvLog("log.csv"), TensorBoard("runs/1").
        on_update, on_validation
            Called after every update, and after every check.
        **options
            Of training.loop.train: start="one.npz" begins with another training's best network,
            floatX, optimiser, ...

        Returns
        -------
        Result
            Why it stopped, after how many updates, and what the save file holds.

        Raises
        ------
        TrainingInterrupted
            A KeyboardInterrupt: a signal stopped the training. It is saved, and the same call goes
            on; a script does not go on with a network that is half trained.
        """
        if gpus:
            raise SettingError(
                f"train: gpus={gpus}, but training runs on the CPU, the faster one for networks of "
                "this size; leave it out"
            )
        if compiledir is not None:
            logger.info("compiledir is not needed: nothing is compiled into a folder of its own")
        from pycog_dgr.training import train
        from pycog_dgr.training.callbacks import ProgressBar, watching

        training = self.training
        if seed is not None and self.has_own_seed:
            logger.warning("seed %s is not used: the model sets seed = %s", seed, training.seed)
        elif seed is not None:
            training = dataclasses.replace(training, seed=seed)
        watchers = list(callbacks)
        if progress:
            watchers.append(ProgressBar(Path(savefile).stem, training))
        with watching(watchers, on_update, on_validation) as told:
            options |= {"recover": recover, **told}
            result = train(self.task, self.network, training, savefile, **options)
        if result.reason == "interrupted":
            raise TrainingInterrupted(
                f"{savefile}: saved after {result.iterations} updates; the same call goes on",
                result,
            )
        return result


def _remade(given: Any, changed: dict[str, dict[str, Any]]) -> Model:
    """A Model from what another one was made of, with the settings that were replaced since."""
    model = Model(given) if isinstance(given, str) else Model(**given)
    for name, values in changed.items():
        setattr(model, name, dataclasses.replace(getattr(model, name), **values))
    return model


def _task(m: Any, where: str) -> Any:
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


def _settings_in(values: Mapping[str, Any], modelfile: str | Path) -> dict[str, Any]:
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


def load_model_file(path: str | Path) -> types.ModuleType:
    """Run a model file as a module, which is not put into sys.modules.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    ModuleType
        What the file defines.

    Raises
    ------
    TaskError
        Names the file and line where it cannot be read, is Python of no kind, or fails.
    """
    path = Path(path)
    source = parse(path)
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    vars(module)["__builtins__"] = {
        **vars(builtins),
        **source.builtins,
        "__import__": _import_pycog,
    }
    try:
        exec(compile(source.tree, str(path), "exec", dont_inherit=True), vars(module))
    except PycogDgrError:
        raise
    except (Exception, SystemExit) as error:
        raise TaskError(
            f"{path}, line {_line_in(path, error)}: the model file fails: "
            f"{repr(error)[:MESSAGE_LENGTH]}{_of_a_fork(error)}"
        ) from error
    return module


def _of_a_fork(error: BaseException) -> str:
    """What to do where an import asks for a function that the original does not have."""
    if not isinstance(error, ImportError) or not (error.name or "").startswith(PACKAGE):
        return ""
    return "; if it is a function of a fork of pycog, define it in the model file"


def _line_in(path: Path, error: BaseException) -> Any:
    """The last line of the file `path` that an error came through; '?' where it did not."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), "?")


def _import_pycog(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] = (),
    level: int = 0,
) -> types.ModuleType:
    """`import` inside a model file: pycog is pycog_dgr."""
    package, dot, rest = name.partition(".")
    if package != "pycog" or level:
        return builtins.__import__(name, globals, locals, fromlist, level)
    module = builtins.__import__(PYCOG + dot + rest, globals, locals, ("*",), 0)
    for wanted in fromlist or ():
        if not hasattr(module, wanted):
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(f"{module.__name__}.{wanted}")
    return module if fromlist else importlib.import_module(PYCOG)
