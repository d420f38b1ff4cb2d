"""Tasks: model files, the template of a new one, those of the package, and NeuroGym's both ways.

`gym_env` (a task as a Gymnasium environment) needs Gymnasium, and is imported by its own name.
"""

from pycog_dgr.tasks.bundled_tasks import BUNDLED, bundled_tasks, first_line
from pycog_dgr.tasks.gym_task import TaskFromEnv
from pycog_dgr.tasks.model import Model, load_model_file

__all__ = ["BUNDLED", "Model", "TaskFromEnv", "bundled_tasks", "first_line", "load_model_file"]
