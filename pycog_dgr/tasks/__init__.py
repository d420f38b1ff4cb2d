"""Tasks: model files, a template, those of the package, several at once, and NeuroGym's both ways.

`gym_env` (a task as a Gymnasium environment) needs Gymnasium, and is imported by its own name.
"""

from pycog_dgr.tasks.bundled_tasks import BUNDLED, bundled_tasks, first_line
from pycog_dgr.tasks.gym_task import TaskFromEnv
from pycog_dgr.tasks.interleaving import Interleaved, interleaved
from pycog_dgr.tasks.model import Model, load_model_file
from pycog_dgr.tasks.replaying import Replayed

__all__ = [
    "BUNDLED",
    "Interleaved",
    "Model",
    "Replayed",
    "TaskFromEnv",
    "bundled_tasks",
    "first_line",
    "interleaved",
    "load_model_file",
]
