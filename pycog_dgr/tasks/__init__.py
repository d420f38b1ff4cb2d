"""Tasks: model files, a template, those of the package, several at once, replayed, NeuroGym's.

`gym_env` (a task as a Gymnasium environment) needs Gymnasium, and is imported by its own name.
"""

from pycog_dgr.tasks.bundled_tasks import BUNDLED, bundled_tasks, first_line
from pycog_dgr.tasks.gym_task import TaskFromEnv
from pycog_dgr.tasks.interleaving import Interleaved, interleaved
from pycog_dgr.tasks.model import Model, load_model_file
from pycog_dgr.tasks.replaying import Replayed, with_replay
from pycog_dgr.tasks.rules import WithRule, with_rules

__all__ = [
    "BUNDLED",
    "Interleaved",
    "Model",
    "Replayed",
    "TaskFromEnv",
    "WithRule",
    "bundled_tasks",
    "first_line",
    "interleaved",
    "load_model_file",
    "with_replay",
    "with_rules",
]
