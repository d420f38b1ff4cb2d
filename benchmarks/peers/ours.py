"""pycog_dgr's own step, by each of its backends."""

from __future__ import annotations

import numpy as np

from benchmarks.peers import Peer, Report
from benchmarks.workloads import FLOATX, Workload
from pycog_dgr.data import Batch
from pycog_dgr.training import TrainingStep


def start(workload: Workload, backend: str, floatX: str = FLOATX) -> Peer:
    step = TrainingStep(
        workload.network, workload.training, workload.parameters, floatX, backend=backend
    )

    def update(batch: Batch) -> Report:
        report = step.update(batch)
        return Report(report.loss, report.gnorm, report.Omega)

    def parameters() -> dict[str, np.ndarray]:
        values = step.parameters._asdict()
        return {name: values[name] for name in step.network.trained}

    return Peer(update, parameters)


def fast(workload: Workload, floatX: str = FLOATX) -> Peer:
    return start(workload, "fast", floatX)


def in_numpy(workload: Workload) -> Peer:
    return start(workload, "numpy")


def scan(workload: Workload) -> Peer:
    return start(workload, "scan")
