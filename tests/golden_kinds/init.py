"""Initial weights and masks (init_*.npz), given the seed."""

import numpy as np

from pycog_dgr.network import effective_weights, initial_parameters, spectral_radius
from tests.golden_kinds.core_common import Coverage, configuration, float_type, load
from tests.golden_kinds.tasks_common import error, same
from tests.golden_kinds.tolerances import EXACT, LAST_BITS, ONE_PASS

EFFECTIVE = {"Win": "Win_", "Wrec": "Wrec_", "Wout": "Wout_"}


def reads(path):
    return path.name.startswith("init_") and path.suffix == ".npz"


def check(path):
    """Yield (what, error, tolerance)."""
    arrays, params = load(path)
    floatX = float_type(path)
    golden = Coverage(arrays)
    given, training = configuration(params, arrays)
    golden.used(*(name for name in arrays if name.startswith("given_")))
    raw, network = initial_parameters(given, training.seed)
    raw = raw._make(None if value is None else value.astype(floatX) for value in raw)

    yield "dt", error(network.dt, golden["dt"]), EXACT
    # float32 holds the scaled weights to its own last bit whatever the eigenvalue's last bits
    scaled = LAST_BITS if floatX == "float64" else np.finfo(floatX).eps
    for name, value in raw._asdict().items():
        if f"init_{name}" in golden:
            tolerance = scaled if name == "Wrec" else EXACT
            yield f"init_{name}", error(value, golden[f"init_{name}"]), tolerance
    for name, value in effective_weights(raw, network)._asdict().items():
        key = f"eff_{EFFECTIVE.get(name, name)}"
        if key in golden:
            yield key, error(value, golden[key]), scaled if name == "Wrec" else EXACT
    rho = spectral_radius(effective_weights(raw, network).Wrec)
    yield "rho_eff", error(rho, golden["rho_eff"]), ONE_PASS[floatX]
    yield from masks(network, golden)
    yield "keys read", same(sorted(golden.unread), []), EXACT


def masks(network, golden):
    for name in ("Cin", "Crec", "Cout"):
        if f"{name}_mask_plastic" in golden:
            C = getattr(network, name)
            for key, value, tolerance in (
                ("mask_plastic", C.mask_plastic, EXACT),
                ("mask_fixed_after", C.mask_fixed, LAST_BITS),
                ("plastic_values", C.plastic, EXACT),
                ("p_pplastic", [C.p, C.p_plastic], EXACT),
            ):
                yield f"{name}_{key}", error(value, golden[f"{name}_{key}"]), tolerance
