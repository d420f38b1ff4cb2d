"""Activations, losses, clipping, connectivity, spectral radius: the rest of misc_*.npz.

One entry is a departure: the original's binary cross-entropy at y = t = 1 in float32 is NaN,
because Theano took 1 + 1e-10 for 1; ours is finite and is compared with the float64 value.
"""

import numpy as np
import pytensor
import pytensor.tensor as pt

from pycog_dgr.config import Connectivity
from pycog_dgr.errors import SettingError
from pycog_dgr.kernels import ACTIVATIONS, activations_numba
from pycog_dgr.network import spectral_radius
from pycog_dgr.symbolic import activations, objective, optimisers
from pycog_dgr.symbolic.numpy_mode import numpy_mode
from tests.golden_kinds import tools
from tests.golden_kinds.core_common import Coverage
from tests.golden_kinds.tasks_common import error, load, same
from tests.golden_kinds.tolerances import (
    ELEMENTWISE,
    EXACT,
    ONE_PASS,
    SATURATED_FROM,
)

LOSSES = {
    "L2": objective.squared_error,
    "binary_crossentropy": objective.binary_crossentropy,
    "categorical_crossentropy": objective.categorical_crossentropy,
}
COUNTS = "p_pplastic_nplastic_nfixed_size"


def reads(path):
    return path.name.startswith("misc_") and path.suffix == ".npz"


def check(path):
    """Yield (what, error, tolerance)."""
    arrays, meta = load(path)
    golden = Coverage(arrays)
    golden.used(*(name for name in arrays if name.startswith(tools.PREFIXES)))
    with pytensor.config.change_flags(floatX=meta["floatX"]):
        yield from of_activations(golden, meta["floatX"])
        yield from of_losses(golden, meta["floatX"])
        yield from of_clipping(golden, meta["floatX"])
    yield from of_connectivity(golden, meta)
    rho = spectral_radius(golden["sr_A"])
    yield "spectral radius", error(rho, golden["sr"]), ONE_PASS[meta["floatX"]]
    yield "keys read", same(sorted(golden.unread), []), EXACT


def evaluated(function, *arrays):
    """The value of a symbolic function of these arrays."""
    variables = [pt.as_tensor(array).type() for array in arrays]
    result = function(*variables)
    return pytensor.function(variables, result, mode=numpy_mode())(*arrays)


def of_activations(golden, floatX):
    x = golden["act_x"].astype(floatX)
    for name, (f, derivative) in activations.HIDDEN.items():
        plain_f, plain_df = ACTIVATIONS[name]
        rows = np.atleast_2d(x)
        compiled, slope = np.empty((2, *rows.shape), floatX)
        kind, half = activations_numba.KINDS[name], compiled.dtype.type(0.5)
        activations_numba.f_rows(kind, rows, len(rows), compiled)
        activations_numba.df_rows(kind, rows, compiled, half, slope)
        with np.errstate(over="ignore"):
            plain = plain_f(x)
            got = {
                f"act_{name}": evaluated(f, x),
                f"grad_{name}": evaluated(lambda v, f=f: pytensor.grad(pt.sum(f(v)), v), x),
                f"dact_{name}": evaluated(derivative, x),
                f"act_{name}, numpy": plain,
                f"grad_{name}, numpy": plain_df(x, plain, 0.5),
                f"act_{name}, numba": compiled.reshape(x.shape),
                f"grad_{name}, numba": slope.reshape(x.shape),
            }
        saturated = (name in ("sigmoid", "softplus")) & (x > SATURATED_FROM)
        for what, value in got.items():
            expected = golden[what.partition(",")[0]]
            within = ELEMENTWISE[floatX]
            yield what, error(value[~saturated], expected[~saturated]), within
            if saturated.any():
                apart = np.abs(value[saturated] - expected[saturated])
                relative = apart / np.maximum(np.abs(expected[saturated]), 1)
                beyond = np.maximum(relative - np.exp(-x[saturated]), 0)
                yield f"{what}, x large", float(np.max(beyond)), within
    y = evaluated(activations.softmax, golden["softmax_x"].astype(floatX))
    yield "softmax", error(y, golden["softmax_y"]), ELEMENTWISE[floatX]


def of_losses(golden, floatX):
    y, t = golden["loss_y"].astype(floatX), golden["loss_t"].astype(floatX)
    for name, function in LOSSES.items():
        value = evaluated(function, y, t)
        expected = golden[f"loss_{name}"].copy()
        departure = np.isnan(expected)
        if departure.any():
            expected[departure] = evaluated(function, y.astype("float64"), t.astype("float64"))[
                departure
            ]
        yield f"loss_{name}", error(value, expected), ELEMENTWISE[floatX]


def of_clipping(golden, floatX):
    """clip_norm_5_M is the vector clipped to the norm M as if its own norm were 5."""
    v = golden["clip_norm_in"].astype(floatX)
    for name in [name for name in golden.arrays if name.startswith("clip_norm_5_")]:
        clip = optimisers.clip_by_global_norm(float(name.rsplit("_", 1)[1]))

        def clipped(g, clip=clip):
            context = optimisers.Context({}, optimisers.global_norm({"g": g}))
            return clip({"g": g}, context)[0]["g"]

        yield name, error(evaluated(clipped, v), golden[name]), ELEMENTWISE[floatX]


def of_connectivity(golden, meta):
    for name in [name for name in golden.arrays if name.startswith("conn_N")]:
        if name.endswith("_C"):
            N, p, seed = name.removeprefix("conn_N").removesuffix("_C").split("_")
            seed = {} if seed.startswith("default") else {"seed": int(seed[len("seed") :])}
            C = Connectivity(int(N), p=float(p[1:]), **seed)
            yield from parts(name.removesuffix("_C"), C, golden)
    C = Connectivity(golden["conn_fix_C"], golden["conn_fix_Cfixed"])
    yield from parts("conn_fix", C, golden)
    if meta["conn_overlap"] == "AssertionError":
        try:
            Connectivity(np.ones((2, 2)), np.eye(2))
        except SettingError:
            yield "overlap is refused", 0.0, EXACT
        else:
            yield "overlap is refused", np.inf, EXACT


def parts(prefix, C, golden):
    values = {
        "C": C.C, "mask_plastic": C.mask_plastic, "mask_fixed": C.mask_fixed,
        "idx_plastic": C.idx_plastic, "idx_fixed": C.idx_fixed, "plastic": C.plastic,
        "fixed": C.fixed, COUNTS: [C.p, C.p_plastic, C.nplastic, C.nfixed, C.size],
    }  # fmt: skip
    for name, value in values.items():
        if f"{prefix}_{name}" in golden:
            yield f"{prefix}_{name}", error(value, golden[f"{prefix}_{name}"]), EXACT
