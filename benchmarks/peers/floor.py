"""The step written by hand in C++ (floor.cpp) on the OpenBLAS that comes inside numpy."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.linalg import cython_blas
from threadpoolctl import threadpool_info

from benchmarks.peers import Peer, Report, Unavailable
from benchmarks.workloads import TRAINED, Workload
from pycog_dgr.data import Batch

SOURCE = Path(__file__).with_name("floor.cpp")
# Compiled and linked apart: linking with -ffast-math would make the whole process, every peer in
# it, flush denormal numbers to zero.
OPTIONS = ("-O3", "-march=native", "-ffast-math", "-fno-finite-math-only", "-fPIC", "-std=c++17")
OUTPUTS = {"linear": 0, "sigmoid": 1, "softmax": 2}


class Sgemm(NamedTuple):
    """A Fortran sgemm: where it is, and the type of its integers."""

    address: int
    integer: str
    source: str


class Network(ctypes.Structure):
    """`struct Network` of floor.cpp."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("T", "B", "Nin", "N", "Nout", "output", "merged")),
        *(
            (name, ctypes.c_float)
            for name in ("alpha", "lambda_Omega", "bound", "max_gradient_norm", "learning_rate")
        ),
        ("ei", ctypes.c_void_p),
        ("plastic", ctypes.c_void_p),
    )


@functools.cache
def sgemm() -> Sgemm:
    """numpy's own where it carries an OpenBLAS (the faster of the two), and scipy's otherwise."""
    symbols = {"scipy_sgemm_64_": "int64_t", "scipy_sgemm_": "int32_t"}
    for library in threadpool_info():
        if library["internal_api"] == "openblas" and "numpy" in library["filepath"]:
            loaded = ctypes.CDLL(library["filepath"])
            for symbol, integer in symbols.items():
                if hasattr(loaded, symbol):
                    pointer = ctypes.cast(getattr(loaded, symbol), ctypes.c_void_p).value
                    return Sgemm(pointer, integer, f"numpy's OpenBLAS {library['version']}")
    return Sgemm(address_in_scipy("sgemm"), "int32_t", "scipy's BLAS")


def address_in_scipy(name: str) -> int:
    """The address of one of scipy's BLAS functions."""
    capsule = cython_blas.__pyx_capi__[name]
    python = ctypes.pythonapi
    python.PyCapsule_GetName.restype = ctypes.c_char_p
    python.PyCapsule_GetName.argtypes = [ctypes.py_object]
    python.PyCapsule_GetPointer.restype = ctypes.c_void_p
    python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return python.PyCapsule_GetPointer(capsule, python.PyCapsule_GetName(capsule))


@functools.cache
def compiled(integer: str) -> ctypes.CDLL:
    """floor.cpp as a library; Unavailable without g++."""
    compiler = shutil.which("g++")
    if compiler is None:
        raise Unavailable("no g++ on this machine")
    with tempfile.TemporaryDirectory() as folder:
        made, library = f"{folder}/floor.o", f"{folder}/floor.so"
        for command in (
            [compiler, *OPTIONS, f"-DBLAS_INT={integer}", "-c", str(SOURCE), "-o", made],
            [compiler, "-shared", made, "-o", library],
        ):
            subprocess.run(command, check=True, capture_output=True)
        loaded = ctypes.CDLL(library)
    loaded.workspace.restype = ctypes.c_void_p
    loaded.workspace.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    loaded.step.restype = None
    loaded.step.argtypes = [ctypes.c_void_p] * 13
    return loaded


def address(array: np.ndarray) -> int:
    if array.dtype != np.float32 or not array.flags.c_contiguous:
        raise TypeError(f"floor.cpp reads contiguous float32 arrays, not {array.dtype}")
    return array.ctypes.data


def start(workload: Workload, merged: bool = False) -> Peer:
    """`merged`: the gradients of the loss and of Omega by Wrec in one product."""
    blas = sgemm()
    library = compiled(blas.integer)
    network, training = workload.network, workload.training
    T, B, _ = workload.batches[0].noise.shape
    values = {name: np.array(value, np.float32) for name, value in workload.values.items()}
    plastic = network.Crec.mask_plastic.astype(np.float32)
    ei = network.ei.astype(np.float32)
    described = Network(
        T=T, B=B, Nin=network.Nin, N=network.N, Nout=network.Nout,
        output=OUTPUTS[network.output_activation], merged=merged, alpha=network.alpha,
        lambda_Omega=training.lambda_Omega, bound=training.bound,
        max_gradient_norm=training.max_gradient_norm, learning_rate=training.learning_rate,
        ei=address(ei), plastic=address(plastic),
    )  # fmt: skip
    space = library.workspace(ctypes.addressof(described), blas.address)  # the process frees it
    Win, Wrec, Wout, brec, bout, x0 = (address(value) for value in values.values())
    report = np.zeros(4)
    kept = plastic, ei  # the library holds their addresses

    def update(batch: Batch, kept: tuple = kept) -> Report:
        library.step(
            ctypes.addressof(described), space, Win, Wrec, Wout, x0, brec, bout,
            *(address(array) for array in batch), report.ctypes.data,
        )  # fmt: skip
        return Report(*report[:3].tolist())

    return Peer(update, lambda: {name: values[name].copy() for name in TRAINED})
