"""From a task's trials to padded batches with noise."""

from pycog_dgr.data.dataset import Batch, Dataset
from pycog_dgr.data.noise import (
    AS_DRAWN,
    NormalStream,
    Requests,
    Sampler,
    input_noise,
    input_noise_sampler,
    normal_stream,
    recurrent_noise,
    recurrent_noise_sampler,
)
from pycog_dgr.data.on_demand import NoiseOnDemand
from pycog_dgr.data.source import readable, task_source, user_call, user_error
from pycog_dgr.data.trial import FixedTrial, Task, Trial, checked_trial, own_copy, task_name

__all__ = [
    "AS_DRAWN",
    "Batch",
    "Dataset",
    "FixedTrial",
    "NoiseOnDemand",
    "NormalStream",
    "Requests",
    "Sampler",
    "Task",
    "Trial",
    "checked_trial",
    "input_noise",
    "input_noise_sampler",
    "normal_stream",
    "own_copy",
    "readable",
    "recurrent_noise",
    "recurrent_noise_sampler",
    "task_name",
    "task_source",
    "user_call",
    "user_error",
]
