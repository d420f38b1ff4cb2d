"""Tasks: model files, the template of a new one, and environments of NeuroGym both ways.

`gym_env` (a task as a Gymnasium environment) needs Gymnasium, and is imported by its own name.
"""

from pycog_dgr.tasks.gym_task import TaskFromEnv
from pycog_dgr.tasks.model import Model, load_model_file

__all__ = ["Model", "TaskFromEnv", "load_model_file"]
